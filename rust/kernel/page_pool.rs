// SPDX-License-Identifier: GPL-2.0

//! Page pools: recycled, DMA-mapped pages for receive rings.
//!
//! C header: [`include/net/page_pool/helpers.h`](srctree/include/net/page_pool/helpers.h),
//! rules: `Documentation/networking/page_pool.rst`.

use bindings_ext as bindings;
use core::{
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    device::{
        self,
        Bound, //
    },
    dma::DmaAddress,
    error::from_err_ptr,
    prelude::*,
    sync::atomic::{
        AtomicFlag,
        Relaxed, //
    }, //
};

/// Where the device writes within a page.
#[derive(Clone, Copy)]
pub struct Layout {
    offset: u32,
    len: u32,
}

impl Layout {
    /// Bytes kept free in front of the device's part: room for headers that the stack pushes, as
    /// `NET_SKB_PAD` (which is not a constant expression in C).
    pub const HEADROOM: u32 = if bindings::L1_CACHE_BYTES > 32 {
        bindings::L1_CACHE_BYTES
    } else {
        32
    };

    /// The device writes at most `len` bytes behind [`Layout::HEADROOM`]; what follows must have
    /// room for `struct skb_shared_info`. Returns [`EINVAL`] if a page is too small for that.
    pub fn new(len: u32) -> Result<Self> {
        let needed = Self::HEADROOM
            .checked_add(len)
            .and_then(|n| n.checked_add(bindings::SKB_SHINFO_ALIGNED))
            .ok_or(EINVAL)?;
        if len == 0 || needed as usize > bindings::PAGE_SIZE {
            return Err(EINVAL);
        }
        Ok(Self {
            offset: Self::HEADROOM,
            len,
        })
    }
}

/// A pool of single pages, mapped for the device to write.
///
/// Pages are taken by the poll of the one channel that it belongs to, see
/// [`Channel`](crate::net::device::Channel). While that runs the pool knows its NAPI instance:
/// pages that the stack frees on the processor where it is polled go straight back into the pool's
/// lockless cache, others through its ring.
///
/// # Invariants
///
/// - `pool` is a live `struct page_pool` with `PP_FLAG_DMA_MAP` and order 0, of which this is the
///   only owner.
/// - It has a NAPI instance only while it is taken; that instance is registered then, and whoever
///   has taken the pool keeps a reference to this.
/// - The lockless cache is touched by the poll of that instance, and, for pages that are freed on
///   the processor that it is polled on, within softirqs, by the stack.
pub struct PagePool {
    pool: NonNull<bindings::page_pool>,
    layout: Layout,
    /// A channel that runs has it.
    taken: AtomicFlag,
}

// SAFETY: A page pool is not tied to a thread.
unsafe impl Send for PagePool {}

// SAFETY: All that a shared reference can do is unsafe, or whoever has taken the pool does it.
unsafe impl Sync for PagePool {}

impl PagePool {
    /// Creates a pool that keeps up to `size` pages, for reception by `netdev`.
    ///
    /// Process context. Returns [`ENOMEM`] if memory is short and [`E2BIG`] if `size` is absurd.
    pub fn new<T: crate::net::device::Operations>(
        parent: &device::Device<Bound>,
        netdev: &crate::net::device::Device<T>,
        size: u32,
        layout: Layout,
    ) -> Result<Self> {
        // SAFETY: Device and net device are valid. The pool takes a reference to the device, and is
        // parted from the net device when that is unregistered, which it is not yet: references to
        // net devices are only handed out while they are registered or about to be.
        let pool = from_err_ptr(unsafe {
            bindings::rust_helper_page_pool_create(
                crate::as_raw_device(parent),
                netdev.as_raw(),
                size,
                layout.offset,
                layout.len,
            )
        })?;
        Ok(Self {
            pool: NonNull::new(pool).ok_or(ENOMEM)?,
            layout,
            taken: AtomicFlag::new(false),
        })
    }

    /// Takes the pool for a channel; [`false`] if another has it.
    pub(crate) fn take(&self) -> bool {
        // Whoever takes and gives back holds the RTNL.
        !self.taken.xchg(true, Relaxed)
    }

    /// Ends what [`PagePool::take`] began.
    ///
    /// # Safety
    ///
    /// The caller has taken the pool, which has no NAPI instance, or no longer.
    pub(crate) unsafe fn give_back(&self) {
        self.taken.store(false, Relaxed);
    }

