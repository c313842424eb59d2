// SPDX-License-Identifier: GPL-2.0

//! Power management at run time: a device that nobody uses goes to sleep.
//!
//! Whether a device may is the user's decision (`power/control` in sysfs, "on" by default for PCI
//! functions). The power management core counts the users. Some time after the last has gone, by
//! `power/autosuspend_delay_ms`, it has the bus and the driver put the device to sleep, and the
//! next user waits until they have woken it up.
//!
//! C header: [`include/linux/pm_runtime.h`](srctree/include/linux/pm_runtime.h),
//! rules: `Documentation/power/runtime_pm.rst`, `Documentation/power/pci.rst`.

use bindings_ext as bindings;
use kernel::{
    device::{
        Bound,
        Core,
        Device, //
    },
    error::to_result,
    prelude::*,
    sync::atomic::{
        AtomicFlag,
        Relaxed, //
    }, //
};

/// A use of a device, which is awake until this is dropped.
///
/// # Invariants
///
/// The device is counted as used once for this.
pub struct Awake<'a>(&'a Device<Bound>);

/// Wakes up the device if it is asleep, and keeps it awake. Process context, with any locks that
/// the driver's own resume does not take.
pub fn awake(dev: &Device<Bound>) -> Result<Awake<'_>> {
    // SAFETY: The device is valid and bound.
    to_result(unsafe {
        bindings::rust_helper_pm_runtime_resume_and_get(crate::as_raw_device(dev))
    })?;
    // INVARIANT: Counted just now; on failure it is not.
    Ok(Awake(dev))
}

impl<'a> Awake<'a> {
    /// Takes up again a use that was forgotten.
    ///
    /// # Safety
    ///
    /// An [`Awake`] of the same device was given to [`core::mem::forget`], once for each call.
    pub(crate) unsafe fn from_forgotten(dev: &'a Device<Bound>) -> Self {
        // INVARIANT: Still counted, as the caller vouches.
        Self(dev)
    }
}

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this takes back a use; the reference proves that the device
        // is still bound.
        unsafe {
            bindings::rust_helper_pm_runtime_put_autosuspend(crate::as_raw_device(self.0));
        }
    }
}

/// That a device may sleep while its driver is bound, for bus abstractions.
///
/// The PCI core counts a use for the driver from probe to unbind, so that drivers that know nothing
/// of this find their device awake. This is that use given back, which must be taken again by
/// [`Enabled::end`], from unbind. From then on until this is dropped the device is awake once
/// more, as drivers may go on using it that long.
pub(crate) struct Enabled<'a> {
    dev: &'a Device<Bound>,
    ended: AtomicFlag,
}

impl<'a> Enabled<'a> {
    /// Lets the device sleep when it has not been used for `delay_ms` milliseconds, unless the user
    /// says otherwise. System sleep wakes it up first. As the last step of a probe: nothing may
    /// fail any more.
    pub(crate) fn begin(dev: &'a Device<Core<'_>>, delay_ms: u32) -> Self {
        let raw = crate::as_raw_device(dev);
        // SAFETY: The device is valid and being probed, with a use counted for its driver.
        unsafe {
            // What a sleeping device is to wake the system for it must be told first.
            bindings::rust_helper_dev_pm_set_driver_flags(
                raw,
                bindings::DPM_FLAG_NO_DIRECT_COMPLETE,
            );
            bindings::rust_helper_pm_runtime_set_autosuspend_delay(
                raw,
                c_int::try_from(delay_ms).unwrap_or(c_int::MAX),
            );
            bindings::rust_helper_pm_runtime_use_autosuspend(raw);
            bindings::rust_helper_pm_runtime_mark_last_busy(raw);
            bindings::rust_helper_pm_runtime_put_noidle(raw);
        }
        Self {
            dev,
            ended: AtomicFlag::new(false),
        }
    }

    /// Ends it: the device, which the bus has woken up for the unbind, stays awake.
    pub(crate) fn end(&self) {
        if self.ended.xchg(true, Relaxed) {
            return;
        }
        let raw = crate::as_raw_device(self.dev);
        // SAFETY: The device is valid and bound. The first is what `begin()` gave back, the second
        // is for `drop()`.
        unsafe {
            bindings::rust_helper_pm_runtime_get_noresume(raw);
            bindings::rust_helper_pm_runtime_get_noresume(raw);
        }
    }
}

impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        // Without an unbind, as where a probe fails after all.
        self.end();
        let raw = crate::as_raw_device(self.dev);
        // SAFETY: The device is valid; `end()` has counted a use for this.
        unsafe {
            bindings::rust_helper_pm_runtime_dont_use_autosuspend(raw);
            bindings::rust_helper_pm_runtime_put_sync(raw);
        }
    }
}

/// The lock of a device: while it is held neither probe nor unbind are under way.
///
/// # Invariants
///
/// This thread holds the lock of the device, which outlives this.
pub(crate) struct DeviceLock(*mut bindings::device);

impl DeviceLock {
    /// Takes the lock if nobody has it.
    ///
    /// # Safety
    ///
    /// `dev` is valid until the result is dropped.
    pub(crate) unsafe fn try_lock(dev: *mut bindings::device) -> Option<Self> {
        // SAFETY: As the caller vouches.
        // INVARIANT: Taken just now.
        unsafe { bindings::rust_helper_device_trylock(dev) }.then_some(Self(dev))
    }
}

impl Drop for DeviceLock {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; a pointer is not `Send`, so that this is the same thread.
        unsafe { bindings::rust_helper_device_unlock(self.0) };
    }
}
