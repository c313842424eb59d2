// SPDX-License-Identifier: GPL-2.0

//! Transmission: one ring, with an end that queues and an end that frees.

use core::num::NonZero;
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
    dma::{
        copies::Copies,
        streaming::Mapping, //
    },
    net::{
        device::{
            Device,
            Features, //
        },
        napi::PollContext,
        qstats::Sent,
        skbuff::{
            DropReason,
            SkBuff,
            MAX_FRAGS, //
        },
        txq::XmitQueue, //
    },
    sync::spsc, //
};

use crate::{
    csr::Queue,
    desc::{
        self,
        tx::{
            Common,
            Offload, //
        }, //
    },
    nic::{
        count,
        ring_memory,
        Nic, //
    },
    ptp, //
};

/// With `TCTL.PSP` the chip pads frames to 64 bytes, if they have at least this many.
const SHORTEST_FRAME: u32 = 17;

/// Frames of up to so many bytes are copied, which is cheaper than to map them even without an
/// IOMMU.
const COPIED: usize = 256;

/// What the chip does with large TCP frames.
pub(crate) const SEGMENTATION: Features = Features::TSO.with(Features::TSO6);

/// Descriptors that the largest frame can take: a context, the linear part and all fragments, one
/// more for each of the cuts of 64 KiB into pieces of at least 4 KiB (the chip's share is never
/// less), and one that must stay free.
pub(crate) const WORST_CASE: usize = 1 + 1 + MAX_FRAGS + 16 + 1;

/// What must be kept until the chip is done with a descriptor; dropped top to bottom.
pub(crate) struct Entry<'a> {
    mapping: Option<Mapping<'a>>,
    skb: Option<SkBuff>,
    /// Index of the last entry of the frame.
    last: usize,
    /// In the last entry of a frame: bytes on the wire.
    bytes: u32,
    /// In the last entry of a frame: frames on the wire.
    frames: u32,
}

impl<'a> Entry<'a> {
    /// For a descriptor of the frame whose last has index `last`.
    #[inline]
    fn part(mapping: Option<Mapping<'a>>, last: usize) -> Self {
        Self {
            mapping,
            skb: None,
            last,
            bytes: 0,
            frames: 0,
        }
    }
}

/// The end that queues. Owned by the transmit queue's lock.
pub(crate) struct Ring<'a> {
    producer: spsc::Producer<Entry<'a>>,
    desc: Arc<Coherent<[u64]>>,
    /// Small frames, each in the place of its data descriptor; if there was memory for them.
    copies: Option<Copies<COPIED>>,
    dev: &'a device::Device<Bound>,
    /// Most bytes in one descriptor.
    max_bytes: NonZero<u32>,
    /// There are descriptors that the chip has not been told of.
    untold: bool,
    queue: Queue,
}

/// The end that frees. Owned by the poll of the channel.
pub(crate) struct Clean<'a> {
    consumer: spsc::Consumer<Entry<'a>>,
    desc: Arc<Coherent<[u64]>>,
    len: usize,
    /// Free descriptors from which on a stopped queue is woken.
    wake_at: usize,
    queue: Queue,
}

/// Makes the ring of `queue`: `len` descriptors, a power of two, with at most `max_bytes` bytes in
/// each.
pub(crate) fn ring<'a>(
    dev: &'a device::Device<Bound>,
    queue: Queue,
    len: u32,
    max_bytes: u32,
) -> Result<(Ring<'a>, Clean<'a>)> {
    let len = len as usize;
    let max_bytes = NonZero::new(max_bytes).ok_or(EINVAL)?;
    let desc = Arc::new(
        Coherent::zeroed_slice(dev, len.saturating_mul(2), GFP_KERNEL)?,
        GFP_KERNEL,
    )?;
    let (producer, consumer) = spsc::ring(len)?;
    Ok((
        Ring {
            producer,
            desc: desc.clone(),
            // Without, all frames are mapped.
            copies: Copies::new(dev, len).ok(),
            dev,
            max_bytes,
            untold: false,
            queue,
        },
        Clean {
            consumer,
            desc,
            len,
            // Not at once, so that queue and poll do not take turns for every frame.
            wake_at: WORST_CASE.saturating_mul(2).min(len.wrapping_sub(len / 4)),
            queue,
        },
    ))
}

