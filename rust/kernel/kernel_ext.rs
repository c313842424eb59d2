// SPDX-License-Identifier: GPL-2.0

//! What mainline's `kernel` crate lacks for a network driver.
//!
//! Every module stands at the path it would have in `rust/kernel`, so that a reviewer sees from the
//! path what each patch would be. Nothing here knows a chip; nothing here can be used from safe
//! code to reach undefined behaviour. The rules that make it so are told where they are kept:
//!
//! - [`net::device`]: a driver's callbacks, the contexts they run in, and who owns what in them.
//! - [`net::rtnl`]: the RTNL as a token; state that only its holder may touch.
//! - [`net::napi`], [`net::irq`], [`net::txq`]: polling, interrupt vectors, transmit queues.
//! - [`net::dim`]: interrupt moderation that the kernel finds out.
//! - [`net::skbuff`]: socket buffers as owned values.
//! - [`net::ethtool`]: the ethtool operations.
//! - [`net::hwtstamp`], [`ptp`]: time stamps of frames, and the clock that they are of.
//! - [`net::pci`]: binds a network driver to a PCI function.
//! - [`page_pool`], [`dma`]: memory that a device reads or writes.
//! - [`pci`]: ASPM, bus mastering, the link.
//! - [`pm::qos`]: how long processors may take to wake up.
//! - [`pm::runtime`]: devices that sleep while nobody uses them.
//! - [`sync::spsc`]: a ring with one producer and one consumer.
//! - [`ratelimit`]: telling a thing once and not a thousand times.

pub mod dma;
pub mod net;
pub mod page_pool;
pub mod pci;
pub mod pm;
pub mod ptp;
pub mod ratelimit;
pub mod sync;

/// Views a `kernel::device::Device` as the C structure it is.
///
/// The only place that relies on `kernel::device::Device` being `repr(transparent)` over
/// `struct device`; in mainline this is `Device::as_raw()`, which is private to the `kernel` crate.
pub(crate) fn as_raw_device<Ctx: kernel::device::DeviceContext>(
    dev: &kernel::device::Device<Ctx>,
) -> *mut bindings_ext::device {
    core::ptr::from_ref(dev).cast_mut().cast()
}

/// Views a `kernel::pci::Device` as the C structure it is; see [`as_raw_device`].
pub(crate) fn as_raw_pci_device<Ctx: kernel::device::DeviceContext>(
    pdev: &kernel::pci::Device<Ctx>,
) -> *mut bindings_ext::pci_dev {
    core::ptr::from_ref(pdev).cast_mut().cast()
}
