// SPDX-License-Identifier: GPL-2.0

//! Looking after the device: twice a second, and when it asks for it.
//!
//! What the field reports have in common is a driver that did not notice. So nothing here is
//! believed to hold because it once did: that the device answers, that its engines are on, that
//! `IVAR` is what was written, that every vector arrives, that queued frames leave, and what the
//! link is, is looked at anew with every tick.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            AtomicFlag,
            Relaxed, //
        },
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta,
        Instant,
        Monotonic, //
    }, //
};
use kernel_ext::{
    net::{
        device::Device,
        rtnl::Rtnl, //
    },
    ratelimit::RateLimit, //
};

use crate::{
    aspm,
    chip,
    csr::{
        Gone,
        Queue, //
    },
    irq::Layout,
    link::{
        self,
        Link,
        LinkState, //
    },
    nic::Nic,
    phy::Hang,
    regs, //
};

/// Time from one tick to the next, in milliseconds. What shows by the third tick at the latest, as
/// frames that do not leave, is noticed within 2 s.
const PERIOD: u32 = 500;

/// Time until it is tried again to bring up a device that could not be, in milliseconds.
const RETRY_UP: u32 = 10_000;

/// Time until a link that could not be read, or a PHY that may hang, is looked at again, in
/// milliseconds.
const RETRY: u32 = 100;

/// Least time between two looks at the link, however often the device asks.
const LEAST_PAUSE: Delta = Delta::from_millis(10);

/// How long a link must have been up to be taken for settled.
const SETTLED: Delta = Delta::from_secs(2);

/// Looks at the link that must fail in a row before the carrier goes off and the PHY is recovered.
const PHY_FAILURES: u32 = 3;

/// With the PHY still failing, recovery is tried again after so many more looks.
const PHY_RETRY: u32 = 40;

/// Ticks without progress of the transmit ring that make a hang.
const HANG_TICKS: u32 = 2;

/// Why the device is to be reset.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Reason {
    /// The stack found a transmit queue stopped for too long.
    TxTimeout = 1,
    /// Queued frames do not leave.
    TxHang = 2,
    /// The receiver or the transmitter is off.
    EngineOff = 3,
    /// An interrupt did not arrive, although it was raised.
    InterruptsLost = 4,
    /// `IVAR` does not keep what is written to it.
    IvarStuck = 5,
    /// The PHY hangs or cannot be read.
    Phy = 6,
    /// The device answers again.
    Back = 7,
    /// The last attempt to bring it up failed.
    Retry = 8,
    /// Frames wait for a link that is gone.
    LinkLost = 9,
    /// A tail register does not hold what was written to it.
    TailLost = 10,
}

impl Reason {
    fn from_raw(raw: u32) -> Option<Self> {
        [
            Self::TxTimeout,
            Self::TxHang,
            Self::EngineOff,
            Self::InterruptsLost,
            Self::IvarStuck,
            Self::Phy,
            Self::Back,
            Self::Retry,
            Self::LinkLost,
            Self::TailLost,
        ]
        .into_iter()
        .find(|&reason| reason as u32 == raw)
    }

    const fn text(self) -> &'static str {
        match self {
            Self::TxTimeout => "a transmit queue is stuck",
            Self::TxHang => "queued frames do not leave",
            Self::EngineOff => "receiver or transmitter was switched off behind the driver",
            Self::InterruptsLost => "interrupts do not arrive",
            Self::IvarStuck => "IVAR does not keep its value",
            Self::Phy => "the PHY does not work",
            Self::Back => "the device answers again",
            Self::Retry => "trying again to bring it up",
            Self::LinkLost => "to drop frames that were waiting as the link went",
            Self::TailLost => "the firmware has spoiled a write to a tail register",
        }
    }
}

/// What one tick leaves for the next about a transmit queue.
#[derive(Clone, Copy)]
struct TxMemory {
    /// Frames that the chip was done with.
    done: u64,
    /// Ticks without progress.
    stuck: u32,
}

impl TxMemory {
    const NEW: Self = Self { done: 0, stuck: 0 };
}

