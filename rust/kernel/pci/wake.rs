// SPDX-License-Identifier: GPL-2.0

//! Waking the system from sleep.
//!
//! Whether a device may is the user's decision (`power/wakeup` in sysfs, or what the driver sets
//! on the user's behalf); that it can is what the firmware and the function's capabilities say. The
//! driver tells the device what to wake for; the rest, PME and the way through the bridges, is the
//! PCI core's.
//!
//! C header: [`include/linux/pm_wakeup.h`](srctree/include/linux/pm_wakeup.h),
//! rules: `Documentation/power/pci.rst`.

use bindings_ext as bindings;
use kernel::{
    device::Bound,
    error::to_result,
    pci::Device,
    prelude::*, //
};

/// Whether the function can wake the system.
pub fn is_capable(pdev: &Device<Bound>) -> bool {
    // SAFETY: The device is valid and bound.
    unsafe { bindings::rust_helper_device_can_wakeup(crate::as_raw_device(pdev.as_ref())) }
}

/// Whether the function can wake the system, and may.
pub fn is_allowed(pdev: &Device<Bound>) -> bool {
    // SAFETY: The device is valid and bound.
    unsafe { bindings::rust_helper_device_may_wakeup(crate::as_raw_device(pdev.as_ref())) }
}

/// Sets whether the function may wake the system; [`EINVAL`] if it cannot. Process context.
pub fn allow(pdev: &Device<Bound>, allowed: bool) -> Result {
    // SAFETY: The device is valid and bound.
    let result = to_result(unsafe {
        bindings::device_set_wakeup_enable(crate::as_raw_device(pdev.as_ref()), allowed)
    });
    match result {
        // It may already.
        Err(e) if e == EEXIST => Ok(()),
        result => result,
    }
}
