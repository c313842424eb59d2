// SPDX-License-Identifier: GPL-2.0

//! The clock that the device has, and the time stamps that it takes of frames (IEEE 1588).
//!
//! The clock goes on whatever becomes of the interface. `SYSTIM` counts while it can be trusted;
//! over a reset, in sleep, and while the device is away, which set it back or stop it, the system's
//! clock stands in for it ([`Nic::beside_the_clock`]). A device that does not answer has no time to
//! tell: [`ENODEV`].
//!
//! There is one register for the stamp of a frame sent and one for that of a frame received. So one
//! frame to be sent is stamped at a time; what comes in between goes without, counted in
//! `tx_hwtstamp_skipped`. A frame whose stamp does not come in time may be stamped later, as where
//! the partner forbids to send: none is stamped until that has happened, or cannot happen any more,
//! so that nobody gets another's stamp. A stamp received that nobody fetches, as its frame was
//! damaged, keeps others from being taken until it is cleared (`rx_hwtstamp_cleared`).

use kernel::{
    new_spinlock_irq,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            AtomicFlag,
            Relaxed, //
        },
        SpinLockIrq, //
    },
    time::{
        BootTime,
        Delta,
        Instant,
        Monotonic, //
    }, //
};
use kernel_ext::{
    net::{
        device::Device,
        ethtool::ExtAck,
        hwtstamp::{
            self,
            RxFilter, //
        },
        rtnl::Rtnl,
        skbuff::{
            SkBuff,
            TimestampRequest, //
        }, //
    },
    ptp::{
        self,
        PtpClock,
        SystemTimestamp, //
    }, //
};

use crate::{
    csr::{
        Csr,
        Gone,
        PollError,
        Queue, //
    },
    nic::Nic,
    regs,
    systim::{
        SystemTime,
        TimeCounter, //
    }, //
};

/// No frame is stamped.
pub(crate) const NO_STAMPS: hwtstamp::Config = hwtstamp::Config {
    tx: false,
    rx: RxFilter::None,
};

/// How often the clock is brought up to date, in milliseconds: often enough for `SYSTIM` not to run
/// over, and for the system's clock to stand in for it without much of a jump.
const PERIOD: u32 = 60_000;

/// How often it is looked for stamps received that nobody fetches, in milliseconds.
const RX_PERIOD: u32 = 1000;

/// How long it is waited for a stamp before others get a chance, and how long between two looks.
const TX_LOOK: Delta = Delta::from_millis(1);
const TX_PAUSE: Delta = Delta::from_micros(20);

/// How long a frame may take to be sent. As in the in-tree driver.
const TX_LIMIT: Delta = Delta::from_secs(1);

/// How long after a frame was taken by the device, and may leave it, it can still be stamped: much
/// longer than the packet buffer takes to empty at 10 Mb/s.
const TX_LATE: Delta = Delta::from_secs(1);

/// How often a late stamp is looked for, in milliseconds.
const LATE_PERIOD: u32 = 100;

/// How often `SYSTIM` is read again at most because it looks wrong.
const REREADS: u32 = 8;

/// Ethertype of PTP (IEEE 1588-2008 annex F).
const ETH_P_1588: u16 = 0x88f7;

/// UDP port of events (IEEE 1588-2008 annex D), in the byte order of the wire.
const EVENT_PORT: u16 = 319u16.to_be();

/// Message type of Delay_Req in v2, and control field of Delay_Req in v1; those of Sync are 0.
const DELAY_REQ: u8 = 1;

/// Why the device does not do what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// It does not answer.
    Gone,
    /// A register does not hold what was written to it.
    NotTaken {
        /// Name of the register.
        register: &'static str,
        /// Its value.
        value: u32,
    },
}

