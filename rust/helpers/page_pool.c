// SPDX-License-Identifier: GPL-2.0

#include <net/page_pool/helpers.h>

/* A pool of mapped single pages for a device to write. */
struct page_pool *
rust_helper_page_pool_create(struct device *dev, struct net_device *netdev,
			     u32 size, u32 offset, u32 max_len)
{
	struct page_pool_params params = {
		.flags = PP_FLAG_DMA_MAP | PP_FLAG_DMA_SYNC_DEV,
		.pool_size = size,
		.nid = NUMA_NO_NODE,
		.dev = dev,
		.netdev = netdev,
		.dma_dir = DMA_FROM_DEVICE,
		.offset = offset,
		.max_len = max_len,
	};

	return page_pool_create(&params);
}

struct page *rust_helper_page_pool_dev_alloc_pages(struct page_pool *pool)
{
	return page_pool_dev_alloc_pages(pool);
}

/* The pool is the one the page came from; never the lockless cache. */
void rust_helper_page_pool_put_full_page(struct page *page)
{
	page_pool_put_full_page(pp_page_to_nmdesc(page)->pp, page, false);
}

dma_addr_t rust_helper_page_pool_get_dma_addr(const struct page *page)
{
	return page_pool_get_dma_addr(page);
}

void rust_helper_page_pool_dma_sync_for_cpu(const struct page *page,
					    u32 offset, u32 size)
{
	page_pool_dma_sync_for_cpu(pp_page_to_nmdesc(page)->pp, page, offset,
				   size);
}
