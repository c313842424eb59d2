// SPDX-License-Identifier: GPL-2.0

//! Memory that stays mapped, for frames that are cheaper to copy than to map.
//!
//! In C drivers this is "TX copybreak" (`ETHTOOL_TX_COPYBREAK`).

use crate::net::skbuff::SkBuff;
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

const WORD: usize = size_of::<u64>();

/// Slots of `SIZE` bytes, a multiple of 8, that a device may read.
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
        const { assert!(SIZE % WORD == 0) };
        let words = count.checked_mul(SIZE / WORD).ok_or(EINVAL)?;
        // INVARIANT: So many words.
        Ok(Self {
            memory: Coherent::zeroed_slice(dev, words, GFP_KERNEL)?,
            count,
        })
    }

    /// Copies a frame into slot `index`, and tells the slot's bus address. [`None`] if the frame
    /// has fragments, or does not fit, or there is no such slot.
    ///
    /// A slot that the device has not yet read is the caller's to avoid: the device would send
    /// other bytes than it was told to.
    #[inline]
    pub fn put(&mut self, index: usize, skb: &SkBuff) -> Option<DmaAddress> {
        let len = skb.linear_len()? as usize;
        if index >= self.count || !(WORD..=SIZE).contains(&len) {
            return None;
        }
        let offset = index.wrapping_mul(SIZE);
        // SAFETY: By the type invariant the slot, `SIZE` bytes at `offset`, is in the memory; it is
        // aligned for words, as `SIZE` is.
        let to = unsafe { self.memory.as_mut_ptr().cast::<u64>().byte_add(offset) };
        let from = skb.data();
        let whole = len & !(WORD - 1);
        let mut at = 0;
        while at < whole {
            // SAFETY: The frame has `len` bytes, the slot at least as many. Nobody changes a frame
            // that was given to a device, and `self` is borrowed exclusively; the write is volatile
            // as the device reads it.
            unsafe {
                let word = from.byte_add(at).cast::<u64>().read_unaligned();
                to.byte_add(at).write_volatile(word);
            }
            at = at.wrapping_add(WORD);
        }
        let rest = len.wrapping_sub(whole);
        if rest > 0 {
            let last = len.wrapping_sub(WORD);
            // SAFETY: These are the last bytes of the frame, which has at least so many.
            let word = unsafe { from.byte_add(last).cast::<u64>().read_unaligned() };
            // CAST: Less than a word. Of the bytes read those are wanted that come last.
            let unwanted = (WORD.wrapping_sub(rest) as u32).wrapping_mul(u8::BITS);
            let word = u64::from_le(word).wrapping_shr(unwanted).to_le();
            // SAFETY: `whole` is less than `SIZE`, and a multiple of a word as that is.
            unsafe { to.byte_add(whole).write_volatile(word) };
        }
        Some(self.memory.dma_address().wrapping_add(offset as u64))
    }
}
