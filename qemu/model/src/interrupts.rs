// SPDX-License-Identifier: GPL-2.0

//! Interrupts: causes, masks, throttling, and what leaves the device (datasheet 10.2.4, 7.4).
//!
//! Pure: time is handed in, signals are handed out.

use std::time::{Duration, Instant};

use crate::regs::{cause, ctrl_ext};

/// MSI-X vectors, `EITR` registers.
pub const VECTORS: usize = 5;

/// Causes with an entry of their own in `IVAR`, in the order of its nibbles (10.2.4.9).
const ENTRIES: [u32; 5] = [
    cause::RXQ0,
    cause::RXQ1,
    cause::TXQ0,
    cause::TXQ1,
    cause::OTHER | cause::OTHERS,
];

/// `IVAR` entry: valid.
const VALID: u32 = 1 << 3;

/// How the system has set up the device to interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Neither MSI nor MSI-X is enabled.
    Intx,
    Msi,
    /// With the number of vectors that the device has.
    Msix(usize),
}

/// What the device puts on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Intx,
    Msi,
    Msix(usize),
}

#[derive(Clone, Copy, Default)]
struct Vector {
    /// Causes whose message is still to be sent.
    pending: u32,
    /// Throttled until then.
    quiet_until: Option<Instant>,
}

/// The unit.
pub struct Interrupts {
    pub mode: Mode,
    pub icr: u32,
    pub ims: u32,
    pub iam: u32,
    pub eiac: u32,
    pub ivar: u32,
    /// Least time between interrupts in units of 256 ns, of all and of each vector.
    pub itr: u32,
    pub eitr: [u32; VECTORS],
    vectors: [Vector; VECTORS],
    /// Enabled causes at the last look, by which edges are found.
    seen: u32,
    /// Causes that had no vector to go to.
    pub lost: u64,
    /// Asserted interrupts (`IAC`).
    pub asserted: u32,
}

