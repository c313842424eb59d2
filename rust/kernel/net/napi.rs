// SPDX-License-Identifier: GPL-2.0

//! NAPI: polled processing of a channel's rings.
//!
//! C header: [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h),
//! rules: `Documentation/networking/napi.rst`.

use crate::{
    net::{
        qstats::{
            Counters,
            Sent, //
        },
        txq::DoneQueue, //
    },
    page_pool::{
        PagePool,
        PoolPage, //
    }, //
};
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

/// The context of one poll of one NAPI instance, alone: softirq, its kernel thread, or netpoll.
///
/// Cannot be kept or sent elsewhere.
///
/// # Invariants
///
/// `napi` is being polled by the current thread for `'a`; `txq` is the transmit queue of the same
/// channel, `counters` its counters. `pool` is the channel's, and knows `napi`.
pub struct PollContext<'a> {
    napi: NonNull<bindings::napi_struct>,
    txq: NonNull<bindings::netdev_queue>,
    budget: i32,
    counters: &'a Counters,
    pool: &'a PagePool,
    _not_send: PhantomData<&'a *mut ()>,
}

impl<'a> PollContext<'a> {
    /// # Safety
    ///
    /// Must be called by the poll callback of `napi` with its `budget`, and not outlive it; `txq`,
    /// `counters` and `pool` must be of the same channel, and the pool have been told of `napi`.
    #[inline]
    pub(crate) unsafe fn new(
        napi: NonNull<bindings::napi_struct>,
        txq: NonNull<bindings::netdev_queue>,
        budget: i32,
        counters: &'a Counters,
        pool: &'a PagePool,
    ) -> Self {
        // INVARIANT: As the caller vouches.
        Self {
            napi,
            txq,
            budget,
            counters,
            pool,
            _not_send: PhantomData,
        }
    }

    /// How many received frames may be processed. 0 means that only transmitted ones may be
    /// (netpoll).
    #[inline]
    pub fn budget(&self) -> usize {
        usize::try_from(self.budget).unwrap_or(0)
    }

    /// What reception needs; [`None`] if only transmitted frames may be processed.
    #[inline]
    pub fn rx(&self) -> Option<RxContext<'_>> {
        // INVARIANT: With a budget the poll is in softirq context or its own kernel thread.
        (self.budget > 0).then_some(RxContext {
            napi: self.napi,
            counters: self.counters,
            pool: self.pool,
            _not_send: PhantomData,
        })
    }

    /// The transmit queue of the same channel.
    #[inline]
    pub fn tx_queue(&self) -> DoneQueue<'_> {
        // SAFETY: By the type invariant it is a queue of a net device that is alive, and this is
        // the poll of its channel.
        unsafe { DoneQueue::from_raw(self.txq) }
    }

    /// Counts frames sent.
    #[inline]
    pub fn count_tx(&self, sent: &Sent) {
        self.counters.count_tx(sent);
    }

    #[inline]
    pub(crate) fn raw_budget(&self) -> i32 {
        self.budget
    }
}

/// The context of a poll that may receive: softirq or the instance's kernel thread, which netpoll
/// is not (`Documentation/networking/napi.rst`, "a budget of 0").
///
/// # Invariants
///
/// `napi` is being polled by the current thread for `'a`, with bottom halves off and not in a hard
/// interrupt. `pool` knows it.
pub struct RxContext<'a> {
    napi: NonNull<bindings::napi_struct>,
    counters: &'a Counters,
    pool: &'a PagePool,
    _not_send: PhantomData<&'a *mut ()>,
}

impl RxContext<'_> {
    /// Takes a page from the channel's pool, or [`None`] if memory is short.
    #[inline]
    pub fn alloc_page(&self) -> Option<PoolPage> {
        // SAFETY: By the type invariant this is a poll, with a budget, of the instance that the
        // pool knows.
        unsafe { self.pool.alloc() }
    }

    /// Counts a received frame.
    #[inline]
    pub fn count_rx(&self, bytes: u32) {
        self.counters.count_rx(bytes);
    }

    /// Counts a receive buffer that could not be had.
    pub fn count_alloc_fail(&self) {
        self.counters.count_rx_alloc_fail();
    }

    #[inline]
    pub(crate) fn as_raw(&self) -> *mut bindings::napi_struct {
        self.napi.as_ptr()
    }
}
