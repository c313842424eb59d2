// SPDX-License-Identifier: GPL-2.0

//! The NVM: an EEPROM or flash with the address and the defaults (82574 datasheet chapter 6.1).
//!
//! What the words mean is here; how they are reached is told by the modules below. To be used
//! under `Nic::hardware`, or alone.

use kernel::prelude::*;

use crate::{
    csr::{
        Csr,
        Gone, //
    },
    mdic::MdicError,
    phy::{
        Mdio,
        Phy, //
    },
    regs, //
};

mod eeprom;
pub(crate) mod flash;
pub(crate) mod region;

use flash::{
    Bar1,
    Flash,
    Image, //
};

/// What the words 0 to 0x3f add up to (82574 datasheet 6.1.1.3).
const CHECKSUM: u16 = 0xbaba;

/// Words under the checksum, the checksum word included.
const CHECKSUM_WORDS: u16 = 0x40;

/// How many times the checksum is tried: a link with ASPM may spoil reads.
const CHECKSUM_TRIES: u32 = 3;

/// First word of the printed board assembly number (82574 datasheet 6.1.1.8).
const PBA_NUMBER: u16 = 8;

/// Value of the first word where the second one points to a string.
const PBA_IS_STRING: u16 = 0xfafa;

/// The word that makes the sum right.
const CHECKSUM_WORD: u16 = 0x3f;

/// The word that says whether the sum was made (82579 only).
const SUMMED_WORD: u16 = 0x19;

/// It was.
const SUMMED: u16 = 1 << 6;

/// Most characters of a printed board assembly number kept.
pub(crate) const PBA_LEN: usize = 32;

/// Why the NVM could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// The device does not answer.
    Gone,
    /// A word was not read in time.
    Timeout {
        /// Address of the word.
        word: u16,
    },
    /// A word was not written in time.
    WriteTimeout {
        /// Address of the word.
        word: u16,
    },
    /// A word does not read as it was written.
    NotWritten {
        /// Address of the word.
        word: u16,
        /// What it reads as.
        found: u16,
    },
    /// The NVM is a flash, in which what is written here is not kept.
    Flash,
    /// The firmware does not let the NVM be written.
    Busy,
    /// The words do not add up to 0xBABA.
    Checksum {
        /// What they add up to.
        sum: u16,
    },
    /// The address is a multicast address or zero.
    Address {
        /// The address found.
        address: [u8; 6],
    },
    /// There is no printed board assembly number.
    NoPba,
    /// The flash has no region for it.
    NoRegion {
        /// `GFPREG`.
        gfpreg: u32,
    },
    /// Neither bank of the region is valid.
    NoBank,
    /// A cycle of the flash controller failed.
    Cycle {
        /// Address in the flash.
        address: u32,
    },
    /// A cycle of the flash controller did not end in time.
    CycleTimeout {
        /// Address in the flash.
        address: u32,
    },
    /// Only more than a bank can be erased at once.
    EraseSize,
    /// There is no memory for an image of it.
    NoMemory,
}

impl From<Gone> for Error {
    fn from(_: Gone) -> Self {
        Error::Gone
    }
}

impl From<Error> for kernel::error::Error {
    fn from(e: Error) -> Self {
        match e {
            Error::Gone => ENODEV,
            Error::Timeout { .. } | Error::WriteTimeout { .. } | Error::CycleTimeout { .. } => {
                ETIMEDOUT
            }
            Error::Flash | Error::EraseSize => EOPNOTSUPP,
            Error::Busy => EBUSY,
            Error::Checksum { .. }
            | Error::NotWritten { .. }
            | Error::NoRegion { .. }
            | Error::NoBank
            | Error::Cycle { .. } => EIO,
            Error::NoMemory => ENOMEM,
            Error::Address { .. } => EINVAL,
            Error::NoPba => ENOENT,
        }
    }
}

