// SPDX-License-Identifier: GPL-2.0

//! Commands and results of the MDI control register, MDIC (82574 datasheet 10.2.2.7, offset
//! 0x00020).
//!
//! Bits 15:0 are the data, 20:16 the register, 25:21 the PHY address, 27:26 the operation; bit 28
//! says that the operation is done, bit 30 that it failed.
//!
//! Pure logic: needs nothing but `core`.

/// Bit 28: the operation is done.
const READY: u32 = 1 << 28;

/// Bit 30: the operation failed.
const ERROR: u32 = 1 << 30;

/// Bits 27:26, operation: write.
const OP_WRITE: u32 = 1 << 26;

/// Bits 27:26, operation: read.
const OP_READ: u32 = 2 << 26;

/// Lowest bit of the register number.
const REG_SHIFT: u32 = 16;

/// Lowest bit of the PHY address.
const PHY_SHIFT: u32 = 21;

/// Width of a register number and of a PHY address.
const FIELD_MASK: u32 = 0x1f;

/// Registers, PHY address and operation: what the device returns with the result.
const ECHO_MASK: u32 = (FIELD_MASK << REG_SHIFT) | (FIELD_MASK << PHY_SHIFT);

/// What went wrong in an access to the PHY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MdicError {
    /// The firmware did not give up the MDIO bus in time.
    Ownership,
    /// The device did not finish the operation in time.
    Timeout,
    /// The device set the error bit.
    Flagged,
    /// The register reads as all ones: the device does not answer.
    Gone,
    /// The result is for another register or another PHY address.
    Mismatch,
}

impl MdicError {
    /// Number of classes.
    pub(crate) const COUNT: usize = 5;

    /// Place of the class among the counters.
    pub(crate) const fn index(self) -> usize {
        match self {
            MdicError::Ownership => 0,
            MdicError::Timeout => 1,
            MdicError::Flagged => 2,
            MdicError::Gone => 3,
            MdicError::Mismatch => 4,
        }
    }

    /// What happened, for a log line.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            MdicError::Ownership => "MDIO ownership not granted by the firmware",
            MdicError::Timeout => "MDIC not ready in time",
            MdicError::Flagged => "MDIC error bit set by the device",
            MdicError::Gone => "MDIC reads all ones, the device is gone",
            MdicError::Mismatch => "MDIC returned another register or PHY address",
        }
    }
}

/// A command for the register, and the key to its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Command(u32);

impl Command {
    /// Reads register `reg` of the PHY at `phy`. Both are cut to their 5 bits.
    pub(crate) const fn read(phy: u8, reg: u8) -> Self {
        Self(OP_READ | Self::address(phy, reg))
    }

    /// Writes `data` to register `reg` of the PHY at `phy`. Both are cut to their 5 bits.
    pub(crate) const fn write(phy: u8, reg: u8, data: u16) -> Self {
        // CAST: widens; `From` is not const.
        Self(OP_WRITE | Self::address(phy, reg) | data as u32)
    }

    /// The PHY address and register fields.
    const fn address(phy: u8, reg: u8) -> u32 {
        // CAST: widens; `From` is not const.
        ((phy as u32 & FIELD_MASK) << PHY_SHIFT) | ((reg as u32 & FIELD_MASK) << REG_SHIFT)
    }

    /// The value to write to the register.
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    /// Whether waiting for `mdic` to change makes no sense any more.
    pub(crate) const fn settled(mdic: u32) -> bool {
        mdic & (READY | ERROR) != 0
    }

    /// Judges the last value read from the register after the command was given.
    ///
    /// All ones is looked for first: it would pass for done and failed.
    pub(crate) const fn classify(self, mdic: u32) -> Result<u16, MdicError> {
        if mdic == u32::MAX {
            Err(MdicError::Gone)
        } else if mdic & ERROR != 0 {
            Err(MdicError::Flagged)
        } else if mdic & READY == 0 {
            Err(MdicError::Timeout)
        } else if (mdic ^ self.0) & ECHO_MASK != 0 {
            Err(MdicError::Mismatch)
        } else {
            // CAST: bits 15:0 are the data.
            Ok(mdic as u16)
        }
    }
}
