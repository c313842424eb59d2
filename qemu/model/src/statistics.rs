// SPDX-License-Identifier: GPL-2.0

//! Statistics: 32-bit counters that a read clears and that stay at their end; some are pairs of
//! 64 bits, cleared by the read of their high half (datasheet 10.2.7).

use crate::regs;

const COUNTERS: usize = ((regs::STATISTICS_END - regs::STATISTICS) / 4) as usize;
/// Low halves of the pairs.
const WIDE: [u32; 4] = [regs::GORCL, regs::GOTCL, regs::TORL, regs::TOTL];

/// The unit.
pub struct Statistics {
    counters: [u64; COUNTERS],
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            counters: [0; COUNTERS],
        }
    }
}

fn index(register: u32) -> usize {
    ((register - regs::STATISTICS) / 4) as usize
}

impl Statistics {
    pub fn add(&mut self, register: u32, count: u64) {
        let wide = WIDE.contains(&register);
        let end = if wide { u64::MAX } else { u32::MAX.into() };
        let counter = &mut self.counters[index(register)];
        *counter = counter.saturating_add(count).min(end);
    }

    /// A frame of `length` bytes with its check sequence, received or sent.
    pub fn frame(&mut self, destination: &[u8], length: usize, received: bool) {
        let (sizes, good, octets, multicast, broadcast, all, all_octets) = if received {
            (
                regs::PRC64,
                regs::GPRC,
                regs::GORCL,
                regs::MPRC,
                regs::BPRC,
                regs::TPR,
                regs::TORL,
            )
        } else {
            (
                regs::PTC64,
                regs::GPTC,
                regs::GOTCL,
                regs::MPTC,
                regs::BPTC,
                regs::TPT,
                regs::TOTL,
            )
        };
        let class = [64, 127, 255, 511, 1023]
            .iter()
            .filter(|end| length > **end)
            .count() as u32;
        self.add(sizes + 4 * class, 1);
        self.add(good, 1);
        self.add(octets, length as u64);
        self.add(all, 1);
        self.add(all_octets, length as u64);
        if destination.iter().all(|byte| *byte == 0xff) {
            self.add(broadcast, 1);
        } else if destination.first().is_some_and(|byte| byte & 1 != 0) {
            self.add(multicast, 1);
        }
    }

    pub fn read(&mut self, register: u32) -> u32 {
        let at = index(register);
        if WIDE.contains(&register) {
            return self.counters[at] as u32;
        }
        if WIDE.contains(&register.wrapping_sub(4)) {
            let high = (self.counters[at - 1] >> 32) as u32;
            self.counters[at - 1] = 0;
            return high;
        }
        std::mem::take(&mut self.counters[at]) as u32
    }

    /// A counter as it stands, not cleared.
    pub fn peek(&self, register: u32) -> u64 {
        self.counters[index(register)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_clears() {
        let mut unit = Statistics::default();
        unit.frame(&[0xff; 6], 64, true);
        unit.frame(&[1, 0, 0, 0, 0, 0], 65, true);
        unit.frame(&[0; 6], 1518, true);
        assert_eq!(unit.read(regs::GPRC), 3);
        assert_eq!(unit.read(regs::GPRC), 0);
        assert_eq!(unit.read(regs::BPRC), 1);
        assert_eq!(unit.read(regs::MPRC), 1);
        assert_eq!(unit.read(regs::PRC64), 1);
        assert_eq!(unit.read(regs::PRC64 + 4), 1);
        assert_eq!(unit.read(regs::PRC64 + 20), 1);
        assert_eq!(unit.read(regs::GORCL), 64 + 65 + 1518);
        assert_eq!(
            unit.read(regs::GORCL),
            64 + 65 + 1518,
            "the high half clears"
        );
        assert_eq!(unit.read(regs::GORCL + 4), 0);
        assert_eq!(unit.read(regs::GORCL), 0);
    }

    #[test]
    fn counters_stay_at_their_end() {
        let mut unit = Statistics::default();
        unit.add(regs::MPC, u64::from(u32::MAX));
        unit.add(regs::MPC, 5);
        assert_eq!(unit.read(regs::MPC), u32::MAX);
    }
}