/// What one tick leaves for the next. Only the service touches it.
struct Memory {
    /// When the last whole tick was.
    last_tick: Option<Instant<Monotonic>>,
    /// When the link was last looked at.
    last_look: Option<Instant<Monotonic>>,
    /// Each transmit queue.
    tx: [TxMemory; regs::QUEUES],
    /// Every interrupt was raised by the last tick.
    raised: bool,
    /// The link as it was when it was last up.
    last_up: Option<Link>,
    /// Looks at the link that failed in a row.
    phy_failures: u32,
    /// Since when the link has been up, until the chip was told that it has settled.
    unsettled: Option<Instant<Monotonic>>,
    /// It was told that the device is gone.
    told_gone: bool,
}

/// What looking after one device needs and finds.
#[pin_data]
pub(crate) struct Health {
    /// A reset that was asked for: a [`Reason`], or 0.
    requested: Atomic<u32>,
    /// The link may have changed.
    link_event: AtomicFlag,
    /// The link was slower than 1000 Mb/s when it was last up.
    pub(crate) slow: AtomicFlag,
    /// What the features were last made to fit.
    features_slow: AtomicFlag,
    #[pin]
    memory: Mutex<Memory>,
    /// For messages about what may happen often.
    #[pin]
    pub(crate) limit: RateLimit,
    /// Resets, for whatever reason.
    pub(crate) resets: Atomic<u64>,
    /// Resets because frames did not leave.
    pub(crate) tx_hangs: Atomic<u64>,
    /// Times that `IVAR` was found changed and written anew.
    pub(crate) ivar_repairs: Atomic<u64>,
    /// Times that ASPM was found on and switched off again.
    pub(crate) aspm_repairs: Atomic<u64>,
    /// Interrupts that did not arrive although they were raised.
    pub(crate) interrupts_lost: Atomic<u64>,
    /// Looks at the link that failed.
    pub(crate) link_unknown: Atomic<u64>,
}

impl Health {
    /// Nothing has happened yet.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            requested: Atomic::new(0),
            link_event: AtomicFlag::new(false),
            slow: AtomicFlag::new(false),
            features_slow: AtomicFlag::new(false),
            memory <- new_mutex!(Memory {
                last_tick: None,
                last_look: None,
                tx: [TxMemory::NEW; regs::QUEUES],
                raised: false,
                last_up: None,
                phy_failures: 0,
                unsettled: None,
                told_gone: false,
            }),
            limit <- RateLimit::new(),
            resets: Atomic::new(0),
            tx_hangs: Atomic::new(0),
            ivar_repairs: Atomic::new(0),
            aspm_repairs: Atomic::new(0),
            interrupts_lost: Atomic::new(0),
            link_unknown: Atomic::new(0),
        })
    }

    /// The chip says that the link has changed. Any context.
    pub(crate) fn link_event(&self, dev: &Device<Nic<'_>>) {
        if !self.link_event.xchg(true, Relaxed) {
            dev.kick_service();
        }
    }

    /// The chip does not answer. Any context.
    pub(crate) fn gone_event(&self, dev: &Device<Nic<'_>>, _: Gone) {
        dev.kick_service();
    }

    /// Asks for a reset. Any context.
    pub(crate) fn request(&self, dev: &Device<Nic<'_>>, reason: Reason) {
        self.requested.store(reason as u32, Relaxed);
        dev.kick_service();
    }

    /// Forgets what no longer holds once the rings are new.
    pub(crate) fn restarted(&self) {
        let mut memory = self.memory.lock();
        memory.tx = [TxMemory::NEW; regs::QUEUES];
        memory.raised = false;
        memory.told_gone = false;
        self.requested.store(0, Relaxed);
    }
}

/// Looks after the device; asks to be called again for as long as the interface is to be up.
pub(crate) fn service(dev: &Device<Nic<'_>>) {
    let nic = dev.data();
    if !nic.wanted.load(Relaxed) {
        return;
    }
    check_aspm(nic, dev);
    let (reason, mut again) = look(nic, dev);
    update_features(nic, dev);
    if let Some(reason) = reason {
        if recover(nic, dev, reason).is_err() {
            again = RETRY_UP;
        }
    }
    dev.arm_service(again);
}

/// ASPM must be as the probe has left it. Here and not with a tick, as the PCI core's locks come
/// before the driver's where it recovers from an error.
fn check_aspm(nic: &Nic<'_>, dev: &Device<Nic<'_>>) {
    let before = *nic.aspm.lock();
    if !before.undone(nic.pdev) {
        return;
    }
    let now = aspm::keep_link_awake(nic.pdev, false);
    *nic.aspm.lock() = now;
    nic.health.aspm_repairs.add(1, Relaxed);
    if nic.health.limit.allow(c"e1000e_rust: ASPM") {
        dev_warn!(
            nic.pdev,
            "{}: ASPM was switched on behind the driver (aspm_repairs in ethtool -S)\n",
            dev.name()
        );
        now.tell(nic.pdev);
    }
}

