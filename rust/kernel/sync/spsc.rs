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
/// - `slots.len()` is a power of two, and `mask` one less; indices run freely and are taken modulo
///   it.
/// - `tail - head` (wrapping) is at most `slots.len()`.
/// - The slots from `head` up to `tail` are initialised and belong to the consumer; all others are
///   uninitialised and belong to the producer.
/// - Only the producer stores to `tail`, only the consumer to `head`.
struct Ring<T> {
    slots: KVVec<UnsafeCell<MaybeUninit<T>>>,
    mask: usize,
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
    fn slot(&self, index: usize) -> *mut T {
        // SAFETY: By the invariants there are more slots than the mask lets through.
        unsafe { self.slots.get_unchecked(index & self.mask) }
            .get()
            .cast()
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        let tail = self.tail.0.load(Relaxed);
        let mut head = self.head.0.load(Relaxed);
        while head != tail {
            // SAFETY: By the invariants the slots from `head` up to `tail` are initialised; both
            // ends are gone, so nobody else touches them.
            unsafe { self.slot(head).drop_in_place() };
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
/// `next` is `staged` behind the ring's `tail`, and the slots between are initialised. At least the
/// `room` slots from `next` on are the producer's, and uninitialised.
pub struct Producer<T> {
    ring: Arc<Ring<T>>,
    next: usize,
    staged: usize,
    /// Spares a look at the other end's cache line for each entry.
    room: usize,
}

/// A slot that is to be filled with the next entry.
///
/// # Invariants
///
/// The producer has room.
pub struct Vacant<'a, T>(&'a mut Producer<T>);

/// The end that takes entries out. There is one for each ring.
///
/// # Invariants
///
/// `head` is the ring's. The slots from there up to `seen` are initialised.
pub struct Consumer<T> {
    ring: Arc<Ring<T>>,
    head: usize,
    /// Spares a look at the other end's cache line for each entry.
    seen: usize,
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
            mask: len.wrapping_sub(1),
            head: Index(Atomic::new(0)),
            tail: Index(Atomic::new(0)),
        },
        GFP_KERNEL,
    )?;
    // INVARIANT: Nothing is staged, and all slots are the producer's.
    Ok((
        Producer {
            ring: ring.clone(),
            next: 0,
            staged: 0,
            room: len,
        },
        Consumer {
            ring,
            head: 0,
            seen: 0,
        },
    ))
}

impl<T> Producer<T> {
    /// How many entries can be staged now; more may become free at any time.
    #[inline]
    pub fn free(&self) -> usize {
        let used = self.next.wrapping_sub(self.ring.head.0.load(Acquire));
        self.capacity().wrapping_sub(used)
    }

    /// Whether at least `wanted` entries can be staged now. Cheaper than [`Producer::free`] where
    /// they mostly can.
    #[inline]
    pub fn has_room(&mut self, wanted: usize) -> bool {
        if self.room < wanted {
            // INVARIANT: So many are free; the consumer only frees more.
            self.room = self.free();
        }
        self.room >= wanted
    }

    /// The free-running index that the next entry gets; modulo [`Producer::capacity`] it is the
    /// place in the ring.
    #[inline]
    pub fn next_index(&self) -> usize {
        self.next
    }

    /// Number of entries the ring can hold.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.ring.mask.wrapping_add(1)
    }

    /// The slot of the next entry; [`None`] if the ring is full.
    #[inline]
    pub fn vacant(&mut self) -> Option<Vacant<'_, T>> {
        if !self.has_room(1) {
            return None;
        }
        // INVARIANT: There is room.
        Some(Vacant(self))
    }

    /// The entry staged last, while it is.
    #[inline]
    pub fn last_staged(&mut self) -> Option<&mut T> {
        if self.staged == 0 {
            return None;
        }
        let slot = self.ring.slot(self.next.wrapping_sub(1));
        // SAFETY: By the type invariant the slot is initialised; it is the producer's, and `self`
        // is borrowed exclusively for as long as the result.
        Some(unsafe { &mut *slot })
    }

    /// Hands everything that is staged to the consumer.
    #[inline]
    pub fn commit(&mut self) {
        // INVARIANT: The staged slots are initialised; the release makes that visible before the
        // index that gives them away.
        self.ring.tail.0.store(self.next, Release);
        self.staged = 0;
    }

    /// Drops everything that is staged.
    pub fn abort(&mut self) {
        while self.staged > 0 {
            // INVARIANT: The slot is uninitialised from here on.
            self.staged = self.staged.wrapping_sub(1);
            self.next = self.next.wrapping_sub(1);
            self.room = self.room.wrapping_add(1);
            // SAFETY: By the type invariants the slot was initialised, and is the producer's.
            unsafe { self.ring.slot(self.next).drop_in_place() };
        }
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.abort();
    }
}

impl<T> Vacant<'_, T> {
    /// Stages `entry`.
    #[inline(always)]
    pub fn fill(self, entry: T) {
        let Self(producer) = self;
        // SAFETY: By the type invariant there is room, so that the slot is uninitialised and the
        // producer's, which is borrowed exclusively.
        unsafe { producer.ring.slot(producer.next).write(entry) };
        // INVARIANT: The slot has just been initialised.
        producer.next = producer.next.wrapping_add(1);
        producer.staged = producer.staged.wrapping_add(1);
        producer.room = producer.room.wrapping_sub(1);
    }
}

impl<T> Consumer<T> {
    /// Whether nothing waits.
    #[inline]
    fn is_empty(&mut self) -> bool {
        if self.head == self.seen {
            // INVARIANT: The producer has initialised them; the acquire makes that visible.
            self.seen = self.ring.tail.0.load(Acquire);
        }
        self.head == self.seen
    }

    /// The free-running index of the oldest entry, or of the next that comes.
    #[inline]
    pub fn next_index(&self) -> usize {
        self.head
    }

    /// The oldest entry and its free-running index.
    ///
    /// Exclusive, so that `T` need not be [`Sync`] for the consumer to be.
    #[inline]
    pub fn peek(&mut self) -> Option<(usize, &T)> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: By the type invariants this slot is initialised and the consumer's; it stays so
        // while `self` is borrowed, as only `pop()` gives it up.
        Some((self.head, unsafe { &*self.ring.slot(self.head) }))
    }

    /// Takes the oldest entry out.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: As in `peek()`; the slot is given up below and not read again.
        let entry = unsafe { self.ring.slot(self.head).read() };
        // INVARIANT: The slot is uninitialised; the release orders the read before the index.
        self.head = self.head.wrapping_add(1);
        self.ring.head.0.store(self.head, Release);
        Some(entry)
    }

    /// How many entries could be pushed now.
    #[inline]
    pub fn free(&self) -> usize {
        self.capacity().wrapping_sub(self.used())
    }

    /// How many entries are waiting.
    #[inline]
    pub fn used(&self) -> usize {
        self.ring.tail.0.load(Acquire).wrapping_sub(self.head)
    }

    #[inline]
    fn capacity(&self) -> usize {
        self.ring.mask.wrapping_add(1)
    }
}
