// SPDX-License-Identifier: GPL-2.0

//! The clock of IEEE 1588 (datasheet 10.2.10): `SYSTIM` grows by `TIMINCA`'s value once in so
//! many periods of the chip's clock.

use std::time::Instant;

/// The unit.
pub struct Clock {
    /// Frequency of the chip's clock, in MHz.
    mhz: u32,
    value: u64,
    since: Instant,
    pub timinca: u32,
    latched_high: u32,
}

impl Clock {
    pub fn new(mhz: u32, now: Instant) -> Self {
        Self {
            mhz,
            value: 0,
            since: now,
            timinca: 0,
            latched_high: 0,
        }
    }

    pub fn reset(&mut self, now: Instant) {
        *self = Self::new(self.mhz, now);
    }

    /// What `SYSTIM` is now.
    pub fn now(&self, now: Instant) -> u64 {
        let (periods, step) = (self.timinca >> 24, self.timinca & 0xff_ffff);
        if periods == 0 {
            return self.value;
        }
        let ticks = (now - self.since).as_nanos() * u128::from(self.mhz) / 1000;
        let passed = ticks / u128::from(periods);
        self.value
            .wrapping_add((passed as u64).wrapping_mul(u64::from(step)))
    }

    pub fn set_timinca(&mut self, value: u32, now: Instant) {
        self.value = self.now(now);
        self.since = now;
        self.timinca = value;
    }

    /// A read of the low half latches the high one.
    pub fn read_low(&mut self, now: Instant) -> u32 {
        let value = self.now(now);
        self.latched_high = (value >> 32) as u32;
        value as u32
    }

    pub fn read_high(&self) -> u32 {
        self.latched_high
    }

    pub fn write_low(&mut self, value: u32, now: Instant) {
        self.value = self.now(now) >> 32 << 32 | u64::from(value);
        self.since = now;
    }

    pub fn write_high(&mut self, value: u32, now: Instant) {
        self.value = u64::from(value) << 32 | self.now(now) & 0xffff_ffff;
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_second_is_a_second() {
        let now = Instant::now();
        for (mhz, timinca, shift) in [(25, 1 << 24 | 40 << 18, 18), (96, 3 << 24 | 125 << 17, 19)] {
            let mut clock = Clock::new(mhz, now);
            clock.set_timinca(timinca, now);
            let passed = clock.now(now + Duration::from_secs(1)) >> shift;
            assert_eq!(passed, 1_000_000_000);
        }
    }
}
