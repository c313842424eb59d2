// SPDX-License-Identifier: GPL-2.0

//! Reception: one ring of extended descriptors, a page of a page pool behind each.

use kernel::{
    device::{
        self,
        Bound, //
    },
    dma::Coherent,
    io::{
        io_read,
        io_write, //
    },
    prelude::*,
    sync::{
        barrier::{
            dma_mb,
            Read,
            Write, //
        },
        Arc, //
    }, //
};
use kernel_ext::{
    net::{
        device::{
            Device,
            Features, //
        },
        napi::RxContext,
        skbuff::RxFrame, //
    },
    page_pool::{
        Layout,
        PagePool,
        PoolPage, //
    }, //
};

use crate::{
    chip,
    csr::Queue,
    desc::{
        self,
        rx::{
            Hash,
            WriteBack, //
        }, //
    },
    nic::{
        count,
        ring_memory,
        Nic, //
    },
    ptp, //
};

/// Descriptors that must be free before new buffers are offered: one tail write for many.
const REFILL_BATCH: usize = 16;

/// A receive ring. Owned by the poll of its channel.
///
/// Indices run freely; modulo the ring's size they are places in it.
pub(crate) struct Ring {
    desc: Coherent<[u64]>,
    pages: KVVec<Option<PoolPage>>,
    /// Where the pages are from. Lives as long as the chip may write to them.
    _pool: Arc<PagePool>,
    /// The next descriptor that the chip will be done with.
    clean: usize,
    /// The next descriptor to be offered.
    fill: usize,
    /// The frame that is being put together.
    partial: Option<RxFrame>,
    /// The rest of the current frame is to be thrown away.
    skip: bool,
    queue: Queue,
    len: usize,
}

/// Makes the pool of buffers for a ring of `len` descriptors.
pub(crate) fn pool(
    dev: &Device<Nic<'_>>,
    parent: &device::Device<Bound>,
    len: u32,
) -> Result<Arc<PagePool>> {
    let pool = PagePool::new(parent, dev, len, Layout::new(chip::RX_BUFFER)?)?;
    Ok(Arc::new(pool, GFP_KERNEL)?)
}

impl Ring {
    /// Makes a ring of `len` descriptors, a power of two, for `queue`, without buffers. They will
    /// come from `pool`.
    pub(crate) fn new(
        parent: &device::Device<Bound>,
        queue: Queue,
        len: u32,
        pool: Arc<PagePool>,
    ) -> Result<Self> {
        let len_words = len as usize;
        let mut pages = KVVec::with_capacity(len_words, GFP_KERNEL)?;
        for _ in 0..len_words {
            pages.push(None, GFP_KERNEL)?;
        }
        Ok(Self {
            desc: Coherent::zeroed_slice(parent, len_words.saturating_mul(2), GFP_KERNEL)?,
            pages,
            _pool: pool,
            clean: 0,
            fill: 0,
            partial: None,
            skip: false,
            queue,
            len: len_words,
        })
    }

    /// Bus address of the descriptors.
    pub(crate) fn dma_address(&self) -> u64 {
        self.desc.dma_address()
    }

    /// Length of the descriptors in bytes.
    pub(crate) fn bytes(&self) -> u32 {
        (self.len as u32).saturating_mul(desc::SIZE)
    }

    #[inline]
    fn place(&self, index: usize) -> usize {
        index & self.len.wrapping_sub(1)
    }

    /// Number of descriptors that are the chip's.
    #[inline]
    fn offered(&self) -> usize {
        self.fill.wrapping_sub(self.clean)
    }

