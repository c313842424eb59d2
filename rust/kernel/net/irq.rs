// SPDX-License-Identifier: GPL-2.0

//! Interrupt vectors of a network device.
//!
//! Owned by the net device and freed with it at the latest, so that no handler can outlive what it
//! refers to, whatever the driver forgets. In C this is `pci_alloc_irq_vectors()` and
//! `request_irq()`, see `Documentation/PCI/msi-howto.rst`.

use crate::net::device::{
    Device,
    Operations, //
};
use bindings_ext as bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    cpumask::Cpumask,
    error::to_result,
    irq::IrqReturn,
    prelude::*, //
};

/// How the function signals interrupts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A message for each vector.
    MsiX,
    /// One message.
    Msi,
    /// One shared line.
    Intx,
}

impl Mode {
    fn as_raw(self) -> u32 {
        match self {
            Self::MsiX => bindings::PCI_IRQ_MSIX,
            Self::Msi => bindings::PCI_IRQ_MSI,
            Self::Intx => bindings::PCI_IRQ_INTX,
        }
    }
}

impl kernel::fmt::Display for Mode {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        f.write_str(match self {
            Self::MsiX => "MSI-X",
            Self::Msi => "MSI",
            Self::Intx => "INTx",
        })
    }
}

/// The context of a hard interrupt handler. Cannot be kept or sent elsewhere.
pub struct HardIrq<'a>(PhantomData<&'a *mut ()>);

/// One requested vector: what its handler is given.
struct Line<T: Operations> {
    dev: NonNull<bindings::net_device>,
    vector: usize,
    irq: u32,
    /// NUL-terminated name for `/proc/interrupts`.
    name: [u8; NAME_LEN],
    _ops: PhantomData<T>,
}

const NAME_LEN: usize = bindings::IFNAMSIZ as usize + 8;

/// The vectors of a net device.
///
/// # Invariants
///
/// Unless `allocated` is [`None`], so many vectors are allocated to `pdev`; every element of
/// `lines` has been requested with a pointer to itself as cookie, and is boxed, so that the pointer
/// stays good.
pub(crate) struct Vectors<T: Operations> {
    pdev: NonNull<bindings::pci_dev>,
    allocated: Option<(Mode, usize)>,
    /// The vectors have not been released since they were allocated: nobody has had a chance to
    /// choose the processors that handle them.
    fresh: bool,
    lines: KVec<KBox<Line<T>>>,
}

// SAFETY: Interrupts may be requested and freed from any thread.
unsafe impl<T: Operations> Send for Vectors<T> {}

impl<T: Operations> Vectors<T> {
    pub(crate) fn new(pdev: NonNull<bindings::pci_dev>) -> Self {
        Self {
            pdev,
            allocated: None,
            fresh: false,
            lines: KVec::new(),
        }
    }

    /// Number of vectors requested.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The Linux interrupt number of `vector`.
    pub(crate) fn irq(&self, vector: usize) -> Option<u32> {
        self.lines.get(vector).map(|line| line.irq)
    }

    /// Allocates and requests exactly `count` vectors, or requests none. Vectors that have been
    /// released are used again if they are as many of the same mode, and freed otherwise.
    ///
    /// # Safety
    ///
    /// `dev` is the net device of type `Device<T>` that owns `self`; its private data is
    /// initialised and outlives `self`.
    pub(crate) unsafe fn request(
        &mut self,
        dev: NonNull<bindings::net_device>,
        mode: Mode,
        count: usize,
    ) -> Result {
        if !self.lines.is_empty() || count == 0 {
            return Err(EBUSY);
        }
        if self.allocated != Some((mode, count)) {
            self.free();
            self.allocate(mode, count)?;
        }
        for vector in 0..count {
            // SAFETY: As the caller vouches.
            if let Err(e) = unsafe { self.request_one(dev, mode, vector) } {
                self.release();
                return Err(e);
            }
        }
        Ok(())
    }

    /// Allocates vectors. None must be allocated.
    fn allocate(&mut self, mode: Mode, count: usize) -> Result {
        let wanted = u32::try_from(count)?;
        // SAFETY: The PCI device is valid and bound for as long as its net device exists.
        let got = unsafe {
            bindings::pci_alloc_irq_vectors(self.pdev.as_ptr(), wanted, wanted, mode.as_raw())
        };
        if got < 0 {
            return Err(Error::from_errno(got));
        }
        // INVARIANT: The vectors are allocated, and none is requested yet.
        self.allocated = Some((mode, count));
        self.fresh = true;
        Ok(())
    }

