// SPDX-License-Identifier: GPL-2.0

//! Socket buffers as owned values.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)

use crate::{
    net::napi::{
        PollContext,
        RxContext, //
    },
    page_pool::PoolPage, //
};
use bindings_ext as bindings;
use core::{
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    prelude::*, //
};

/// Most fragments a buffer can have.
pub const MAX_FRAGS: usize = bindings::MAX_SKB_FRAGS as usize;

/// Why a buffer is dropped (`enum skb_drop_reason`), as far as a driver knows.
#[derive(Clone, Copy)]
pub enum DropReason {
    /// The device went down or was reset with the frame queued.
    DeviceNotReady,
    /// No memory, or no room in the IOMMU.
    NoMemory,
    /// The frame has a shape the device cannot send.
    Unsupported,
}

impl DropReason {
    fn as_raw(self) -> bindings::skb_drop_reason {
        match self {
            Self::DeviceNotReady => bindings::skb_drop_reason_SKB_DROP_REASON_DEV_READY,
            Self::NoMemory => bindings::skb_drop_reason_SKB_DROP_REASON_NOMEM,
            Self::Unsupported => bindings::skb_drop_reason_SKB_DROP_REASON_DEV_HDR,
        }
    }
}

/// Which checksum the device is to fill in.
#[derive(Clone, Copy)]
pub struct ChecksumRequest {
    /// Offset of the first byte summed up, from the start of the frame.
    pub start: u32,
    /// Offset of the checksum itself, from the start of the frame.
    pub field: u32,
}

/// How the device is to cut a large TCP frame; offsets and lengths in bytes.
#[derive(Clone, Copy)]
pub struct Segmentation {
    /// TCP over IPv6 rather than IPv4.
    pub ipv6: bool,
    /// Start of the IP header.
    pub network_offset: u8,
    /// Start of the TCP header.
    pub transport_offset: u8,
    /// Length of all headers, link layer to TCP.
    pub header_len: u8,
    /// Payload of each segment.
    pub mss: u16,
    /// Number of segments.
    pub segments: u16,
}

/// A socket buffer, owned.
///
/// Others may have references to the same buffer while it is sent (`IFF_TX_SKB_SHARING`, as pktgen
/// does): what would change such a buffer is refused.
///
/// A driver ends it by [`SkBuff::consume`], [`SkBuff::drop_with`] or by giving it to the stack;
/// plain dropping frees it too, without a reason, so that nothing can leak.
///
/// # Invariants
///
/// `skb` is a valid socket buffer and this is the only owner of this reference to it.
#[repr(transparent)]
pub struct SkBuff {
    skb: NonNull<bindings::sk_buff>,
}

// SAFETY: A socket buffer is not tied to a thread.
unsafe impl Send for SkBuff {}

impl SkBuff {
    /// # Safety
    ///
    /// The caller hands over its reference to `skb`.
    #[inline]
    pub(crate) unsafe fn from_raw(skb: NonNull<bindings::sk_buff>) -> Self {
        // INVARIANT: As the caller vouches.
        Self { skb }
    }

    /// Views a buffer that is somebody else's.
    ///
    /// # Safety
    ///
    /// `skb` must be valid, and must not change, for as long as the result.
    #[inline]
    pub(crate) unsafe fn from_raw_ref(skb: &NonNull<bindings::sk_buff>) -> &Self {
        // SAFETY: The type is transparent; behind a shared reference it owns nothing.
        unsafe { &*core::ptr::from_ref(skb).cast() }
    }

    #[inline]
    pub(crate) fn into_raw(self) -> *mut bindings::sk_buff {
        ManuallyDrop::new(self).skb.as_ptr()
    }

    #[inline]
    pub(crate) fn as_raw(&self) -> *mut bindings::sk_buff {
        self.skb.as_ptr()
    }

