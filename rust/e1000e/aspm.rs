// SPDX-License-Identifier: GPL-2.0

//! Keeps the link out of L0s and L1.
//!
//! With ASPM on, some boards lose the 82574 from the bus: "Error reading PHY register", then
//! all-ones from every register, until power-off. The in-tree driver's quirk for the chip asks for
//! L0s and L1 off (commits 6f461f6c7c96, d4a4206ebbaf); it has two holes that this one has not: it
//! returns early when Link Control reads as off, and it asks before the device is enabled, which is
//! when the PCI core applies its own policy and may turn L0s on.

use kernel::{
    device::Bound,
    fmt,
    pci,
    prelude::*, //
};
use kernel_ext::pci::aspm::{
    self,
    End, //
};

/// What is known of the link's power management at one moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    /// Link Control of the endpoint.
    endpoint: aspm::Enabled,
    /// Link Control of the port above, if there is one.
    port: Option<aspm::Enabled>,
    /// What the PCI core believes to have enabled.
    core: bool,
}

impl View {
    fn take(pdev: &pci::Device<Bound>) -> Option<Self> {
        Some(Self {
            endpoint: aspm::enabled(pdev, End::Endpoint).ok()?,
            port: aspm::enabled(pdev, End::UpstreamPort).ok(),
            core: aspm::core_enabled(pdev),
        })
    }

    fn registers_off(&self) -> bool {
        self.bits() == 0
    }

    fn off(&self) -> bool {
        self.registers_off() && !self.core
    }

    /// Bit 0: L0s, bit 1: L1, at either end; bit 2: on, as the PCI core has it.
    pub(crate) fn stat(&self) -> u64 {
        u64::from(self.bits()) | (u64::from(self.core) << 2)
    }

    fn bits(&self) -> u8 {
        self.endpoint.bits() | self.port.map_or(0, aspm::Enabled::bits)
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_fmt(fmt!("endpoint {}", self.endpoint))?;
        match self.port {
            Some(port) => f.write_fmt(fmt!(", port {}", port))?,
            None => f.write_str(", no port")?,
        }
        f.write_str(if self.core {
            ", PCI core on"
        } else {
            ", PCI core off"
        })
    }
}

/// By which way the link was kept awake; the numbers are those of `aspm_result` in `ethtool -S`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Way {
    /// There is no PCIe link.
    NotApplicable = 0,
    /// The PCI core did it.
    Core = 1,
    /// The core may not; the bits of both ends were cleared directly.
    Direct = 2,
    /// The user wants it left alone.
    LeftAlone = 3,
    /// It is still on.
    Failed = 4,
}

/// What was done about ASPM, and what came of it.
#[derive(Clone, Copy)]
pub(crate) struct Outcome {
    /// By which way.
    pub(crate) way: Way,
    /// Before.
    pub(crate) before: Option<View>,
    /// After.
    pub(crate) after: Option<View>,
}

/// Switches L0s and L1 off on the link of `pdev`, which must be enabled, and verifies that they
/// are. Process context, without `pci_bus_sem`.
///
/// A link that stays in ASPM does not keep the device from being used: it is told, and kept.
pub(crate) fn keep_link_awake(pdev: &pci::Device<Bound>, leave_alone: bool) -> Outcome {
    let Some(before) = View::take(pdev) else {
        return Outcome {
            way: Way::NotApplicable,
            before: None,
            after: None,
        };
    };
    let mut way = if leave_alone {
        Way::LeftAlone
    } else {
        switch_off(pdev)
    };
    let after = View::take(pdev);
    // Verified: the registers must read as off, and where the core did it, it must know.
    let off = after.is_some_and(|view| match way {
        Way::Core => view.off(),
        _ => view.registers_off(),
    });
    if !off && (way == Way::Core || way == Way::Direct) {
        way = Way::Failed;
    }
    Outcome {
        way,
        before: Some(before),
        after,
    }
}

fn switch_off(pdev: &pci::Device<Bound>) -> Way {
    match aspm::disable_link_state(pdev) {
        Ok(()) if View::take(pdev).is_some_and(|view| view.registers_off()) => return Way::Core,
        Err(e) if e == EINVAL && aspm::enabled(pdev, End::UpstreamPort).is_err() => {
            return Way::NotApplicable;
        }
        // The OS has no control (EPERM), or was told to keep its hands off and knows of no link
        // although there is one (pcie_aspm=off), or a bit is still set.
        _ => {}
    }
    // The endpoint first, as the PCIe Base Specification wants it (section 5.4.1.3).
    let endpoint = aspm::clear(pdev, End::Endpoint);
    let port = aspm::clear(pdev, End::UpstreamPort);
    match (endpoint, port) {
        (Ok(()), Ok(())) => Way::Direct,
        _ => Way::Failed,
    }
}

impl Outcome {
    /// Whether the function has a PCIe link at all.
    pub(crate) fn has_link(&self) -> bool {
        self.before.is_some()
    }

    /// Whether ASPM, once switched off, is on again: the user, the firmware or a reset of the link
    /// may do that. Process context.
    pub(crate) fn undone(&self, pdev: &pci::Device<Bound>) -> bool {
        let Some(view) = View::take(pdev) else {
            return false;
        };
        match self.way {
            Way::Core => !view.off(),
            Way::Direct => !view.registers_off(),
            Way::NotApplicable | Way::LeftAlone | Way::Failed => false,
        }
    }

    /// Tells it in one line.
    pub(crate) fn tell(&self, pdev: &pci::Device<Bound>) {
        if self.before.is_none() {
            dev_info!(pdev, "ASPM: not applicable, no PCIe link\n");
            return;
        }
        let (Some(before), Some(after)) = (self.before, self.after) else {
            dev_warn!(
                pdev,
                "ASPM: the link cannot be read any more; check slot and cable\n"
            );
            return;
        };
        match self.way {
            Way::NotApplicable => {
                dev_info!(pdev, "ASPM: not applicable to this link ({})\n", after)
            }
            Way::Core => dev_info!(pdev, "ASPM: {} -> {} (by the PCI core)\n", before, after),
            Way::Direct => dev_info!(
                pdev,
                "ASPM: {} -> {} (directly, the OS has no control)\n",
                before,
                after
            ),
            Way::LeftAlone => dev_info!(pdev, "ASPM: left alone (aspm=1): {}\n", after),
            Way::Failed => dev_warn!(
                pdev,
                "ASPM: {} -> {}, still on: this chip may drop off the bus; \
                 switch ASPM off in the firmware setup or boot with pcie_aspm=off\n",
                before,
                after
            ),
        }
    }
}
