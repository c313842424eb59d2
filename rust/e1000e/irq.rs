// SPDX-License-Identifier: GPL-2.0

//! Interrupts: choosing how they are signalled, proving that each arrives, handling them.
//!
//! A vector that is lost leaves a driver running on blind: it happened to the ESX driver with this
//! chip's five-entry `IVAR`. So no interrupt is trusted before it has been seen to arrive, and the
//! mapping is read back for as long as the device runs (see [`crate::health`]).

use kernel::{
    irq::IrqReturn,
    prelude::*,
    sync::atomic::{
        Atomic,
        AtomicFlag,
        Relaxed, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use kernel_ext::net::{
    device::Device,
    irq::{
        HardIrq,
        Mode, //
    },
    rtnl::Rtnl, //
};

use crate::{
    chip::{
        self,
        Interrupts, //
    },
    csr::{
        Csr,
        Queue, //
    },
    ivar::{
        Assignment,
        Cause,
        Ivar,
        Vector,
        VectorCount, //
    },
    nic::Nic,
    regs::cause, //
};

/// How often, and how far apart, the self-check looks whether its interrupts have arrived.
const CHECK_LOOKS: u32 = 250;
const CHECK_INTERVAL: Delta = Delta::from_millis(2);

/// The best that may be used.
#[derive(Clone, Copy)]
pub(crate) struct Best {
    /// Parameter `int_mode`.
    mode: Needs,
    /// Parameter `msix_vectors`.
    vectors: u32,
}

impl Best {
    /// From the module parameters; the error says how they are used.
    pub(crate) fn from_parameters(int_mode: u8, vectors: u8) -> Result<Self, &'static str> {
        // As the in-tree driver's `IntMode` numbers them.
        let mode = match int_mode {
            0 => Needs::Intx,
            1 => Needs::Msi,
            2 => Needs::MsiX,
            _ => return Err("int_mode: use 0 (INTx), 1 (MSI) or 2 (MSI-X)"),
        };
        if vectors != 5 && vectors != 3 {
            return Err("msix_vectors: use 5 or 3");
        }
        Ok(Self {
            mode,
            vectors: vectors.into(),
        })
    }
}

/// What a way of signalling needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    /// One shared line.
    Intx,
    /// One message.
    Msi,
    /// Several messages.
    MsiX,
}

/// What to try, best first: a mode and a number of vectors.
const CANDIDATES: [(Needs, Mode, u32); 4] = [
    // A vector for each cause.
    (Needs::MsiX, Mode::MsiX, 5),
    // Some boards' NVM lets the function report only three (word 0x1B, bits 9:7).
    (Needs::MsiX, Mode::MsiX, 3),
    (Needs::Msi, Mode::Msi, 1),
    (Needs::Intx, Mode::Intx, 1),
];

/// How interrupts are signalled.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    /// Causes are mapped to vectors.
    MsiX {
        /// Which to which.
        assignment: Assignment,
        /// The same, for the register.
        ivar: Ivar,
    },
    /// One interrupt for everything.
    Single(Mode),
}

impl Layout {
    fn new(mode: Mode, vectors: u32) -> Option<Self> {
        match mode {
            Mode::MsiX => {
                let assignment = Assignment::spread(VectorCount::new(vectors)?);
                let ivar = Ivar::from(&assignment);
                Some(Self::MsiX { assignment, ivar })
            }
            Mode::Msi | Mode::Intx => Some(Self::Single(mode)),
        }
    }