/// Takes away from `features` what the chip cannot do for a frame: it counts headers in a byte.
#[inline]
pub(crate) fn check_features(skb: &SkBuff, mut features: Features) -> Features {
    if skb
        .checksum()
        .is_some_and(|sum| sum.field > desc::tx::MAX_OFFSET)
    {
        features = features.without(Features::HW_CSUM);
    }
    if skb.is_gso() && skb.segment_header_len() > desc::tx::MAX_OFFSET {
        features = features.without(SEGMENTATION);
    }
    features
}

/// A frame as the ring is to send it.
struct Plan {
    offload: Offload,
    /// What is in each of its data descriptors.
    common: Common,
    /// Number of descriptors.
    descriptors: usize,
    /// Bytes on the wire.
    bytes: u32,
    /// Frames on the wire.
    frames: u32,
}

impl<'a> Ring<'a> {
    /// Queues a frame; see `Operations::start_xmit()`.
    #[inline]
    pub(crate) fn xmit(
        &mut self,
        dev: &Device<Nic<'_>>,
        queue: &XmitQueue<'_>,
        skb: SkBuff,
        more: bool,
    ) -> Result<(), SkBuff> {
        let result = self.enqueue(dev, queue, skb, more);
        // Also if this frame was dropped: it may have been the last of a burst.
        if self.untold && !more {
            self.tell(dev.data());
        }
        result
    }

    #[inline]
    fn enqueue(
        &mut self,
        dev: &Device<Nic<'_>>,
        queue: &XmitQueue<'_>,
        skb: SkBuff,
        more: bool,
    ) -> Result<(), SkBuff> {
        let nic = dev.data();
        let Some((words, last)) = self.copy(nic, &skb) else {
            return self.enqueue_mapped(dev, queue, skb, more);
        };
        let bytes = skb.len();
        let Ok(vacant) = self.put(words) else {
            // There was room.
            self.producer.abort();
            count(&nic.counts(self.queue).tx_dropped, 1);
            skb.drop_with(DropReason::NoMemory);
            return Ok(());
        };
        vacant.fill(Entry {
            mapping: None,
            skb: Some(skb),
            last,
            bytes,
            frames: 1,
        });
        if self.hand_over(nic, queue, bytes, more) {
            self.tell(nic);
        }
        Ok(())
    }

    /// The short way, for small frames that are sent as they are: copies one, and stages the
    /// context, if it needs one. Returns the data descriptor and the index that it is to have, or
    /// [`None`] if the frame must go the long way.
    #[inline]
    fn copy(&mut self, nic: &Nic<'_>, skb: &SkBuff) -> Option<(desc::Words, usize)> {
        // CAST: It is 256.
        let fits = (SHORTEST_FRAME..=COPIED as u32).contains(&skb.len());
        if !fits || !skb.is_simple() || nic.csr.gone() {
            return None;
        }
        let offload = match skb.checksum() {
            None => Offload::None,
            Some(sum) => Offload::Checksum {
                start: u8::try_from(sum.start).ok()?,
                field: u8::try_from(sum.field).ok()?,
            },
        };
        let context = offload.context();
        let before = usize::from(context.is_some());
        // As much stays free as the next frame may take, so that the queue need not be stopped.
        if !self.producer.has_room(WORST_CASE.wrapping_add(2)) {
            return None;
        }
        let last = self.producer.next_index().wrapping_add(before);
        let place = self.place(last);
        let addr = self.copies.as_mut()?.put(place, skb)?;
        if let Some(words) = context {
            self.put(words).ok()?.fill(Entry::part(None, last));
        }
        let common = Common::new(offload, skb.vlan_tag());
        Some((desc::tx::data(addr, skb.len(), common, true), last))
    }

    /// Hands what is staged, a frame of so many bytes on the wire, to the poll that frees it.
    /// Returns whether the chip must be told of it now.
    #[inline]
    fn hand_over(&mut self, nic: &Nic<'_>, queue: &XmitQueue<'_>, bytes: u32, more: bool) -> bool {
        count(&nic.counts(self.queue).tx_queued, 1);
        self.untold = true;
        // Before the poll can see the frame, and tell that it was completed.
        let tell = queue.sent(bytes, more);
        self.producer.commit();
        tell
    }

