// SPDX-License-Identifier: GPL-2.0

//! Dynamic interrupt moderation: the kernel's library that finds out, from how traffic changes,
//! how long a queue's frames are best kept waiting for an interrupt.
//!
//! C header: [`include/linux/dim.h`](srctree/include/linux/dim.h),
//! rules: `Documentation/networking/net_dim.rst`.
//!
//! Each channel of a network device has an instance for each [`Direction`], off at first
//! ([`Device::set_adaptive`]). While one is on, the poll of its channel tells it what has been
//! counted, and when it decides on another time a work item calls [`Operations::moderate`]. The
//! instances are part of the device's private data: they outlive the channels, and the work item
//! is cancelled before [`Device::stop_channels`] returns. No driver can keep one, nor forget it.

use crate::net::device::{
    Device,
    Operations, //
};
use bindings_ext as bindings;
use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};
use kernel::{
    container_of,
    sync::atomic::{
        AtomicFlag,
        Relaxed, //
    },
    types::Opaque, //
};

/// Which of the two queues of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The receive queue.
    Rx,
    /// The transmit queue.
    Tx,
}

/// How the times are counted: from the first frame on.
const MODE: u8 = bindings::dim_cq_period_mode_DIM_CQ_PERIOD_MODE_START_FROM_EQE as u8;

/// What the poll of a channel remembers for its instance.
struct Memory {
    /// Interrupts with frames so far.
    events: u16,
    /// Frames at the last of them.
    packets: u64,
    /// It was off when last looked at, so that a measurement begun before is worth nothing.
    off: bool,
}

/// One instance.
///
/// # Invariants
///
/// - After [`Dim::init`], `dim` is initialised and stays where it is until the work has been
///   cancelled for the last time; its work is queued by `net_dim()` only.
/// - `dim`, but for `work` and `state`, and `memory` are only changed by the poll of the channel,
///   or, while that is disabled, by the holder of the RTNL. `state` belongs to the work item from
///   the moment that `net_dim()` queues it until it sets it back.
pub(crate) struct Dim {
    dim: Opaque<bindings::dim>,
    memory: UnsafeCell<Memory>,
    on: AtomicFlag,
    direction: Direction,
    channel: usize,
    netdev: NonNull<bindings::net_device>,
}

impl Dim {
    /// An instance that is off, to be initialised where it will stay.
    pub(crate) const fn new(
        netdev: NonNull<bindings::net_device>,
        channel: usize,
        direction: Direction,
    ) -> Self {
        Self {
            dim: Opaque::zeroed(),
            memory: UnsafeCell::new(Memory {
                events: 0,
                packets: 0,
                off: true,
            }),
            on: AtomicFlag::new(false),
            direction,
            channel,
            netdev,
        }
    }

    /// # Safety
    ///
    /// To be called once, before anybody else knows of the instance, which belongs to the private
    /// data of a `Device<T>`, must not move from now on, and must not be freed before
    /// [`Dim::cancel`].
    pub(crate) unsafe fn init<T: Operations>(&self) {
        // SAFETY: As the caller vouches.
        unsafe { bindings::rust_helper_dim_init(self.dim.get(), Some(work_callback::<T>)) };
    }

    /// Switches it on or off. Any context.
    pub(crate) fn set(&self, on: bool) {
        self.on.store(on, Relaxed);
    }

    /// The time that it is for now, in microseconds.
    pub(crate) fn usecs(&self) -> u16 {
        // SAFETY: `dim` is initialised; the poll may be changing the octet.
        let index = unsafe { core::ptr::addr_of!((*self.dim.get()).profile_ix).read_volatile() };
        // SAFETY: Both arguments are what the library itself has set.
        unsafe {
            match self.direction {
                Direction::Rx => bindings::net_dim_get_rx_moderation(MODE, index.into()),
                Direction::Tx => bindings::net_dim_get_tx_moderation(MODE, index.into()),
            }
        }
        .usec
    }

    /// Tells it what its queue has counted since the device was made.
    ///
    /// # Safety
    ///
    /// Only in the poll of the channel.
    #[inline]
    pub(crate) unsafe fn sample(&self, packets: u64, bytes: u64) {
        // SAFETY: By the type invariants it is the poll's.
        let memory = unsafe { &mut *self.memory.get() };
        if !self.on.load(Relaxed) {
            memory.off = true;
            return;
        }
        // An interrupt of the other direction, or of none, says nothing.
        if packets == memory.packets {
            return;
        }
        memory.packets = packets;
        memory.events = memory.events.wrapping_add(1);
        let anew = core::mem::replace(&mut memory.off, false);
        // SAFETY: `dim` is initialised, and this is its poll.
        unsafe {
            bindings::rust_helper_dim_sample(self.dim.get(), anew, memory.events, packets, bytes);
        }
    }

    /// Cancels the work item, waits for its end, and forgets what has been measured. Process
    /// context; sleeps.
    ///
    /// # Safety
    ///
    /// The poll of the channel is disabled and the RTNL held, or nobody else knows of the
    /// instance.
    pub(crate) unsafe fn cancel(&self) {
        // SAFETY: `dim` is initialised; by the type invariants nothing but the poll, which is
        // disabled, can queue the work again.
        unsafe { bindings::rust_helper_dim_reset(self.dim.get()) };
        // SAFETY: As the caller vouches, nobody else touches it.
        unsafe { (*self.memory.get()).off = true };
    }
}

/// # Safety
///
/// Only for the work of a [`Dim`] that was initialised for the same `T`.
unsafe extern "C" fn work_callback<T: Operations>(work: *mut bindings::work_struct) {
    // SAFETY: The work is that of an instance, which is there until the work has been cancelled;
    // its net device is a `Device<T>`.
    let (dim, dev) = unsafe {
        let raw = container_of!(work, bindings::dim, work);
        let dim = &*container_of!(Opaque::cast_from(raw), Dim, dim);
        (dim, Device::<T>::from_raw(dim.netdev))
    };
    T::moderate(dev, dim.channel, dim.direction);
    // SAFETY: `dim` is initialised, and its state ours, as this is its work item.
    unsafe { bindings::rust_helper_dim_measure(dim.dim.get()) };
}