/// What the chip can do depends on the speed of the link.
fn update_features(nic: &Nic<'_>, dev: &Device<Nic<'_>>) {
    let slow = nic.link.lock().is_slow();
    if nic.health.features_slow.xchg(slow, Relaxed) != slow {
        dev.update_features(&mut Rtnl::lock());
    }
}

/// Looks at everything that is due. Returns what is to be recovered from, and when to look again.
fn look(nic: &Nic<'_>, dev: &Device<Nic<'_>>) -> (Option<Reason>, u32) {
    // With the lock held nobody takes the hardware down meanwhile.
    let hardware = nic.hardware.lock();
    if !nic.wanted.load(Relaxed) {
        // It was taken down meanwhile, and may be asleep.
        return (None, PERIOD);
    }
    let mut memory = nic.health.memory.lock();
    if let Err(gone) = nic.csr.check() {
        return (not_answering(nic, dev, &mut memory, gone), PERIOD);
    }
    let Some(layout) = *hardware else {
        return (Some(Reason::Retry), PERIOD);
    };
    if let Some(reason) = Reason::from_raw(nic.health.requested.xchg(0, Relaxed)) {
        return (Some(reason), PERIOD);
    }

    let due = |last: Option<Instant<Monotonic>>, pause: Delta| match last {
        Some(last) => last.elapsed() >= pause,
        None => true,
    };
    if !due(memory.last_look, LEAST_PAUSE) {
        fsleep(LEAST_PAUSE);
    }
    nic.health.link_event.store(false, Relaxed);
    memory.last_look = Some(Instant::now());
    let (mut reason, again) = look_at_link(nic, dev, &mut memory);

    // A little less than the period, as that is what the timer may be early by.
    if due(memory.last_tick, Delta::from_millis(i64::from(PERIOD) - 50)) {
        memory.last_tick = Some(Instant::now());
        match tick(nic, dev, &layout, &mut memory) {
            Ok(found) => reason = reason.or(found),
            Err(gone) => return (not_answering(nic, dev, &mut memory, gone), PERIOD),
        }
    }
    (reason, again)
}

/// The device reads as all-ones. Tells so once, takes the carrier away, and looks whether it is
/// back.
fn not_answering(
    nic: &Nic<'_>,
    dev: &Device<Nic<'_>>,
    memory: &mut Memory,
    gone: Gone,
) -> Option<Reason> {
    dev.carrier_off();
    *nic.link.lock() = LinkState::Unknown(link::Cause::Gone);
    if !memory.told_gone {
        memory.told_gone = true;
        dev_err!(
            nic.pdev,
            "{}: {}; if it does not come back, reseat or power-cycle it\n",
            dev.name(),
            gone
        );
    }
    if nic.csr.revive().is_err() {
        return None;
    }
    memory.told_gone = false;
    Some(Reason::Back)
}

/// What is looked at once a period.
fn tick(
    nic: &Nic<'_>,
    dev: &Device<Nic<'_>>,
    layout: &Layout,
    memory: &mut Memory,
) -> Result<Option<Reason>, Gone> {
    nic.statistics.update(&nic.csr)?;
    if nic.csr.take_lost_tail() {
        return Ok(Some(Reason::TailLost));
    }
    if !nic.csr.read(regs::RCTL)?.en() || !nic.csr.read(regs::TCTL)?.en() {
        return Ok(Some(Reason::EngineOff));
    }
    if let Some(reason) = check_ivar(nic, dev, layout)? {
        return Ok(Some(reason));
    }
    nic.chip.write_back(&nic.csr)?;
    if let Some(reason) = check_interrupts(nic, dev, layout, memory) {
        return Ok(Some(reason));
    }
    check_transmission(nic, dev, memory)
}

