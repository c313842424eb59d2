// SPDX-License-Identifier: GPL-2.0

//! `SYSTIM`, the counter behind the clock: what it is told to count, and what its values mean.
//!
//! Pure: knows no registers and no time but what it is given.

/// How `SYSTIM` counts in one kind of chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SystemTime {
    /// What is added with each period, at the nominal frequency.
    pub(crate) increment: u32,
    /// Clock ticks in a period.
    pub(crate) period: u32,
    /// Binary digits of `SYSTIM` behind the nanosecond.
    pub(crate) shift: u32,
    /// Largest change of frequency, in parts per billion.
    pub(crate) max_adj: i32,
    /// Reads come back with wrong bits now and then.
    pub(crate) unreliable: bool,
}

/// `scaled_ppm` of 1: parts per million with 16 binary digits behind the point.
const SCALED_ONE: u64 = 1_000_000 << 16;

impl SystemTime {
    /// The 82574: each tick of 25 MHz, 40 ns, with as many binary digits behind the nanosecond as
    /// the 24 bits of `TIMINCA.incvalue` have room for. A step of the frequency is 95 parts per
    /// billion; `SYSTIM` runs over after 19.5 hours.
    pub(crate) const MHZ_25: Self = Self {
        increment: 40 << 18,
        period: 1,
        shift: 18,
        // Just less than what the field can hold.
        max_adj: 599_999_900,
        unreliable: true,
    };

    /// The 82579: every third tick of 96 MHz, 31.25 ns, with 19 binary digits behind the
    /// nanosecond, that is 125 quarters of a nanosecond with 17. A step of the frequency is 61
    /// parts per billion; `SYSTIM` runs over after 9.7 hours.
    pub(crate) const MHZ_96: Self = Self {
        increment: 125 << 17,
        period: 3,
        shift: 19,
        // Just less than what the field can hold.
        max_adj: 23_999_900,
        unreliable: false,
    };

    /// `TIMINCA` for `increment` with each period.
    pub(crate) const fn timinca(&self, increment: u32) -> u32 {
        self.period << 24 | increment
    }

    /// `TIMINCA.incvalue` for a frequency that differs from the nominal one by `scaled_ppm`, to the
    /// nearest step.
    pub(crate) fn increment(&self, scaled_ppm: i64) -> u32 {
        /// The field's 24 bits.
        const MOST: u64 = 0xff_ffff;
        let base = u64::from(self.increment);
        let step = base
            .saturating_mul(scaled_ppm.unsigned_abs())
            .saturating_add(SCALED_ONE / 2)
            / SCALED_ONE;
        let value = if scaled_ppm < 0 {
            base.saturating_sub(step).max(1)
        } else {
            base.saturating_add(step).min(MOST)
        };
        // CAST: 24 bits, the base being no larger.
        value as u32
    }

    /// Whether `second` can have been read right after `first`, with `increment` added in between
    /// again and again: some multiple of it later, and less than an eighth of a second.
    pub(crate) fn plausible(&self, first: u64, second: u64, increment: u32) -> bool {
        let passed = second.wrapping_sub(first);
        passed.wrapping_shr(self.shift) < 1 << 17
            && passed.checked_rem(increment.into()).unwrap_or(passed) == 0
    }
}

/// Values of `SYSTIM` as nanoseconds; in C `struct timecounter`.
///
/// Good for 9.7 hours before and after it was last brought up to date, with
/// [`SystemTime::MHZ_25`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeCounter {
    /// `SYSTIM` when it was last brought up to date.
    systim: u64,
    /// The time then, in nanoseconds.
    ns: i64,
    /// Behind the nanosecond, in units of `SYSTIM`.
    fraction: i64,
    /// Binary digits behind the nanosecond.
    shift: u32,
}

impl TimeCounter {
    /// It is `ns` nanoseconds as `SYSTIM` reads `systim`.
    pub(crate) fn new(time: &SystemTime, systim: u64, ns: i64) -> Self {
        Self {
            systim,
            ns,
            fraction: 0,
            shift: time.shift,
        }
    }

    /// The time when `SYSTIM` reads, or read, `systim`, in units of `SYSTIM` from `ns` on.
    fn passed(&self, systim: u64) -> i64 {
        // CAST: What is more than half of the range ahead is behind.
        (systim.wrapping_sub(self.systim) as i64).saturating_add(self.fraction)
    }

    /// The time when `SYSTIM` reads, or read, `systim`, in nanoseconds.
    pub(crate) fn at(&self, systim: u64) -> i64 {
        self.ns
            .wrapping_add(self.passed(systim).wrapping_shr(self.shift))
    }

    /// Brings it up to date: `SYSTIM` reads `systim` now.
    pub(crate) fn update(&mut self, systim: u64) {
        let passed = self.passed(systim);
        self.ns = self.at(systim);
        self.fraction = passed & 1i64.wrapping_shl(self.shift).wrapping_sub(1);
        self.systim = systim;
    }

    /// The time when it was last brought up to date, in nanoseconds.
    pub(crate) fn last(&self) -> i64 {
        self.ns
    }

    /// Puts it forward by `delta` nanoseconds, or back.
    pub(crate) fn shift_by(&mut self, delta: i64) {
        self.ns = self.ns.wrapping_add(delta);
    }
}