impl From<Gone> for Error {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Error> for kernel::error::Error {
    fn from(e: Error) -> Self {
        match e {
            Error::Gone => ENODEV,
            Error::NotTaken { .. } => EIO,
        }
    }
}

impl kernel::fmt::Display for Error {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        match self {
            Self::Gone => kernel::fmt::Display::fmt(&Gone, f),
            Self::NotTaken { register, value } => {
                write!(f, "{register} is {value:#010x}, not what was written")
            }
        }
    }
}

/// The clock's state.
struct Clock {
    counter: TimeCounter,
    /// When `counter` was last brought up to date.
    since: Instant<BootTime>,
    /// `SYSTIM` counts on from there; if not, the system's clock does.
    running: bool,
    /// Difference from the nominal frequency.
    scaled_ppm: i64,
}

impl Clock {
    /// The time by the system's clock.
    fn without_systim(&self) -> i64 {
        self.counter
            .last()
            .wrapping_add(self.since.elapsed().as_nanos())
    }

    /// Sets the time, as `SYSTIM` reads `systim`.
    fn set(&mut self, time: &SystemTime, systim: u64, ns: i64) {
        self.counter = TimeCounter::new(time, systim, ns);
        self.since = Instant::now();
    }
}

/// The frame that is to be stamped as it is sent.
struct InFlight {
    /// Tells it from those before and after.
    number: u64,
    request: TimestampRequest,
    since: Instant<Monotonic>,
    place: Place,
}

/// Where a frame is among those of its queue.
#[derive(Clone, Copy)]
struct Place {
    queue: Queue,
    /// `Counts::tx_done` when the device is done with it.
    done: u64,
}

/// A frame whose stamp was given up, but may still be taken.
struct Late {
    place: Place,
    /// Since when the device has been done with the frame, and free to send it.
    since: Option<Instant<Monotonic>>,
}

/// Frames to be stamped as they are sent.
struct Tx {
    in_flight: Option<InFlight>,
    /// Only while there is none in flight.
    late: Option<Late>,
    /// Number of the next.
    next: u64,
}

/// The clock and the stamps of one device.
#[pin_data]
pub(crate) struct Ptp {
    #[pin]
    clock: SpinLockIrq<Clock>,
    #[pin]
    tx: SpinLockIrq<Tx>,
    /// Frames sent are stamped, if their sender asks for it.
    tx_on: AtomicFlag,
    /// Frames received are stamped.
    rx_on: AtomicFlag,
    /// A stamp of a frame received was fetched since it was last looked for forgotten ones.
    rx_fetched: AtomicFlag,
    /// There was one that nobody had fetched then.
    rx_waits: AtomicFlag,
    /// Frames sent whose stamp did not come.
    pub(crate) tx_timeouts: Atomic<u64>,
    /// Frames sent without a stamp because it was another's turn, or because they are several.
    pub(crate) tx_skipped: Atomic<u64>,
    /// Stamps of frames received that nobody fetched.
    pub(crate) rx_cleared: Atomic<u64>,
}

impl Ptp {
    /// A clock that stands at the time of day.
    pub(crate) fn new(time: &'static SystemTime) -> impl PinInit<Self> {
        pin_init!(Self {
            clock <- new_spinlock_irq!(Clock {
                counter: TimeCounter::new(time, 0, ptp::real_time()),
                since: Instant::now(),
                running: false,
                scaled_ppm: 0,
            }),
            tx <- new_spinlock_irq!(Tx {
                in_flight: None,
                late: None,
                next: 0,
            }),
            tx_on: AtomicFlag::new(false),
            rx_on: AtomicFlag::new(false),
            rx_fetched: AtomicFlag::new(false),
            rx_waits: AtomicFlag::new(false),
            tx_timeouts: Atomic::new(0),
            tx_skipped: Atomic::new(0),
            rx_cleared: Atomic::new(0),
        })
    }

    /// Whether frames received are stamped.
    #[inline]
    pub(crate) fn stamps_received(&self) -> bool {
        self.rx_on.load(Relaxed)
    }