    /// Length of the whole frame in bytes.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> u32 {
        // SAFETY: Valid by the type invariant.
        unsafe { (*self.as_raw()).len }
    }

    /// Length of the linear part in bytes.
    #[inline]
    pub fn head_len(&self) -> u32 {
        // SAFETY: Valid by the type invariant.
        let (len, data_len) = unsafe { ((*self.as_raw()).len, (*self.as_raw()).data_len) };
        len.saturating_sub(data_len)
    }

    /// Whether the frame is to be sent as it is: not to be cut into segments, and without a wish
    /// for a time stamp of any kind.
    #[inline]
    pub fn is_simple(&self) -> bool {
        let shinfo = self.shinfo();
        // SAFETY: The shared info lives as long as the buffer.
        let (size, flags) = unsafe { ((*shinfo).gso_size, (*shinfo).tx_flags) };
        size == 0 && flags == 0
    }

    /// Whether the frame has no fragments.
    #[inline]
    pub fn is_linear(&self) -> bool {
        // SAFETY: Valid by the type invariant.
        unsafe { (*self.as_raw()).data_len == 0 }
    }

    /// The linear part, of [`SkBuff::head_len`] bytes.
    #[inline]
    pub(crate) fn data(&self) -> *const u8 {
        // SAFETY: Valid by the type invariant.
        unsafe { (*self.as_raw()).data.cast_const().cast() }
    }

    #[inline]
    fn shinfo(&self) -> *const bindings::skb_shared_info {
        // SAFETY: Valid by the type invariant; every skb has its shared info.
        unsafe { bindings::rust_helper_skb_shinfo(self.as_raw()) }
    }

    /// Number of fragments behind the linear part.
    #[inline]
    pub fn nr_frags(&self) -> usize {
        // SAFETY: The shared info lives as long as the buffer.
        usize::from(unsafe { (*self.shinfo()).nr_frags })
    }

    #[inline]
    pub(crate) fn frag(&self, index: usize) -> Option<&bindings::skb_frag> {
        if index >= self.nr_frags() {
            return None;
        }
        // SAFETY: The shared info lives as long as the buffer, and its first `nr_frags` fragments
        // are initialised.
        unsafe { (*self.shinfo()).frags.get(index) }
    }

    /// Length in bytes of fragment `index`, or 0 if there is none.
    #[inline]
    pub fn frag_len(&self, index: usize) -> u32 {
        self.frag(index).map_or(0, |frag| frag.len)
    }

    /// The checksum that the stack left to the device, if any.
    #[inline]
    pub fn checksum(&self) -> Option<ChecksumRequest> {
        let (mut start, mut field) = (0, 0);
        // SAFETY: Valid by the type invariant; the numbers are valid for writes.
        unsafe { bindings::rust_helper_skb_checksum_partial(self.as_raw(), &mut start, &mut field) }
            .then_some(ChecksumRequest { start, field })
    }

    /// Length of all headers of a TCP frame that is to be cut into segments, in bytes.
    #[inline]
    pub fn segment_header_len(&self) -> u32 {
        // SAFETY: Valid by the type invariant.
        unsafe { bindings::rust_helper_skb_tcp_all_headers(self.as_raw()) }
    }

    /// The VLAN tag (TCI) that the device is to put into the frame, if any.
    #[inline]
    pub fn vlan_tag(&self) -> Option<u16> {
        // SAFETY: Valid by the type invariant; protocol and TCI are one word, which is 0 if there
        // is no tag.
        unsafe {
            let tag = &(*self.as_raw())
                .__bindgen_anon_4
                .headers
                .as_ref()
                .__bindgen_anon_2;
            (tag.vlan_all != 0).then_some(tag.__bindgen_anon_1.vlan_tci)
        }
    }

    /// Whether the frame is to be cut into segments by the device.
    #[inline]
    pub fn is_gso(&self) -> bool {
        // SAFETY: The shared info lives as long as the buffer.
        unsafe { (*self.shinfo()).gso_size != 0 }
    }

    /// Prepares the headers for segmentation by the device and tells how to cut.
    ///
    /// Returns [`EPROTONOSUPPORT`] if the frame is not TCP over IPv4 or IPv6 for segmentation, its
    /// headers are not in the linear part or exceed 255 bytes, or it is shared, [`ENOMEM`] if the
    /// headers had to be copied and memory is short. Any context.
    pub fn prepare_segmentation(&mut self) -> Result<Segmentation> {
        let mut tso = bindings::rust_helper_tso::default();
        // SAFETY: Valid by the type invariant; `tso` is valid for a write.
        to_result(unsafe { bindings::rust_helper_skb_tso_prepare(self.as_raw(), &mut tso) })?;
        let shinfo = self.shinfo();
        // SAFETY: The shared info lives as long as the buffer.
        let (mss, segments) = unsafe { ((*shinfo).gso_size, (*shinfo).gso_segs) };
        Ok(Segmentation {
            ipv6: tso.ipv6 != 0,
            network_offset: tso.network_offset,
            transport_offset: tso.transport_offset,
            header_len: tso.header_len,
            mss,
            segments: segments.max(1),
        })
    }

    /// Pads a short frame with zeroes to `len` bytes. [`ENOMEM`] if memory is short, [`EBUSY`] if
    /// the frame is shared.
    #[inline]
    pub fn pad_to(&mut self, len: u32) -> Result {
        if self.len() >= len {
            return Ok(());
        }
        // SAFETY: Valid by the type invariant; the helper does not free on failure.
        to_result(unsafe { bindings::rust_helper_skb_put_padto(self.as_raw(), len) })
    }

    /// Takes the software transmit timestamp, if one was asked for. To be called right before the
    /// chip is told of the frame.
    #[inline]
    pub fn tx_timestamp(&mut self) {
        // SAFETY: Valid by the type invariant.
        unsafe { bindings::rust_helper_skb_tx_timestamp(self.as_raw()) };
    }

    /// Whether the sender asks for the device's time stamp.
    #[inline]
    pub fn wants_hw_timestamp(&self) -> bool {
        // SAFETY: The shared info lives as long as the buffer.
        unsafe { (*self.shinfo()).tx_flags & bindings::SKBTX_HW_TSTAMP != 0 }
    }

    /// Promises the device's time stamp, which keeps the software's from being told unless it was
    /// asked for as well: to be called before [`SkBuff::tx_timestamp`]. [`None`] if the frame is
    /// shared.
    ///
    /// The frame must not be changed from here on: it is shared.
    pub fn request_hw_timestamp(&mut self) -> Option<TimestampRequest> {
        // SAFETY: Valid by the type invariant.
        if unsafe { bindings::rust_helper_skb_shared(self.as_raw()) } {
            return None;
        }
        // SAFETY: The shared info lives as long as the buffer; the frame is ours alone, so that
        // nobody else changes the flags. The new reference is the result's.
        unsafe {
            (*self.shinfo().cast_mut()).tx_flags |= bindings::SKBTX_IN_PROGRESS;
            bindings::rust_helper_skb_get(self.as_raw());
        }
        // INVARIANT: One reference more was taken.
        Some(TimestampRequest { skb: self.skb })
    }

    /// Frees a frame that was sent. Within the poll of its channel.
    #[inline]
    pub fn consume(self, ctx: &PollContext<'_>) {
        // SAFETY: The reference is handed over; the context gives the poll's own budget.
        unsafe { bindings::napi_consume_skb(self.into_raw(), ctx.raw_budget()) };
    }

    /// Frees a frame that was not sent, saying why. Any context.
    pub fn drop_with(self, reason: DropReason) {
        // SAFETY: The reference is handed over.
        unsafe { bindings::dev_kfree_skb_any_reason(self.into_raw(), reason.as_raw()) };
    }
}