    fn program(&self) -> Interrupts<'_> {
        match self {
            Self::MsiX { ivar, .. } => Interrupts::MsiX(ivar),
            Self::Single(_) => Interrupts::Single,
        }
    }

    /// Unmasks everything that is listened to. Any context.
    pub(crate) fn unmask(&self, nic: &Nic<'_>) {
        nic.chip.unmask(&nic.csr, self.program());
    }

    /// Raises every interrupt once, so that whatever was lost or waits is looked at. Any context.
    ///
    /// Not by a cause that says something: a link status change would be taken for one.
    pub(crate) fn raise_all(&self, csr: &Csr<'_>) {
        csr.ics_write(match self {
            Self::MsiX { .. } => cause::QUEUES | cause::OTHER | cause::MDAC,
            Self::Single(_) => cause::RXT0,
        });
    }

    /// Whether the two directions of `queue` have one vector.
    pub(crate) fn directions_share(&self, queue: Queue) -> bool {
        let [rx, tx] = self.vectors_of(queue);
        rx == tx
    }

    /// Bits of the vectors there are.
    fn all_vectors(&self) -> u32 {
        match self {
            Self::MsiX { assignment, .. } => {
                !u32::MAX.wrapping_shl(assignment.count().get().into())
            }
            Self::Single(_) => 1,
        }
    }

    /// Vector by vector, the causes it signals, as bits of [`cause`].
    fn causes(&self, vector: Vector) -> u32 {
        let Self::MsiX { assignment, .. } = self else {
            return 0;
        };
        assignment.causes(vector).fold(0, |bits, cause| {
            bits | match cause {
                Cause::Rx0 => cause::RXQ[0],
                Cause::Rx1 => cause::RXQ[1],
                Cause::Tx0 => cause::TXQ[0],
                Cause::Tx1 => cause::TXQ[1],
                Cause::Other => cause::OTHER,
            }
        })
    }

    /// Tells the stack which vectors serve the first `channels` channels.
    pub(crate) fn link(&self, dev: &Device<Nic<'_>>, rtnl: &Rtnl, channels: u32) {
        for queue in Queue::first(channels) {
            let [rx, _] = self.vectors_of(queue);
            dev.link_vector(rtnl, queue.index(), rx);
        }
    }

    /// Asks for each vector of a channel, used or not, to be handled where the channel's frames
    /// come from.
    fn hint(&self, dev: &Device<Nic<'_>>, rtnl: &Rtnl) {
        if let Self::Single(_) = self {
            return;
        }
        for queue in Queue::ALL {
            for vector in self.vectors_of(queue) {
                dev.hint_vector(rtnl, queue.index(), vector);
            }
        }
    }

    /// The vectors that serve what `queue` receives, and what it sends.
    fn vectors_of(&self, queue: Queue) -> [usize; 2] {
        let Self::MsiX { assignment, .. } = self else {
            return [0; 2];
        };
        let causes = match queue {
            Queue::Q0 => [Cause::Rx0, Cause::Tx0],
            Queue::Q1 => [Cause::Rx1, Cause::Tx1],
        };
        causes.map(|cause| assignment.vector(cause).index().into())
    }
}

impl kernel::fmt::Display for Layout {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        match self {
            Self::MsiX { assignment, ivar } => f.write_fmt(fmt!(
                "MSI-X, {} vectors, {}",
                assignment.count().get(),
                ivar.decode(ivar.raw())
            )),
            Self::Single(mode) => f.write_fmt(fmt!("{}", mode)),
        }
    }
}

/// What the interrupt handlers need, set before the vectors are requested.
pub(crate) struct Shared {
    /// Vector by vector, the causes it signals, as bits of [`cause`]; all 0 outside MSI-X.
    causes: [Atomic<u32>; CAUSES],
    /// Bits of the vectors that were seen to arrive since this was last looked at.
    seen: Atomic<u32>,
    /// The line may be others' as well.
    line: AtomicFlag,
    /// Vectors that did not arrive in a self-check.
    pub(crate) check_failures: Atomic<u64>,
}

const CAUSES: usize = crate::ivar::CAUSES;

impl Shared {
    /// No vectors.
    pub(crate) const fn new() -> Self {
        Self {
            causes: [const { Atomic::new(0) }; CAUSES],
            seen: Atomic::new(0),
            line: AtomicFlag::new(false),
            check_failures: Atomic::new(0),
        }
    }

    /// Bits of the vectors of `layout` that have not arrived since the last call.
    pub(crate) fn missing(&self, layout: &Layout) -> u32 {
        layout.all_vectors() & !self.seen.xchg(0, Relaxed)
    }

