// SPDX-License-Identifier: GPL-2.0

//! NAPI: polled processing of a channel's rings.
//!
//! C header: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h),
//! rules: `Documentation/networking/napi.rst`.

use crate::net::txq::TxQueue;
use bindings_ext as bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

/// What a poll came to.
pub enum Polled {
    /// Everything there was is done, including this many received frames. The interrupt is to be
    /// armed again.
    Done(usize),
    /// There is more to do: poll again.
    More,
}

/// The context of one poll of one NAPI instance: softirq or its kernel thread, alone.
///
/// Cannot be kept or sent elsewhere.
///
/// # Invariants
///
/// `napi` is being polled by the current thread for `'a`; `txq` is the transmit queue of the same
/// channel.
pub struct PollContext<'a> {
    napi: NonNull<bindings::napi_struct>,
    txq: NonNull<bindings::netdev_queue>,
    budget: i32,
    _not_send: PhantomData<&'a *mut ()>,
}

impl<'a> PollContext<'a> {
    /// # Safety
    ///
    /// Must be called by the poll callback of `napi` with its `budget`, and not outlive it; `txq`
    /// must be a queue of the same net device.
    #[inline]
    pub(crate) unsafe fn new(
        napi: NonNull<bindings::napi_struct>,
        txq: NonNull<bindings::netdev_queue>,
        budget: i32,
    ) -> Self {
        // INVARIANT: As the caller vouches.
        Self {
            napi,
            txq,
            budget,
            _not_send: PhantomData,
        }
    }

    /// How many received frames may be processed. 0 means that only transmitted ones may be
    /// (netpoll).
    #[inline]
    pub fn budget(&self) -> usize {
        usize::try_from(self.budget).unwrap_or(0)
    }

    /// The transmit queue of the same channel.
    #[inline]
    pub fn tx_queue(&self) -> TxQueue<'_> {
        // SAFETY: By the type invariant it is a queue of a net device that is alive.
        unsafe { TxQueue::from_raw(self.txq) }
    }

    /// Counts received frames in the device's per-CPU statistics.
    #[inline]
    pub fn count_rx(&self, bytes: u32) {
        // SAFETY: By the type invariant the NAPI's device is alive and bottom halves are off, as
        // per-CPU statistics want it; registration asked for them.
        unsafe { bindings::rust_helper_dev_sw_netstats_rx_add((*self.napi.as_ptr()).dev, bytes) };
    }

    /// Counts transmitted frames in the device's per-CPU statistics.
    #[inline]
    pub fn count_tx(&self, frames: u32, bytes: u32) {
        // SAFETY: As in `count_rx()`.
        unsafe {
            bindings::rust_helper_dev_sw_netstats_tx_add((*self.napi.as_ptr()).dev, frames, bytes)
        };
    }

    #[inline]
    pub(crate) fn as_raw(&self) -> *mut bindings::napi_struct {
        self.napi.as_ptr()
    }

    #[inline]
    pub(crate) fn raw_budget(&self) -> i32 {
        self.budget
    }
}
