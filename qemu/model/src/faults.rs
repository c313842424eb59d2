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
