// SPDX-License-Identifier: GPL-2.0

//! The NVM of an 82579: a region of the chipset's flash, reached by the flash controller's
//! registers in BAR 1. See [`region`](super::region) for where the words are.
//!
//! The management engine uses the same flash, so that a cycle may have to wait for one of its own.

use kernel::{
    io::{
        poll::read_poll_timeout,
        Io, //
    },
    pci,
    prelude::*,
    sync::atomic::{
        AtomicFlag,
        Relaxed, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use super::{
    region::{
        self,
        Bank,
        Region,
        SIGNATURE_WORD,
        WORDS, //
    },
    Error, //
};
use crate::{
    csr::Csr,
    regs::pch2::{
        CYCLE_ERASE,
        CYCLE_READ,
        CYCLE_WRITE,
        FADDR,
        FDATA0,
        FLASH_SIZE,
        GFPREG,
        HSFCTL,
        HSFSTS, //
    }, //
};

/// BAR 1 as the driver maps it.
pub(crate) type Bar1<'a> = pci::Bar<'a, FLASH_SIZE>;

/// Pause between two looks at a cycle.
const INTERVAL: Delta = Delta::from_micros(5);

/// Longest wait for a cycle. The in-tree driver knows of ten seconds while the management engine
/// uses the flash; here it is one, as the caller may hold the RTNL, and may try again.
const TIMEOUT: Delta = Delta::from_secs(1);

/// How many times a cycle that failed is tried again.
const RETRIES: u32 = 10;

/// Pause before each octet that is written.
const WRITE_PAUSE: Delta = Delta::from_micros(100);

/// What a cycle does.
#[derive(Clone, Copy)]
enum Cycle {
    /// Reads a word.
    Read,
    /// Writes an octet.
    Write(u8),
    /// Erases a piece.
    Erase,
}

/// The NVM.
pub(crate) struct Flash<'a> {
    bar: Bar1<'a>,
    region: Region,
    /// The second bank is the valid one.
    second: AtomicFlag,
}

/// An image of the NVM.
pub(super) type Image = KVec<u16>;

impl<'a> Flash<'a> {
    /// Finds the region, and the bank that is valid.
    pub(crate) fn open(bar: Bar1<'a>, csr: &Csr<'_>) -> Result<Self, Error> {
        let gfpreg = (&bar).read(GFPREG).into_raw();
        let region =
            Region::from_gfpreg(gfpreg).ok_or_else(|| gone_or(csr, Error::NoRegion { gfpreg }))?;
        let this = Self {
            bar,
            region,
            second: AtomicFlag::new(false),
        };
        this.choose(csr)?;
        Ok(this)
    }

    /// Finds out which bank is valid.
    fn choose(&self, csr: &Csr<'_>) -> Result<(), Error> {
        let first = self.read_from(csr, Bank::First, SIGNATURE_WORD)?;
        let second = self.read_from(csr, Bank::Second, SIGNATURE_WORD)?;
        let bank = Bank::choose(first, second).ok_or(Error::NoBank)?;
        self.second.store(bank == Bank::Second, Relaxed);
        Ok(())
    }

    /// The valid bank.
    fn bank(&self) -> Bank {
        if self.second.load(Relaxed) {
            Bank::Second
        } else {
            Bank::First
        }
    }

    /// Reads the word at `word`. May sleep.
    pub(super) fn read(&self, csr: &Csr<'_>, word: u16) -> Result<u16, Error> {
        self.read_from(csr, self.bank(), word)
    }

    fn read_from(&self, csr: &Csr<'_>, bank: Bank, word: u16) -> Result<u16, Error> {
        let octet = u32::from(word).saturating_mul(2);
        let address = self
            .region
            .address(bank, octet)
            .ok_or(Error::Timeout { word })?;
        self.cycle(csr, Cycle::Read, address)?;
        // CAST: as many bytes as were asked for.
        Ok((&self.bar).read(FDATA0).into_raw() as u16)
    }

    /// Reads the whole NVM.
    pub(super) fn image(&self, csr: &Csr<'_>) -> Result<Image, Error> {
        let mut image =
            KVec::with_capacity(usize::from(WORDS), GFP_KERNEL).map_err(|_| Error::NoMemory)?;
        for word in 0..WORDS {
            let value = self.read(csr, word)?;
            image.push(value, GFP_KERNEL).map_err(|_| Error::NoMemory)?;
        }
        Ok(image)
    }

    /// Writes `image` to the bank that is not valid, reads it back, and makes it the valid one. Up
    /// to there a failure leaves the NVM as it was. Some seconds; may sleep.
    pub(super) fn write_image(&self, csr: &Csr<'_>, image: &Image) -> Result<(), Error> {
        let (old, new) = (self.bank(), self.bank().other());
        let size_code = (&self.bar).read(HSFSTS).sector_size().get();
        let pieces = self.region.pieces(new, size_code).ok_or(Error::EraseSize)?;
        for address in pieces {
            self.cycle(csr, Cycle::Erase, address)?;
        }
        let stored = |word: u16, value: u16| {
            if word == SIGNATURE_WORD {
                region::not_yet(value)
            } else {
                value
            }
        };
        for (word, &value) in (0..WORDS).zip(image) {
            let value = stored(word, value);
            // What is erased reads like this already.
            if value != 0xffff {
                self.write_word(csr, new, word, value)?;
            }
        }
        for (word, &value) in (0..WORDS).zip(image) {
            let found = self.read_from(csr, new, word)?;
            if found != stored(word, value) {
                return Err(Error::NotWritten { word, found });
            }
        }

        let signature = self.read_from(csr, new, SIGNATURE_WORD)?;
        self.write_word(csr, new, SIGNATURE_WORD, region::made_valid(signature))?;
        // From here on both are; the first one counts until the old one no longer is.
        self.write_octet(csr, old, SIGNATURE_WORD, 1, 0)?;
        self.choose(csr)
    }

    fn write_word(&self, csr: &Csr<'_>, bank: Bank, word: u16, value: u16) -> Result<(), Error> {
        let [low, high] = value.to_le_bytes();
        self.write_octet(csr, bank, word, 0, low)?;
        self.write_octet(csr, bank, word, 1, high)
    }

    fn write_octet(
        &self,
        csr: &Csr<'_>,
        bank: Bank,
        word: u16,
        half: u32,
        octet: u8,
    ) -> Result<(), Error> {
        let offset = u32::from(word).saturating_mul(2).saturating_add(half);
        let address = self
            .region
            .address(bank, offset)
            .ok_or(Error::WriteTimeout { word })?;
        fsleep(WRITE_PAUSE);
        self.cycle(csr, Cycle::Write(octet), address)
    }

    /// Runs one cycle, and tries again what fails.
    fn cycle(&self, csr: &Csr<'_>, cycle: Cycle, address: u32) -> Result<(), Error> {
        let mut result = self.try_cycle(csr, cycle, address);
        for _ in 0..RETRIES {
            match result {
                Err(Error::Cycle { .. }) => {}
                _ => break,
            }
            result = self.try_cycle(csr, cycle, address);
        }
        result
    }

    fn try_cycle(&self, csr: &Csr<'_>, cycle: Cycle, address: u32) -> Result<(), Error> {
        let status = self.wait(csr, address, |status| !status.in_progress())?;
        if !status.descriptor_valid() {
            return Err(Error::NoRegion { gfpreg: 0 });
        }
        // What the last one has left.
        (&self.bar).write(
            HSFSTS,
            HSFSTS::zeroed()
                .with_done(true)
                .with_error(true)
                .with_denied(true),
        );
        let control = HSFCTL::zeroed();
        let control = match cycle {
            Cycle::Read => control
                .with_const_cycle::<CYCLE_READ>()
                .with_const_count::<1>(),
            Cycle::Write(_) => control
                .with_const_cycle::<CYCLE_WRITE>()
                .with_const_count::<0>(),
            Cycle::Erase => control.with_const_cycle::<CYCLE_ERASE>(),
        };
        (&self.bar).write(HSFCTL, control);
        (&self.bar).write(FADDR, FADDR::from_raw(address));
        if let Cycle::Write(octet) = cycle {
            (&self.bar).write(FDATA0, FDATA0::from_raw(octet.into()));
        }
        (&self.bar).write(HSFCTL, control.with_go(true));
        let status = self.wait(csr, address, |status| status.done())?;
        if status.error() {
            return Err(gone_or(csr, Error::Cycle { address }));
        }
        Ok(())
    }

    /// Waits for `HSFSTS`.
    fn wait(
        &self,
        csr: &Csr<'_>,
        address: u32,
        cond: impl Fn(&HSFSTS) -> bool,
    ) -> Result<HSFSTS, Error> {
        let status = read_poll_timeout(|| Ok((&self.bar).read(HSFSTS)), cond, INTERVAL, TIMEOUT)
            .map_err(|_| gone_or(csr, Error::CycleTimeout { address }))?;
        if status.into_raw() == u16::MAX {
            csr.check().map_err(|_| Error::Gone)?;
        }
        Ok(status)
    }
}

/// [`Error::Gone`] if the device does not answer, or else `error`.
fn gone_or(csr: &Csr<'_>, error: Error) -> Error {
    match csr.check() {
        Ok(()) => error,
        Err(_) => Error::Gone,
    }
}
