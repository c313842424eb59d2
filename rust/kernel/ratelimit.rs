// SPDX-License-Identifier: GPL-2.0

//! Rate limiting of messages.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use bindings_ext as bindings;
use kernel::{
    prelude::*,
    types::Opaque, //
};

/// Lets an event be told ten times in five seconds, the kernel's default, and swallows the rest.
///
/// How many were swallowed is printed by the C side when the next one passes.
///
/// # Invariants
///
/// `state` is an initialised `struct ratelimit_state`.
#[pin_data]
pub struct RateLimit {
    #[pin]
    state: Opaque<bindings::ratelimit_state>,
}

// SAFETY: `struct ratelimit_state` is not tied to a thread.
unsafe impl Send for RateLimit {}

// SAFETY: `___ratelimit()` may be called from any number of contexts at once; it locks.
unsafe impl Sync for RateLimit {}

impl RateLimit {
    /// Creates a limit that nothing has been counted against.
    pub fn new() -> impl PinInit<Self> {
        // INVARIANT: `ratelimit_default_init()` initialises the state.
        pin_init!(Self {
            state <- Opaque::ffi_init(|slot: *mut bindings::ratelimit_state| {
                // SAFETY: `slot` is valid for writes of a `struct ratelimit_state`.
                unsafe { bindings::rust_helper_ratelimit_default_init(slot) }
            }),
        })
    }

    /// Whether the event may be told now. Any context.
    pub fn allow(&self, what: &'static CStr) -> bool {
        // SAFETY: By the type invariant the state is initialised; `what` is NUL-terminated.
        unsafe { bindings::___ratelimit(self.state.get(), what.as_char_ptr()) != 0 }
    }
}