impl Drop for SkBuff {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this is the only owner of this reference.
        unsafe {
            bindings::dev_kfree_skb_any_reason(
                self.as_raw(),
                bindings::skb_drop_reason_SKB_DROP_REASON_NOT_SPECIFIED,
            )
        };
    }
}

/// A frame that is being sent, or was, and whose sender waits for its time stamp. Dropped, it waits
/// in vain.
///
/// # Invariants
///
/// `skb` is a valid socket buffer, and this has a reference of its own to it.
pub struct TimestampRequest {
    skb: NonNull<bindings::sk_buff>,
}

// SAFETY: A socket buffer is not tied to a thread.
unsafe impl Send for TimestampRequest {}

impl TimestampRequest {
    /// Tells the sender when the frame was sent, in nanoseconds of the device's clock. Any context
    /// but hard interrupts.
    pub fn deliver(self, ns: i64) {
        let mut stamp = bindings::skb_shared_hwtstamps::default();
        stamp.__bindgen_anon_1.hwtstamp = ns;
        // SAFETY: Valid by the type invariant; the stamp is copied.
        unsafe { bindings::skb_tstamp_tx(self.skb.as_ptr(), &mut stamp) };
    }
}

impl Drop for TimestampRequest {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the reference is ours.
        unsafe {
            bindings::dev_kfree_skb_any_reason(
                self.skb.as_ptr(),
                bindings::skb_drop_reason_SKB_CONSUMED,
            )
        };
    }
}

