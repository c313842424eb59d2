// SPDX-License-Identifier: GPL-2.0

//! Faults, as boards had them in the field, switched on and off while the device runs. The units
//! ask here; the control socket writes.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How an MDIO access goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum MdicMode {
    /// `READY` is never set.
    Timeout,
    /// `ERROR` is set.
    Error,
    /// `READY` is set while the access is not done, with the data of the one before.
    Stuck,
    /// The register number that comes back is another one.
    Echo,
}

/// MDIO accesses that go wrong: the next `count`, or all.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mdic {
    pub mode: Option<MdicMode>,
    /// How many; 0 for all.
    #[serde(default)]
    pub count: u32,
}

impl Mdic {
    /// What happens to the access that ends now.
    pub fn take(&mut self) -> Option<MdicMode> {
        let mode = self.mode;
        if self.count > 0 {
            self.count -= 1;
            if self.count == 0 {
                self.mode = None;
            }
        }
        mode
    }

    /// Whether `READY` is stuck.
    pub fn stuck(&mut self) -> bool {
        if self.mode == Some(MdicMode::Stuck) {
            self.take();
            return true;
        }
        false
    }
}

/// The NVM's checksum is wrong for the next reads of it, or for ever.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Nvm {
    /// How often; 0 for ever.
    pub wrong: Option<u32>,
}

impl Nvm {
    pub fn take(&mut self) -> bool {
        match &mut self.wrong {
            None => false,
            Some(0) => true,
            Some(1) => {
                self.wrong = None;
                true
            }
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// What becomes of interrupt messages.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Messages {
    /// Which vector, or all.
    pub vector: Option<usize>,
    #[serde(default)]
    pub lose: bool,
    #[serde(default)]
    pub duplicate: bool,
    /// How many; 0 for all.
    #[serde(default)]
    pub count: u32,
}

impl Messages {
    /// How often the MSI-X message of a vector is sent.
    pub fn copies(&mut self, vector: usize) -> u32 {
        if !(self.lose || self.duplicate) || self.vector.is_some_and(|only| only != vector) {
            return 1;
        }
        let copies = if self.lose { 0 } else { 2 };
        if self.count > 0 {
            self.count -= 1;
            if self.count == 0 {
                *self = Self::default();
            }
        }
        copies
    }
}

/// Semaphores that the firmware does not give away.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Semaphores {
    /// `EXTCNF_CTRL`.
    #[serde(default)]
    pub mdio: bool,
    /// `SWSM`.
    #[serde(default)]
    pub swsm: bool,
}

/// How received frames' descriptors are written back wrongly.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum DescriptorMode {
    /// So many milliseconds after the interrupt.
    Late,
    /// The second of two before the first.
    Order,
    /// With a length of 0xffff.
    Length,
    /// With a length of 0.
    Empty,
    /// With every bit set that must be zero.
    Reserved,
}

/// Descriptors that are written back wrongly: the next `count`, or all.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptors {
    pub mode: Option<DescriptorMode>,
    /// How many; 0 for all.
    #[serde(default)]
    pub count: u32,
    /// For `late`.
    #[serde(default)]
    pub ms: u64,
}

impl Descriptors {
    pub fn take(&mut self) -> Option<DescriptorMode> {
        let mode = self.mode;
        if self.count > 0 {
            self.count -= 1;
            if self.count == 0 {
                self.mode = None;
            }
        }
        mode
    }
}

/// How far the chip has died of ASPM.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Death {
    #[default]
    Alive,
    /// The PHY answers no more.
    Phy,
    /// Nothing does: every read is all-ones.
    Gone,
}

/// The CentOS report: a link that goes to L0s or L1 while nothing is to be done, and does not
/// come back.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Aspm {
    /// How long the link must be idle; 0 switches the fault off.
    pub idle_ms: u64,
    /// From the PHY's death to the whole device's.
    #[serde(default = "half_a_second")]
    pub then_ms: u64,
    #[serde(skip)]
    pub death: Death,
    #[serde(skip)]
    since: Option<Instant>,
}

const fn half_a_second() -> u64 {
    500
}

impl Default for Aspm {
    fn default() -> Self {
        Self {
            idle_ms: 0,
            then_ms: half_a_second(),
            death: Death::Alive,
            since: None,
        }
    }
}

impl Aspm {
    /// The link is at work: a frame, or an access by the processor.
    pub fn busy(&mut self, now: Instant) {
        if self.death == Death::Alive {
            self.since = Some(now);
        }
    }

    /// Lets time pass, with ASPM enabled at the endpoint or not; whether something has died.
    pub fn tick(&mut self, now: Instant, enabled: bool) -> bool {
        let since = *self.since.get_or_insert(now);
        let next = match self.death {
            Death::Alive if self.idle_ms > 0 && enabled => {
                (now - since >= Duration::from_millis(self.idle_ms)).then_some(Death::Phy)
            }
            Death::Phy => {
                (now - since >= Duration::from_millis(self.then_ms)).then_some(Death::Gone)
            }
            _ => None,
        };
        if let Some(next) = next {
            self.death = next;
            self.since = Some(now);
        }
        next.is_some()
    }

    /// A reset of the function, or power off and on.
    pub fn revive(&mut self, now: Instant) {
        self.death = Death::Alive;
        self.since = Some(now);
    }
}

