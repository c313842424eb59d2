// SPDX-License-Identifier: GPL-2.0

//! Access to the registers in BAR 0 that notices when the device is gone.
//!
//! A PCIe device that has fallen off the link answers every read with all ones. Taken at face
//! value that is a link that is up, a semaphore that is granted and counters that ran over. Here
//! a read that comes back as all ones is confirmed by a second register that can never be all
//! ones, and an absent device is an error, [`Gone`], that cannot be overlooked.
//!
//! Some platforms and virtual machines answer in the place of an absent device, or of one whose
//! memory decoding is off, with zeros. A zero is a common value, so it is not looked into with
//! each read but wherever it matters: by [`Csr::check`] with each health tick, by [`Csr::flush`],
//! and after each wait that came to nothing.

use kernel::{
    io::{
        poll::read_poll_timeout,
        register::Array,
        Io,
        IoLoc,
        Region, //
    },
    pci,
    prelude::*,
    sync::atomic::{
        Atomic,
        AtomicFlag,
        Relaxed, //
    },
    time::{
        delay::udelay,
        Delta, //
    }, //
};

use crate::regs;

/// What a read of an absent device returns.
const ALL_ONES: u32 = 0xffff_ffff;

/// Size of BAR 0 in bytes (82574 datasheet 10.1.1.1).
pub(crate) const BAR_SIZE: usize = 0x20000;

/// How often, and how far apart, it is looked whether the firmware is done with its accesses.
const CONTENTION_LOOKS: u32 = 2000;
const CONTENTION_PAUSE: Delta = Delta::from_micros(50);

/// BAR 0 as the driver maps it.
pub(crate) type Bar0<'a> = pci::Bar<'a, BAR_SIZE>;

/// The device does not answer: reads return all ones, or zeros everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl From<Gone> for Error {
    fn from(_: Gone) -> Self {
        ENODEV
    }
}

impl kernel::fmt::Display for Gone {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        f.write_str("the device is gone: its registers do not answer")
    }
}

/// Why waiting for a register failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PollError {
    /// The device does not answer.
    Gone,
    /// The condition did not come true in time.
    Timeout,
}

impl From<Gone> for PollError {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// The registers of one device.
///
/// Shared by interrupt handlers, NAPI and process context: there is no lock, whoever changes a
/// register by [`Csr::update`] holds `Nic::hardware`, or is alone because the device is not set up
/// yet.
pub(crate) struct Csr<'a> {
    /// The mapping.
    bar: Bar0<'a>,
    /// Set once the device was found to be gone; no register is read until [`Csr::revive`].
    gone: AtomicFlag,
    /// How many times a live device turned into an absent one.
    losses: Atomic<u64>,
    /// The firmware writes registers, too, and the device does not keep the two apart.
    contended: AtomicFlag,
    /// How many writes were not waited for any longer.
    pub(crate) contention_timeouts: Atomic<u64>,
    /// How many writes of tails did not arrive.
    pub(crate) tails_lost: Atomic<u64>,
    /// A write of a tail did not arrive, and its engine was switched off for it.
    tail_lost: AtomicFlag,
}

impl<'a> Csr<'a> {
    /// Takes over the mapping of BAR 0.
    pub(crate) fn new(bar: Bar0<'a>) -> Self {
        Self {
            bar,
            gone: AtomicFlag::new(false),
            losses: Atomic::new(0),
            contended: AtomicFlag::new(false),
            contention_timeouts: Atomic::new(0),
            tails_lost: Atomic::new(0),
            tail_lost: AtomicFlag::new(false),
        }
    }

    /// From here on registers are written only while the firmware does not.
    ///
    /// The management engine beside an 82579 writes the device's registers as well. An arbiter is
    /// to keep the two apart, but it acknowledges writes of the driver too late, and a register may
    /// end up with a wrong value (in-tree driver, `__ew32_prepare()`). `FWSM` tells when the engine
    /// does.
    pub(crate) fn share_with_firmware(&self) {
        self.contended.store(true, Relaxed);
    }

    /// Waits until the firmware does not access registers, but not for ever. Any context.
    #[inline(never)]
    fn wait_for_firmware(&self) {
        for _ in 0..CONTENTION_LOOKS {
            match self.read(regs::pch2::FWSM) {
                Ok(fwsm) if fwsm.pcim2pci() => udelay(CONTENTION_PAUSE),
                // A device that is gone does not mind the write.
                _ => return,
            }
        }
        self.contention_timeouts.add(1, Relaxed);
    }