/// A received frame that is being put together, from pages of a page pool.
///
/// # Invariants
///
/// The buffer was made by [`RxFrame::from_page`], is marked for recycling, and nobody else has seen
/// it: all its pages are of page pools.
pub struct RxFrame(SkBuff);

impl RxFrame {
    /// Builds a frame around the first `len` bytes the device wrote to `page`, without copying.
    ///
    /// The bytes must have been synchronised ([`PoolPage::sync_for_cpu`]); if they were not, the
    /// frame holds stale data. If there is no memory for the metadata the page goes back to its
    /// pool.
    #[inline]
    pub fn from_page(page: PoolPage, len: u32, _: &RxContext<'_>) -> Option<Self> {
        let len = len.min(page.max_len());
        // SAFETY: The page is ours, and a pool's, in softirq context. Its room is what
        // `page_pool::Layout` checked: headroom, data and shared info fit.
        let skb =
            unsafe { bindings::rust_helper_napi_build_skb_page(page.as_raw(), page.offset(), len) };
        let skb = NonNull::new(skb)?;
        // The buffer owns the page now.
        let _ = page.into_raw();
        // INVARIANT: The buffer is fresh.
        Some(Self(SkBuff { skb }))
    }

    /// Appends the first `len` bytes the device wrote to `page` as a fragment. Gives the page back
    /// if the buffer has all the fragments it can have.
    #[inline]
    pub fn add_page(
        &mut self,
        page: PoolPage,
        len: u32,
        _: &RxContext<'_>,
    ) -> Result<(), PoolPage> {
        if self.0.nr_frags() >= MAX_FRAGS {
            return Err(page);
        }
        // CAST: Both are less than a page.
        let (offset, len) = (page.offset() as c_int, len.min(page.max_len()) as c_int);
        // SAFETY: By the type invariant the buffer is marked for recycling and ours alone; it has
        // room for one more fragment, and takes over the page.
        unsafe {
            bindings::rust_helper_skb_add_rx_frag(
                self.0.as_raw(),
                page.into_raw(),
                offset,
                len,
                bindings::PAGE_SIZE as u32,
            )
        };
        Ok(())
    }

    /// Notes when the device received the frame, in nanoseconds of its clock.
    pub fn set_hw_timestamp(&mut self, ns: i64) {
        // SAFETY: The shared info lives as long as the buffer, which is ours alone.
        unsafe {
            (*self.0.shinfo().cast_mut())
                .__bindgen_anon_1
                .hwtstamps
                .__bindgen_anon_1
                .hwtstamp = ns;
        }
    }

    /// Length of the frame so far, in bytes.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty")]
    pub fn len(&self) -> u32 {
        self.0.len()
    }

    /// Notes the hash by which the device chose the queue; `ports` says that it covers the ports.
    #[inline]
    pub fn set_hash(&mut self, hash: u32, ports: bool) {
        // SAFETY: By the type invariant the buffer is ours alone.
        unsafe { bindings::rust_helper_skb_set_hash(self.0.as_raw(), hash, ports) };
    }

    /// Notes the VLAN tag (TCI) that the device has taken off the frame.
    #[inline]
    pub fn set_vlan_tag(&mut self, tci: u16) {
        // SAFETY: By the type invariant the buffer is ours alone.
        unsafe { bindings::rust_helper_skb_put_vlan_tag(self.0.as_raw(), tci) };
    }

    /// Gives the frame to the stack.
    ///
    /// `checksum_ok` says that the device verified the frame's transport checksum. The frame must
    /// hold a whole Ethernet header; shorter ones are dropped.
    #[inline]
    pub fn receive(self, queue: u16, checksum_ok: bool, ctx: &RxContext<'_>) {
        if self.0.head_len() < bindings::ETH_HLEN {
            self.0.drop_with(DropReason::Unsupported);
            return;
        }
        // SAFETY: The buffer is valid and handed over, with an Ethernet header in its linear part;
        // we are in the poll of `ctx`, whose device it came from.
        unsafe {
            bindings::rust_helper_napi_gro_receive(
                ctx.as_raw(),
                self.0.into_raw(),
                queue,
                checksum_ok,
            )
        };
    }
}
