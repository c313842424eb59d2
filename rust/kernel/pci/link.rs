// SPDX-License-Identifier: GPL-2.0

//! The PCI Express link of a function.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h)

use bindings_ext as bindings;
use kernel::{
    device::Bound,
    pci::Device, //
};

/// Tells in the kernel log how fast and how wide the link is, and what limits it. Process context.
pub fn print_status(pdev: &Device<Bound>) {
    // SAFETY: The device is valid and bound.
    unsafe { bindings::pcie_print_link_status(crate::as_raw_pci_device(pdev)) };
}
