// SPDX-License-Identifier: GPL-2.0

//! Enabling a function for as long as it is used.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h)

use bindings_ext as bindings;
use kernel::{
    device::Bound,
    error::to_result,
    pci::Device,
    prelude::*, //
};

/// Keeps a function enabled; disables it when dropped, which also ends its bus mastering.
///
/// # Invariants
///
/// `pdev` has been enabled once for this.
pub struct Enabled<'a> {
    pdev: &'a Device<Bound>,
}

/// Enables memory access. Bus mastering stays off, see [`super::master`]. Process context.
pub fn enable_mem(pdev: &Device<Bound>) -> Result<Enabled<'_>> {
    let raw = crate::as_raw_pci_device(pdev);
    // SAFETY: The device is valid and bound.
    to_result(unsafe { bindings::pci_enable_device_mem(raw) })?;
    // INVARIANT: Enabled just now.
    Ok(Enabled { pdev })
}

impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this balances an enable; the reference proves that the
        // device is still bound.
        unsafe { bindings::pci_disable_device(crate::as_raw_pci_device(self.pdev)) };
    }
}
