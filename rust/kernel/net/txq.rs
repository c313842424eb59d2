// SPDX-License-Identifier: GPL-2.0

//! Transmit queues of a network device: flow control and byte queue limits.
//!
//! C header: [`include/net/netdev_queues.h`](srctree/include/net/netdev_queues.h),
//! rules: `Documentation/networking/driver.rst`, section "Transmit path guidelines".

use bindings_ext as bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::sync::barrier::{
    smp_mb,
    Full, //
};

/// A transmit queue for whoever holds its lock: within `start_xmit()`.
///
/// # Invariants
///
/// `txq` is a queue of a net device that is alive for `'a`, and its lock is held.
pub struct XmitQueue<'a> {
    txq: NonNull<bindings::netdev_queue>,
    _not_send: PhantomData<&'a *mut ()>,
}

impl XmitQueue<'_> {
    /// # Safety
    ///
    /// `txq` must be a queue of a net device that outlives the result, with its lock held.
    #[inline]
    pub(crate) unsafe fn from_raw(txq: NonNull<bindings::netdev_queue>) -> Self {
        // INVARIANT: As the caller vouches.
        Self {
            txq,
            _not_send: PhantomData,
        }
    }

    /// Tells byte queue limits of a frame of `bytes` given to the ring. Returns whether the chip
    /// must be told now; with `more` to follow it mostly need not.
    #[inline]
    pub fn sent(&self, bytes: u32, more: bool) -> bool {
        // SAFETY: By the type invariant the queue is valid and its lock held.
        unsafe { bindings::rust_helper_netdev_tx_sent_queue(self.txq.as_ptr(), bytes, more) }
    }

    /// Stops the queue if fewer than `wanted` entries are free, and starts it again if enough
    /// became free meanwhile. Returns whether it is stopped.
    #[inline]
    pub fn stop_unless(&self, free: impl Fn() -> usize, wanted: usize) -> bool {
        if free() >= wanted {
            return false;
        }
        // SAFETY: The queue is valid by the type invariant.
        unsafe { bindings::rust_helper_netif_tx_stop_queue(self.txq.as_ptr()) };
        // Producer index and stop bit before the second look; pairs with the barrier in
        // `DoneQueue::completed()`.
        smp_mb(Full);
        if free() < wanted {
            return true;
        }
        // SAFETY: The queue is valid by the type invariant.
        unsafe { bindings::rust_helper_netif_tx_start_queue(self.txq.as_ptr()) };
        false
    }
}

/// A transmit queue for the poll of its channel.
///
/// # Invariants
///
/// `txq` is a queue of a net device that is alive for `'a`, and the current thread polls its
/// channel.
pub struct DoneQueue<'a> {
    txq: NonNull<bindings::netdev_queue>,
    _not_send: PhantomData<&'a *mut ()>,
}

impl DoneQueue<'_> {
    /// # Safety
    ///
    /// `txq` must be a queue of a net device that outlives the result, and the current thread must
    /// be polling its channel.
    #[inline]
    pub(crate) unsafe fn from_raw(txq: NonNull<bindings::netdev_queue>) -> Self {
        // INVARIANT: As the caller vouches.
        Self {
            txq,
            _not_send: PhantomData,
        }
    }

    /// Tells byte queue limits what the chip is done with, and wakes the queue if it was stopped
    /// and at least `wake_at` entries are free.
    ///
    /// Frames and bytes must have been told by [`XmitQueue::sent`] before: the C side has a
    /// `BUG_ON()` for more than that.
    #[inline]
    pub fn completed(&self, frames: u32, bytes: u32, free: impl Fn() -> usize, wake_at: usize) {
        if frames == 0 {
            return;
        }
        // SAFETY: The queue is valid by the type invariant, and this is the only context that
        // completes. The helper ends with a full barrier: whoever stops the queue from here on
        // sees the entries that were freed.
        unsafe {
            bindings::rust_helper_netdev_tx_completed_queue(self.txq.as_ptr(), frames, bytes)
        };
        if free() >= wake_at {
            // SAFETY: The queue is valid by the type invariant; waking a queue that is not stopped
            // does nothing.
            unsafe { bindings::netif_tx_wake_queue(self.txq.as_ptr()) };
        }
    }
}
