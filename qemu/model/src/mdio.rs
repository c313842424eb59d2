// SPDX-License-Identifier: GPL-2.0

//! `MDIC`: one access at a time, which takes its time on the wire (datasheet 10.2.2.7).

use std::time::{Duration, Instant};

use crate::faults::{Mdic as Fault, MdicMode};
use crate::phy::Phy;
use crate::regs::mdic;

/// A frame of 64 bits at 2.5 MHz, with what it takes to begin.
const ACCESS: Duration = Duration::from_micros(28);

/// The unit.
#[derive(Default)]
pub struct Mdio {
    value: u32,
    due: Option<Instant>,
}

impl Mdio {
    /// Begins what `value` asks for.
    pub fn write(&mut self, value: u32, now: Instant) {
        self.value = value & !mdic::ERROR;
        self.due = (value & mdic::READY == 0).then_some(now + ACCESS);
    }

    /// When `tick` is due, if somebody waits to be interrupted.
    pub fn deadline(&self) -> Option<Instant> {
        self.due.filter(|_| self.value & mdic::INTERRUPT != 0)
    }

    /// Finishes what is due; whether that raises `MDAC`.
    pub fn tick(&mut self, now: Instant, phy: &mut Phy, fault: &mut Fault, dead: bool) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        self.due = None;
        let mode = fault.take();
        if dead || mode == Some(MdicMode::Timeout) {
            return false;
        }
        self.access(now, phy);
        match mode {
            Some(MdicMode::Error) => self.value |= mdic::ERROR,
            Some(MdicMode::Echo) => self.value ^= 1 << mdic::REG_SHIFT,
            _ => {}
        }
        self.value |= mdic::READY;
        self.value & mdic::INTERRUPT != 0
    }

    fn access(&mut self, now: Instant, phy: &mut Phy) {
        let address = (self.value >> mdic::PHY_SHIFT & mdic::FIELD) as u8;
        let number = (self.value >> mdic::REG_SHIFT & mdic::FIELD) as u8;
        let data = (self.value & mdic::DATA) as u16;
        let answer = match self.value & mdic::OP_MASK {
            mdic::OP_READ => phy.read(address, number),
            mdic::OP_WRITE => phy.write(address, number, data, now).map(|()| data),
            _ => None,
        };
        match answer {
            Some(data) => self.value = self.value & !mdic::DATA | u32::from(data),
            None => self.value |= mdic::ERROR,
        }
    }

    /// Reads the register, in which what is done by now shows.
    pub fn read(&self, fault: &mut Fault) -> u32 {
        // Stuck READY: said to be done before it is.
        if self.due.is_some() && fault.stuck() {
            return self.value | mdic::READY;
        }
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phy::Kind;

    fn run(command: u32, fault: &mut Fault) -> u32 {
        let now = Instant::now();
        let mut phy = Phy::new(Kind::Bm, Duration::ZERO);
        let mut unit = Mdio::default();
        unit.write(command, now);
        assert_eq!(
            unit.read(&mut Fault::default()) & mdic::READY,
            0,
            "too early"
        );
        unit.tick(now + ACCESS, &mut phy, fault, false);
        unit.read(fault)
    }

    const READ_ID: u32 = 1 << 21 | 2 << 16 | mdic::OP_READ;

    #[test]
    fn reads_end_with_the_data() {
        assert_eq!(
            run(READ_ID, &mut Fault::default()),
            READ_ID | mdic::READY | 0x0141
        );
    }

    #[test]
    fn nobody_at_another_address() {
        let value = run(2 << 21 | mdic::OP_READ, &mut Fault::default());
        assert_ne!(value & mdic::ERROR, 0);
    }

    #[test]
    fn faults() {
        let with = |mode| {
            run(
                READ_ID,
                &mut Fault {
                    mode: Some(mode),
                    count: 1,
                },
            )
        };
        assert_eq!(with(MdicMode::Timeout) & mdic::READY, 0);
        assert_ne!(with(MdicMode::Error) & mdic::ERROR, 0);
        assert_ne!(with(MdicMode::Echo) & 0x001f_0000, READ_ID & 0x001f_0000);
    }
}
