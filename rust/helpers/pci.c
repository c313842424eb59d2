// SPDX-License-Identifier: GPL-2.0

#include <linux/pci.h>

/*
 * Whether nothing can come from @dev any more: the PCI core has given it up, or
 * the port above says that the link is down.
 */
bool rust_helper_pci_unreachable(struct pci_dev *dev)
{
	struct pci_dev *bridge = pci_upstream_bridge(dev);
	u32 lnkcap;
	u16 lnksta;

	if (dev->error_state == pci_channel_io_perm_failure)
		return true;
	if (!bridge || !pci_is_pcie(bridge))
		return false;
	if (pcie_capability_read_dword(bridge, PCI_EXP_LNKCAP, &lnkcap) ||
	    pcie_capability_read_word(bridge, PCI_EXP_LNKSTA, &lnksta))
		return false;
	return (lnkcap & PCI_EXP_LNKCAP_DLLLARC) &&
	       !(lnksta & PCI_EXP_LNKSTA_DLLLA);
}

int rust_helper_pcie_capability_clear_word(struct pci_dev *dev, int pos,
					   u16 clear)
{
	return pcie_capability_clear_word(dev, pos, clear);
}
