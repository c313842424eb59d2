// SPDX-License-Identifier: GPL-2.0

//! Page pools: recycled, DMA-mapped pages for receive rings.
//!
//! C header: [`include/net/page_pool/helpers.h`](srctree/include/net/page_pool/helpers.h),
//! rules: `Documentation/networking/page_pool.rst`.

use crate::net::napi::RxContext;
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
    prelude::*, //
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
/// The pool is not told of a NAPI instance, which would have to outlive it and would let pages go
/// straight back into the lockless cache: without one, that cache is the owner's alone. Pages come
/// back through the pool's ring.
///
/// # Invariants
///
/// `pool` is a live `struct page_pool` with `PP_FLAG_DMA_MAP`, order 0 and no NAPI, of which this
/// is the only owner.
pub struct PagePool {
    pool: NonNull<bindings::page_pool>,
    layout: Layout,
}

// SAFETY: A page pool is not tied to a thread.
unsafe impl Send for PagePool {}

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
        })
    }

    /// Takes a page, or [`None`] if memory is short.
    #[inline]
    pub fn alloc(&mut self, _: &RxContext<'_>) -> Option<PoolPage> {
        // SAFETY: The pool is live. Its lockless cache is touched by its one owner only, in the
        // softirq context that it asks for.
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
        // SAFETY: By the type invariant this is the only owner. Pages still in flight keep the
        // pool's memory alive until they come back.
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