    /// Gives up to a budget of frames to the stack. Returns how many, and offers new buffers.
    pub(crate) fn poll(
        &mut self,
        dev: &Device<Nic<'_>>,
        budget: usize,
        ctx: &RxContext<'_>,
    ) -> usize {
        let nic = dev.data();
        let features = dev.features();
        let checksum = features.contains(Features::RXCSUM);
        let hash = features.contains(Features::RXHASH);
        let damaged = features.contains(Features::RXALL);
        let stamps = nic.ptp.stamps_received();
        let mut frames = 0;
        while frames < budget && self.offered() > 0 {
            let place = self.place(self.clean);
            let Ok(word) = self.read_status(place) else {
                break;
            };
            let done = WriteBack::new(word);
            if !done.done() {
                break;
            }
            // The rest of the descriptor and the buffer only after the DD bit.
            dma_mb(Read);
            let page = self.pages.get_mut(place).and_then(Option::take);
            self.clean = self.clean.wrapping_add(1);
            if let Some(page) = page {
                self.take(nic, page, done, ctx);
            }
            if !done.end_of_packet() {
                continue;
            }
            frames = frames.wrapping_add(1);
            self.skip = false;
            if let Some(mut skb) = self.partial.take() {
                let counts = nic.counts(self.queue);
                if done.damaged() {
                    count(&counts.rx_damaged, 1);
                    if !damaged {
                        continue;
                    }
                }
                if done.checksum_bad() {
                    count(&counts.rx_bad_checksum, 1);
                }
                if hash {
                    if let Some((value, ports)) = self.read_hash(place) {
                        skb.set_hash(value, ports);
                    }
                }
                if let Some(tci) = done.vlan_tag() {
                    skb.set_vlan_tag(tci);
                }
                if stamps && done.time_stamped() {
                    if let Some(ns) = ptp::received(nic) {
                        skb.set_hw_timestamp(ns);
                    }
                }
                ctx.count_rx(skb.len());
                // CAST: Queue numbers are 0 and 1.
                let queue = self.queue.index() as u16;
                skb.receive(queue, checksum && done.checksum_ok(), ctx);
            }
            if self.len.wrapping_sub(self.offered()) > REFILL_BATCH {
                self.refill(nic, ctx);
            }
        }
        self.refill(nic, ctx);
        frames
    }

    /// Adds one buffer to the frame that is being put together.
    #[inline]
    fn take(&mut self, nic: &Nic<'_>, page: PoolPage, done: WriteBack, ctx: &RxContext<'_>) {
        let len = done.len();
        if self.skip {
            return;
        }
        if len == 0 || len > page.max_len() {
            self.give_up(&nic.counts(self.queue).rx_absurd);
            return;
        }
        page.sync_for_cpu(len);
        match self.partial.as_mut() {
            None => {
                self.partial = RxFrame::from_page(page, len, ctx);
                if self.partial.is_none() {
                    self.give_up(&nic.counts(self.queue).rx_no_memory);
                }
            }
            Some(skb) => {
                if skb.add_page(page, len, ctx).is_err() {
                    // More buffers than the longest frame can have.
                    self.give_up(&nic.counts(self.queue).rx_absurd);
                }
            }
        }
    }

    /// Throws the current frame away, with what is still to come of it.
    #[cold]
    fn give_up(&mut self, counter: &kernel::sync::atomic::Atomic<u64>) {
        count(counter, 1);
        self.partial = None;
        self.skip = true;
    }

    /// Offers buffers for all free descriptors but one, if there are enough of them.
    #[inline]
    fn refill(&mut self, nic: &Nic<'_>, ctx: &RxContext<'_>) {
        let free = self.len.wrapping_sub(self.offered()).wrapping_sub(1);
        if free < REFILL_BATCH {
            return;
        }
        let before = self.fill;
        for _ in 0..free {
            let Some(page) = ctx.alloc_page() else {
                // The next poll tries again, at the latest that which the health tick causes.
                ctx.count_alloc_fail();
                break;
            };
            let place = self.place(self.fill);
            if self
                .write(place, desc::rx::offer(page.dma_address()))
                .is_err()
            {
                break;
            }
            if let Some(slot) = self.pages.get_mut(place) {
                *slot = Some(page);
            }
            self.fill = self.fill.wrapping_add(1);
        }
        if self.fill != before {
            // The descriptors before the tail.
            dma_mb(Write);
            // CAST: A ring has at most `MAX_RING` descriptors.
            nic.csr.rdt_write(self.queue, self.place(self.fill) as u32);
        }
    }

    #[inline]
    fn read_status(&self, place: usize) -> Result<u64> {
        self.read_word(place.wrapping_mul(2).wrapping_add(1))
    }

    /// The hash over a frame, from the last of its descriptors.
    #[inline]
    fn read_hash(&self, place: usize) -> Option<(u32, bool)> {
        Hash::new(self.read_word(place.wrapping_mul(2)).ok()?).get()
    }

    #[inline]
    fn read_word(&self, at: usize) -> Result<u64> {
        Ok(io_read!(ring_memory(&self.desc), [try: at]))
    }

    #[inline]
    fn write(&self, place: usize, words: desc::Words) -> Result {
        let at = place.wrapping_mul(2);
        // The word with the status last.
        io_write!(ring_memory(&self.desc), [try: at], words[0]);
        io_write!(ring_memory(&self.desc), [try: at.wrapping_add(1)], words[1]);
        Ok(())
    }
}
