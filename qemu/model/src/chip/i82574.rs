// SPDX-License-Identifier: GPL-2.0

//! The 82574L: a PCI Express endpoint with MSI-X, two queues each way and an EEPROM.

use super::{common, Chip, Options, Plain};
use crate::config::{Config, Identity, SIZE};
use crate::phy::Kind;
use crate::regs;

pub struct I82574;

/// Size of the packet buffer in KiB, for both directions.
const BUFFER: u32 = 40;

impl Chip for I82574 {
    fn name(&self) -> &'static str {
        "82574L"
    }

    fn device_id(&self) -> u16 {
        0x10d3
    }

    fn config(&self, options: &Options) -> Config {
        let identity = Identity {
            device: self.device_id(),
            revision: 0,
            subsystem: 0xa01f,
        };
        let mut config = Config::new(&identity, SIZE)
            .with_msix(options.vectors)
            .with_pm()
            .with_msi()
            .with_express()
            .with_serial(options.mac);
        config.bar(0, 128 * 1024);
        config.bar(3, 16 * 1024);
        config.seal()
    }

    fn regions(&self) -> [u64; 6] {
        // BAR 1, the flash, and BAR 2, the I/O window, are left out: boards have them disabled
        // by the NVM (6.1.1.6).
        [128 * 1024, 0, 0, 16 * 1024, 0, 0]
    }

    fn msix(&self, options: &Options) -> u16 {
        options.vectors
    }

    fn phy(&self) -> Kind {
        Kind::Bm
    }

    fn eeprom(&self) -> bool {
        true
    }

    fn pba(&self, value: u32) -> u32 {
        let receive = value & 0xffff;
        BUFFER.saturating_sub(receive) << 16 | receive
    }

    fn plain(&self) -> &'static [Plain] {
        common![
            Plain::one(regs::FCAL),
            Plain::masked(regs::FCAH, 0xffff),
            Plain::masked(regs::FCT, 0xffff),
            Plain::new(regs::LEDCTL, regs::LEDCTL, 0x00cf_cfef, 0x0006_8302),
            // Low power link-up outside D0, and no gigabit there.
            Plain::new(regs::POEMB, regs::POEMB, !0, 0x0000_030d),
            Plain::new(regs::PBS, regs::PBS, 0x3f, BUFFER),
            Plain::new(regs::TIPG, regs::TIPG, 0x3fff_ffff, 0x0060_2008),
            Plain::one(regs::RAID),
            Plain::one(regs::EEARBC),
            Plain::one(regs::FLOP),
            Plain::one(regs::SWSM2),
            // Manageability's, which a host reset does not take away (10.2.8).
            Plain::kept(regs::MANC, regs::MANC),
            Plain::kept(0x5824, 0x5834),
            Plain::kept(regs::MANC2H, regs::MANC2H),
            Plain::kept(0x5890, 0x58ac),
        ]
    }
}