    /// Gives up the stamp of the frame that is being sent, if there is one: it is not sent. Any
    /// context.
    pub(crate) fn abandon(&self) {
        let given_up = {
            let mut tx = self.tx.lock();
            tx.late = None;
            tx.in_flight.take()
        };
        if given_up.is_some() {
            self.tx_timeouts.add(1, Relaxed);
        }
    }

    /// The frame that is to be stamped: its number, and how long it has been.
    fn waiting(&self) -> Option<(u64, Delta)> {
        self.tx
            .lock()
            .in_flight
            .as_ref()
            .map(|frame| (frame.number, frame.since.elapsed()))
    }

    /// Takes frame `number`, if it is still to be stamped.
    fn take(&self, number: u64) -> Option<TimestampRequest> {
        let mut tx = self.tx.lock();
        match &tx.in_flight {
            Some(frame) if frame.number == number => tx.in_flight.take().map(|frame| frame.request),
            _ => None,
        }
    }

    /// Gives up the stamp of frame `number`, which may still be taken. Returns whether there was
    /// such a frame.
    fn give_up(&self, number: u64) -> bool {
        let given_up = {
            let mut tx = self.tx.lock();
            match &tx.in_flight {
                Some(frame) if frame.number == number => {
                    tx.late = Some(Late {
                        place: frame.place,
                        since: None,
                    });
                    tx.in_flight.take()
                }
                _ => None,
            }
        };
        given_up.is_some()
    }

    /// The time at which `SYSTIM` read `systim`. [`None`] if it has been reset since.
    fn time_of(&self, systim: u64) -> Option<i64> {
        let clock = self.clock.lock();
        clock.running.then(|| clock.counter.at(systim))
    }
}

