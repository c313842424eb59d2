// SPDX-License-Identifier: GPL-2.0

//! What differs between the chips.

pub mod i82574;
pub mod i82579;

use crate::config::Config;
use crate::phy::Kind;

/// Registers that only keep what is written, from `first` to `last`.
pub struct Plain {
    pub first: u32,
    pub last: u32,
    /// Bits that can be written.
    pub mask: u32,
    pub reset: u32,
    /// Kept over `CTRL.RST`, as they are not the host's alone.
    pub kept: bool,
}

impl Plain {
    const fn new(first: u32, last: u32, mask: u32, reset: u32) -> Self {
        Self {
            first,
            last,
            mask,
            reset,
            kept: false,
        }
    }

    const fn one(register: u32) -> Self {
        Self::new(register, register, !0, 0)
    }

    const fn masked(register: u32, mask: u32) -> Self {
        Self::new(register, register, mask, 0)
    }

    const fn kept(first: u32, last: u32) -> Self {
        Self {
            first,
            last,
            mask: !0,
            reset: 0,
            kept: true,
        }
    }
}

/// What is asked for on the command line.
#[derive(Clone, Debug)]
pub struct Options {
    pub mac: [u8; 6],
    /// MSI-X vectors of the 82574: 5, or 3 as some boards have.
    pub vectors: u16,
}

/// A chip.
pub trait Chip: Sync {
    fn name(&self) -> &'static str;
    fn device_id(&self) -> u16;
    fn config(&self, options: &Options) -> Config;
    /// Sizes of the base address regions, 0 for none.
    fn regions(&self) -> [u64; 6];
    /// MSI-X vectors, 0 for none.
    fn msix(&self, options: &Options) -> u16;
    fn phy(&self) -> Kind;
    fn plain(&self) -> &'static [Plain];
    /// Whether there is an EEPROM behind `EERD`; else a flash in BAR 1.
    fn eeprom(&self) -> bool;
    /// What `PBA` is after a write.
    fn pba(&self, value: u32) -> u32;
}

/// Registers that both chips have at the same place.
macro_rules! common {
    ($($own:expr),* $(,)?) => {{
        const PLAIN: &[Plain] = &[
            Plain::masked(regs::FCTTV, 0xffff),
            Plain::masked(regs::FCRTL, 0x8000_fff8),
            Plain::masked(regs::FCRTH, 0x0000_fff8),
            Plain::one(regs::ERT),
            Plain::one(regs::AIT),
            Plain::one(regs::FLA),
            Plain::kept(regs::EXTCNF_SIZE, regs::EXTCNF_SIZE),
            Plain::one(regs::WUC),
            Plain::one(regs::WUFC),
            Plain::one(regs::IPAV),
            Plain::new(0x5840, 0x585c, !0, 0),
            Plain::new(0x5880, 0x588c, !0, 0),
            Plain::new(0x5f00, 0x5f4c, !0, 0),
            Plain::new(0x9000, 0x9bfc, !0, 0),
            Plain::one(regs::GCR),
            Plain::new(0x5b04, 0x5b2c, !0, 0),
            Plain::one(regs::FACTPS),
            Plain::one(regs::GCR2),
            Plain::new(regs::TIMADJL, regs::TIMADJH, !0, 0),
            Plain::new(0xb62c, 0xb630, !0, 0),
            Plain::one(0xb63c),
            $($own),*
        ];
        PLAIN
    }};
}
pub(crate) use common;
