// SPDX-License-Identifier: GPL-2.0

//! From a PCI function to a network device, in a straight line.

use kernel::{
    device::Core,
    pci::{
        self,
        Vendor, //
    },
    prelude::*, //
};
use kernel_ext::{
    net::ethtool::WakeModes,
    pci::{
        enable,
        link,
        wake, //
    }, //
};

use crate::{
    aspm,
    chip::{
        self,
        Fresh,
        Kind,
        Parts, //
    },
    csr::{
        Csr,
        BAR_SIZE, //
    },
    irq,
    manage,
    module_parameters,
    nic::Nic,
    nvm::Nvm,
    phy::Phy, //
};

/// The driver.
pub(crate) struct E1000e;

kernel::pci_device_table!(
    PCI_TABLE,
    Kind,
    [
        // 82574L.
        (pci::DeviceId::from_id(Vendor::INTEL, 0x10d3), Kind::I82574),
        // 82574LA.
        (pci::DeviceId::from_id(Vendor::INTEL, 0x10f6), Kind::I82574),
        // 82579LM.
        (pci::DeviceId::from_id(Vendor::INTEL, 0x1502), Kind::I82579),
        // 82579V.
        (pci::DeviceId::from_id(Vendor::INTEL, 0x1503), Kind::I82579),
    ]
);

impl kernel_ext::net::pci::Driver for E1000e {
    type IdInfo = Kind;
    type Net<'bound> = Nic<'bound>;
    const ID_TABLE: pci::IdTable<Kind> = &PCI_TABLE;
    // Datasheet 3.2.5 and 3.3.3: descriptors and buffers have 64-bit addresses.
    const DMA_BITS: u32 = 64;
    // As in the in-tree driver.
    const AUTOSUSPEND_MS: u32 = 5000;

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        info: Option<&'bound Kind>,
    ) -> impl PinInit<Nic<'bound>, Error> + 'bound {
        pin_init::pin_init_scope(move || Ok(Nic::new(prepare(pdev, info)?)))
    }
}

/// All that is known of a device whose hardware is ready to be used.
pub(crate) struct Ready<'a> {
    /// The function.
    pub(crate) pdev: &'a pci::Device<kernel::device::Bound>,
    /// Keeps it enabled.
    pub(crate) enabled: enable::Enabled<'a>,
    /// Its registers.
    pub(crate) csr: Csr<'a>,
    /// What it is.
    pub(crate) chip: &'static dyn chip::Chip,
    /// Its PHY.
    pub(crate) phy: Pin<KBox<Phy>>,
    /// What was done about ASPM.
    pub(crate) aspm: aspm::Outcome,
    /// Its NVM.
    pub(crate) nvm: Nvm<'a>,
    /// The longest frame, in bytes, with header and FCS, but no VLAN tag.
    pub(crate) longest_frame: u32,
    /// What manageability the board has.
    pub(crate) management: manage::Mode,
    /// Its address.
    pub(crate) mac: [u8; 6],
    /// The best way of signalling interrupts that the user allows.
    pub(crate) best: irq::Best,
    /// What is to wake the system up.
    pub(crate) wake: WakeModes,
}

