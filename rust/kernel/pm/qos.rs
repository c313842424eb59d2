// SPDX-License-Identifier: GPL-2.0

//! What a driver asks of the system's power management for the sake of its device.
//!
//! C header: [`include/linux/pm_qos.h`](srctree/include/linux/pm_qos.h),
//! rules: `Documentation/power/pm_qos_interface.rst`.

use crate::net::rtnl::Rtnl;
use bindings_ext as bindings;
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// `PM_QOS_DEFAULT_VALUE`
const NO_LIMIT: i32 = -1;

/// A limit on how long the processors may take to wake up from idle states.
///
/// None at first, and none any more once this is dropped.
///
/// # Invariants
///
/// The request is one of those that the C side knows.
#[pin_data(PinnedDrop)]
pub struct CpuLatency {
    #[pin]
    request: Opaque<bindings::pm_qos_request>,
}

// SAFETY: The request belongs to no thread.
unsafe impl Send for CpuLatency {}
// SAFETY: What is done with a shared reference is done under the RTNL.
unsafe impl Sync for CpuLatency {}

impl CpuLatency {
    /// No limit yet. Process context.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            request <- Opaque::ffi_init(|request: *mut bindings::pm_qos_request| {
                // SAFETY: Valid for a write; zeroed it is not taken for one that is known already.
                // It is pinned, and taken back before it is gone.
                unsafe {
                    request.write(pin_init::zeroed());
                    bindings::rust_helper_cpu_latency_qos_add_request(request, NO_LIMIT);
                }
            }),
        })
    }

    /// Sets the limit, in microseconds, or takes it back. Process context.
    pub fn limit(&self, _: &mut Rtnl, us: Option<u32>) {
        let value = us.map_or(NO_LIMIT, |us| i32::try_from(us).unwrap_or(i32::MAX));
        // SAFETY: By the type invariants; it is not changed by others meanwhile, as the RTNL is
        // held.
        unsafe { bindings::rust_helper_cpu_latency_qos_update_request(self.request.get(), value) };
    }
}

#[pinned_drop]
impl PinnedDrop for CpuLatency {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariants; nobody has a reference any more.
        unsafe { bindings::rust_helper_cpu_latency_qos_remove_request(self.request.get()) };
    }
}