    /// Tells the pool of its NAPI instance. Process context.
    ///
    /// # Safety
    ///
    /// The caller has taken the pool, keeps a reference to it, and calls
    /// [`PagePool::disable_direct`] before it gives either up and before `napi` is removed.
    pub(crate) unsafe fn enable_direct(&self, napi: *mut bindings::napi_struct) {
        // SAFETY: Pool and instance are valid, and the pool has no other instance. The rest of the
        // type invariants is as the caller vouches.
        unsafe { bindings::page_pool_enable_direct_recycling(self.pool.as_ptr(), napi) };
    }

    /// Has the pool forget its NAPI instance. Process context.
    ///
    /// # Safety
    ///
    /// The instance must be registered, and disabled.
    pub(crate) unsafe fn disable_direct(&self) {
        // SAFETY: The pool is valid. The instance is disabled, so that nobody touches the cache;
        // whoever still looks at the instance is in a softirq, for which its removal waits
        // (`synchronize_net()` in `netif_napi_del()`).
        unsafe { bindings::page_pool_disable_direct_recycling(self.pool.as_ptr()) };
    }

    /// Takes a page, or [`None`] if memory is short.
    ///
    /// # Safety
    ///
    /// Only within a poll, with a budget, of the NAPI instance that the pool knows.
    #[inline]
    pub(crate) unsafe fn alloc(&self) -> Option<PoolPage> {
        // SAFETY: The pool is live. Its lockless cache is touched in this context only, by the type
        // invariants.
        let page = unsafe { bindings::rust_helper_page_pool_dev_alloc_pages(self.pool.as_ptr()) };
        // INVARIANT: The page is fresh from a pool that maps.
        NonNull::new(page).map(|page| PoolPage {
            page,
            layout: self.layout,
        })
    }
}

impl Drop for PagePool {
    fn drop(&mut self) {
        // SAFETY: By the type invariants this is the only owner, and there is no NAPI instance as
        // whoever took the pool would have a reference. Pages still in flight keep the pool's
        // memory alive until they come back.
        unsafe { bindings::page_pool_destroy(self.pool.as_ptr()) };
    }
}

/// A page of a pool, owned: given back when dropped, which must not be in a hard interrupt.
///
/// # Invariants
///
/// `page` belongs to a page pool with DMA mapping, and this is the only owner of this reference.
pub struct PoolPage {
    page: NonNull<bindings::page>,
    layout: Layout,
}

// SAFETY: A page is not tied to a thread, and neither is the way it is given back.
unsafe impl Send for PoolPage {}

impl PoolPage {
    /// Bus address of the device's part of the page.
    #[inline]
    pub fn dma_address(&self) -> DmaAddress {
        // SAFETY: By the type invariant the page is of a pool that maps.
        let base = unsafe { bindings::rust_helper_page_pool_get_dma_addr(self.page.as_ptr()) };
        base.wrapping_add(u64::from(self.layout.offset))
    }

    /// Makes the first `len` bytes that the device wrote visible to the processor. More than the
    /// device's part is not synchronised.
    #[inline]
    pub fn sync_for_cpu(&self, len: u32) {
        // SAFETY: By the type invariant the page is of a pool that maps; offset and length are
        // within the part that the pool was told of (`offset` is added by the pool itself).
        unsafe {
            bindings::rust_helper_page_pool_dma_sync_for_cpu(
                self.page.as_ptr(),
                0,
                len.min(self.layout.len),
            )
        };
    }

    /// Largest number of bytes the device may have written.
    #[inline]
    pub fn max_len(&self) -> u32 {
        self.layout.len
    }

    /// Offset of the device's part within the page, in bytes.
    #[inline]
    pub(crate) fn offset(&self) -> u32 {
        self.layout.offset
    }

    #[inline]
    pub(crate) fn as_raw(&self) -> *mut bindings::page {
        self.page.as_ptr()
    }

    /// Gives the reference up without returning the page: somebody else now owns it.
    #[inline]
    pub(crate) fn into_raw(self) -> *mut bindings::page {
        ManuallyDrop::new(self).page.as_ptr()
    }
}

impl Drop for PoolPage {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariant this is the only owner of this reference, and the page's
        // pool lives for as long as one of its pages is out.
        unsafe { bindings::rust_helper_page_pool_put_full_page(self.page.as_ptr()) };
    }
}
