// SPDX-License-Identifier: GPL-2.0

//! The 82579LM: the LAN controller of a chipset, a root-complex endpoint without a PCI Express
//! capability, with one MSI; its PHY is a chip of its own, its NVM a region of the flash.

use super::{common, Chip, Options, Plain};
use crate::config::{Config, Identity};
use crate::phy::Kind;
use crate::regs;

pub struct I82579;

/// Address on the system management bus, as boards have it.
const SMBUS: u32 = 0x64;

impl Chip for I82579 {
    fn name(&self) -> &'static str {
        "82579LM"
    }

    fn device_id(&self) -> u16 {
        0x1502
    }

    fn config(&self, _: &Options) -> Config {
        let identity = Identity {
            device: self.device_id(),
            revision: 4,
            subsystem: 0x1502,
        };
        let mut config = Config::new(&identity, 256).with_pm().with_msi();
        config.bar(0, 128 * 1024);
        config.bar(1, 4 * 1024);
        config.seal()
    }

    fn regions(&self) -> [u64; 6] {
        [128 * 1024, 4 * 1024, 0, 0, 0, 0]
    }

    fn msix(&self, _: &Options) -> u16 {
        0
    }

    fn phy(&self) -> Kind {
        Kind::Hv
    }

    fn eeprom(&self) -> bool {
        false
    }

    fn pba(&self, value: u32) -> u32 {
        value & 0xffff
    }

    fn plain(&self) -> &'static [Plain] {
        common![
            // Addresses that mean another thing on the 82574: 0x28 FEXTNVM (FCAL), 0xe4 FEXTNVM7
            // (IVAR), 0xf8 LTRV (EITR), 0xf10 PHY_CTRL (POEMB).
            Plain::new(regs::LEDCTL, regs::LEDCTL, !0, 0x0706_8302),
            Plain::new(regs::TIPG, regs::TIPG, 0x3fff_ffff, 0x0060_2006),
            Plain::one(regs::PBS),
            Plain::one(0x0024), // FEXTNVM4
            // FEXTNVM, which the NVM sets at each reset: what is poked stands for that.
            Plain::kept(0x0028, 0x0028),
            Plain::one(0x003c), // FEXTNVM3
            Plain::one(0x00e4), // FEXTNVM7
            Plain::one(0x00f0), // SVT, SVCR
            Plain::one(0x00f4),
            Plain::one(0x00f8), // LTRV
            // STRAP
            Plain::new(0x000c, 0x000c, 0, SMBUS << 17),
            Plain::one(0x0f10), // PHY_CTRL
            Plain::one(0x0f28), // IOSFPC
            Plain::one(0x5b50), // H2ME
            Plain::kept(regs::MANC, regs::MANC),
            Plain::kept(0x5f50, 0x5f50), // CRC_OFFSET
        ]
    }
}
