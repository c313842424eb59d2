// SPDX-License-Identifier: GPL-2.0

//! A ring of fixed size between one producer and one consumer.
//!
//! A transmit ring has two ends: the one that queues frames and the one that frees them once the
//! chip is done. They run at the same time on different processors. This ring gives each end its
//! own type, of which there is exactly one, so that "single writer" is ownership and not a comment.
//! The scheme is that of `Documentation/core-api/circular-buffers.rst`.

use core::{
    cell::UnsafeCell,
    mem::MaybeUninit, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc, //
    }, //
};

/// Keeps the index one end writes off the cache line of the other's.
#[repr(align(64))]
struct Index(Atomic<usize>);

/// # Invariants
///
/// - `slots.len()` is a power of two; indices run freely and are taken modulo it.
/// - `tail - head` (wrapping) is at most `slots.len()`.
/// - The slots from `head` up to `tail` are initialised and belong to the consumer; all others are
///   uninitialised and belong to the producer.
/// - Only the producer stores to `tail`, only the consumer to `head`.
struct Ring<T> {
    slots: KVVec<UnsafeCell<MaybeUninit<T>>>,
    head: Index,
    tail: Index,
}

// SAFETY: By the invariants each slot is touched by one end at a time and handed over with
// release/acquire ordering, so that sharing the ring only moves `T` between threads.
unsafe impl<T: Send> Sync for Ring<T> {}

// SAFETY: As above.
unsafe impl<T: Send> Send for Ring<T> {}

impl<T> Ring<T> {
    #[inline]
    fn slot(&self, index: usize) -> Option<*mut T> {
        self.slots
            .get(index & self.slots.len().wrapping_sub(1))
            .map(|cell| cell.get().cast())
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        let tail = self.tail.0.load(Relaxed);
        let mut head = self.head.0.load(Relaxed);
        while head != tail {
            if let Some(slot) = self.slot(head) {
                // SAFETY: By the invariants the slots from `head` up to `tail` are initialised;
                // both ends are gone, so nobody else touches them.
                unsafe { slot.drop_in_place() };
            }
            head = head.wrapping_add(1);
        }
    }
}

/// The end that puts entries in. There is one for each ring.
///
/// Entries are staged first and handed over together by [`Producer::commit`], so that a group of
/// entries is seen whole or, after [`Producer::abort`], not at all.
///
/// # Invariants
///
/// The `staged` slots from the ring's `tail` on are initialised. `seen` was once the ring's `head`,
/// and is at most `slots.len()` behind the next index: whoever stages asks for room first.
pub struct Producer<T> {
    ring: Arc<Ring<T>>,
    staged: usize,
    /// Spares a look at the other end's cache line for each entry.
    seen: usize,
}

/// The end that takes entries out. There is one for each ring.
pub struct Consumer<T> {
    ring: Arc<Ring<T>>,
}

/// Makes a ring of `len` entries.
///
/// Returns [`EINVAL`] unless `len` is a power of two, [`ENOMEM`] if memory is short.
pub fn ring<T: Send>(len: usize) -> Result<(Producer<T>, Consumer<T>)> {
    if !len.is_power_of_two() {
        return Err(EINVAL);
    }
    let mut slots = KVVec::with_capacity(len, GFP_KERNEL)?;
    for _ in 0..len {
        slots.push(UnsafeCell::new(MaybeUninit::uninit()), GFP_KERNEL)?;
    }
    // INVARIANT: The length is a power of two, and the ring is empty.
    let ring = Arc::new(
        Ring {
            slots,
            head: Index(Atomic::new(0)),
            tail: Index(Atomic::new(0)),
        },
        GFP_KERNEL,
    )?;
    Ok((
        Producer {
            ring: ring.clone(),
            staged: 0,
            seen: 0,
        },
        Consumer { ring },
    ))
}

impl<T> Producer<T> {
    /// How many entries can be staged now; more may become free at any time.
    #[inline]
    pub fn free(&self) -> usize {
        let used = self
            .next_index()
            .wrapping_sub(self.ring.head.0.load(Acquire));
        self.ring.slots.len().wrapping_sub(used)
    }