    /// Whether a tail was lost since the last call; its engine is off.
    pub(crate) fn take_lost_tail(&self) -> bool {
        self.tail_lost.xchg(false, Relaxed)
    }

    /// A tail was written that now reads as `found`: if that is not `written` the engine behind it
    /// must not go on. It is switched off by `off`, and a reset asked for.
    #[cold]
    fn check_tail(&self, written: u32, found: Result<u32, Gone>, off: impl FnOnce()) {
        if found.is_ok_and(|found| found != written) {
            off();
            self.tails_lost.add(1, Relaxed);
            self.tail_lost.store(true, Relaxed);
        }
    }

    /// Reads the register at `location`.
    ///
    /// All ones are returned as a value only when `STATUS` proves that the device still answers.
    #[inline(always)]
    pub(crate) fn read<T, L>(&self, location: L) -> Result<T, Gone>
    where
        L: IoLoc<Region<BAR_SIZE>, T, IoType = u32>,
        u32: From<T> + Into<T>,
    {
        if self.gone() {
            return Err(Gone);
        }
        let raw = u32::from((&self.bar).read(location));
        if raw == ALL_ONES {
            self.confirm()?;
        }
        Ok(raw.into())
    }

    /// Writes `value` to the register at `location`. The write is posted.
    #[inline(always)]
    pub(crate) fn write<T, L>(&self, location: L, value: T)
    where
        L: IoLoc<Region<BAR_SIZE>, T, IoType = u32>,
    {
        if self.contended.load(Relaxed) {
            self.wait_for_firmware();
        }
        (&self.bar).write(location, value);
    }

    /// Reads a register with a fixed location, applies `f` and writes the result.
    ///
    /// Nothing is written when the device is gone. There is no lock: see the type.
    #[inline(always)]
    pub(crate) fn update<T, L, F>(&self, location: L, f: F) -> Result<(), Gone>
    where
        T: kernel::io::register::FixedRegister,
        L: IoLoc<Region<BAR_SIZE>, T, IoType = u32>,
        (): IoLoc<Region<BAR_SIZE>, T, IoType = u32>,
        u32: From<T> + Into<T>,
        F: FnOnce(T) -> T,
    {
        let value = self.read(location)?;
        self.write((), f(value));
        Ok(())
    }

    /// Makes sure that all writes have reached the device, by a read of `STATUS`.
    #[inline]
    pub(crate) fn flush(&self) -> Result<(), Gone> {
        if self.read(regs::STATUS)?.into_raw() == 0 {
            return self.check();
        }
        Ok(())
    }

    /// Reads until `cond` holds, at most for `timeout`, sleeping `interval` between two reads.
    /// May sleep.
    pub(crate) fn poll<T>(
        &self,
        mut op: impl FnMut(&Self) -> Result<T, Gone>,
        mut cond: impl FnMut(&T) -> bool,
        interval: Delta,
        timeout: Delta,
    ) -> Result<T, PollError> {
        read_poll_timeout(|| Ok(op(self)?), |v| cond(v), interval, timeout).map_err(|e| {
            // The only errors are `ENODEV`, made from `Gone` here, and the time limit's own. A
            // device that answers with zeros never gets anything done.
            if e == ETIMEDOUT && self.check().is_ok() {
                PollError::Timeout
            } else {
                PollError::Gone
            }
        })
    }

    /// Reads the register at `offset` bytes for the register dump.
    ///
    /// An `offset` outside the BAR or unaligned reads as 0.
    pub(crate) fn read_raw(&self, offset: usize) -> Result<u32, Gone> {
        if self.gone() {
            return Err(Gone);
        }
        let raw = (&self.bar).try_read32(offset).unwrap_or(0);
        if raw == ALL_ONES {
            self.confirm()?;
        }
        Ok(raw)
    }

    /// Writes the register at `offset` bytes, for the register test.
    ///
    /// An `offset` outside the BAR or unaligned is not written.
    pub(crate) fn write_raw(&self, offset: usize, value: u32) {
        if self.contended.load(Relaxed) {
            self.wait_for_firmware();
        }
        let _ = (&self.bar).try_write32(value, offset);
    }

