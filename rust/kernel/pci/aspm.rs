// SPDX-License-Identifier: GPL-2.0

//! Active State Power Management of a function's link.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h),
//! source: [`drivers/pci/pcie/aspm.c`](srctree/drivers/pci/pcie/aspm.c)

use bindings_ext as bindings;
use kernel::{
    device::Bound,
    error::to_result,
    pci::Device,
    prelude::*, //
};

/// The two link states that ASPM can enter, as one set.
const STATES: u32 = bindings::ASPM_LINK_STATES;

/// Which states are enabled in a Link Control register (PCIe Base Specification, section 7.5.3.7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Enabled(u16);

impl Enabled {
    /// Whether L0s may be entered.
    pub fn l0s(self) -> bool {
        u32::from(self.0) & bindings::PCI_EXP_LNKCTL_ASPM_L0S != 0
    }

    /// Whether L1 may be entered.
    pub fn l1(self) -> bool {
        u32::from(self.0) & bindings::PCI_EXP_LNKCTL_ASPM_L1 != 0
    }

    /// Bit 0: L0s, bit 1: L1.
    pub fn bits(self) -> u8 {
        (u32::from(self.0) & bindings::PCI_EXP_LNKCTL_ASPMC) as u8
    }
}

impl kernel::fmt::Display for Enabled {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        f.write_str(match (self.l0s(), self.l1()) {
            (false, false) => "off",
            (true, false) => "L0s",
            (false, true) => "L1",
            (true, true) => "L0s+L1",
        })
    }
}

/// One end of a link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The function itself.
    Endpoint,
    /// The port above it.
    UpstreamPort,
}

/// The C structure behind one end of the link; [`ENODEV`] where there is none.
fn end(pdev: &Device<Bound>, end: End) -> Result<*mut bindings::pci_dev> {
    let raw = crate::as_raw_pci_device(pdev);
    match end {
        End::Endpoint => Ok(raw),
        End::UpstreamPort => {
            // SAFETY: The device is valid. Its bus, and the bridge above, live at least as long as
            // the device is bound.
            let bridge = unsafe { (*(*raw).bus).self_ };
            if bridge.is_null() {
                Err(ENODEV)
            } else {
                Ok(bridge)
            }
        }
    }
}

/// Reads which states are enabled at one end.
///
/// Returns [`ENODEV`] where there is no such end or it has no PCIe capability, and if the
/// register reads all-ones because the device is gone. Any context.
pub fn enabled(pdev: &Device<Bound>, which: End) -> Result<Enabled> {
    let raw = end(pdev, which)?;
    let mut value = 0u16;
    // SAFETY: `raw` is a valid device as `end()` says.
    if unsafe { (*raw).pcie_cap } == 0 {
        return Err(ENODEV);
    }
    // SAFETY: As above; `value` is valid for a write.
    let ret = unsafe {
        bindings::pcie_capability_read_word(raw, bindings::PCI_EXP_LNKCTL as c_int, &mut value)
    };
    if ret != 0 || value == u16::MAX {
        return Err(ENODEV);
    }
    Ok(Enabled(value))
}

/// Asks the PCI core to keep L0s and L1 off on the function's link, both ends, for good.
///
/// To be called once the device is enabled: enabling is when the core applies its own policy to
/// the link. Process context; must not be called with `pci_bus_sem` held.
///
/// Returns [`EPERM`] where the firmware did not give the OS control over ASPM, and [`EINVAL`]
/// where the function has no link.
pub fn disable_link_state(pdev: &Device<Bound>) -> Result {
    // SAFETY: The device is valid and bound.
    to_result(unsafe {
        bindings::pci_disable_link_state(crate::as_raw_pci_device(pdev), STATES as c_int)
    })
}

/// Clears the enable bits of one end directly, behind the PCI core's back.
///
/// For links that the OS was not given control over. The endpoint must be cleared before the
/// upstream port (PCIe Base Specification, section 5.4.1.3). Errors as [`enabled`].
pub fn clear(pdev: &Device<Bound>, which: End) -> Result {
    let raw = end(pdev, which)?;
    // SAFETY: `raw` is a valid device as `end()` says.
    to_result(unsafe {
        bindings::rust_helper_pcie_capability_clear_word(
            raw,
            bindings::PCI_EXP_LNKCTL as c_int,
            bindings::PCI_EXP_LNKCTL_ASPMC as u16,
        )
    })
}

/// Whether the PCI core has any ASPM state enabled on the function's link. Any context.
pub fn core_enabled(pdev: &Device<Bound>) -> bool {
    // SAFETY: The device is valid and bound.
    unsafe { bindings::pcie_aspm_enabled(crate::as_raw_pci_device(pdev)) }
}