impl kernel::fmt::Display for Error {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        match self {
            Error::Gone => kernel::fmt::Display::fmt(&Gone, f),
            Error::Timeout { word } => write!(f, "NVM word {word:#04x} not read in time"),
            Error::WriteTimeout { word } => write!(f, "NVM word {word:#04x} not written in time"),
            Error::NotWritten { word, found } => write!(
                f,
                "NVM word {word:#04x} does not keep what is written: is it protected? \
                 It reads as {found:#06x}"
            ),
            Error::Flash => f.write_str("the NVM is a flash: use the vendor's tool to write it"),
            Error::Busy => f.write_str("the firmware does not let go of the NVM: try again"),
            Error::Checksum { sum } => write!(
                f,
                "NVM checksum is {sum:#06x} instead of {CHECKSUM:#06x}, {CHECKSUM_TRIES} tries: \
                 the NVM must be written anew with the vendor's tool"
            ),
            Error::Address { address } => {
                f.write_str("NVM holds no valid MAC address, but ")?;
                for (i, byte) in address.iter().enumerate() {
                    write!(f, "{}{:02x}", if i == 0 { "" } else { ":" }, byte)?;
                }
                Ok(())
            }
            Error::NoPba => f.write_str("NVM holds no PBA number"),
            Error::NoRegion { gfpreg } => write!(
                f,
                "the flash has no region for the NVM (GFPREG {gfpreg:#010x}): \
                 update the machine's firmware"
            ),
            Error::NoBank => f.write_str("neither bank of the NVM in the flash is valid"),
            Error::Cycle { address } => write!(f, "flash cycle at {address:#08x} failed"),
            Error::CycleTimeout { address } => {
                write!(f, "flash cycle at {address:#08x} did not end in time")
            }
            Error::EraseSize => {
                f.write_str("the flash cannot be erased bank by bank: use the vendor's tool")
            }
            Error::NoMemory => f.write_str("no memory for an image of the NVM"),
        }
    }
}

/// The NVM of one device.
pub(crate) enum Nvm<'a> {
    /// Read and written by registers, so many words.
    Eeprom(u16),
    /// A region of a flash.
    Flash(Flash<'a>),
}

impl<'a> Nvm<'a> {
    /// The NVM behind `EERD`.
    pub(crate) fn eeprom(csr: &Csr<'_>) -> Result<Self, Gone> {
        Ok(Self::Eeprom(eeprom::words(csr)?))
    }

    /// The NVM in the flash behind `bar`.
    pub(crate) fn flash(bar: Bar1<'a>, csr: &Csr<'_>) -> Result<Self, Error> {
        Ok(Self::Flash(Flash::open(bar, csr)?))
    }

    /// Number of words.
    pub(crate) fn words(&self) -> u16 {
        match self {
            Self::Eeprom(words) => *words,
            Self::Flash(_) => region::WORDS,
        }
    }

    /// Reads the word at `word`. May sleep.
    pub(crate) fn read(&self, csr: &Csr<'_>, word: u16) -> Result<u16, Error> {
        match self {
            Self::Eeprom(_) => eeprom::read(csr, word),
            Self::Flash(flash) => flash.read(csr, word),
        }
    }

    /// Fills `out` with the octets from `offset` on, as they lie in the words: low octet first. May
    /// sleep.
    pub(crate) fn read_octets(
        &self,
        csr: &Csr<'_>,
        offset: u32,
        out: &mut [u8],
    ) -> Result<(), Error> {
        let mut last = None;
        for (octet, to) in (offset..).zip(out) {
            // CAST: As many octets as there are in twice as many words as can be addressed, and no
            // more than that: a larger address is refused by `read`.
            let word = (octet / 2) as u16;
            let value = match last {
                Some((at, value)) if at == word => value,
                _ => self.read(csr, word)?,
            };
            last = Some((word, value));
            let [low, high] = value.to_le_bytes();
            *to = if octet % 2 == 0 { low } else { high };
        }
        Ok(())
    }

