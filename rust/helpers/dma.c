// SPDX-License-Identifier: GPL-2.0

#include <linux/dma-mapping.h>

dma_addr_t rust_helper_dma_map_single(struct device *dev, void *ptr,
				      size_t size, enum dma_data_direction dir)
{
	return dma_map_single(dev, ptr, size, dir);
}

void rust_helper_dma_unmap_single(struct device *dev, dma_addr_t addr,
				  size_t size, enum dma_data_direction dir)
{
	dma_unmap_single(dev, addr, size, dir);
}

dma_addr_t rust_helper_skb_frag_dma_map(struct device *dev,
					const skb_frag_t *frag, size_t offset,
					size_t size,
					enum dma_data_direction dir)
{
	return skb_frag_dma_map(dev, frag, offset, size, dir);
}

void rust_helper_dma_unmap_page(struct device *dev, dma_addr_t addr,
				size_t size, enum dma_data_direction dir)
{
	dma_unmap_page(dev, addr, size, dir);
}

int rust_helper_dma_mapping_error(struct device *dev, dma_addr_t addr)
{
	return dma_mapping_error(dev, addr);
}
