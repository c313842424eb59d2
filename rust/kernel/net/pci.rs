// SPDX-License-Identifier: GPL-2.0

//! Network drivers of PCI functions.

use crate::{
    net::{
        device::{
            Operations,
            Registration,
            Suspend, //
        },
        ethtool,
        hwtstamp, //
    },
    pm::runtime, //
};
use kernel::{
    bindings, // What this module needs is all in mainline's own.
    device::{
        self,
        Core, //
    },
    dma::{
        Device as _,
        DmaMask, //
    },
    driver,
    error::{
        from_result,
        to_result, //
    },
    pci,
    prelude::*,
    types::Opaque, //
};

/// A driver for PCI functions that are network devices.
pub trait Driver {
    /// What the driver knows of each device id.
    type IdInfo: 'static;

    /// The state of one device, and its callbacks. May hold what lives as long as the function is
    /// bound, such as a mapped BAR.
    type Net<'bound>: Operations + ethtool::Operations + hwtstamp::Operations + 'bound;

    /// The device ids that the driver supports.
    const ID_TABLE: pci::IdTable<Self::IdInfo>;

    /// How many address bits the device can drive in DMA: at most 64.
    const DMA_BITS: u32;

    /// How long the function is not used before it goes to sleep, in milliseconds, unless the user
    /// says otherwise, and if the user lets it sleep at all; see [`runtime`].
    const AUTOSUSPEND_MS: u32;

    /// Gets the function ready and makes the device's state; the net device is registered with it
    /// right after. Process context.
    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Net<'bound>, Error> + 'bound;
}

/// Makes a [`Driver`] a [`pci::Driver`], with system sleep, sleep while the interface is down, and
/// error recovery; to be named in [`module_net_pci_driver!`](crate::module_net_pci_driver).
///
/// It owns the registration of the net device from probe to unbind, which a driver could not do
/// without a promise that it will not forget it.
pub struct Adapter<D: Driver>(D);

/// Declares a kernel module with one [`Driver`]; as `kernel::module_pci_driver!`.
#[macro_export]
macro_rules! module_net_pci_driver {
    ($($f:tt)*) => {
        kernel::module_driver!(<T>, $crate::net::pci::Adapter<T>, { $($f)* });
    };
}

impl<D: Driver + 'static> pci::Driver for Adapter<D> {
    type IdInfo = D::IdInfo;
    type Data<'bound> = Data<'bound, D::Net<'bound>>;
    const ID_TABLE: pci::IdTable<Self::IdInfo> = D::ID_TABLE;

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        register::<D>(pdev, info)
    }

    fn unbind<'bound>(_: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        this.power.end();
    }
}

/// What is kept while a function is bound; dropped in this order.
pub struct Data<'bound, T: Operations> {
    net: Registration<'bound, T>,
    /// Keeps the function awake to the end.
    power: runtime::Enabled<'bound>,
}

type Base<D> = pci::Adapter<Adapter<D>>;

// SAFETY: As for `Base<D>`, which says the same.
unsafe impl<D: Driver + 'static> driver::DriverLayout for Adapter<D> {
    type DriverType = <Base<D> as driver::DriverLayout>::DriverType;
    type DriverData<'bound> = <Base<D> as driver::DriverLayout>::DriverData<'bound>;
    const DEVICE_DRIVER_OFFSET: usize = <Base<D> as driver::DriverLayout>::DEVICE_DRIVER_OFFSET;
}

// SAFETY: As for `Base<D>`, which does it.
unsafe impl<D: Driver + 'static> driver::RegistrationOps for Adapter<D> {
    unsafe fn register(
        reg: &Opaque<Self::DriverType>,
        name: &'static CStr,
        module: &'static ThisModule,
    ) -> Result {
        // SAFETY: The driver is not registered yet: its fields may be set. Then as the caller
        // vouches.
        unsafe {
            (*reg.get()).shutdown = Some(Self::shutdown_callback);
            (*reg.get()).err_handler = Self::ERROR_HANDLERS;
            (*reg.get()).driver.pm = Self::PM_OPS;
            Base::<D>::register(reg, name, module)
        }
    }

    unsafe fn unregister(reg: &Opaque<Self::DriverType>) {
        // SAFETY: As the caller vouches.
        unsafe { Base::<D>::unregister(reg) }
    }
}