    /// The long way, for all other frames.
    fn enqueue_mapped(
        &mut self,
        dev: &Device<Nic<'_>>,
        queue: &XmitQueue<'_>,
        mut skb: SkBuff,
        more: bool,
    ) -> Result<(), SkBuff> {
        let nic = dev.data();
        if nic.csr.gone() {
            count(&nic.counts(self.queue).tx_dropped, 1);
            skb.drop_with(DropReason::DeviceNotReady);
            return Ok(());
        }
        let mut plan = match self.plan(&mut skb) {
            Ok(plan) => plan,
            Err(e) => {
                count(&nic.counts(self.queue).tx_dropped, 1);
                skb.drop_with(if e == ENOMEM {
                    DropReason::NoMemory
                } else {
                    DropReason::Unsupported
                });
                return Ok(());
            }
        };
        // One descriptor always stays free, so that a full ring differs from an empty one.
        if self.producer.free() <= plan.descriptors {
            let wanted = plan.descriptors.wrapping_add(1);
            queue.stop_unless(|| self.producer.free(), wanted);
            self.tell(nic);
            return Err(skb);
        }
        let stamp =
            skb.wants_hw_timestamp() && ptp::request(dev, &mut skb, self.queue, plan.frames);
        if stamp {
            plan.common = plan.common.with_time_stamp();
        }
        skb.tx_timestamp();
        if self.stage(&skb, &plan).is_err() {
            self.producer.abort();
            if stamp {
                nic.ptp.abandon();
            }
            count(&nic.counts(self.queue).tx_dropped, 1);
            skb.drop_with(DropReason::NoMemory);
            return Ok(());
        }
        // The last entry also keeps the frame itself.
        if let Some(entry) = self.producer.last_staged() {
            entry.skb = Some(skb);
            entry.bytes = plan.bytes;
            entry.frames = plan.frames;
        }
        let tell = self.hand_over(nic, queue, plan.bytes, more);
        if queue.stop_unless(|| self.producer.free(), WORST_CASE) || tell {
            self.tell(nic);
        }
        Ok(())
    }

    /// Tells the chip of everything that is in the ring.
    #[inline]
    fn tell(&mut self, nic: &Nic<'_>) {
        self.untold = false;
        // The descriptors before the tail.
        dma_mb(Write);
        // CAST: A ring has at most `MAX_RING` descriptors.
        let tail = self.place(self.producer.next_index()) as u32;
        nic.csr.tdt_write(self.queue, tail);
    }

    #[inline]
    fn place(&self, index: usize) -> usize {
        index & self.producer.capacity().wrapping_sub(1)
    }

    /// Decides how to send a frame, and prepares its headers.
    #[inline]
    fn plan(&self, skb: &mut SkBuff) -> Result<Plan> {
        skb.pad_to(SHORTEST_FRAME)?;
        let (offload, bytes, frames) = if skb.is_gso() {
            let cut = skb.prepare_segmentation()?;
            let header = u32::from(cut.header_len);
            let payload = skb.len().checked_sub(header).ok_or(EINVAL)?;
            let frames = u32::from(cut.segments);
            let bytes = frames
                .saturating_sub(1)
                .saturating_mul(header)
                .saturating_add(skb.len());
            let offload = Offload::Segment {
                ipv6: cut.ipv6,
                network: cut.network_offset,
                transport: cut.transport_offset,
                header_len: cut.header_len,
                mss: cut.mss,
                payload,
            };
            (offload, bytes, frames)
        } else {
            let offload = match skb.checksum() {
                None => Offload::None,
                // Larger ones do not get here, see `check_features()`.
                Some(sum) => Offload::Checksum {
                    start: u8::try_from(sum.start)?,
                    field: u8::try_from(sum.field)?,
                },
            };
            (offload, skb.len(), 1)
        };
        let mut descriptors = usize::from(offload.context().is_some());
        if skb.head_len() > 0 {
            descriptors = descriptors.wrapping_add(self.pieces(skb.head_len()));
        }
        for i in 0..skb.nr_frags() {
            descriptors = descriptors.wrapping_add(self.pieces(skb.frag_len(i)));
        }
        Ok(Plan {
            offload,
            common: Common::new(offload, skb.vlan_tag()),
            descriptors,
            bytes,
            frames,
        })
    }

    /// Number of descriptors for `len` bytes.
    #[inline]
    fn pieces(&self, len: u32) -> usize {
        if len <= self.max_bytes.get() {
            1
        } else {
            (len.wrapping_sub(1) / self.max_bytes).wrapping_add(1) as usize
        }
    }

