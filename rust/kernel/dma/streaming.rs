// SPDX-License-Identifier: GPL-2.0

//! Streaming DMA mappings of socket buffers for transmission.
//!
//! C header: [`include/linux/dma-mapping.h`](srctree/include/linux/dma-mapping.h),
//! rules: `Documentation/core-api/dma-api.rst`, part Id.

use crate::net::skbuff::SkBuff;
use bindings::dma_data_direction;
use bindings_ext as bindings;
use kernel::{
    device::{
        self,
        Bound, //
    },
    dma::DmaAddress,
    prelude::*, //
};

/// Which of the two calls unmaps the region.
#[derive(Clone, Copy)]
enum Kind {
    Single,
    Page,
}

/// A piece of a socket buffer that the device may read.
///
/// Unmapped when dropped; the reference to the bound device proves that it still can be. The
/// buffer should be freed after its mappings: freeing it earlier lets the device send stale bytes,
/// but cannot harm the kernel, since the device only ever reads through such a mapping.
///
/// # Invariants
///
/// `addr` and `len` are those of a live mapping of `dev` for [`dma_data_direction::DMA_TO_DEVICE`]
/// made by the call that `kind` names, and this is the only owner of it.
pub struct Mapping<'a> {
    dev: &'a device::Device<Bound>,
    addr: DmaAddress,
    len: u32,
    kind: Kind,
}

impl<'a> Mapping<'a> {
    /// Maps the linear part of `skb`. Any context.
    ///
    /// Returns [`EINVAL`] if the linear part is empty, [`ENOMEM`] if there is no room in the
    /// IOMMU or the bounce buffer.
    pub fn of_head(dev: &'a device::Device<Bound>, skb: &SkBuff) -> Result<Self> {
        let len = skb.head_len();
        if len == 0 {
            return Err(EINVAL);
        }
        let raw = crate::as_raw_device(dev);
        // SAFETY: `raw` is a valid, bound device; `data` points to `len` bytes of kernel memory
        // from the slab or page allocator, as the linear part of any skb.
        let addr = unsafe {
            bindings::rust_helper_dma_map_single(
                raw,
                (*skb.as_raw()).data.cast(),
                len as usize,
                dma_data_direction::DMA_TO_DEVICE,
            )
        };
        Self::checked(dev, addr, len, Kind::Single)
    }

    /// Maps fragment `index` of `skb`. Any context.
    ///
    /// Returns [`EINVAL`] if there is no such fragment or it is empty, [`ENOMEM`] as
    /// [`Mapping::of_head`].
    pub fn of_frag(dev: &'a device::Device<Bound>, skb: &SkBuff, index: usize) -> Result<Self> {
        let frag = skb.frag(index).ok_or(EINVAL)?;
        let len = frag.len;
        if len == 0 {
            return Err(EINVAL);
        }
        let raw = crate::as_raw_device(dev);
        // SAFETY: `raw` is a valid, bound device; `frag` is a fragment of `skb`, which is alive.
        let addr = unsafe {
            bindings::rust_helper_skb_frag_dma_map(
                raw,
                frag,
                0,
                len as usize,
                dma_data_direction::DMA_TO_DEVICE,
            )
        };
        Self::checked(dev, addr, len, Kind::Page)
    }

    fn checked(
        dev: &'a device::Device<Bound>,
        addr: DmaAddress,
        len: u32,
        kind: Kind,
    ) -> Result<Self> {
        // SAFETY: The device is valid and `addr` is what a mapping call for it returned.
        if unsafe { bindings::rust_helper_dma_mapping_error(crate::as_raw_device(dev), addr) } != 0
        {
            return Err(ENOMEM);
        }
        // INVARIANT: The mapping succeeded just now and nobody else knows of it.
        Ok(Self {
            dev,
            addr,
            len,
            kind,
        })
    }

    /// Bus address of the first byte.
    #[inline]
    pub fn dma_address(&self) -> DmaAddress {
        self.addr
    }

    /// Length in bytes; never 0.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a mapping is never empty")]
    pub fn len(&self) -> u32 {
        self.len
    }
}

impl Drop for Mapping<'_> {
    #[inline]
    fn drop(&mut self) {
        let dev = crate::as_raw_device(self.dev);
        let dir = dma_data_direction::DMA_TO_DEVICE;
        match self.kind {
            // SAFETY: By the type invariant this is the mapping's only owner, and the device is
            // bound for as long as `self.dev` can be held.
            Kind::Single => unsafe {
                bindings::rust_helper_dma_unmap_single(dev, self.addr, self.len as usize, dir)
            },
            // SAFETY: As above.
            Kind::Page => unsafe {
                bindings::rust_helper_dma_unmap_page(dev, self.addr, self.len as usize, dir)
            },
        }
    }
}

// SAFETY: A mapping is a reservation of bus addresses; any thread may end it.
unsafe impl Send for Mapping<'_> {}

// SAFETY: Through a shared reference only its address and length can be read.
unsafe impl Sync for Mapping<'_> {}
