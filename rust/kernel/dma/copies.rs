// SPDX-License-Identifier: GPL-2.0

//! Memory that stays mapped, for frames that are cheaper to copy than to map.
//!
//! In C drivers this is "TX copybreak" (`ETHTOOL_TX_COPYBREAK`).

use crate::net::skbuff::SkBuff;
use bindings_ext as bindings;
use core::mem::MaybeUninit;
use kernel::{
    device::{
        self,
        Bound, //
    },
    dma::{
        Coherent,
        DmaAddress, //
    },
    prelude::*, //
};

/// So many words are copied at once.
const WORDS: usize = 4;

/// As one.
type Block = [MaybeUninit<u64>; WORDS];

/// Slots of `SIZE` bytes, a multiple of 32, that a device may read.
///
/// # Invariants
///
/// `memory` has `count * SIZE` bytes.
pub struct Copies<const SIZE: usize> {
    memory: Coherent<[u64]>,
    count: usize,
}

impl<const SIZE: usize> Copies<SIZE> {
    /// Allocates `count` slots. Process context. [`ENOMEM`] if memory is short.
    pub fn new(dev: &device::Device<Bound>, count: usize) -> Result<Self> {
        const { assert!(SIZE % size_of::<Block>() == 0) };
        let words = count.checked_mul(SIZE / size_of::<u64>()).ok_or(EINVAL)?;
        // INVARIANT: So many words.
        Ok(Self {
            memory: Coherent::zeroed_slice(dev, words, GFP_KERNEL)?,
            count,
        })
    }

    /// Copies a frame into slot `index`, and tells the slot's bus address. [`None`] if the frame
    /// does not fit, or there is no such slot. Any context.
    ///
    /// A slot that the device has not yet read is the caller's to avoid: the device would send
    /// other bytes than it was told to. A few bytes that lie behind the frame may be copied along;
    /// a mapping of the frame would let the device see its whole page.
    #[inline]
    pub fn put(&mut self, index: usize, skb: &SkBuff) -> Option<DmaAddress> {
        let len = skb.len() as usize;
        if index >= self.count || len > SIZE {
            return None;
        }
        let offset = index.wrapping_mul(SIZE);
        // SAFETY: By the type invariant the slot, `SIZE` bytes at `offset`, is in the memory; it is
        // aligned for words, as `SIZE` is.
        let to = unsafe { self.memory.as_mut_ptr().byte_add(offset) }.cast::<MaybeUninit<u64>>();
        let address = self.memory.dma_address().wrapping_add(offset as u64);
        if !skb.is_linear() {
            // SAFETY: The frame is valid, and fits into the slot, of which `self` is borrowed
            // exclusively. CAST: At most `SIZE`.
            let copied =
                unsafe { bindings::skb_copy_bits(skb.as_raw(), 0, to.cast(), len as c_int) };
            return (copied == 0).then_some(address);
        }
        let from = skb.data().cast::<Block>();
        let mut at = 0;
        while at < len {
            // SAFETY: `at` is less than the frame's length. The shared info, which is longer than a
            // block, follows the linear part in the same allocation, so that the last block may
            // reach beyond the frame. Nobody changes a frame that was given to a device.
            let block = unsafe { from.byte_add(at).read_unaligned() };
            for (i, word) in block.into_iter().enumerate() {
                // SAFETY: `at` is less than `SIZE`, and like that a multiple of a block. `self` is
                // borrowed exclusively; the write is volatile as the device reads it.
                unsafe { to.byte_add(at).add(i).write_volatile(word) };
            }
            at = at.wrapping_add(size_of::<Block>());
        }
        Some(address)
    }
}