    /// Writes `data` from octet `offset` on and makes the checksum right. May sleep.
    ///
    /// MDIO ownership is what the 82574 and its firmware take for the NVM as well. A flash has a
    /// controller of its own, which lets the firmware in between.
    pub(crate) fn write_octets(
        &self,
        csr: &Csr<'_>,
        phy: &Phy,
        offset: u32,
        data: &[u8],
    ) -> Result<(), Error> {
        match self {
            Self::Eeprom(_) => {
                let mdio = phy.own(csr).map_err(|class| match class {
                    MdicError::Gone => Error::Gone,
                    _ => Error::Busy,
                })?;
                self.write_eeprom(csr, &mdio, offset, data)
            }
            Self::Flash(flash) => {
                let mut image = flash.image(csr)?;
                patch(&mut image, offset, data);
                flash.write_image(csr, &image)
            }
        }
    }

    /// Word by word. Words that hold what they should are not written. What fails ends the write;
    /// the checksum is then made right for what was written so far, so that the NVM stays one that
    /// the device loads.
    fn write_eeprom(
        &self,
        csr: &Csr<'_>,
        mdio: &Mdio<'_>,
        offset: u32,
        data: &[u8],
    ) -> Result<(), Error> {
        if csr.read(regs::EECD)?.nvmtype().get() == regs::FLASH {
            return Err(Error::Flash);
        }
        let written = self.write_words(csr, mdio, offset, data);
        written.and(self.mend_checksum(csr, mdio))
    }

    /// Makes the checksum right, unless one of three tries finds it so.
    fn mend_checksum(&self, csr: &Csr<'_>, mdio: &Mdio<'_>) -> Result<(), Error> {
        let sum = match self.verify_checksum(csr) {
            Err(Error::Checksum { sum }) => sum,
            verdict => return verdict,
        };
        let old = self.read(csr, CHECKSUM_WORD)?;
        let mended = old.wrapping_add(CHECKSUM.wrapping_sub(sum));
        eeprom::write(csr, mdio, CHECKSUM_WORD, mended)?;
        // A sum of words that were misread must not stay.
        self.verify_checksum(csr)
    }

    fn write_words(
        &self,
        csr: &Csr<'_>,
        mdio: &Mdio<'_>,
        offset: u32,
        data: &[u8],
    ) -> Result<(), Error> {
        let mut octets = (offset..).zip(data).peekable();
        while let Some((octet, &first)) = octets.next() {
            // CAST: As in `read_octets`.
            let word = (octet / 2) as u16;
            let value = match (octet % 2 == 0, octets.peek()) {
                (true, Some(&(_, &second))) => {
                    octets.next();
                    u16::from_le_bytes([first, second])
                }
                // Half a word: the other half stays.
                (low, _) => {
                    let [old_low, old_high] = self.read(csr, word)?.to_le_bytes();
                    u16::from_le_bytes(if low {
                        [first, old_high]
                    } else {
                        [old_low, first]
                    })
                }
            };
            if word != CHECKSUM_WORD {
                eeprom::write(csr, mdio, word, value)?;
            }
        }
        Ok(())
    }

    /// Adds up the words 0 to 0x3f.
    fn sum(&self, csr: &Csr<'_>) -> Result<u16, Error> {
        let mut sum: u16 = 0;
        for word in 0..CHECKSUM_WORDS {
            sum = sum.wrapping_add(self.read(csr, word)?);
        }
        Ok(sum)
    }

    /// Verifies the checksum, in three tries.
    ///
    /// In a flash an image may say that nobody has summed it up; the in-tree driver then does, and
    /// writes it. Here nothing is written that nobody has asked for: it is taken as it is.
    pub(crate) fn verify_checksum(&self, csr: &Csr<'_>) -> Result<(), Error> {
        if let Self::Flash(flash) = self {
            if flash.read(csr, SUMMED_WORD)? & SUMMED == 0 {
                return Ok(());
            }
        }
        let mut result = Err(Error::Timeout { word: 0 });
        for _ in 0..CHECKSUM_TRIES {
            match self.sum(csr) {
                Ok(CHECKSUM) => return Ok(()),
                Ok(sum) => result = Err(Error::Checksum { sum }),
                // Nothing to be tried again for.
                Err(Error::Gone) => return Err(Error::Gone),
                Err(e) => result = Err(e),
            }
        }
        result
    }

