// SPDX-License-Identifier: GPL-2.0

//! The interface between MAC and PHY of an 82579 (Kumeran): commands of `KMRNCTRLSTA`.
//!
//! Bits 15:0 are the data, 20:16 the register, bit 21 says that it is to be read.
//!
//! Pure logic: needs nothing but `core`.

/// Control.
pub(crate) const CONTROL: u8 = 0x1;
/// How often, and for how long, the PHY is polled.
pub(crate) const TIMEOUTS: u8 = 0x4;
/// Parameters of messages in band.
pub(crate) const INBAND: u8 = 0x9;
/// Half duplex control.
pub(crate) const HALF_DUPLEX: u8 = 0x10;

/// Bit 21: read.
const READ: u32 = 1 << 21;

const fn register(reg: u8) -> u32 {
    // CAST: widens; `From` is not const.
    (reg as u32 & 0x1f).wrapping_shl(16)
}

/// Reads `reg`.
pub(crate) const fn read(reg: u8) -> u32 {
    register(reg) | READ
}

/// Writes `value` to `reg`.
pub(crate) const fn write(reg: u8, value: u16) -> u32 {
    // CAST: widens; `From` is not const.
    register(reg) | value as u32
}

/// What a read has found.
pub(crate) const fn data(raw: u32) -> u16 {
    // CAST: bits 15:0 are the data.
    raw as u16
}

/// `old` of [`HALF_DUPLEX`], as frames of any length have it (bits 11:8).
pub(crate) const fn half_duplex(old: u16) -> u16 {
    (old & !0x0f00) | 0x0b00
}
