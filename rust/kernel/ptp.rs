// SPDX-License-Identifier: GPL-2.0

//! PTP hardware clocks: `/dev/ptpN`.
//!
//! C header: [`include/linux/ptp_clock_kernel.h`](srctree/include/linux/ptp_clock_kernel.h),
//! rules: `Documentation/driver-api/ptp.rst`.
//!
//! User space may use a clock from its registration until the registration is gone, whatever
//! becomes of the device meanwhile: the callbacks get a shared reference to the clock, may run at
//! the same time, and answer for a device that is asleep or away themselves. Someone who has the
//! clock open longer than that gets [`ENODEV`] from the C side.

use bindings_ext as bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    container_of,
    device::{
        self,
        Bound, //
    },
    error::{
        from_err_ptr,
        from_result, //
    },
    fmt,
    prelude::*,
    str::CString,
    time::{
        msecs_to_jiffies,
        NSEC_PER_SEC, //
    },
    types::Opaque, //
};

/// A clock in a device. All callbacks run in process context and may sleep; several may run at
/// once.
pub trait PtpClock: Sync {
    /// Whether there is [`PtpClock::aux_work`].
    const HAS_AUX_WORK: bool = false;

    /// Changes the frequency: by `scaled_ppm` parts per million from the nominal one, with 16
    /// binary digits behind the point, and within [`Config::new`]'s limit.
    fn adjfine(&self, scaled_ppm: i64) -> Result;

    /// Puts the clock forward by `delta` nanoseconds, or back if that is negative.
    fn adjtime(&self, delta: i64) -> Result;

    /// Reads the clock, in nanoseconds; the read of the hardware that matters goes into
    /// [`SystemTimestamp::around`].
    fn gettimex(&self, system: &mut SystemTimestamp<'_>) -> Result<i64>;

    /// Sets the clock to `ns` nanoseconds, which is not negative.
    fn settime(&self, ns: i64) -> Result;

    /// Looks after the clock: called once it is registered, and when
    /// [`Registration::schedule_aux_work`] asks for it; in a thread of the clock's own, never twice
    /// at a time. Returns in how many milliseconds to be called again.
    fn aux_work(&self) -> Option<u32> {
        None
    }
}

/// Where the system's time right before and after a read of the clock goes, if somebody wants it.
///
/// # Invariants
///
/// The pointer is null or valid for as long as the callback runs.
pub struct SystemTimestamp<'a>(*mut bindings::ptp_system_timestamp, PhantomData<&'a mut ()>);

impl SystemTimestamp<'_> {
    /// Takes the system's time before and after `read`, which should do nothing but read the
    /// lowest bits of the clock. If it is called again the last time counts.
    pub fn around<R>(&mut self, read: impl FnOnce() -> R) -> R {
        // SAFETY: By the type invariant; null is allowed.
        unsafe { bindings::rust_helper_ptp_read_system_prets(self.0) };
        let result = read();
        // SAFETY: As above.
        unsafe { bindings::rust_helper_ptp_read_system_postts(self.0) };
        result
    }
}

/// How a clock is registered.
pub struct Config {
    name: CString,
    max_adj: i32,
}

impl Config {
    /// A short name, cut off after 31 bytes, and the largest change of frequency in parts per
    /// billion.
    pub fn new(name: fmt::Arguments<'_>, max_adj: i32) -> Result<Self> {
        Ok(Self {
            name: CString::try_from_fmt(name)?,
            max_adj,
        })
    }
}

/// The time of day of the system, in nanoseconds since 1970.
pub fn real_time() -> i64 {
    let mut now = bindings::timespec64::default();
    // SAFETY: `now` is valid for a write.
    unsafe { bindings::ktime_get_real_ts64(&mut now) };
    to_ns(&now).unwrap_or(0)
}

fn to_ns(time: &bindings::timespec64) -> Option<i64> {
    time.tv_sec
        .checked_mul(NSEC_PER_SEC)?
        .checked_add(time.tv_nsec as i64)
}

/// What the C side knows of a clock.
#[repr(C)]
struct Info {
    info: Opaque<bindings::ptp_clock_info>,
    /// The clock, of the type that the callbacks in `info` were made for.
    clock: *const c_void,
}

/// A registered clock; dropping it unregisters, and waits for callbacks that still run.
///
/// # Invariants
///
/// `ptp` is a registered clock made of `info`, and this is its owner.
pub struct Registration {
    ptp: NonNull<bindings::ptp_clock>,
    has_aux_work: bool,
    /// Used by the C side until the clock is unregistered.
    _info: KBox<Info>,
}

// SAFETY: A clock may be unregistered from any thread that may sleep.
unsafe impl Send for Registration {}

// SAFETY: What can be done through a shared reference may be done from any context.
unsafe impl Sync for Registration {}

