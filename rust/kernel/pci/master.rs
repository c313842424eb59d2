// SPDX-License-Identifier: GPL-2.0

//! Bus mastering: cutting a function off from memory.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h)

use bindings_ext as bindings;
use kernel::{
    device::Bound,
    pci::Device,
    prelude::*, //
};

/// Proof that a function can no longer write to memory: its bus mastering was seen off, or it is
/// no longer there.
pub struct CutOff(());

/// Lets the function master the bus again. Process context.
pub fn enable(pdev: &Device<Bound>) {
    // SAFETY: The device is valid and bound.
    unsafe { bindings::pci_set_master(crate::as_raw_pci_device(pdev)) };
}

/// Switches bus mastering off and makes sure that it is.
///
/// A function whose configuration space reads all-ones is gone from the bus, which is as good.
/// Returns [`EIO`] if the bit reads as set afterwards: memory given to the device must then not be
/// freed. Any context.
pub fn cut_off(pdev: &Device<Bound>) -> Result<CutOff> {
    let raw = crate::as_raw_pci_device(pdev);
    let mut command = 0u16;
    // SAFETY: The device is valid and bound.
    unsafe { bindings::pci_clear_master(raw) };
    // SAFETY: The device is valid and bound; `command` is valid for a write.
    let ret = unsafe {
        bindings::pci_read_config_word(raw, bindings::PCI_COMMAND as c_int, &mut command)
    };
    let gone = ret != 0 || command == u16::MAX;
    if gone || u32::from(command) & bindings::PCI_COMMAND_MASTER == 0 {
        Ok(CutOff(()))
    } else {
        Err(EIO)
    }
}