    /// Reads the MAC address (words 0 to 2, 82574 datasheet 6.1.1.1).
    pub(crate) fn mac_address(&self, csr: &Csr<'_>) -> Result<[u8; 6], Error> {
        let [a, b] = self.read(csr, 0)?.to_le_bytes();
        let [c, d] = self.read(csr, 1)?.to_le_bytes();
        let [e, f] = self.read(csr, 2)?.to_le_bytes();
        let address = [a, b, c, d, e, f];
        // Bit 0 of the first byte is the group bit (IEEE 802 clause 8.2).
        if a & 1 != 0 || address == [0; 6] {
            return Err(Error::Address { address });
        }
        Ok(address)
    }

    /// Reads the printed board assembly number (words 8 and 9).
    ///
    /// Older ones are nine digits in the two words, printed like `E12345-001`; newer ones are a
    /// string elsewhere in the NVM that the second word points to.
    pub(crate) fn pba_number(&self, csr: &Csr<'_>) -> Result<PbaNumber, Error> {
        let first = self.read(csr, PBA_NUMBER)?;
        let second = self.read(csr, PBA_NUMBER.wrapping_add(1))?;
        let mut number = PbaNumber::new();

        if first != PBA_IS_STRING {
            let [a, b] = first.to_be_bytes();
            let [c, d] = second.to_be_bytes();
            for byte in [a, b, c] {
                number.push_digit(byte >> 4);
                number.push_digit(byte);
            }
            number.push(b'-');
            number.push(b'0');
            number.push_digit(d >> 4);
            number.push_digit(d);
            return Ok(number);
        }

        // The first word of the string is its length in words, itself included.
        let length = self.read(csr, second)?;
        if length == 0 || length == 0xffff {
            return Err(Error::NoPba);
        }
        // CAST: a small constant.
        let words = length.wrapping_sub(1).min(PBA_LEN as u16 / 2);
        for i in 1..=words {
            for byte in self.read(csr, second.wrapping_add(i))?.to_be_bytes() {
                if byte != 0 {
                    number.push(byte);
                }
            }
        }
        Ok(number)
    }
}

/// Puts `data` into `image` from octet `offset` on, and makes its checksum right.
fn patch(image: &mut Image, offset: u32, data: &[u8]) {
    for (octet, &value) in (offset as usize..).zip(data) {
        if let Some(word) = image.get_mut(octet / 2) {
            let [low, high] = word.to_le_bytes();
            *word = u16::from_le_bytes(if octet % 2 == 0 {
                [value, high]
            } else {
                [low, value]
            });
        }
    }
    if let Some(word) = image.get_mut(usize::from(SUMMED_WORD)) {
        *word |= SUMMED;
    }
    let others = image.iter().take(usize::from(CHECKSUM_WORD));
    let sum = others.fold(0u16, |sum, &word| sum.wrapping_add(word));
    if let Some(word) = image.get_mut(usize::from(CHECKSUM_WORD)) {
        *word = CHECKSUM.wrapping_sub(sum);
    }
}

/// The printed board assembly number, as text.
pub(crate) struct PbaNumber {
    /// Characters; the first `len` are in use, all ASCII.
    text: [u8; PBA_LEN],
    /// Number of characters.
    len: usize,
}

impl PbaNumber {
    /// No characters yet.
    const fn new() -> Self {
        Self {
            text: [0; PBA_LEN],
            len: 0,
        }
    }

    /// Appends a character, as long as there is room for it.
    fn push(&mut self, character: u8) {
        let character = if character.is_ascii_graphic() {
            character
        } else {
            b'?'
        };
        if let Some(slot) = self.text.get_mut(self.len) {
            *slot = character;
            self.len = self.len.saturating_add(1);
        }
    }

    /// Appends the upper or lower four bits of `byte` as a hexadecimal digit.
    fn push_digit(&mut self, digit: u8) {
        self.push(match digit & 0xf {
            digit @ 0..=9 => digit.wrapping_add(b'0'),
            digit => digit.wrapping_sub(10).wrapping_add(b'A'),
        });
    }
}

impl kernel::fmt::Display for PbaNumber {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        let text = self.text.get(..self.len).unwrap_or(&[]);
        // `push` takes graphic ASCII only.
        f.write_str(core::str::from_utf8(text).unwrap_or("?"))
    }
}