/// 82579: management firmware (ME) that is at work: it takes the software flag now and then, and
/// begins with registers of the MAC.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Me {
    /// From one taking of the flag to the next; 0 for no firmware at all.
    pub every_ms: u64,
    /// How long it has the flag.
    pub hold_ms: u64,
    /// For how long of that it accesses the MAC's registers.
    pub busy_ms: u64,
    /// Whether it keeps the shared receive addresses (`SHRA`) for itself.
    pub locks_addresses: bool,
    /// How often it has taken the flag.
    #[serde(skip)]
    pub taken: u64,
    /// How many writes of the driver's came while it accessed registers.
    #[serde(skip)]
    pub disturbed: u64,
    #[serde(skip)]
    since: Option<Instant>,
    #[serde(skip)]
    next: Option<Instant>,
}

impl Me {
    /// Whether it has the flag.
    pub fn holds(&self) -> bool {
        self.since.is_some()
    }

    /// Whether it accesses registers.
    pub fn busy(&self, now: Instant) -> bool {
        let busy = Duration::from_millis(self.busy_ms);
        self.since.is_some_and(|since| now - since < busy)
    }

    /// The driver writes a register.
    pub fn written(&mut self, now: Instant) {
        self.disturbed += u64::from(self.busy(now));
    }

    /// Lets time pass; `free` says that software does not have the flag. Returns when to look
    /// again.
    pub fn tick(&mut self, now: Instant, free: bool) -> Option<Instant> {
        let hold = Duration::from_millis(self.hold_ms);
        if self.since.is_some_and(|since| since + hold <= now) {
            self.since = None;
        }
        if let Some(since) = self.since {
            return Some(since + hold);
        }
        if self.every_ms == 0 {
            return None;
        }
        let next = *self.next.get_or_insert(now);
        if next > now {
            return Some(next);
        }
        if !free {
            // Whoever gives it back has the device looked at.
            return None;
        }
        self.taken += 1;
        self.since = Some(now);
        self.next = Some(now + Duration::from_millis(self.every_ms));
        Some(now + hold)
    }
}

/// Which ring.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Ring {
    Rx,
    Tx,
}

/// Writes of ring tails that are lost: the next `count` of a ring's, or of both.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tails {
    pub ring: Option<Ring>,
    /// How many; 0 for none.
    pub count: u32,
}

impl Tails {
    /// Whether this write of a tail is lost.
    pub fn take(&mut self, ring: Ring) -> bool {
        let lost = self.count > 0 && self.ring.is_none_or(|only| only == ring);
        self.count -= u32::from(lost);
        lost
    }
}

/// All of them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    pub aspm: Aspm,
    pub mdic: Mdic,
    pub nvm: Nvm,
    pub messages: Messages,
    pub semaphores: Semaphores,
    pub descriptors: Descriptors,
    /// Nothing is sent any more, and no descriptor done.
    pub tx_hang: bool,
    pub me: Me,
    pub tails: Tails,
    /// 82579: the PHY's registers at address 2 answer only in slow MDIO mode (page 769, register
    /// 16, bit 10).
    pub slow_mdio: bool,
    /// PHY register 21 reads 0xffff, and the low byte of register 10 0xff.
    pub phy_hang: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn death_needs_aspm_and_an_idle_link() {
        let now = Instant::now();
        let later = |ms| now + Duration::from_millis(ms);
        let mut aspm = Aspm {
            idle_ms: 100,
            ..Aspm::default()
        };
        aspm.busy(now);
        assert!(!aspm.tick(later(500), false));
        aspm.busy(later(500));
        assert!(!aspm.tick(later(550), true));
        assert!(aspm.tick(later(600), true));
        assert_eq!(aspm.death, Death::Phy);
        aspm.busy(later(601));
        assert!(aspm.tick(later(1100), true));
        assert_eq!(aspm.death, Death::Gone);
        aspm.revive(later(1200));
        assert_eq!(aspm.death, Death::Alive);
    }

    #[test]
    fn firmware_waits_for_the_flag_and_gives_it_back() {
        let now = Instant::now();
        let later = |ms| now + Duration::from_millis(ms);
        let mut me = Me {
            every_ms: 100,
            hold_ms: 10,
            busy_ms: 2,
            ..Me::default()
        };
        me.tick(now, false);
        assert!(!me.holds());
        assert_eq!(me.tick(later(1), true), Some(later(11)));
        assert!(me.holds() && me.busy(later(2)) && !me.busy(later(3)));
        assert_eq!(me.tick(later(11), true), Some(later(101)));
        assert!(!me.holds());
        me.tick(later(101), true);
        assert!(me.holds() && me.taken == 2);
        let mut none = Me::default();
        assert_eq!(none.tick(now, true), None);
        assert!(!none.holds());
    }

    #[test]
    fn tails_are_lost_as_often_as_asked_for() {
        let mut tails = Tails {
            ring: Some(Ring::Rx),
            count: 1,
        };
        assert!(!tails.take(Ring::Tx));
        assert!(tails.take(Ring::Rx));
        assert!(!tails.take(Ring::Rx));
    }

    #[test]
    fn counted_faults_end() {
        let mut mdic = Mdic {
            mode: Some(MdicMode::Error),
            count: 2,
        };
        assert_eq!(
            [mdic.take(), mdic.take(), mdic.take()],
            [Some(MdicMode::Error), Some(MdicMode::Error), None]
        );
        let mut messages = Messages {
            vector: Some(1),
            lose: true,
            count: 1,
            ..Messages::default()
        };
        assert_eq!(
            [messages.copies(0), messages.copies(1), messages.copies(1)],
            [1, 0, 1]
        );
    }
}