/// The 64 bits of a register pair.
fn pair(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Reads `SYSTIM`; `low` reads its low half.
///
/// The read of the low half latches the high one, but not reliably where the low half is about to
/// run over: then it is read once more, and the high half with it if it has run over (as the
/// in-tree driver's `e1000e_read_systim()` knows).
fn read_halves(csr: &Csr<'_>, low: &mut impl FnMut() -> Result<u32, Gone>) -> Result<u64, Gone> {
    /// From here on it runs over within one increment.
    const CLOSE: u32 = u32::MAX - 0xff_ffff;
    let first = low()?;
    let high = csr.read(regs::SYSTIMH)?.into_raw();
    if first < CLOSE {
        return Ok(pair(first, high));
    }
    let second = low()?;
    if second >= first {
        return Ok(pair(first, high));
    }
    Ok(pair(second, csr.read(regs::SYSTIMH)?.into_raw()))
}

/// Reads `SYSTIM`, twice at least where reads are unreliable.
///
/// The 82574 and 82583 return wrong bits now and then, which makes the clock jump by up to ten
/// hours (commit 0be5b96cd840, `e1000e_sanitize_systim()`). So a value counts only if another one
/// read right before bears it out. Where none does, as on models that do not count in whole
/// increments, the last one is taken.
fn read_systim(
    csr: &Csr<'_>,
    time: &SystemTime,
    scaled_ppm: i64,
    mut low: impl FnMut() -> Result<u32, Gone>,
) -> Result<u64, Gone> {
    let mut value = read_halves(csr, &mut low)?;
    if time.unreliable {
        let increment = time.increment(scaled_ppm);
        for _ in 0..REREADS {
            let before = value;
            value = read_halves(csr, &mut low)?;
            if time.plausible(before, value, increment) {
                break;
            }
        }
    }
    if value == 0 {
        // It has counted: this is a device that answers with zeros.
        csr.check()?;
    }
    Ok(value)
}

/// Reads the low half of `SYSTIM`.
fn low_half(csr: &Csr<'_>) -> Result<u32, Gone> {
    Ok(csr.read(regs::SYSTIML)?.into_raw())
}

/// Programs what is stamped, and clears stamps of before. Under `Nic::hardware`.
pub(crate) fn program(csr: &Csr<'_>, config: &hwtstamp::Config) -> Result<(), Error> {
    let tx = regs::TSYNCTXCTL::zeroed().with_en(config.tx);
    csr.write(regs::TSYNCTXCTL, tx);
    let found = csr.read(regs::TSYNCTXCTL)?;
    if found.en() != config.tx {
        return Err(not_taken(csr, "TSYNCTXCTL", found.into_raw()));
    }

    let on = regs::TSYNCRXCTL::zeroed().with_en(true);
    let all = on.with_const_kind::<4>();
    let (rx, message) = match config.rx {
        RxFilter::None => (regs::TSYNCRXCTL::zeroed(), 0),
        RxFilter::V1L4Sync => (on.with_const_kind::<1>(), 0),
        RxFilter::V1L4DelayReq => (on.with_const_kind::<1>(), DELAY_REQ),
        RxFilter::V2L2Sync => (on.with_const_kind::<0>(), 0),
        RxFilter::V2L2DelayReq => (on.with_const_kind::<0>(), DELAY_REQ),
        RxFilter::V2L4Sync | RxFilter::V2Sync => (on.with_const_kind::<2>(), 0),
        RxFilter::V2L4DelayReq | RxFilter::V2DelayReq => (on.with_const_kind::<2>(), DELAY_REQ),
        RxFilter::V2L4Event | RxFilter::V2L2Event | RxFilter::V2Event => {
            (on.with_const_kind::<5>(), 0)
        }
        RxFilter::All | RxFilter::Some | RxFilter::V1L4Event | RxFilter::NtpAll => (all, 0),
    };
    csr.write(regs::TSYNCRXCTL, rx);
    let found = csr.read(regs::TSYNCRXCTL)?;
    if (found.en(), found.kind()) != (rx.en(), rx.kind()) {
        return Err(not_taken(csr, "TSYNCRXCTL", found.into_raw()));
    }
    csr.write(
        regs::RXMTRL,
        regs::RXMTRL::zeroed()
            .with_etype(ETH_P_1588)
            .with_ctrlt(message)
            .with_msgt(message),
    );
    csr.write(regs::RXUDP, regs::RXUDP::zeroed().with_uport(EVENT_PORT));
    csr.flush()?;
    csr.read(regs::RXSTMPH)?;
    csr.read(regs::TXSTMPH)?;
    Ok(())
}

/// The error for a register that is not as it was written.
fn not_taken(csr: &Csr<'_>, register: &'static str, value: u32) -> Error {
    match csr.check() {
        Ok(()) => Error::NotTaken { register, value },
        Err(Gone) => Error::Gone,
    }
}

/// What the device really does when asked for `filter`.
fn closest(filter: RxFilter) -> RxFilter {
    match filter {
        // It does not tell UDP from Ethernet in v2, but in v1,
        RxFilter::V2L4Sync => RxFilter::V2Sync,
        RxFilter::V2L4DelayReq => RxFilter::V2DelayReq,
        RxFilter::V2L4Event | RxFilter::V2L2Event => RxFilter::V2Event,
        // where it looks for one kind of message only.
        RxFilter::V1L4Event | RxFilter::NtpAll | RxFilter::Some => RxFilter::All,
        other => other,
    }
}

/// Has the frame that is being queued stamped, if it may be; `frames` is what it is cut into.
/// Within `start_xmit()`.
#[cold]
pub(crate) fn request(dev: &Device<Nic<'_>>, skb: &mut SkBuff, queue: Queue, frames: u32) -> bool {
    let nic = dev.data();
    let (ptp, csr) = (&nic.ptp, &nic.csr);
    let Some(clock) = dev.clock() else {
        return false;
    };
    if !ptp.tx_on.load(Relaxed) {
        return false;
    }
    let mut tx = ptp.tx.lock();
    if frames != 1 || tx.in_flight.is_some() || tx.late.is_some() {
        ptp.tx_skipped.add(1, Relaxed);
        return false;
    }
    // Nothing is to be there; whatever is must not be taken for this frame's.
    match csr.read(regs::TSYNCTXCTL) {
        Ok(control) if !control.valid() => {}
        Ok(_) => {
            if csr.read(regs::TXSTMPH).is_err() {
                return false;
            }
        }
        Err(Gone) => return false,
    }
    let Some(request) = skb.request_hw_timestamp() else {
        ptp.tx_skipped.add(1, Relaxed);
        return false;
    };
    let number = tx.next;
    tx.next = number.wrapping_add(1);
    tx.in_flight = Some(InFlight {
        number,
        request,
        since: Instant::now(),
        place: Place {
            queue,
            // It is the next that is queued.
            done: nic.counts(queue).tx_queued.load(Relaxed).wrapping_add(1),
        },
    });
    drop(tx);
    clock.schedule_aux_work(0);
    true
}

/// Fetches the stamp of a frame received whose descriptor says that there is one.
#[cold]
pub(crate) fn received(nic: &Nic<'_>) -> Option<i64> {
    let csr = &nic.csr;
    if !csr.read(regs::TSYNCRXCTL).ok()?.valid() {
        return None;
    }
    let low = csr.read(regs::RXSTMPL).ok()?.into_raw();
    let high = csr.read(regs::RXSTMPH).ok()?.into_raw();
    nic.ptp.rx_fetched.store(true, Relaxed);
    nic.ptp.time_of(pair(low, high))
}

impl Nic<'_> {
    /// Does what resets the device, with the system's clock in the place of `SYSTIM`. Whatever
    /// comes of it, `SYSTIM` takes over again if the device answers. Under `Nic::hardware`.
    pub(crate) fn beside_the_clock<R>(&self, reset: impl FnOnce() -> R) -> R {
        self.stop_clock();
        let result = reset();
        self.run_clock();
        result
    }

    /// Lets the system's clock stand in for `SYSTIM`.
    pub(crate) fn stop_clock(&self) {
        let time = self.chip.system_time();
        let mut clock = self.ptp.clock.lock();
        if !clock.running {
            return;
        }
        clock.running = false;
        // If the device has lost its settings behind our back the value means nothing.
        let wanted = time.timinca(time.increment(clock.scaled_ppm));
        let trusted = self
            .csr
            .read(regs::TIMINCA)
            .is_ok_and(|found| found.into_raw() == wanted);
        if trusted {
            if let Ok(systim) = self.read_systim(clock.scaled_ppm) {
                clock.counter.update(systim);
                clock.since = Instant::now();
            }
        }
    }

    /// Lets `SYSTIM` go on from here, if the device answers.
    pub(crate) fn run_clock(&self) {
        let time = self.chip.system_time();
        let mut clock = self.ptp.clock.lock();
        if clock.running || self.csr.gone() {
            return;
        }
        self.csr.write(
            regs::TIMINCA,
            regs::TIMINCA::from_raw(time.timinca(time.increment(clock.scaled_ppm))),
        );
        if let Ok(systim) = self.read_systim(clock.scaled_ppm) {
            let now = clock.without_systim();
            clock.set(time, systim, now);
            clock.running = true;
        }
    }

    fn read_systim(&self, scaled_ppm: i64) -> Result<u64, Gone> {
        read_systim(&self.csr, self.chip.system_time(), scaled_ppm, || {
            low_half(&self.csr)
        })
    }

    /// Looks for the stamp of the frame that is being sent. Returns whether to look again soon.
    fn look_for_sent(&self) -> bool {
        let (ptp, csr) = (&self.ptp, &self.csr);
        let Some((number, waited)) = ptp.waiting() else {
            return false;
        };
        let found = csr.poll(
            |csr| csr.read(regs::TSYNCTXCTL),
            |control| control.valid(),
            TX_PAUSE,
            TX_LOOK,
        );
        match found {
            Ok(_) => {
                let systim = csr.read(regs::TXSTMPL).and_then(|low| {
                    let high = csr.read(regs::TXSTMPH)?;
                    Ok(pair(low.into_raw(), high.into_raw()))
                });
                let ns = systim.ok().and_then(|systim| ptp.time_of(systim));
                // Before a reset the frame is taken away: if it is still there the stamp is good.
                match (ns, ptp.take(number)) {
                    (Some(ns), Some(request)) => request.deliver(ns),
                    (None, Some(_)) => ptp.tx_timeouts.add(1, Relaxed),
                    (_, None) => {}
                }
                false
            }
            Err(PollError::Timeout) if waited < TX_LIMIT => true,
            Err(_) => {
                if ptp.give_up(number) {
                    ptp.tx_timeouts.add(1, Relaxed);
                    if self.health.limit.allow(c"e1000e_rust: time stamp") {
                        dev_warn!(
                            self.pdev,
                            "no time stamp of a frame sent (tx_hwtstamp_timeouts in ethtool -S)\n"
                        );
                    }
                }
                false
            }
        }
    }

    /// Looks for the stamp of the frame that was given up. Returns whether to look again.
    fn look_for_late(&self) -> Result<bool, Gone> {
        let (ptp, csr) = (&self.ptp, &self.csr);
        // While the lock is held no frame is queued to be stamped, and none is given up.
        let mut tx = ptp.tx.lock();
        let Some(late) = &mut tx.late else {
            return Ok(false);
        };
        let mut over = csr.read(regs::TSYNCTXCTL)?.valid();
        if over {
            csr.read(regs::TXSTMPH)?;
        } else {
            let done = self.counts(late.place.queue).tx_done.load(Relaxed) >= late.place.done;
            if !done || csr.read(regs::STATUS)?.txoff() {
                late.since = None;
            } else if let Some(since) = late.since {
                over = since.elapsed() >= TX_LATE;
            } else {
                late.since = Some(Instant::now());
            }
        }
        if over {
            tx.late = None;
        }
        Ok(!over)
    }

    /// Clears a stamp of a frame received that nobody has fetched from one look to the next.
    fn look_for_forgotten(&self) -> Result<(), Gone> {
        let (ptp, csr) = (&self.ptp, &self.csr);
        // While the lock is held the device is not put to sleep.
        let clock = ptp.clock.lock();
        if !clock.running {
            return Ok(());
        }
        let fetched = ptp.rx_fetched.xchg(false, Relaxed);
        let waits = csr.read(regs::TSYNCRXCTL)?.valid();
        if waits && !fetched && ptp.rx_waits.load(Relaxed) {
            csr.read(regs::RXSTMPH)?;
            ptp.rx_cleared.add(1, Relaxed);
            ptp.rx_waits.store(false, Relaxed);
        } else {
            ptp.rx_waits.store(waits, Relaxed);
        }
        Ok(())
    }
}

