// SPDX-License-Identifier: GPL-2.0

//! Where the NVM of an 82579 is in the flash: a region with two banks, one of which is valid.
//!
//! A new image is written to the other bank, which then becomes the valid one. At no time is there
//! none: the flash sets bits only where it is erased, so that a bank is made valid, and invalid, by
//! clearing a bit each.
//!
//! Pure logic: needs nothing but `core`.

/// Size of the units that regions are told in, in bytes.
const SECTOR: u32 = 4096;

/// Bits of the two fields of `GFPREG`, at 0 and at 16: first and last sector of the region.
const FIELD: u32 = 0x1fff;

/// Words of a bank that are the NVM.
pub(crate) const WORDS: u16 = 2048;

/// Octets of those.
const OCTETS: u32 = WORDS as u32 * 2;

/// The word with the signature of the bank in its two highest bits.
pub(crate) const SIGNATURE_WORD: u16 = 0x13;

/// The two bits of the signature.
const SIGNATURE: u16 = 0xc000;

/// Value of the signature of a bank that is valid; both bits are set in one that is erased.
const VALID: u16 = 0x8000;

/// One of the two banks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bank {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Bank {
    /// The other one.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// The bank to be read, from the signature words of both; [`None`] if neither is valid.
    pub(crate) const fn choose(first: u16, second: u16) -> Option<Self> {
        if is_valid(first) {
            Some(Self::First)
        } else if is_valid(second) {
            Some(Self::Second)
        } else {
            None
        }
    }
}

/// Whether a bank with `signature` in its signature word is valid.
pub(crate) const fn is_valid(signature: u16) -> bool {
    signature & SIGNATURE == VALID
}

/// What is written to the signature word of a bank that is not valid yet.
pub(crate) const fn not_yet(signature: u16) -> u16 {
    signature | SIGNATURE
}

/// What makes the bank valid that [`not_yet`] was.
pub(crate) const fn made_valid(signature: u16) -> u16 {
    (signature & !SIGNATURE) | VALID
}

/// A region of the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// Where it begins, in bytes.
    base: u32,
    /// Size of each of its two banks, in bytes.
    bank: u32,
}

impl Region {
    /// The region that `GFPREG` tells; [`None`] if there is none, or none with room for two banks.
    pub(crate) const fn from_gfpreg(gfpreg: u32) -> Option<Self> {
        let (first, last) = (gfpreg & FIELD, gfpreg >> 16 & FIELD);
        // The last one is part of it; a region that is not in use ends before it begins.
        let Some(distance) = last.checked_sub(first) else {
            return None;
        };
        let bank = distance.saturating_add(1).saturating_mul(SECTOR) / 2;
        if bank < OCTETS {
            return None;
        }
        Some(Self {
            base: first.saturating_mul(SECTOR),
            bank,
        })
    }

    /// Address in the flash of octet `octet` of `bank`; [`None`] if it is not part of the NVM.
    pub(crate) fn address(&self, bank: Bank, octet: u32) -> Option<u32> {
        if octet >= OCTETS {
            return None;
        }
        Some(self.start(bank).saturating_add(octet))
    }

    fn start(&self, bank: Bank) -> u32 {
        self.base.saturating_add(match bank {
            Bank::First => 0,
            Bank::Second => self.bank,
        })
    }

    /// The addresses to be erased one after the other to erase `bank`, with pieces as `HSFSTS`
    /// tells them. [`None`] if a piece is more than a bank: the other one would go with it.
    pub(crate) fn pieces(&self, bank: Bank, size_code: u16) -> Option<impl Iterator<Item = u32>> {
        let size = match size_code {
            0 => 256,
            1 => 4096,
            2 => 8192,
            3 => 65536,
            _ => return None,
        };
        let start = self.start(bank);
        if self.bank % size != 0 || start % size != 0 {
            return None;
        }
        let count = self.bank / size;
        Some((0..count).map(move |i| start.saturating_add(i.saturating_mul(size))))
    }
}