/// The C callbacks beside probe and remove. All of them are only called by the driver core and the
/// PCI core, for a function that is bound to this driver, and with the lock of its device held,
/// except where they say otherwise; that is what the SAFETY comments below mean by "a callback".
impl<D: Driver + 'static> Adapter<D> {
    /// Sleep of the system, and of the function alone: the PCI core saves and restores
    /// configuration space and power state.
    const PM_OPS: *const bindings::dev_pm_ops = &bindings::dev_pm_ops {
        suspend: Some(Self::suspend_callback),
        resume: Some(Self::resume_callback),
        freeze: Some(Self::suspend_callback),
        thaw: Some(Self::resume_callback),
        poweroff: Some(Self::suspend_callback),
        restore: Some(Self::resume_callback),
        runtime_suspend: Some(Self::runtime_suspend_callback),
        runtime_resume: Some(Self::runtime_resume_callback),
        ..pin_init::zeroed()
    };

    /// `Documentation/PCI/pci-error-recovery.rst`; `reset_*` is for `reset` in sysfs.
    const ERROR_HANDLERS: *const bindings::pci_error_handlers = &bindings::pci_error_handlers {
        error_detected: Some(Self::error_detected_callback),
        slot_reset: Some(Self::slot_reset_callback),
        resume: Some(Self::io_resume_callback),
        reset_prepare: Some(Self::reset_prepare_callback),
        reset_done: Some(Self::reset_done_callback),
        ..pin_init::zeroed()
    };

    /// # Safety
    ///
    /// In a callback, for its device; the result must not outlive it.
    unsafe fn registration<'a>(dev: *mut bindings::device) -> &'a Registration<'a, D::Net<'a>> {
        // SAFETY: The device is valid and bound, and `Device` transparent over `struct device`.
        let dev = unsafe { &*dev.cast::<device::Device<device::CoreInternal<'_>>>() };
        // SAFETY: The driver data was set by the probe, to a value of this type, and is dropped by
        // the unbinding, which is kept off by the lock of the device.
        let data = unsafe { dev.drvdata_borrow::<Data<'a, D::Net<'a>>>() }.get_ref();
        &data.net
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn suspend_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: A callback.
        unsafe { Self::registration(dev) }.suspend(Suspend::Sleep);
        0
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn resume_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: A callback.
        let registration = unsafe { Self::registration(dev) };
        from_result(|| registration.resume().map(|()| 0))
    }

    /// # Safety
    ///
    /// A callback, but with no lock held, and perhaps before a probe has quite ended. The function
    /// is bound until this returns, as unbind wakes it up first.
    unsafe extern "C" fn runtime_suspend_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: The device is valid.
        let Some(_lock) = (unsafe { runtime::DeviceLock::try_lock(dev.cast()) }) else {
            // SAFETY: The device is valid. With this the core tries again after a while.
            unsafe { bindings_ext::rust_helper_pm_runtime_mark_last_busy(dev.cast()) };
            return EBUSY.to_errno();
        };
        // SAFETY: A callback, with the lock held from here on: the probe has ended.
        unsafe { Self::registration(dev) }.runtime_suspend();
        0
    }

    /// # Safety
    ///
    /// A callback, but with any locks held or none. It follows a `runtime_suspend_callback()`,
    /// after which unbind waits for this.
    unsafe extern "C" fn runtime_resume_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: The probe had ended when the function went to sleep, and unbind goes on only once
        // it is awake.
        unsafe { Self::registration(dev) }.runtime_resume();
        // An error would keep the function from being woken up ever again, also by recovery.
        0
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn shutdown_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: A callback.
        unsafe { Self::registration(core::ptr::addr_of_mut!((*pdev).dev)) }.suspend(Suspend::Sleep);
        // For sleep the PCI core does it.
        // SAFETY: A callback.
        unsafe {
            let wake = bindings_ext::rust_helper_device_may_wakeup(
                core::ptr::addr_of_mut!((*pdev).dev).cast(),
            );
            bindings::pci_wake_from_d3(pdev, wake);
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn reset_prepare_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: A callback.
        let dev = unsafe { core::ptr::addr_of_mut!((*pdev).dev) };
        // Where another function's reset takes this one along it may be asleep. Whether it could be
        // woken up is seen by what follows.
        // SAFETY: A callback. The use is taken back by `reset_done_callback()`.
        unsafe { bindings_ext::rust_helper_pm_runtime_get_sync(dev.cast()) };
        // SAFETY: A callback.
        unsafe { Self::registration(dev) }.suspend(Suspend::Reset);
    }

    /// # Safety
    ///
    /// A callback, after `reset_prepare_callback()`.
    unsafe extern "C" fn reset_done_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: A callback, which follows a `reset_prepare_callback()`.
        unsafe {
            Self::io_resume_callback(pdev);
            let dev = core::ptr::addr_of_mut!((*pdev).dev);
            bindings_ext::rust_helper_pm_runtime_put_autosuspend(dev.cast());
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn error_detected_callback(
        pdev: *mut bindings::pci_dev,
        state: bindings::pci_channel_state_t,
    ) -> bindings::pci_ers_result_t {
        // SAFETY: A callback.
        unsafe { Self::registration(core::ptr::addr_of_mut!((*pdev).dev)) }.suspend(Suspend::Reset);
        if state == bindings::pci_channel_io_perm_failure {
            bindings::pci_ers_result_PCI_ERS_RESULT_DISCONNECT
        } else {
            bindings::pci_ers_result_PCI_ERS_RESULT_NEED_RESET
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn slot_reset_callback(
        pdev: *mut bindings::pci_dev,
    ) -> bindings::pci_ers_result_t {
        // SAFETY: A callback; the state was saved when the function was bound.
        unsafe { bindings::pci_restore_state(pdev) };
        bindings::pci_ers_result_PCI_ERS_RESULT_RECOVERED
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn io_resume_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: A callback.
        let registration = unsafe { Self::registration(core::ptr::addr_of_mut!((*pdev).dev)) };
        // There is nobody to be told of a failure: the driver has told it, and the interface
        // stays away.
        let _ = registration.resume();
    }
}

fn register<'bound, D: Driver>(
    pdev: &'bound pci::Device<Core<'_>>,
    info: Option<&'bound D::IdInfo>,
) -> Result<Data<'bound, D::Net<'bound>>> {
    let mask = DmaMask::try_new(D::DMA_BITS)?;
    // SAFETY: Nothing of the driver has run for this function yet, so nobody can be allocating or
    // mapping memory for it.
    unsafe { pdev.dma_set_mask_and_coherent(mask) }?;
    // SAFETY: The result is the driver data of `pdev`, which the PCI abstraction drops when the
    // function is unbound, and not later than `'bound` ends. As `probe()` is generic over
    // `'bound`, whatever `D::Net<'bound>` refers to lives as long.
    let net = unsafe { Registration::new(pdev, D::probe(pdev, info)) }?;
    // What recovery from an error restores: the function as it is now, enabled.
    // SAFETY: The function is valid and bound.
    to_result(unsafe { bindings::pci_save_state(crate::as_raw_pci_device(pdev).cast()) })?;
    Ok(Data {
        net,
        power: runtime::Enabled::begin(pdev.as_ref(), D::AUTOSUSPEND_MS),
    })
}