impl PtpClock for Nic<'_> {
    const HAS_AUX_WORK: bool = true;

    fn adjfine(&self, scaled_ppm: i64) -> Result {
        let time = self.chip.system_time();
        let mut clock = self.ptp.clock.lock();
        if self.csr.gone() {
            return Err(ENODEV);
        }
        if clock.running {
            let wanted = time.timinca(time.increment(scaled_ppm));
            self.csr
                .write(regs::TIMINCA, regs::TIMINCA::from_raw(wanted));
            let found = self.csr.read(regs::TIMINCA)?.into_raw();
            if found != wanted {
                return Err(not_taken(&self.csr, "TIMINCA", found).into());
            }
        }
        clock.scaled_ppm = scaled_ppm;
        Ok(())
    }

    fn adjtime(&self, delta: i64) -> Result {
        let mut clock = self.ptp.clock.lock();
        if self.csr.gone() {
            return Err(ENODEV);
        }
        clock.counter.shift_by(delta);
        Ok(())
    }

    fn gettimex(&self, system: &mut SystemTimestamp<'_>) -> Result<i64> {
        let clock = self.ptp.clock.lock();
        if self.csr.gone() {
            return Err(ENODEV);
        }
        if !clock.running {
            return Ok(system.around(|| clock.without_systim()));
        }
        let time = self.chip.system_time();
        let systim = read_systim(&self.csr, time, clock.scaled_ppm, || {
            system.around(|| low_half(&self.csr))
        })?;
        Ok(clock.counter.at(systim))
    }

    fn settime(&self, ns: i64) -> Result {
        let time = self.chip.system_time();
        let mut clock = self.ptp.clock.lock();
        if self.csr.gone() {
            return Err(ENODEV);
        }
        let systim = if clock.running {
            self.read_systim(clock.scaled_ppm)?
        } else {
            0
        };
        clock.set(time, systim, ns);
        Ok(())
    }

    fn aux_work(&self) -> Option<u32> {
        let again = self.look_for_sent();
        // A device that is gone is the health service's business, which ends in a reset.
        let late = self.look_for_late().unwrap_or(false);
        let rx_on = self.ptp.rx_on.load(Relaxed);
        if rx_on {
            let _ = self.look_for_forgotten();
        }
        {
            let mut clock = self.ptp.clock.lock();
            if clock.running && clock.since.elapsed() >= Delta::from_millis(PERIOD.into()) {
                if let Ok(systim) = self.read_systim(clock.scaled_ppm) {
                    clock.counter.update(systim);
                    clock.since = Instant::now();
                }
            }
        }
        Some(if again {
            1
        } else if late {
            LATE_PERIOD
        } else if rx_on {
            RX_PERIOD
        } else {
            PERIOD
        })
    }
}

