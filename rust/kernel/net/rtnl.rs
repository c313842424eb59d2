// SPDX-License-Identifier: GPL-2.0

//! The RTNL, the lock of network configuration, as a token.
//!
//! C header: [`include/linux/rtnetlink.h`](srctree/include/linux/rtnetlink.h)

use bindings_ext as bindings;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ops::{
        Deref,
        DerefMut, //
    }, //
};

/// Proof that the current thread holds the RTNL.
///
/// There is one RTNL, so whoever has `&mut Rtnl` is alone with everything that it guards. Callbacks
/// that run under the RTNL are handed one; functions that may call such callbacks ask for one, so
/// that no borrow of guarded state can be alive across them.
pub struct Rtnl(PhantomData<*mut ()>);

impl Rtnl {
    /// Takes the RTNL. Process context; sleeps.
    pub fn lock() -> RtnlGuard {
        // SAFETY: No requirements beyond process context, which sleeping functions share.
        unsafe { bindings::rtnl_lock() };
        RtnlGuard(Rtnl(PhantomData))
    }

    /// Vouches that the RTNL is held.
    ///
    /// # Safety
    ///
    /// The current thread holds the RTNL for as long as the value is used, and no other `Rtnl` of
    /// this thread is borrowed meanwhile.
    pub(crate) unsafe fn assume_held() -> Self {
        Rtnl(PhantomData)
    }
}

/// The RTNL, held until this is dropped.
pub struct RtnlGuard(Rtnl);

impl Deref for RtnlGuard {
    type Target = Rtnl;

    fn deref(&self) -> &Rtnl {
        &self.0
    }
}

impl DerefMut for RtnlGuard {
    fn deref_mut(&mut self) -> &mut Rtnl {
        &mut self.0
    }
}

impl Drop for RtnlGuard {
    fn drop(&mut self) {
        // SAFETY: Taken in `Rtnl::lock()` by this thread: the guard is not `Send`.
        unsafe { bindings::rtnl_unlock() };
    }
}

/// State that only the holder of the RTNL may touch.
pub struct RtnlCell<T>(UnsafeCell<T>);

// SAFETY: Every access needs a token that exists once at a time, so sharing the cell only moves
// `T` between threads.
unsafe impl<T: Send> Sync for RtnlCell<T> {}

impl<T> RtnlCell<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The state, for the holder of the RTNL.
    pub fn get_mut<'a>(&'a self, _: &'a mut Rtnl) -> &'a mut T {
        // SAFETY: The RTNL is held and its only token is borrowed for as long as the result.
        unsafe { &mut *self.0.get() }
    }

    /// The state, for the holder of the RTNL, read-only.
    pub fn get<'a>(&'a self, _: &'a Rtnl) -> &'a T {
        // SAFETY: The RTNL is held and nobody can have its token exclusively for as long as the
        // result lives.
        unsafe { &*self.0.get() }
    }
}