    /// Writes the tail of receive queue `queue`. The write orders after the descriptors.
    #[inline(always)]
    pub(crate) fn rdt_write(&self, queue: Queue, tail: u32) {
        match queue {
            Queue::Q0 => self.write(regs::RDT::at(0), regs::RDT::from_raw(tail)),
            Queue::Q1 => self.write(regs::RDT::at(1), regs::RDT::from_raw(tail)),
        }
        if self.contended.load(Relaxed) {
            // Such a device has one queue.
            let found = self.read(regs::RDT::at(0)).map(regs::RDT::into_raw);
            self.check_tail(tail, found, || {
                self.write(regs::RCTL, regs::RCTL::zeroed());
            });
        }
    }

    /// Writes the tail of transmit queue `queue`. The write orders after the descriptors.
    #[inline(always)]
    pub(crate) fn tdt_write(&self, queue: Queue, tail: u32) {
        match queue {
            Queue::Q0 => self.write(regs::TDT::at(0), regs::TDT::from_raw(tail)),
            Queue::Q1 => self.write(regs::TDT::at(1), regs::TDT::from_raw(tail)),
        }
        if self.contended.load(Relaxed) {
            let found = self.read(regs::TDT::at(0)).map(regs::TDT::into_raw);
            self.check_tail(tail, found, || {
                self.write(regs::TCTL, regs::TCTL::zeroed());
            });
        }
    }

    /// Unmasks the interrupt causes `causes` (bits of [`regs::cause`]).
    #[inline(always)]
    pub(crate) fn ims_write(&self, causes: u32) {
        self.write(regs::IMS, regs::IMS::from_raw(causes));
    }

    /// Masks the interrupt causes `causes` (bits of [`regs::cause`]).
    #[inline(always)]
    pub(crate) fn imc_write(&self, causes: u32) {
        self.write(regs::IMC, regs::IMC::from_raw(causes));
    }

    /// Raises the interrupt causes `causes` (bits of [`regs::cause`]), as if they had happened.
    #[inline(always)]
    pub(crate) fn ics_write(&self, causes: u32) {
        self.write(regs::ICS, regs::ICS::from_raw(causes));
    }

    /// Whether the device was found to be gone.
    #[inline(always)]
    pub(crate) fn gone(&self) -> bool {
        self.gone.load(Relaxed)
    }

    /// How many times the device was found to be gone.
    pub(crate) fn losses(&self) -> u64 {
        self.losses.load(Relaxed)
    }

    /// Asks whether the device still answers, also where reads of an absent device return zeros.
    ///
    /// On a device that answers at least one of `STATUS` (bit 19, PCIe master enable, unless that
    /// was switched off) and `VET` (an ethertype after reset and later) is not 0.
    pub(crate) fn check(&self) -> Result<(), Gone> {
        if self.gone() {
            return Err(Gone);
        }
        if self.answers() {
            Ok(())
        } else {
            self.lost();
            Err(Gone)
        }
    }

    /// Looks whether a device that was gone answers again, and allows reads if it does.
    ///
    /// Its registers are those after power-on: it must be reset and set up anew.
    pub(crate) fn revive(&self) -> Result<(), Gone> {
        if self.answers() {
            self.gone.store(false, Relaxed);
            Ok(())
        } else {
            Err(Gone)
        }
    }

    /// Whether `STATUS` and `VET` read like those of a device.
    fn answers(&self) -> bool {
        let status = (&self.bar).read(regs::STATUS).into_raw();
        if status == ALL_ONES {
            return false;
        }
        status != 0 || (&self.bar).read(regs::VET).into_raw() != 0
    }

    /// Some register reads as all ones: finds out whether the device is there.
    #[cold]
    fn confirm(&self) -> Result<(), Gone> {
        // Bits 31:20 of `STATUS` are reserved and read as 0.
        if (&self.bar).read(regs::STATUS).into_raw() == ALL_ONES {
            self.lost();
            return Err(Gone);
        }
        Ok(())
    }

    /// Notes that the device is gone.
    #[cold]
    fn lost(&self) {
        if !self.gone.xchg(true, Relaxed) {
            self.losses.add(1, Relaxed);
        }
    }
}

/// One of the two queues, of either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// Queue 0.
    Q0 = 0,
    /// Queue 1.
    Q1 = 1,
}

impl Queue {
    /// Both queues.
    pub(crate) const ALL: [Queue; regs::QUEUES] = [Queue::Q0, Queue::Q1];

    /// Queue `index`, if there is one.
    pub(crate) fn new(index: u32) -> Option<Self> {
        Self::ALL.get(index as usize).copied()
    }

    /// The first `count` queues, at most all.
    pub(crate) fn first(count: u32) -> impl Iterator<Item = Queue> {
        Self::ALL.into_iter().take(count as usize)
    }

    /// Index of the queue.
    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}
