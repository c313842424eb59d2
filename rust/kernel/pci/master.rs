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

/// Proof that a function could not write to memory at one moment: its bus mastering was seen off,
/// or nothing could come from it. It holds until [`enable`] is called.
pub struct CutOff(());

/// Lets the function master the bus. Process context.
///
/// To be called once its DMA engines are known to be off: from here on what they were last told is
/// what they do.
pub fn enable(pdev: &Device<Bound>) {
    // SAFETY: The device is valid and bound.
    unsafe { bindings::pci_set_master(crate::as_raw_pci_device(pdev)) };
}

/// Switches bus mastering off and makes sure that it is.
///
/// Returns [`EIO`] if that cannot be told: the bit still reads as set, or the configuration space
/// does not answer although the link is up, as of a device that hangs. Memory given to the device
/// must then not be freed. Any context.
pub fn cut_off(pdev: &Device<Bound>) -> Result<CutOff> {
    let raw = crate::as_raw_pci_device(pdev);
    let mut command = 0u16;
    // SAFETY: The device is valid and bound.
    unsafe { bindings::pci_clear_master(raw) };
    // SAFETY: The device is valid and bound; `command` is valid for a write.
    let ret = unsafe {
        bindings::pci_read_config_word(raw, bindings::PCI_COMMAND as c_int, &mut command)
    };
    let answers = ret == 0 && command != u16::MAX;
    let off = answers && u32::from(command) & bindings::PCI_COMMAND_MASTER == 0;
    // SAFETY: The device is valid and bound.
    if off || (!answers && unsafe { bindings::rust_helper_pci_unreachable(raw) }) {
        Ok(CutOff(()))
    } else {
        Err(EIO)
    }
}