    /// Whether at least `wanted` entries can be staged now. Cheaper than [`Producer::free`] where
    /// they mostly can.
    #[inline]
    pub fn has_room(&mut self, wanted: usize) -> bool {
        let tail = self.next_index();
        let free = |head| self.ring.slots.len().wrapping_sub(tail.wrapping_sub(head));
        if free(self.seen) >= wanted {
            return true;
        }
        let head = self.ring.head.0.load(Acquire);
        let result = free(head) >= wanted;
        // INVARIANT: It was just now.
        self.seen = head;
        result
    }

    /// The free-running index that the next entry gets; modulo [`Producer::capacity`] it is the
    /// place in the ring.
    #[inline]
    pub fn next_index(&self) -> usize {
        self.ring.tail.0.load(Relaxed).wrapping_add(self.staged)
    }

    /// Number of entries the ring can hold.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.ring.slots.len()
    }

    /// Stages `entry`; gives it back if the ring is full.
    #[inline(always)]
    pub fn stage(&mut self, entry: T) -> Result<(), T> {
        if !self.has_room(1) {
            return Err(entry);
        }
        let Some(slot) = self.ring.slot(self.next_index()) else {
            return Err(entry);
        };
        // SAFETY: The ring is not full, so by the invariants this slot is uninitialised and the
        // producer's, of which `&mut self` is the only one.
        unsafe { slot.write(entry) };
        // INVARIANT: The slot has just been initialised.
        self.staged = self.staged.wrapping_add(1);
        Ok(())
    }

    /// The entry staged last, while it is.
    #[inline]
    pub fn last_staged(&mut self) -> Option<&mut T> {
        if self.staged == 0 {
            return None;
        }
        let slot = self.ring.slot(self.next_index().wrapping_sub(1))?;
        // SAFETY: By the type invariant the slot is initialised; it is the producer's, and `self`
        // is borrowed exclusively for as long as the result.
        Some(unsafe { &mut *slot })
    }

    /// Hands everything that is staged to the consumer.
    #[inline]
    pub fn commit(&mut self) {
        // INVARIANT: The staged slots are initialised; the release makes that visible before the
        // index that gives them away.
        self.ring.tail.0.store(self.next_index(), Release);
        self.staged = 0;
    }

    /// Drops everything that is staged.
    pub fn abort(&mut self) {
        while self.staged > 0 {
            self.staged = self.staged.wrapping_sub(1);
            if let Some(slot) = self.ring.slot(self.next_index()) {
                // SAFETY: By the type invariant the slot was initialised; it is the producer's
                // and, with `staged` lowered, uninitialised from now on.
                unsafe { slot.drop_in_place() };
            }
        }
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.abort();
    }
}

impl<T> Consumer<T> {
    /// The oldest entry and its free-running index.
    ///
    /// Exclusive, so that `T` need not be [`Sync`] for the consumer to be.
    #[inline]
    pub fn peek(&mut self) -> Option<(usize, &T)> {
        let head = self.ring.head.0.load(Relaxed);
        if head == self.ring.tail.0.load(Acquire) {
            return None;
        }
        // SAFETY: The ring is not empty, so by the invariants this slot is initialised and the
        // consumer's; it stays so while `self` is borrowed, as only `pop()` gives it up.
        Some((head, unsafe { &*self.ring.slot(head)? }))
    }

    /// Takes the oldest entry out.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let head = self.ring.head.0.load(Relaxed);
        if head == self.ring.tail.0.load(Acquire) {
            return None;
        }
        let slot = self.ring.slot(head)?;
        // SAFETY: As in `peek()`; the slot is given up below and not read again.
        let entry = unsafe { slot.read() };
        // INVARIANT: The slot is uninitialised; the release orders the read before the index.
        self.ring.head.0.store(head.wrapping_add(1), Release);
        Some(entry)
    }

    /// How many entries could be pushed now.
    #[inline]
    pub fn free(&self) -> usize {
        let used = self
            .ring
            .tail
            .0
            .load(Acquire)
            .wrapping_sub(self.ring.head.0.load(Relaxed));
        self.ring.slots.len().wrapping_sub(used)
    }

    /// How many entries are waiting.
    #[inline]
    pub fn used(&self) -> usize {
        self.ring.slots.len().wrapping_sub(self.free())
    }
}