    fn prepare(&self, layout: &Layout) {
        for (i, causes) in self.causes.iter().enumerate() {
            let vector = match layout {
                // CAST: One of five.
                Layout::MsiX { assignment, .. } => assignment.count().vector(i as u8),
                Layout::Single(_) => None,
            };
            causes.store(vector.map_or(0, |vector| layout.causes(vector)), Relaxed);
        }
        self.line
            .store(matches!(layout, Layout::Single(Mode::Intx)), Relaxed);
        self.seen.store(0, Relaxed);
    }
}

/// Gets interrupts working, in the best way that proves to work. They stay masked.
pub(crate) fn set_up(nic: &Nic<'_>, dev: &Device<Nic<'_>>, rtnl: &mut Rtnl) -> Result<Layout> {
    for (needs, mode, vectors) in CANDIDATES {
        let most = nic.chip.max_vectors().min(nic.best.vectors);
        if needs > nic.best.mode || (mode == Mode::MsiX && vectors > most) {
            continue;
        }
        let Some(layout) = Layout::new(mode, vectors) else {
            continue;
        };
        // Before the first handler can run.
        nic.irq.prepare(&layout);
        if dev.request_vectors(rtnl, mode, vectors as usize).is_err() {
            continue;
        }
        layout.hint(dev, rtnl);
        match try_layout(nic, dev, rtnl, &layout) {
            Ok(true) => {
                dev_info!(nic.pdev, "{}: interrupts: {}\n", dev.name(), layout);
                return Ok(layout);
            }
            result => {
                dev.release_vectors(rtnl);
                nic.moderation.lock().end();
                result?;
            }
        }
    }
    dev_err!(
        nic.pdev,
        "{}: no way of signalling interrupts works; try another slot, or pci=nomsi\n",
        dev.name()
    );
    Err(EIO)
}

/// Programs `layout` and checks that every vector of it arrives; `false` if not, which is told.
fn try_layout(nic: &Nic<'_>, dev: &Device<Nic<'_>>, rtnl: &Rtnl, layout: &Layout) -> Result<bool> {
    match nic.chip.set_interrupts(&nic.csr, layout.program()) {
        Ok(()) => {}
        Err(e @ chip::Error::Ivar(_)) => {
            dev_warn!(nic.pdev, "{}: {}; trying without MSI-X\n", dev.name(), e);
            return Ok(false);
        }
        Err(e) => {
            dev_err!(nic.pdev, "{}: interrupts: {}\n", dev.name(), e);
            return Err(e.into());
        }
    }
    let channels = nic.setup.get(rtnl).channels;
    nic.moderation.lock().begin(nic, dev, *layout, channels);

    let missing = raise_and_wait(nic, layout);
    chip::mask_all(&nic.csr)
        .inspect_err(|e| dev_err!(nic.pdev, "{}: interrupts: {}\n", dev.name(), e))?;
    if missing == 0 {
        return Ok(true);
    }
    dev_warn!(
        nic.pdev,
        "{}: {}: vectors {:#x} of {:#x} do not arrive; trying the next mode\n",
        dev.name(),
        layout,
        missing,
        layout.all_vectors()
    );
    Ok(false)
}

/// Raises every interrupt of `layout`, which stay unmasked, and waits for them. Returns the bits of
/// the vectors that have not arrived, which are counted.
///
/// To be called under `Nic::hardware`, which keeps the health tick from looking as well.
pub(crate) fn raise_and_wait(nic: &Nic<'_>, layout: &Layout) -> u32 {
    let all = layout.all_vectors();
    nic.irq.seen.store(0, Relaxed);
    layout.unmask(nic);
    layout.raise_all(&nic.csr);
    for _ in 0..CHECK_LOOKS {
        if nic.irq.seen.load(Relaxed) & all == all {
            return 0;
        }
        fsleep(CHECK_INTERVAL);
    }
    let missing = all & !nic.irq.seen.load(Relaxed);
    nic.irq
        .check_failures
        .add(missing.count_ones().into(), Relaxed);
    missing
}