    /// # Safety
    ///
    /// As [`Vectors::request`].
    unsafe fn request_one(
        &mut self,
        dev: NonNull<bindings::net_device>,
        mode: Mode,
        vector: usize,
    ) -> Result {
        // SAFETY: The PCI device is valid, its vectors are allocated.
        let irq = unsafe { bindings::pci_irq_vector(self.pdev.as_ptr(), u32::try_from(vector)?) };
        let irq = u32::try_from(irq).map_err(|_| Error::from_errno(irq))?;
        let line = KBox::new(
            Line {
                dev,
                vector,
                irq,
                // SAFETY: The net device is valid, and not renamed: this runs under the RTNL.
                name: line_name(unsafe { &(*dev.as_ptr()).name }, vector),
                _ops: PhantomData,
            },
            GFP_KERNEL,
        )?;
        self.lines.reserve(1, GFP_KERNEL)?;
        let flags = if mode == Mode::Intx {
            bindings::IRQF_SHARED
        } else {
            0
        };
        let cookie: *const Line<T> = &*line;
        // SAFETY: The handler fits the cookie, which is valid until `free()` has freed the
        // interrupt: the line is boxed and kept in `self.lines`.
        to_result(unsafe {
            bindings::request_threaded_irq(
                irq,
                Some(handle::<T>),
                None,
                flags as usize,
                line.name.as_ptr().cast(),
                cookie.cast_mut().cast(),
            )
        })?;
        // INVARIANT: The line has been requested. Room for it was reserved, so this cannot fail.
        self.lines.push(line, GFP_KERNEL).map_err(Error::from)
    }

    /// Tells the user that `vector` is best handled by the processors in `cpus`, and has it handled
    /// there if it has just been allocated. Fails silently: it is a hint.
    ///
    /// # Safety
    ///
    /// `cpus` must be valid, and must not change, until [`Vectors::release`] has been called.
    pub(crate) unsafe fn hint(&self, vector: usize, cpus: &Cpumask) {
        if let Some(irq) = self.irq(vector) {
            let cpus = cpus.as_raw().cast_const().cast();
            // SAFETY: The interrupt is requested; the mask is as the caller vouches.
            let _ = unsafe { bindings::__irq_apply_affinity_hint(irq, cpus, self.fresh) };
        }
    }

    /// Frees the interrupts of all vectors; waits for their handlers. Process context.
    ///
    /// The vectors stay with the function, and with them what the user has set for their
    /// interrupts.
    pub(crate) fn release(&mut self) {
        self.fresh = false;
        while let Some(line) = self.lines.pop() {
            // SAFETY: The interrupt is requested. Its mask may go after this.
            let _ =
                unsafe { bindings::__irq_apply_affinity_hint(line.irq, core::ptr::null(), false) };
            let cookie: *const Line<T> = &*line;
            // SAFETY: By the type invariant the line was requested with this cookie. After this no
            // handler runs any more.
            unsafe { bindings::free_irq(line.irq, cookie.cast_mut().cast()) };
        }
    }

    /// Releases all vectors and gives them back. Process context.
    pub(crate) fn free(&mut self) {
        self.release();
        if self.allocated.take().is_some() {
            // SAFETY: By the type invariant vectors were allocated; none is requested any more.
            unsafe { bindings::pci_free_irq_vectors(self.pdev.as_ptr()) };
        }
    }
}

impl<T: Operations> Drop for Vectors<T> {
    fn drop(&mut self) {
        self.free();
    }
}

/// `eth0-3`: the device's name, cut if need be, and the vector's number.
fn line_name(dev: &[c_char], vector: usize) -> [u8; NAME_LEN] {
    let mut name = [0u8; NAME_LEN];
    let digit = b'0'.wrapping_add((vector % 10) as u8);
    let suffix = [b'-', digit];
    let base = dev
        .iter()
        .copied()
        .take_while(|&c| c != 0)
        .take(NAME_LEN - 1 - suffix.len());
    for (to, from) in name.iter_mut().zip(Iterator::chain(base, suffix)) {
        *to = from;
    }
    name
}

/// # Safety
///
/// Only for `request_threaded_irq()` with a [`Line`] of the same `T` as cookie.
unsafe extern "C" fn handle<T: Operations>(
    _irq: c_int,
    cookie: *mut c_void,
) -> bindings::irqreturn {
    // SAFETY: The cookie is a line that lives until its interrupt is freed.
    let line = unsafe { &*cookie.cast::<Line<T>>() };
    // SAFETY: The line's net device is a `Device<T>`, initialised, and outlives the line.
    let dev = unsafe { Device::<T>::from_raw(line.dev) };
    match T::interrupt(dev, line.vector, &HardIrq(PhantomData)) {
        IrqReturn::None => bindings::irqreturn::IRQ_NONE,
        IrqReturn::Handled => bindings::irqreturn::IRQ_HANDLED,
    }
}
