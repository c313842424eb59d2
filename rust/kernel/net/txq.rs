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

/// One transmit queue, within a callback that concerns it.
///
/// # Invariants
///
/// `txq` is a queue of a net device that is alive for `'a`.
pub struct TxQueue<'a> {
    txq: NonNull<bindings::netdev_queue>,
    _dev: PhantomData<&'a bindings::net_device>,
}

impl TxQueue<'_> {
    /// # Safety
    ///
    /// `txq` must be a queue of a net device that outlives the result.
    #[inline]
    pub(crate) unsafe fn from_raw(txq: NonNull<bindings::netdev_queue>) -> Self {
        // INVARIANT: As the caller vouches.
        Self {
            txq,
            _dev: PhantomData,
        }
    }

    /// Tells byte queue limits of a frame of `bytes` given to the ring. Returns whether the chip
    /// must be told now; with `more` to follow it mostly need not. Only from `start_xmit()`.
    #[inline]
    pub fn sent(&self, bytes: u32, more: bool) -> bool {
        // SAFETY: The queue is valid by the type invariant.
        unsafe { bindings::rust_helper_netdev_tx_sent_queue(self.txq.as_ptr(), bytes, more) }
    }

    /// Stops the queue if fewer than `wanted` entries are free, and starts it again if enough
    /// became free meanwhile. Returns whether it is stopped. Only from `start_xmit()`.
    #[inline]
    pub fn stop_unless(&self, free: impl Fn() -> usize, wanted: usize) -> bool {
        if free() >= wanted {
            return false;
        }
        // SAFETY: The queue is valid by the type invariant.
        unsafe { bindings::rust_helper_netif_tx_stop_queue(self.txq.as_ptr()) };
        // Producer index and stop bit before the second look; pairs with the barrier in
        // `completed()`.
        smp_mb(Full);
        if free() < wanted {
            return true;
        }
        // SAFETY: The queue is valid by the type invariant.
        unsafe { bindings::rust_helper_netif_tx_start_queue(self.txq.as_ptr()) };
        false
    }

    /// Tells byte queue limits what the chip is done with, and wakes the queue if it was stopped
    /// and at least `wake_at` entries are free. Only from the queue's poll.
    #[inline]
    pub fn completed(&self, frames: u32, bytes: u32, free: impl Fn() -> usize, wake_at: usize) {
        if frames == 0 {
            return;
        }
        // SAFETY: The queue is valid by the type invariant. The helper ends with a full barrier:
        // whoever stops the queue from here on sees the entries that were freed.
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
