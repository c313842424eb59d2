// SPDX-License-Identifier: GPL-2.0

//! Memory that stays mapped, for frames that are cheaper to copy than to map.
//!
//! In C drivers this is "TX copybreak" (`ETHTOOL_TX_COPYBREAK`).

use crate::net::skbuff::SkBuff;
use bindings_ext as bindings;
use kernel::{
    device::{
        self,
        Bound, //
    },
    dma::{
        attrs::DMA_ATTR_NO_WARN,
        Coherent,
        DmaAddress, //
    },
    prelude::*, //
};

/// So many bytes are copied at once.
const BLOCK: usize = 32;

/// Slots of `SIZE` bytes that a device may read.
///
/// # Invariants
///
/// `memory` has `count * SIZE` bytes.
pub struct Copies<const SIZE: usize> {
    memory: Coherent<[u8]>,
    count: usize,
}

impl<const SIZE: usize> Copies<SIZE> {
    /// Allocates `count` slots. Process context. [`ENOMEM`] if memory is short, without a warning,
    /// as frames can be mapped instead.
    pub fn new(dev: &device::Device<Bound>, count: usize) -> Result<Self> {
        let bytes = count.checked_mul(SIZE).ok_or(EINVAL)?;
        // INVARIANT: So many bytes.
        Ok(Self {
            memory: Coherent::zeroed_slice_with_attrs(dev, bytes, GFP_KERNEL, DMA_ATTR_NO_WARN)?,
            count,
        })
    }

    /// Copies a frame into slot `index`, and tells the slot's bus address. [`None`] if the frame
    /// does not fit, or there is no such slot. Any context.
    ///
    /// A slot that the device has not yet read is the caller's to avoid: the device would send
    /// other bytes than it was told to.
    #[inline]
    pub fn put(&mut self, index: usize, skb: &SkBuff) -> Option<DmaAddress> {
        let len = skb.len() as usize;
        if index >= self.count || len > SIZE {
            return None;
        }
        let offset = index.wrapping_mul(SIZE);
        // SAFETY: By the type invariant the slot, `SIZE` bytes at `offset`, is in the memory.
        let to = unsafe { self.memory.as_mut_ptr().cast::<u8>().add(offset) };
        let address = self.memory.dma_address().wrapping_add(offset as u64);
        if len < BLOCK || !skb.is_linear() {
            // SAFETY: The frame is valid, and fits into the slot, of which `self` is borrowed
            // exclusively. CAST: At most `SIZE`.
            let copied =
                unsafe { bindings::skb_copy_bits(skb.as_raw(), 0, to.cast(), len as c_int) };
            return (copied == 0).then_some(address);
        }
        let from = skb.data();
        // Blocks of fixed size take a few moves; the last may overlap the one before.
        let last = len.wrapping_sub(BLOCK);
        let mut at = 0;
        while at < len {
            let here = at.min(last);
            // SAFETY: `here + BLOCK` is at most `len`, which the linear part and the slot both
            // have. The slot is no part of an skb, and `self` is borrowed exclusively.
            unsafe { from.add(here).copy_to_nonoverlapping(to.add(here), BLOCK) };
            at = at.wrapping_add(BLOCK);
        }
        Some(address)
    }
}