impl Registration {
    /// Registers `clock`, a child of `parent`. [`None`] if the kernel has no PTP clocks.
    ///
    /// Process context. Callbacks may run before this returns.
    ///
    /// # Safety
    ///
    /// The result must be dropped before `parent` is unbound and before `clock` is dropped, moved
    /// or borrowed exclusively: it must not be forgotten.
    pub unsafe fn new<C: PtpClock>(
        parent: &device::Device<Bound>,
        clock: &C,
        config: &Config,
    ) -> Result<Option<Self>> {
        let mut raw = bindings::ptp_clock_info {
            max_adj: config.max_adj,
            adjfine: Some(adjfine_callback::<C>),
            adjtime: Some(adjtime_callback::<C>),
            gettimex64: Some(gettimex_callback::<C>),
            settime64: Some(settime_callback::<C>),
            do_aux_work: if C::HAS_AUX_WORK {
                Some(aux_work_callback::<C>)
            } else {
                None
            },
            ..Default::default()
        };
        // The last byte stays NUL.
        let room = raw.name.len().saturating_sub(1);
        for (to, &from) in raw.name.iter_mut().take(room).zip(config.name.to_bytes()) {
            // CAST: A byte is a `char`, whatever its sign.
            *to = from as c_char;
        }
        let info = KBox::new(
            Info {
                info: Opaque::new(raw),
                clock: core::ptr::from_ref(clock).cast(),
            },
            GFP_KERNEL,
        )?;
        // SAFETY: The parent is valid, the description complete. Both and the clock stay where
        // they are until the registration is dropped, as the caller vouches.
        let ptp = from_err_ptr(unsafe {
            bindings::rust_helper_ptp_clock_register(info.info.get(), crate::as_raw_device(parent))
        })?;
        // INVARIANT: Registered just now.
        Ok(NonNull::new(ptp).map(|ptp| {
            let clock = Self {
                ptp,
                has_aux_work: C::HAS_AUX_WORK,
                _info: info,
            };
            clock.schedule_aux_work(0);
            clock
        }))
    }

    /// The N of `/dev/ptpN`.
    pub fn index(&self) -> i32 {
        // SAFETY: By the type invariants.
        unsafe { bindings::rust_helper_ptp_clock_index(self.ptp.as_ptr()) }
    }

    /// Has [`PtpClock::aux_work`] called in `ms` milliseconds, and no sooner even if that was asked
    /// for before. Any context.
    pub fn schedule_aux_work(&self, ms: u32) {
        if self.has_aux_work {
            // SAFETY: By the type invariants; with auxiliary work the clock has its thread.
            unsafe {
                bindings::rust_helper_ptp_schedule_worker(self.ptp.as_ptr(), msecs_to_jiffies(ms))
            };
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: By the type invariants. User space is shut out and the thread stopped before
        // this returns, and so before `info` is freed.
        unsafe { bindings::rust_helper_ptp_clock_unregister(self.ptp.as_ptr()) };
    }
}

/// The clock behind `info`.
///
/// # Safety
///
/// Only in callbacks of a clock that was registered as a `C`, which is what the SAFETY comments
/// below mean by "a callback". The clock lives until they have ended.
unsafe fn clock_of<'a, C: PtpClock>(info: *mut bindings::ptp_clock_info) -> &'a C {
    // SAFETY: `info` is in an `Info`, whose clock is a `C`, as the caller vouches.
    unsafe {
        let info = container_of!(Opaque::cast_from(info), Info, info);
        &*(*info).clock.cast::<C>()
    }
}

/// # Safety
///
/// A callback.
unsafe extern "C" fn adjfine_callback<C: PtpClock>(
    info: *mut bindings::ptp_clock_info,
    scaled_ppm: c_long,
) -> c_int {
    // SAFETY: A callback.
    let clock = unsafe { clock_of::<C>(info) };
    from_result(|| clock.adjfine(scaled_ppm as i64).map(|()| 0))
}

/// # Safety
///
/// A callback.
unsafe extern "C" fn adjtime_callback<C: PtpClock>(
    info: *mut bindings::ptp_clock_info,
    delta: i64,
) -> c_int {
    // SAFETY: A callback.
    let clock = unsafe { clock_of::<C>(info) };
    from_result(|| clock.adjtime(delta).map(|()| 0))
}

/// # Safety
///
/// A callback.
unsafe extern "C" fn gettimex_callback<C: PtpClock>(
    info: *mut bindings::ptp_clock_info,
    out: *mut bindings::timespec64,
    system: *mut bindings::ptp_system_timestamp,
) -> c_int {
    // SAFETY: A callback.
    let clock = unsafe { clock_of::<C>(info) };
    // INVARIANT: As the C side gives it.
    let mut system = SystemTimestamp(system, PhantomData);
    from_result(|| {
        let ns = clock.gettimex(&mut system)?;
        // SAFETY: `out` is valid for a write.
        unsafe {
            (*out).tv_sec = ns.div_euclid(NSEC_PER_SEC);
            // CAST: Less than a thousand million.
            (*out).tv_nsec = ns.rem_euclid(NSEC_PER_SEC) as isize;
        }
        Ok(0)
    })
}

/// # Safety
///
/// A callback.
unsafe extern "C" fn settime_callback<C: PtpClock>(
    info: *mut bindings::ptp_clock_info,
    time: *const bindings::timespec64,
) -> c_int {
    // SAFETY: A callback; the time is valid and not negative.
    let (clock, time) = unsafe { (clock_of::<C>(info), &*time) };
    from_result(|| {
        let ns = to_ns(time).ok_or(ERANGE)?;
        clock.settime(ns).map(|()| 0)
    })
}

/// # Safety
///
/// A callback.
unsafe extern "C" fn aux_work_callback<C: PtpClock>(info: *mut bindings::ptp_clock_info) -> c_long {
    // SAFETY: A callback.
    let clock = unsafe { clock_of::<C>(info) };
    match clock.aux_work() {
        // At least one jiffy, so that a clock that always asks again leaves the processor alone.
        Some(ms) => c_long::try_from(msecs_to_jiffies(ms.max(1))).unwrap_or(c_long::MAX),
        None => -1,
    }
}