impl Interrupts {
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            icr: 0,
            ims: 0,
            // With EIAME and IAM never written, queue vectors mask themselves (Linux commit
            // 0a8047ac68e5): its reset value has them.
            iam: cause::RXQ0 | cause::RXQ1 | cause::TXQ0 | cause::TXQ1,
            eiac: 0,
            ivar: 0,
            itr: 0,
            eitr: [0; VECTORS],
            vectors: [Vector::default(); VECTORS],
            seen: 0,
            lost: 0,
            asserted: 0,
        }
    }

    /// `CTRL.RST`: everything but what the PCI function's configuration says.
    pub fn reset(&mut self) {
        let (lost, asserted) = (self.lost, self.asserted);
        *self = Self::new(self.mode);
        (self.lost, self.asserted) = (lost, asserted);
    }

    /// Something has happened: sets causes, and `OTHER` if one of its own is among them.
    pub fn raise(&mut self, causes: u32) {
        let other = if causes & cause::OTHERS != 0 {
            cause::OTHER
        } else {
            0
        };
        let causes = causes | other;
        // A cause that comes again while it is set is an edge again only in MSI-X mode, where
        // nobody need read ICR between two messages.
        if let Mode::Msix(_) = self.mode {
            self.seen &= !causes;
        }
        self.icr |= causes & !cause::INT_ASSERTED;
    }

    /// Reads `ICR` (10.2.4.1): what a read clears depends on the masks.
    pub fn read_icr(&mut self, ctrl_ext: u32) -> u32 {
        let asserted = self.icr & self.ims != 0;
        let value = self.icr | if asserted { cause::INT_ASSERTED } else { 0 };
        if self.ims == 0 {
            self.icr = 0;
        } else if asserted {
            self.icr = 0;
            if ctrl_ext & ctrl_ext::IAME != 0 {
                self.ims &= !self.iam;
            }
        }
        self.seen &= self.icr;
        value
    }

    /// Writes `ICR`: ones clear.
    pub fn write_icr(&mut self, value: u32, ctrl_ext: u32) {
        if ctrl_ext & ctrl_ext::IAME != 0 && self.icr & self.ims != 0 {
            self.ims &= !self.iam;
        }
        self.icr &= !value;
        self.seen &= self.icr;
    }

    pub fn set_mask(&mut self, value: u32) {
        self.ims |= value & !cause::INT_ASSERTED;
    }

    pub fn clear_mask(&mut self, value: u32) {
        self.ims &= !value;
        self.seen &= self.ims;
    }

    /// Whether INTx is to be asserted.
    pub fn level(&self) -> bool {
        self.icr & self.ims != 0
    }

    /// Finds what is to be signalled now; returns when to look again.
    pub fn service(
        &mut self,
        now: Instant,
        ctrl_ext: u32,
        signals: &mut Vec<Signal>,
    ) -> Option<Instant> {
        let enabled = self.icr & self.ims;
        let fresh = enabled & !self.seen;
        self.seen = enabled;
        match self.mode {
            Mode::Intx | Mode::Msi => self.service_single(now, enabled, fresh, signals),
            Mode::Msix(vectors) => self.service_msix(now, ctrl_ext, fresh, vectors, signals),
        }
    }

    fn service_single(
        &mut self,
        now: Instant,
        enabled: u32,
        fresh: u32,
        signals: &mut Vec<Signal>,
    ) -> Option<Instant> {
        // One line, or one message: it is given when the first enabled cause is set, and again
        // only after the causes were cleared or masked.
        let vector = &mut self.vectors[0];
        if enabled == 0 {
            vector.pending = 0;
            return None;
        }
        if fresh == enabled {
            vector.pending = enabled;
        }
        if vector.pending == 0 {
            return None;
        }
        if let Some(until) = vector.quiet_until.filter(|until| *until > now) {
            return Some(until);
        }
        vector.pending = 0;
        vector.quiet_until = interval(self.itr).map(|interval| now + interval);
        self.asserted = self.asserted.wrapping_add(1);
        signals.push(match self.mode {
            Mode::Msi => Signal::Msi,
            _ => Signal::Intx,
        });
        None
    }

    fn service_msix(
        &mut self,
        now: Instant,
        ctrl_ext: u32,
        fresh: u32,
        vectors: usize,
        signals: &mut Vec<Signal>,
    ) -> Option<Instant> {
        for (number, causes) in ENTRIES.iter().enumerate() {
            if fresh & causes == 0 {
                continue;
            }
            let entry = self.ivar >> (4 * number) & 0xf;
            let vector = (entry & 7) as usize;
            if entry & VALID == 0 || vector >= vectors.min(VECTORS) {
                self.lost += 1;
                continue;
            }
            self.vectors[vector].pending |= causes;
        }
        let mut next: Option<Instant> = None;
        for number in 0..VECTORS {
            let vector = &mut self.vectors[number];
            if vector.pending == 0 {
                continue;
            }
            if let Some(until) = vector.quiet_until.filter(|until| *until > now) {
                next = Some(next.map_or(until, |next| next.min(until)));
                continue;
            }
            let causes = vector.pending;
            vector.pending = 0;
            if self.icr & self.ims & causes == 0 {
                continue; // cleared or masked while it waited
            }
            vector.quiet_until = interval(self.eitr[number]).map(|interval| now + interval);
            self.asserted = self.asserted.wrapping_add(1);
            signals.push(Signal::Msix(number));
            if ctrl_ext & ctrl_ext::EIAME != 0 {
                // Of the causes behind OTHER only OTHER itself: that is why ICR must be read with
                // one of them in IMS, or INT_ASSERTED is clear and ICR keeps them (Linux commit
                // 116f4a640b31).
                self.ims &= !(self.iam & causes & !cause::OTHERS);
            }
            self.icr &= !(self.eiac & causes);
            self.seen &= self.icr & self.ims;
        }
        next
    }
}

