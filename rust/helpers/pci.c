// SPDX-License-Identifier: GPL-2.0

#include <linux/pci.h>

int rust_helper_pcie_capability_clear_word(struct pci_dev *dev, int pos,
					   u16 clear)
{
	return pcie_capability_clear_word(dev, pos, clear);
}