/// `IVAR` must be what was written; if not it is repaired.
fn check_ivar(
    nic: &Nic<'_>,
    dev: &Device<Nic<'_>>,
    layout: &Layout,
) -> Result<Option<Reason>, Gone> {
    let Layout::MsiX { ivar, .. } = layout else {
        return Ok(None);
    };
    let Err(lost) = chip::check_ivar(&nic.csr, ivar)? else {
        return Ok(None);
    };
    nic.health.ivar_repairs.add(1, Relaxed);
    if nic.health.limit.allow(c"e1000e_rust: IVAR") {
        dev_warn!(
            nic.pdev,
            "{}: {}; written anew (ivar_repairs in ethtool -S)\n",
            dev.name(),
            lost
        );
    }
    match chip::write_ivar(&nic.csr, ivar) {
        Ok(()) => Ok(None),
        Err(chip::Error::Gone) => Err(Gone),
        Err(_) => Ok(Some(Reason::IvarStuck)),
    }
}

/// Every tick raises every interrupt: what was lost is looked at, also if something masked it, and
/// a vector that has not arrived by the next tick is lost.
fn check_interrupts(
    nic: &Nic<'_>,
    dev: &Device<Nic<'_>>,
    layout: &Layout,
    memory: &mut Memory,
) -> Option<Reason> {
    let missing = nic.irq.missing(layout);
    if memory.raised && missing != 0 {
        nic.health
            .interrupts_lost
            .add(missing.count_ones().into(), Relaxed);
        if nic.health.limit.allow(c"e1000e_rust: interrupts") {
            dev_warn!(
                nic.pdev,
                "{}: {}: vectors {:#x} do not arrive\n",
                dev.name(),
                layout,
                missing
            );
        }
        return Some(Reason::InterruptsLost);
    }
    memory.raised = true;
    layout.unmask(nic);
    layout.raise_all(&nic.csr);
    None
}

/// Frames that are queued must leave, unless the link partner forbids it. Where the link is gone
/// they are dropped: whoever has sent them waits for their memory, and what is old is not to leave
/// when the link comes back (`Documentation/networking/driver.rst`).
fn check_transmission(
    nic: &Nic<'_>,
    dev: &Device<Nic<'_>>,
    memory: &mut Memory,
) -> Result<Option<Reason>, Gone> {
    let linked = dev.carrier_ok();
    let paused = linked && nic.csr.read(regs::STATUS)?.txoff();
    let mut hang = None;
    for (queue, memory) in Queue::ALL.into_iter().zip(&mut memory.tx) {
        let counts = nic.counts(queue);
        let done = counts.tx_done.load(Relaxed);
        let waiting = counts.tx_queued.load(Relaxed) != done;
        if !waiting || done != memory.done || paused {
            *memory = TxMemory { done, stuck: 0 };
            continue;
        }
        memory.stuck = memory.stuck.saturating_add(1);
        if memory.stuck >= HANG_TICKS {
            hang = Some(if linked {
                Reason::TxHang
            } else {
                Reason::LinkLost
            });
        }
    }
    Ok(hang)
}

/// Looks at the link; [`LinkState::Unknown`] is neither up nor down.
fn look_at_link(
    nic: &Nic<'_>,
    dev: &Device<Nic<'_>>,
    memory: &mut Memory,
) -> (Option<Reason>, u32) {
    let request = *nic.link_request.lock();
    let now = nic.phy.read_link(&nic.csr, &request);
    let before = core::mem::replace(&mut *nic.link.lock(), now);
    match now {
        LinkState::Up(link) => {
            memory.phy_failures = 0;
            if before != now || !dev.carrier_ok() {
                let max_frame = Nic::max_frame(dev.mtu());
                match nic.chip.link_up(nic.parts(), &link, max_frame) {
                    Ok(()) => {}
                    Err(chip::Error::Gone) => {
                        dev.kick_service();
                        return (None, PERIOD);
                    }
                    // A failure of the PHY has been counted; it may do better soon.
                    Err(_) => return (None, RETRY),
                }
                if !dev.carrier_ok() || memory.last_up != Some(link) {
                    dev_info!(nic.pdev, "{}: link up, {}\n", dev.name(), link);
                }
                memory.last_up = Some(link);
                nic.health.slow.store(now.is_slow(), Relaxed);
                memory.unsettled = Some(Instant::now());
                dev.carrier_on();
            }
            if request.loopback {
                return (None, PERIOD);
            }
            if memory.unsettled.is_some_and(|up| up.elapsed() >= SETTLED) {
                // What fails is tried again; a failure is counted.
                if nic.chip.link_settled(nic.parts(), &link).is_ok() {
                    memory.unsettled = None;
                }
            }
            match nic.phy.look_for_hang(&nic.csr) {
                Ok(Hang::Certain) => (Some(Reason::Phy), PERIOD),
                Ok(Hang::Suspected) => (None, RETRY),
                // A failure is counted, and shows in the next look at the link.
                Ok(Hang::No) | Err(_) => (None, PERIOD),
            }
        }
        LinkState::Down => {
            memory.phy_failures = 0;
            if dev.carrier_ok() {
                dev.carrier_off();
                dev_info!(nic.pdev, "{}: link down\n", dev.name());
            }
            if request.loopback {
                // The PHY has been reset. A failure has been told.
                let _ = nic.set_up_link(dev);
            }
            (None, PERIOD)
        }
        LinkState::Unknown(cause) => {
            memory.phy_failures = memory.phy_failures.saturating_add(1);
            nic.health.link_unknown.add(1, Relaxed);
            if nic.health.limit.allow(c"e1000e_rust: link unknown") {
                dev_err!(
                    nic.pdev,
                    "{}: link state unknown: Error reading PHY register: {}; \
                     see phy_read_err_* in ethtool -S\n",
                    dev.name(),
                    cause
                );
            }
            if memory.phy_failures < PHY_FAILURES {
                return (None, RETRY);
            }
            if dev.carrier_ok() {
                dev.carrier_off();
                dev_err!(
                    nic.pdev,
                    "{}: carrier off, as the PHY cannot be read; recovering\n",
                    dev.name()
                );
            }
            let due = memory.phy_failures.wrapping_sub(PHY_FAILURES) % PHY_RETRY == 0;
            (due.then_some(Reason::Phy), PERIOD)
        }
    }
}

