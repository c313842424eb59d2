// SPDX-License-Identifier: GPL-2.0

//! Counters of each channel, and how the stack reads them: `ip -s link`, and queue by queue
//! `NETDEV_CMD_QSTATS_GET`.
//!
//! C header: [`include/net/netdev_queues.h`](srctree/include/net/netdev_queues.h),
//! meaning: `Documentation/netlink/specs/netdev.yaml`.

use crate::net::device::{
    Device,
    Operations, //
};
use bindings_ext as bindings;
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The counters of one channel since the net device was made. Only the poll of the channel changes
/// them; anybody may read them.
pub(crate) struct Counters {
    rx_packets: Atomic<u64>,
    rx_bytes: Atomic<u64>,
    rx_alloc_fail: Atomic<u64>,
    tx_packets: Atomic<u64>,
    tx_bytes: Atomic<u64>,
    tx_segmented: Atomic<u64>,
    tx_segments: Atomic<u64>,
}

/// Frames that a channel has sent.
#[derive(Clone, Copy, Default)]
pub struct Sent {
    /// As many as the stack has handed over.
    pub skbs: u32,
    /// As many of these as the device has cut up.
    pub segmented: u32,
    /// As many as there were on the wire.
    pub frames: u32,
    /// Bytes on the wire.
    pub bytes: u32,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            rx_packets: Atomic::new(0),
            rx_bytes: Atomic::new(0),
            rx_alloc_fail: Atomic::new(0),
            tx_packets: Atomic::new(0),
            tx_bytes: Atomic::new(0),
            tx_segmented: Atomic::new(0),
            tx_segments: Atomic::new(0),
        }
    }

    /// Adds to one of them. There is one writer, so no atomic addition is needed.
    #[inline]
    fn add(counter: &Atomic<u64>, n: u64) {
        counter.store(counter.load(Relaxed).wrapping_add(n), Relaxed);
    }

    #[inline]
    pub(crate) fn count_rx(&self, bytes: u32) {
        Self::add(&self.rx_packets, 1);
        Self::add(&self.rx_bytes, bytes.into());
    }

    #[cold]
    pub(crate) fn count_rx_alloc_fail(&self) {
        Self::add(&self.rx_alloc_fail, 1);
    }

    #[inline]
    pub(crate) fn count_tx(&self, sent: &Sent) {
        Self::add(&self.tx_packets, sent.frames.into());
        Self::add(&self.tx_bytes, sent.bytes.into());
        if sent.segmented > 0 {
            // The others are one frame each.
            let others = sent.skbs.wrapping_sub(sent.segmented);
            Self::add(&self.tx_segmented, sent.segmented.into());
            Self::add(&self.tx_segments, sent.frames.wrapping_sub(others).into());
        }
    }

    /// Packets and bytes received.
    #[inline]
    pub(crate) fn rx(&self) -> (u64, u64) {
        (self.rx_packets.load(Relaxed), self.rx_bytes.load(Relaxed))
    }

    /// Packets and bytes sent.
    #[inline]
    pub(crate) fn tx(&self) -> (u64, u64) {
        (self.tx_packets.load(Relaxed), self.tx_bytes.load(Relaxed))
    }

    /// Adds the counters to those of an interface.
    pub(crate) fn add_to(&self, out: &mut bindings::rtnl_link_stats64) {
        for (to, from) in [
            (&mut out.rx_packets, &self.rx_packets),
            (&mut out.rx_bytes, &self.rx_bytes),
            (&mut out.tx_packets, &self.tx_packets),
            (&mut out.tx_bytes, &self.tx_bytes),
        ] {
            *to = to.wrapping_add(from.load(Relaxed));
        }
    }

    fn add_to_rx(&self, out: &mut bindings::netdev_queue_stats_rx) {
        for (to, from) in [
            (&mut out.packets, &self.rx_packets),
            (&mut out.bytes, &self.rx_bytes),
            (&mut out.alloc_fail, &self.rx_alloc_fail),
        ] {
            *to = to.wrapping_add(from.load(Relaxed));
        }
    }

    fn add_to_tx(&self, out: &mut bindings::netdev_queue_stats_tx) {
        for (to, from) in [
            (&mut out.packets, &self.tx_packets),
            (&mut out.bytes, &self.tx_bytes),
            (&mut out.hw_gso_packets, &self.tx_segmented),
            (&mut out.hw_gso_wire_packets, &self.tx_segments),
        ] {
            *to = to.wrapping_add(from.load(Relaxed));
        }
    }
}

/// Of what is sent all this is known.
fn zero_tx(out: &mut bindings::netdev_queue_stats_tx) {
    (out.packets, out.bytes) = (0, 0);
    (out.hw_gso_packets, out.hw_gso_wire_packets) = (0, 0);
}

/// The C callbacks; called by the stack alone, as `net::device::Callbacks` tells.
///
/// The stack hands them values that say "not told"; those that are known are zeroed first.
pub(crate) trait Callbacks: Operations {
    /// The table for `struct net_device`.
    const STAT_OPS: *const bindings::netdev_stat_ops = &bindings::netdev_stat_ops {
        get_queue_stats_rx: Some(Self::get_queue_stats_rx_callback),
        get_queue_stats_tx: Some(Self::get_queue_stats_tx_callback),
        get_base_stats: Some(Self::get_base_stats_callback),
    };

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_queue_stats_rx_callback(
        dev: *mut bindings::net_device,
        index: c_int,
        out: *mut bindings::netdev_queue_stats_rx,
    ) {
        // SAFETY: A callback; `out` is valid.
        let (dev, out) = unsafe {
            (
                Device::<Self>::from_raw(NonNull::new_unchecked(dev)),
                &mut *out,
            )
        };
        if let Some(counters) = usize::try_from(index).ok().and_then(|i| dev.counters(i)) {
            (out.packets, out.bytes, out.alloc_fail) = (0, 0, 0);
            counters.add_to_rx(out);
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_queue_stats_tx_callback(
        dev: *mut bindings::net_device,
        index: c_int,
        out: *mut bindings::netdev_queue_stats_tx,
    ) {
        // SAFETY: A callback; `out` is valid.
        let (dev, out) = unsafe {
            (
                Device::<Self>::from_raw(NonNull::new_unchecked(dev)),
                &mut *out,
            )
        };
        if let Some(counters) = usize::try_from(index).ok().and_then(|i| dev.counters(i)) {
            zero_tx(out);
            counters.add_to_tx(out);
        }
    }

    /// What queues have counted that are not in use now.
    ///
    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_base_stats_callback(
        dev: *mut bindings::net_device,
        rx: *mut bindings::netdev_queue_stats_rx,
        tx: *mut bindings::netdev_queue_stats_tx,
    ) {
        // SAFETY: A callback, under the RTNL, which is what changes the number of queues; the rest
        // is valid.
        let (dev, queues, rx, tx) = unsafe {
            (
                Device::<Self>::from_raw(NonNull::new_unchecked(dev)),
                (*dev).real_num_rx_queues,
                &mut *rx,
                &mut *tx,
            )
        };
        (rx.packets, rx.bytes, rx.alloc_fail) = (0, 0, 0);
        zero_tx(tx);
        for index in queues..Self::CHANNELS {
            if let Some(counters) = dev.counters(index as usize) {
                counters.add_to_rx(rx);
                counters.add_to_tx(tx);
            }
        }
    }
}

impl<T: Operations> Callbacks for T {}