/// `ITR`, `EITR`: units of 256 ns, 0 for none.
fn interval(register: u32) -> Option<Duration> {
    match register & 0xffff {
        0 => None,
        units => Some(Duration::from_nanos(u64::from(units) * 256)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPED: u32 =
        4 << 16 | 8 << 16 | 3 << 12 | 8 << 12 | 2 << 8 | 8 << 8 | 1 << 4 | 8 << 4 | 8;
    const QUEUES: u32 = 0x00f0_0000;

    fn msix() -> Interrupts {
        let mut unit = Interrupts::new(Mode::Msix(5));
        unit.ivar = MAPPED;
        unit.eiac = QUEUES;
        unit.set_mask(QUEUES | cause::OTHER | cause::OTHERS);
        unit
    }

    fn signals(unit: &mut Interrupts, now: Instant) -> Vec<Signal> {
        let mut signals = vec![];
        unit.service(now, ctrl_ext::EIAME, &mut signals);
        signals
    }

    #[test]
    fn each_cause_goes_to_its_vector() {
        let mut unit = msix();
        let now = Instant::now();
        for (number, causes) in [
            cause::RXQ0,
            cause::RXQ1,
            cause::TXQ0,
            cause::TXQ1,
            cause::LSC,
        ]
        .into_iter()
        .enumerate()
        {
            unit.raise(causes);
            assert_eq!(signals(&mut unit, now), [Signal::Msix(number)]);
            assert_eq!(signals(&mut unit, now), []);
        }
    }

    #[test]
    fn queue_causes_clear_and_mask_themselves() {
        let mut unit = msix();
        let now = Instant::now();
        unit.raise(cause::RXQ0 | cause::LSC);
        signals(&mut unit, now);
        assert_eq!(unit.icr, cause::LSC | cause::OTHER);
        assert_eq!(unit.ims & cause::RXQ0, 0);
        unit.raise(cause::RXQ0);
        assert_eq!(signals(&mut unit, now), []);
        unit.set_mask(cause::RXQ0);
        assert_eq!(signals(&mut unit, now), [Signal::Msix(0)]);
    }

    #[test]
    fn other_masks_itself_but_not_what_is_behind_it() {
        let mut unit = msix();
        unit.iam = !0;
        unit.raise(cause::LSC);
        assert_eq!(signals(&mut unit, Instant::now()), [Signal::Msix(4)]);
        assert_eq!(unit.ims & (cause::OTHER | cause::LSC), cause::LSC);
        let icr = unit.read_icr(0);
        assert_eq!(
            icr & (cause::INT_ASSERTED | cause::LSC),
            cause::INT_ASSERTED | cause::LSC
        );
        assert_eq!(unit.icr, 0);
        // Without it the cause stays.
        unit.ims = cause::RXQ0;
        unit.raise(cause::LSC);
        assert_eq!(unit.read_icr(0) & cause::INT_ASSERTED, 0);
        assert_ne!(unit.icr, 0);
    }

    #[test]
    fn an_entry_without_its_valid_bit_loses_the_cause() {
        let mut unit = msix();
        unit.ivar &= !VALID;
        unit.raise(cause::RXQ0);
        assert_eq!(signals(&mut unit, Instant::now()), []);
        assert_eq!(unit.lost, 1);
        // As does a vector that the device does not have.
        unit.mode = Mode::Msix(3);
        unit.raise(cause::TXQ1);
        assert_eq!(signals(&mut unit, Instant::now()), []);
        assert_eq!(unit.lost, 2);
    }

    #[test]
    fn throttled_until_the_time_is_over() {
        let mut unit = msix();
        unit.eitr[0] = 400;
        let now = Instant::now();
        unit.raise(cause::RXQ0);
        assert_eq!(signals(&mut unit, now), [Signal::Msix(0)]);
        unit.set_mask(cause::RXQ0);
        unit.raise(cause::RXQ0);
        let mut sent = vec![];
        let next = unit.service(now, ctrl_ext::EIAME, &mut sent);
        assert_eq!(
            (sent.len(), next),
            (0, Some(now + Duration::from_nanos(102_400)))
        );
        assert_eq!(signals(&mut unit, next.unwrap()), [Signal::Msix(0)]);
    }

    #[test]
    fn icr_is_kept_while_no_enabled_cause_is_set() {
        let mut unit = Interrupts::new(Mode::Msi);
        unit.raise(cause::TXDW);
        assert_eq!(unit.read_icr(0), cause::TXDW);
        assert_eq!(unit.read_icr(0), 0, "no mask at all: a read clears");
        unit.set_mask(cause::LSC);
        unit.raise(cause::TXDW);
        unit.read_icr(0);
        assert_eq!(unit.read_icr(0), cause::TXDW);
        unit.raise(cause::LSC);
        assert_ne!(unit.read_icr(0) & cause::INT_ASSERTED, 0);
        assert_eq!(unit.icr, 0);
    }

    #[test]
    fn msi_comes_once_until_the_causes_are_read() {
        let mut unit = Interrupts::new(Mode::Msi);
        let now = Instant::now();
        unit.set_mask(cause::LSC | cause::RXT0);
        unit.raise(cause::RXT0);
        assert_eq!(signals(&mut unit, now), [Signal::Msi]);
        unit.raise(cause::LSC);
        assert_eq!(signals(&mut unit, now), []);
        unit.read_icr(0);
        unit.raise(cause::RXT0);
        assert_eq!(signals(&mut unit, now), [Signal::Msi]);
    }
}