/// Resets the device. An error means that it is down, which has been told.
fn recover(nic: &Nic<'_>, dev: &Device<Nic<'_>>, reason: Reason) -> Result {
    let mut rtnl = Rtnl::lock();
    // The interface may have been taken down while we waited.
    if !nic.wanted.load(Relaxed) {
        return Ok(());
    }
    // Or it is up after all: it was being restarted.
    if reason == Reason::Retry && nic.hardware.lock().is_some() {
        return Ok(());
    }
    nic.health.resets.add(1, Relaxed);
    if matches!(reason, Reason::TxHang | Reason::TxTimeout) {
        nic.health.tx_hangs.add(1, Relaxed);
    }
    if nic.health.limit.allow(c"e1000e_rust: reset") {
        dev_warn!(nic.pdev, "{}: reset: {}\n", dev.name(), reason.text());
        if matches!(reason, Reason::TxHang | Reason::TxTimeout) {
            tell_rings(nic, dev);
        }
    }
    let new_phy = matches!(reason, Reason::Phy | Reason::Back | Reason::Retry);
    if new_phy {
        // It may have lost its settings, and with them the link.
        dev.carrier_off();
        *nic.link.lock() = LinkState::Down;
    }
    if reason == Reason::Phy {
        if let Err(e) = nic.phy.hardware_reset(&nic.csr) {
            nic.tell_phy_error(dev, &e);
        }
    }
    if matches!(
        reason,
        Reason::InterruptsLost | Reason::Back | Reason::Retry
    ) {
        // Whatever has become of the vectors: they are set up from scratch.
        nic.take_down(dev, &mut rtnl);
        dev.free_vectors(&mut rtnl);
    }
    nic.restart(dev, &mut rtnl)?;
    if new_phy {
        // A failure has been told, and shows as a link that is down or unknown.
        let _ = nic.set_up_link(dev);
    }
    Ok(())
}

/// Tells where the transmit rings stand.
fn tell_rings(nic: &Nic<'_>, dev: &Device<Nic<'_>>) {
    use kernel::io::register::Array;
    for queue in Queue::ALL {
        let (Some(head), Some(tail)) = (
            regs::TDH::try_at(queue.index()),
            regs::TDT::try_at(queue.index()),
        ) else {
            continue;
        };
        if let (Ok(head), Ok(tail)) = (nic.csr.read(head), nic.csr.read(tail)) {
            let counts = nic.counts(queue);
            dev_warn!(
                nic.pdev,
                "{}: queue {}: TDH {} TDT {}, frames queued {} done {}\n",
                dev.name(),
                queue.index(),
                head.into_raw(),
                tail.into_raw(),
                counts.tx_queued.load(Relaxed),
                counts.tx_done.load(Relaxed)
            );
        }
    }
}