/// Gets the hardware ready. Every failure is told once, here, and undoes what was done.
fn prepare<'a>(pdev: &'a pci::Device<Core<'_>>, info: Option<&'a Kind>) -> Result<Ready<'a>> {
    let chip = info.ok_or(ENODEV)?.chip();
    let best = irq::Best::from_parameters(
        module_parameters::int_mode.value(),
        module_parameters::msix_vectors.value(),
    )
    .map_err(|usage| {
        dev_err!(pdev, "{}\n", usage);
        EINVAL
    })?;
    let leave_aspm = match module_parameters::aspm.value() {
        0 => false,
        1 => true,
        _ => {
            dev_err!(pdev, "aspm: use 0 (switch it off) or 1 (leave it alone)\n");
            return Err(EINVAL);
        }
    };

    let enabled = enable::enable_mem(pdev)
        .inspect_err(|e| dev_err!(pdev, "cannot enable the function: {:?}\n", e))?;
    let aspm = aspm::keep_link_awake(pdev, leave_aspm);
    aspm.tell(pdev);
    let bar = pdev
        .iomap_region_sized::<BAR_SIZE>(0, c"e1000e_rust")
        .inspect_err(|e| dev_err!(pdev, "cannot map BAR 0: {:?}\n", e))?;
    let csr = Csr::new(bar);
    csr.check()
        .inspect_err(|e| dev_err!(pdev, "{}; reseat the card or power-cycle\n", e))?;
    let phy = KBox::pin_init(Phy::new(chip.phy()), GFP_KERNEL)
        .inspect_err(|e| dev_err!(pdev, "no memory: {:?}\n", e))?;

    chip.meet(&csr).inspect_err(|e| dev_err!(pdev, "{}\n", e))?;
    let nvm = chip
        .nvm(pdev, &csr)
        .inspect_err(|e| dev_err!(pdev, "NVM: {}\n", e))?;
    let parts = Parts {
        csr: &csr,
        phy: &phy,
        nvm: &nvm,
    };
    let Fresh { stopped, .. } = chip
        .reset(parts, chip::STANDARD_FRAME)
        .inspect_err(|e| dev_err!(pdev, "reset failed: {}; power-cycle the device\n", e))?;
    // Nothing was given to the device yet.
    drop(stopped);

    nvm.verify_checksum(&csr).inspect_err(|e| {
        dev_err!(pdev, "NVM: {}; the NVM must be written anew\n", e);
    })?;
    let mac = nvm
        .mac_address(&csr)
        .inspect_err(|e| dev_err!(pdev, "NVM: {}\n", e))?;

    let id = phy
        .identify(&csr)
        .inspect_err(|e| dev_err!(pdev, "PHY cannot be identified: {}\n", e))?;
    if !phy.is(id) {
        dev_err!(pdev, "unknown PHY {:#010x}\n", id.raw());
        return Err(ENODEV);
    }
    match nvm.pba_number(&csr) {
        Ok(pba) => dev_info!(
            pdev,
            "{}: {:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}, PHY {:#010x}, PBA No: {}\n",
            chip.name(),
            mac[0],
            mac[1],
            mac[2],
            mac[3],
            mac[4],
            mac[5],
            id.raw(),
            pba
        ),
        Err(e) => dev_warn!(pdev, "NVM: PBA number: {}\n", e),
    }
    if aspm.has_link() {
        link::print_status(pdev);
    }

    let longest_frame = chip
        .max_frame(&csr)
        .inspect_err(|e| dev_err!(pdev, "{}; reseat the card or power-cycle\n", e))?;
    let management = chip.management(parts).unwrap_or_else(|e| {
        dev_warn!(pdev, "NVM: {}; there may be a BMC\n", e);
        manage::Mode::Other
    });
    chip.set_driver_loaded(&csr, true)
        .inspect_err(|e| dev_err!(pdev, "{}; reseat the card or power-cycle\n", e))?;

    // As the NVM says, until the user does.
    let wake = match chip.wakes_by_default(parts) {
        Ok(true) => WakeModes::MAGIC,
        Ok(false) => WakeModes::NONE,
        Err(e) => {
            dev_warn!(pdev, "NVM: {}; nothing will wake the system up\n", e);
            WakeModes::NONE
        }
    };
    if wake::is_capable(pdev) {
        if let Err(e) = wake::allow(pdev, !wake.is_empty()) {
            dev_warn!(pdev, "cannot wake the system up: {:?}\n", e);
        }
    }

    Ok(Ready {
        pdev,
        enabled,
        csr,
        chip,
        phy,
        aspm,
        nvm,
        longest_frame,
        management,
        mac,
        best,
        wake,
    })
}