/// Handles the interrupt of `vector`.
#[inline]
pub(crate) fn handle(
    nic: &Nic<'_>,
    dev: &Device<Nic<'_>>,
    vector: usize,
    ctx: &HardIrq<'_>,
) -> IrqReturn {
    let causes = nic
        .irq
        .causes
        .get(vector)
        .map_or(0, |causes| causes.load(Relaxed));
    let ours = if causes == 0 {
        single(nic, dev, ctx)
    } else {
        message(nic, dev, causes, ctx)
    };
    if !ours {
        return IrqReturn::None;
    }
    // CAST: There are at most five vectors.
    let bit = 1u32.wrapping_shl(vector as u32);
    let seen = nic.irq.seen.load(Relaxed);
    if seen & bit == 0 {
        // Vectors may arrive on several processors at once, but each on one only.
        nic.irq.seen.fetch_add(bit, Relaxed);
    }
    IrqReturn::Handled
}

/// An MSI-X message. It may be one without work, or for a queue that is not in use: the mapping
/// gives every cause a vector, so that none can be lost.
#[inline]
fn message(nic: &Nic<'_>, dev: &Device<Nic<'_>>, causes: u32, ctx: &HardIrq<'_>) -> bool {
    for queue in Queue::ALL {
        if causes & queue_causes(queue) != 0 {
            // Queue causes are masked by the chip as their message is sent (EIAC, EIAME) and
            // unmasked when the poll is done; a channel that is not in use is not polled.
            dev.schedule_poll(queue.index(), ctx);
        }
    }
    if causes & cause::OTHER != 0 {
        match chip::acknowledge_other(&nic.csr) {
            Ok(icr) => {
                if icr.lsc() {
                    nic.health.link_event(dev);
                }
                nic.csr.ims_write(cause::OTHER | cause::OTHER_SOURCES);
            }
            Err(chip_gone) => nic.health.gone_event(dev, chip_gone),
        }
    }
    true
}

/// An MSI, or the shared line; `false` if the device did not raise it.
fn single(nic: &Nic<'_>, dev: &Device<Nic<'_>>, ctx: &HardIrq<'_>) -> bool {
    let shared = nic.irq.line.load(Relaxed);
    if nic.csr.gone() {
        // It has been noticed; this is somebody else's.
        return !shared;
    }
    // The read acknowledges and, by IAM, masks everything.
    let icr = match nic.csr.read(crate::regs::ICR) {
        Ok(icr) => icr,
        Err(gone) => {
            nic.health.gone_event(dev, gone);
            return !shared;
        }
    };
    // Whoever raised it, the causes are acknowledged now and must be acted upon.
    if icr.lsc() {
        nic.health.link_event(dev);
    }
    if icr.into_raw() != 0 {
        for queue in Queue::ALL {
            dev.schedule_poll(queue.index(), ctx);
        }
    }
    !shared || icr.int_asserted()
}

/// The causes of one channel, as bits of [`cause`].
#[inline]
const fn queue_causes(queue: Queue) -> u32 {
    match (cause::RXQ, cause::TXQ, queue) {
        ([rx, _], [tx, _], Queue::Q0) => rx | tx,
        ([_, rx], [_, tx], Queue::Q1) => rx | tx,
    }
}

/// Listens to `channel` again once a poll of it has found nothing more to do. Where there is one
/// interrupt for everything, to the others as well: one that is being polled is not disturbed.
#[inline]
pub(crate) fn rearm(nic: &Nic<'_>, channel: usize) {
    let msi_x = nic
        .irq
        .causes
        .first()
        .is_some_and(|causes| causes.load(Relaxed) != 0);
    let causes = match (msi_x, channel) {
        (true, 0) => queue_causes(Queue::Q0),
        (true, _) => queue_causes(Queue::Q1),
        (false, _) => cause::LEGACY,
    };
    nic.csr.ims_write(causes);
}
