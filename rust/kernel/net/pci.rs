// SPDX-License-Identifier: GPL-2.0

//! Network drivers of PCI functions.

use crate::net::{
    device::{
        Operations,
        Registration, //
    },
    ethtool, //
};
use kernel::{
    device::Core,
    dma::{
        Device as _,
        DmaMask, //
    },
    pci,
    prelude::*, //
};

/// A driver for PCI functions that are network devices.
pub trait Driver {
    /// What the driver knows of each device id.
    type IdInfo: 'static;

    /// The state of one device, and its callbacks. May hold what lives as long as the function is
    /// bound, such as a mapped BAR.
    type Net<'bound>: Operations + ethtool::Operations + 'bound;

    /// The device ids that the driver supports.
    const ID_TABLE: pci::IdTable<Self::IdInfo>;

    /// How many address bits the device can drive in DMA: at most 64.
    const DMA_BITS: u32;

    /// Gets the function ready and makes the device's state; the net device is registered with it
    /// right after. Process context.
    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Net<'bound>, Error> + 'bound;
}

/// Makes a [`Driver`] a [`pci::Driver`]; to be named in `module_pci_driver!`.
///
/// It owns the registration of the net device from probe to unbind, which a driver could not do
/// without a promise that it will not forget it.
pub struct Adapter<D: Driver>(D);

impl<D: Driver + 'static> pci::Driver for Adapter<D> {
    type IdInfo = D::IdInfo;
    type Data<'bound> = Registration<'bound, D::Net<'bound>>;
    const ID_TABLE: pci::IdTable<Self::IdInfo> = D::ID_TABLE;

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        register::<D>(pdev, info)
    }
}

fn register<'bound, D: Driver>(
    pdev: &'bound pci::Device<Core<'_>>,
    info: Option<&'bound D::IdInfo>,
) -> Result<Registration<'bound, D::Net<'bound>>> {
    let mask = DmaMask::try_new(D::DMA_BITS)?;
    // SAFETY: Nothing of the driver has run for this function yet, so nobody can be allocating or
    // mapping memory for it.
    unsafe { pdev.dma_set_mask_and_coherent(mask) }?;
    // SAFETY: The result is the driver data of `pdev`, which the PCI abstraction drops when the
    // function is unbound, and not later than `'bound` ends. As `probe()` is generic over
    // `'bound`, whatever `D::Net<'bound>` refers to lives as long.
    unsafe { Registration::new(pdev, D::probe(pdev, info)) }
}
