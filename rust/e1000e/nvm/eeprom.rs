// SPDX-License-Identifier: GPL-2.0

//! An NVM that is read and written word by word, by registers (82574 datasheet 10.2.2.4).

use kernel::{
    prelude::*,
    time::Delta, //
};

use super::Error;
use crate::{
    csr::{
        Csr,
        Gone,
        PollError, //
    },
    phy::Mdio,
    regs, //
};

/// Largest value of `EECD.NVSIZE` with which every word has an address in `EERD` (14 bits).
const MAX_SIZE: u32 = 8;

/// Pause between two looks at `EERD`.
const INTERVAL: Delta = Delta::from_micros(5);

/// Longest wait for one word.
const TIMEOUT: Delta = Delta::from_millis(50);

/// Pause between two looks at `EEWR`.
const WRITE_INTERVAL: Delta = Delta::from_micros(100);

/// Longest wait for one word to be written; EEPROMs take up to 10 ms.
const WRITE_TIMEOUT: Delta = Delta::from_millis(500);

/// Number of words that there are: at most those that `EERD` can address.
pub(super) fn words(csr: &Csr<'_>) -> Result<u16, Gone> {
    let size = csr.read(regs::EECD)?.nvsize().get().min(MAX_SIZE);
    Ok(64u16.wrapping_shl(size))
}

/// Reads the word at `word`. May sleep.
pub(super) fn read(csr: &Csr<'_>, word: u16) -> Result<u16, Error> {
    // The address field has 14 bits.
    let command = regs::EERD::zeroed()
        .try_with_addr(u32::from(word))
        .map_err(|_| Error::Timeout { word })?
        .with_start(true);
    csr.write(regs::EERD, command);
    let eerd = csr
        .poll(
            |csr| csr.read(regs::EERD),
            |eerd| eerd.done(),
            INTERVAL,
            TIMEOUT,
        )
        .map_err(|e| match e {
            PollError::Gone => Error::Gone,
            PollError::Timeout => Error::Timeout { word },
        })?;
    // CAST: the field has 16 bits.
    Ok(eerd.data().get() as u16)
}

/// Writes `value` to the word at `word`, unless that is what it holds, and reads it back. May
/// sleep.
pub(super) fn write(csr: &Csr<'_>, _: &Mdio<'_>, word: u16, value: u16) -> Result<(), Error> {
    if read(csr, word)? == value {
        return Ok(());
    }
    let command = regs::EEWR::zeroed()
        .try_with_addr(u32::from(word))
        .and_then(|command| command.try_with_data(u32::from(value)))
        .map_err(|_| Error::WriteTimeout { word })?
        .with_start(true);
    csr.write(regs::EEWR, command);
    csr.poll(
        |csr| csr.read(regs::EEWR),
        |eewr| eewr.done(),
        WRITE_INTERVAL,
        WRITE_TIMEOUT,
    )
    .map_err(|e| match e {
        PollError::Gone => Error::Gone,
        PollError::Timeout => Error::WriteTimeout { word },
    })?;
    match read(csr, word)? {
        found if found == value => Ok(()),
        found => Err(Error::NotWritten { word, found }),
    }
}