    /// Maps a frame and writes its descriptors.
    #[inline]
    fn stage(&mut self, skb: &SkBuff, plan: &Plan) -> Result {
        let last = self
            .producer
            .next_index()
            .wrapping_add(plan.descriptors)
            .wrapping_sub(1);
        if let Some(words) = plan.offload.context() {
            self.put(words)?.fill(Entry::part(None, last));
        }
        if skb.head_len() > 0 {
            let mapping = Mapping::of_head(self.dev, skb)?;
            self.put_mapping(mapping, plan.common, last)?;
        }
        for i in 0..skb.nr_frags() {
            let mapping = Mapping::of_frag(self.dev, skb, i)?;
            self.put_mapping(mapping, plan.common, last)?;
        }
        Ok(())
    }

    /// Writes the descriptors of one mapping; its last entry keeps it.
    #[inline]
    fn put_mapping(&mut self, mapping: Mapping<'a>, common: Common, last: usize) -> Result {
        let (mut addr, mut rest) = (mapping.dma_address(), mapping.len());
        let most = self.max_bytes.get();
        while rest > most {
            let words = desc::tx::data(addr, most, common, false);
            self.put(words)?.fill(Entry::part(None, last));
            addr = addr.wrapping_add(most.into());
            rest = rest.wrapping_sub(most);
        }
        let is_last = self.producer.next_index() == last;
        let words = desc::tx::data(addr, rest, common, is_last);
        self.put(words)?.fill(Entry::part(Some(mapping), last));
        Ok(())
    }

    /// Writes one descriptor, for an entry that is to be filled in.
    #[inline(always)]
    fn put(&mut self, words: desc::Words) -> Result<spsc::Vacant<'_, Entry<'a>>> {
        let at = self.place(self.producer.next_index()).wrapping_mul(2);
        let vacant = self.producer.vacant().ok_or(ENOSPC)?;
        let memory = ring_memory(&self.desc);
        // The higher first: the other's place is checked by it.
        io_write!(memory, [try: at.wrapping_add(1)], words[1]);
        io_write!(memory, [try: at], words[0]);
        Ok(vacant)
    }
}

impl Clean<'_> {
    /// Bus address of the descriptors.
    pub(crate) fn dma_address(&self) -> u64 {
        self.desc.dma_address()
    }

    /// Length of the descriptors in bytes.
    pub(crate) fn bytes(&self) -> u32 {
        (self.len as u32).saturating_mul(desc::SIZE)
    }

    /// Frees the frames that the chip has sent; at most a ring full, so that it ends.
    pub(crate) fn poll(&mut self, nic: &Nic<'_>, ctx: &PollContext<'_>) {
        let mut sent = Sent::default();
        // What lies before is the chip's no more.
        let mut done = self.consumer.next_index();
        for _ in 0..self.len {
            let Some((index, entry)) = self.consumer.peek() else {
                break;
            };
            if index == done {
                let last = entry.last;
                if !matches!(self.is_done(last), Ok(true)) {
                    break;
                }
                // Nothing of the frame is touched before its write-back is seen.
                dma_mb(Read);
                done = last.wrapping_add(1);
            }
            let Some(entry) = self.consumer.pop() else {
                break;
            };
            drop(entry.mapping);
            let Some(skb) = entry.skb else {
                continue;
            };
            sent.skbs = sent.skbs.wrapping_add(1);
            sent.frames = sent.frames.wrapping_add(entry.frames);
            sent.bytes = sent.bytes.wrapping_add(entry.bytes);
            sent.segmented = sent.segmented.wrapping_add((entry.frames > 1).into());
            skb.consume(ctx);
        }
        if sent.skbs > 0 {
            count(&nic.counts(self.queue).tx_done, sent.skbs.into());
            ctx.count_tx(&sent);
            ctx.tx_queue()
                .completed(sent.skbs, sent.bytes, || self.consumer.free(), self.wake_at);
        }
    }

    #[inline]
    fn is_done(&self, index: usize) -> Result<bool> {
        let place = index & self.len.wrapping_sub(1);
        let word = io_read!(ring_memory(&self.desc), [try: place.wrapping_mul(2).wrapping_add(1)]);
        Ok(desc::tx::done(word))
    }

    /// Drops every frame that is left, once the chip has stopped.
    pub(crate) fn drop_all(&mut self, reason: DropReason) {
        while let Some(entry) = self.consumer.pop() {
            drop(entry.mapping);
            if let Some(skb) = entry.skb {
                skb.drop_with(reason);
            }
        }
    }
}