impl hwtstamp::Operations for Nic<'_> {
    // V1_L4_EVENT, V2_L4_EVENT, V2_L2_EVENT and NTP_ALL are taken, but only as others.
    const RX_FILTERS: &'static [RxFilter] = &[
        RxFilter::None,
        RxFilter::All,
        RxFilter::V1L4Sync,
        RxFilter::V1L4DelayReq,
        RxFilter::V2L4Sync,
        RxFilter::V2L4DelayReq,
        RxFilter::V2L2Sync,
        RxFilter::V2L2DelayReq,
        RxFilter::V2Event,
        RxFilter::V2Sync,
        RxFilter::V2DelayReq,
    ];

    fn start_clock(&self) -> Result<ptp::Config> {
        self.run_clock();
        let [a, b, c, d, e, f] = self.mac;
        ptp::Config::new(
            fmt!("{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}"),
            self.chip.system_time().max_adj,
        )
    }

    fn hwtstamp(dev: &Device<Self>, rtnl: &mut Rtnl) -> hwtstamp::Config {
        dev.data().setup.get(rtnl).stamps
    }

    fn set_hwtstamp(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        config: hwtstamp::Config,
        extack: &ExtAck<'_>,
    ) -> Result<RxFilter> {
        let nic = dev.data();
        let new = hwtstamp::Config {
            rx: closest(config.rx),
            ..config
        };
        {
            let hardware = nic.hardware.lock();
            if hardware.is_some() {
                program(&nic.csr, &new).inspect_err(|e| {
                    extack.set(c"the device does not take it: see the kernel log");
                    dev_err!(nic.pdev, "{}: time stamps: {}\n", dev.name(), e);
                    // What fails as well is put right by the next reset.
                    let _ = program(&nic.csr, &nic.setup.get(rtnl).stamps);
                })?;
            }
        }
        nic.setup.get_mut(rtnl).stamps = new;
        nic.ptp.tx_on.store(new.tx, Relaxed);
        nic.ptp.rx_on.store(new.rx != RxFilter::None, Relaxed);
        if let Some(clock) = dev.clock() {
            clock.schedule_aux_work(0);
        }
        Ok(match new.rx {
            // Of v2 it also stamps the messages that measure the delay of the peer.
            RxFilter::V2L2Sync
            | RxFilter::V2L2DelayReq
            | RxFilter::V2Sync
            | RxFilter::V2DelayReq => RxFilter::Some,
            other => other,
        })
    }
}
