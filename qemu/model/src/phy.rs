// SPDX-License-Identifier: GPL-2.0

//! The PHY: its registers by page, autonegotiation, and the link (datasheet 8.5; IEEE 802.3
//! clause 22 and 40 for registers 0 to 10 and 15).

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Register numbers of clause 22 and of the copper unit.
mod reg {
    pub const CONTROL: u8 = 0;
    pub const STATUS: u8 = 1;
    pub const ID1: u8 = 2;
    pub const ID2: u8 = 3;
    pub const ADVERTISE: u8 = 4;
    pub const PARTNER: u8 = 5;
    pub const EXPANSION: u8 = 6;
    pub const GB_CONTROL: u8 = 9;
    pub const GB_STATUS: u8 = 10;
    pub const EXTENDED_STATUS: u8 = 15;
    /// BM: PHY-specific control and status.
    pub const BM_CONTROL: u8 = 16;
    pub const BM_STATUS: u8 = 17;
    /// BM: interrupts that were seen; read to clear.
    pub const BM_EVENTS: u8 = 19;
    pub const BM_RX_ERRORS: u8 = 21;
    pub const BM_PAGE: u8 = 22;
    /// 82579: indirect access to its "EMI" registers, and status.
    pub const EMI_ADDRESS: u8 = 16;
    pub const EMI_DATA: u8 = 17;
    pub const HV_STATUS: u8 = 26;
    /// 82579, page 768.
    pub const OEM_BITS: u8 = 25;
    pub const PAGE: u8 = 31;
}

/// "EMI" registers of the 82579.
mod emi {
    pub const EEE_CAPABILITY: u16 = 0x0410;
    pub const EEE_PARTNER: u16 = 0x040f;
}

/// First page of the 82579 that is at address 1; selected as 0.
const HV_HIGH: u16 = 768;

/// `OEM_BITS`.
mod oem {
    /// The slowest link that both ends can have.
    pub const LOW_POWER: u16 = 1 << 2;
    pub const NO_GIGABIT: u16 = 1 << 6;
    pub const RESTART: u16 = 1 << 10;
}

mod control {
    pub const DUPLEX: u16 = 1 << 8;
    pub const RESTART: u16 = 1 << 9;
    pub const POWER_DOWN: u16 = 1 << 11;
    pub const AUTO: u16 = 1 << 12;
    pub const LOOPBACK: u16 = 1 << 14;
    pub const RESET: u16 = 1 << 15;
}

/// Which PHY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 82574: BME1000, at address 1; pages by register 22.
    Bm,
    /// 82579: two addresses, 2 for what is below page 768 and 1 for the rest; pages by register
    /// 31 of address 1, in units of 32.
    Hv,
}

/// A link as it was negotiated or forced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// In Mb/s.
    pub speed: u16,
    pub full: bool,
}

/// What the PHY at the other end can do.
#[derive(Clone, Copy, Debug)]
pub struct Partner {
    /// Best speed in Mb/s.
    pub speed: u16,
    pub full: bool,
}

/// The unit.
pub struct Phy {
    pub kind: Kind,
    registers: HashMap<(u8, u16, u8), u16>,
    emi: HashMap<u16, u16>,
    page: u16,
    /// Whether the cable is plugged in and the other end is up.
    cable: bool,
    pub partner: Partner,
    /// How long negotiation takes.
    pub negotiation: Duration,
    negotiating: Option<Instant>,
    link: Option<Link>,
    /// Link lost since `STATUS` was read (it latches low).
    latched_down: bool,
    /// The fault of a PHY that hangs: see `faults`.
    pub hang: bool,
    /// 82579: address 2 answers in slow MDIO mode only.
    pub needs_slow: bool,
}

impl Phy {
    pub fn new(kind: Kind, negotiation: Duration) -> Self {
        let mut phy = Self {
            kind,
            registers: HashMap::new(),
            emi: HashMap::new(),
            page: 0,
            cable: false,
            partner: Partner {
                speed: 1000,
                full: true,
            },
            negotiation,
            negotiating: None,
            link: None,
            latched_down: true,
            hang: false,
            needs_slow: false,
        };
        phy.defaults();
        phy
    }

    fn address(&self) -> u8 {
        match self.kind {
            Kind::Bm => 1,
            Kind::Hv => 2,
        }
    }

    fn defaults(&mut self) {
        self.registers.clear();
        self.emi.clear();
        self.page = 0;
        let base = [
            (reg::CONTROL, control::AUTO | control::DUPLEX | 1 << 6),
            (reg::ADVERTISE, 0x0de1),
            (reg::GB_CONTROL, 0x0300),
            (reg::EXTENDED_STATUS, 0x3000),
        ];
        let own: &[(u8, u16)] = match self.kind {
            // BME1000 revision 2; crossover by itself.
            Kind::Bm => &[
                (reg::ID1, 0x0141),
                (reg::ID2, 0x0cb1),
                (reg::BM_CONTROL, 0x0060),
            ],
            Kind::Hv => &[(reg::ID1, 0x0154), (reg::ID2, 0x0092)],
        };
        if self.kind == Kind::Hv {
            // Energy-efficient Ethernet at 100 and 1000 Mb/s.
            self.emi.insert(emi::EEE_CAPABILITY, 0x0006);
            // K1 is on after a reset (in-tree driver, `e1000_reconfigure_k1_params()`).
            self.registers.insert((1, 770, 17), 1 << 14);
        }
        for (number, value) in base.iter().chain(own) {
            self.registers.insert((self.address(), 0, *number), *value);
        }
    }

    /// A register as it is stored, without what reading it does.
    pub fn peek(&self, page: u16, number: u8) -> Option<u16> {
        let high = self.kind == Kind::Hv && page >= HV_HIGH;
        let address = if high { 1 } else { self.address() };
        self.registers.get(&(address, page, number)).copied()
    }

    /// An "EMI" register as it is stored.
    pub fn peek_emi(&self, number: u16) -> Option<u16> {
        self.emi.get(&number).copied()
    }

    /// 82579: what the board's maker, or sleep, wants of the link.
    fn oem_bits(&self) -> u16 {
        self.peek(HV_HIGH, reg::OEM_BITS).unwrap_or(0)
    }

    fn get(&self, number: u8) -> u16 {
        self.registers
            .get(&(self.address(), 0, number))
            .copied()
            .unwrap_or(0)
    }

    /// A hardware reset (`CTRL.PHY_RST`, power).
    pub fn reset(&mut self, now: Instant) {
        self.defaults();
        self.restart(now);
    }

    /// The link as the MAC sees it.
    pub fn link(&self) -> Option<Link> {
        self.link
    }

    /// Whether what is sent comes back.
    pub fn loopback(&self) -> bool {
        self.get(reg::CONTROL) & control::LOOPBACK != 0
    }

    pub fn cable(&self) -> bool {
        self.cable
    }

    pub fn set_cable(&mut self, plugged: bool, now: Instant) {
        if self.cable != plugged {
            self.cable = plugged;
            self.restart(now);
        }
    }

    /// Begins to negotiate: the link goes, and comes back after a while.
    pub fn restart(&mut self, now: Instant) {
        self.latched_down |= self.link.is_some();
        self.link = None;
        self.negotiating = Some(now + self.negotiation);
        if self.loopback() {
            self.negotiating = Some(now);
        }
    }

    /// When `tick` is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.negotiating
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Instant) {
        if self.negotiating.is_some_and(|due| due <= now) {
            self.negotiating = None;
            self.link = self.negotiated();
        }
    }

    fn negotiated(&self) -> Option<Link> {
        let value = self.get(reg::CONTROL);
        let forced = Link {
            speed: match (value >> 6 & 1, value >> 13 & 1) {
                (1, 0) => 1000,
                (0, 1) => 100,
                _ => 10,
            },
            full: value & control::DUPLEX != 0,
        };
        if value & control::POWER_DOWN != 0 {
            None
        } else if value & control::LOOPBACK != 0 {
            Some(forced)
        } else if !self.cable {
            None
        } else if value & control::AUTO == 0 {
            // The other end must agree by itself; 1000BASE-T cannot be forced.
            (forced.speed == self.partner.speed && forced.speed != 1000).then_some(forced)
        } else {
            self.common()
        }
    }

    /// The best that both ends advertise.
    fn common(&self) -> Option<Link> {
        let (own, gigabit) = (self.get(reg::ADVERTISE), self.get(reg::GB_CONTROL));
        let oem = self.oem_bits();
        let mut common = [
            (1000, true, gigabit & 1 << 9 != 0),
            (1000, false, gigabit & 1 << 8 != 0),
            (100, true, own & 1 << 8 != 0),
            (100, false, own & 1 << 7 != 0),
            (10, true, own & 1 << 6 != 0),
            (10, false, own & 1 << 5 != 0),
        ]
        .into_iter()
        .filter(|(_, _, advertised)| *advertised)
        .map(|(speed, full, _)| Link { speed, full })
        .filter(|link| link.speed <= self.partner.speed && (!link.full || self.partner.full))
        .filter(|link| link.speed < 1000 || oem & oem::NO_GIGABIT == 0);
        let best = common.next();
        if oem & oem::LOW_POWER == 0 {
            return best;
        }
        let slower = common.filter(|link| Some(link.full) == best.map(|best| best.full));
        slower.last().or(best)
    }

    /// The partner's abilities as registers 5 and 10 tell them.
    fn partner_abilities(&self) -> (u16, u16) {
        let (speed, full) = (self.partner.speed, self.partner.full);
        let mut base = 0x4001 | 1 << 5 | 1 << 10; // acknowledge, 802.3, 10 half, pause
        let mut gigabit = 0;
        if full {
            base |= 1 << 6;
        }
        if speed >= 100 {
            base |= 1 << 7 | if full { 1 << 8 } else { 0 };
        }
        if speed >= 1000 {
            gigabit = 1 << 10 | if full { 1 << 11 } else { 0 };
        }
        (base, gigabit)
    }

    /// What the partner can do of energy-efficient Ethernet: all that it has in full duplex.
    fn partner_eee(&self) -> u16 {
        let Partner { speed, full } = self.partner;
        u16::from(full && speed >= 100) << 1 | u16::from(full && speed >= 1000) << 2
    }

    /// Reads a register; `None` if nothing answers at that address.
    pub fn read(&mut self, address: u8, number: u8) -> Option<u16> {
        if self.too_fast(address) {
            return Some(0xffff);
        }
        let (address, page) = self.select(address, number)?;
        if page != 0 || address != self.address() {
            let key = (address, page, number);
            return Some(self.registers.get(&key).copied().unwrap_or(0));
        }
        Some(self.read_base(number))
    }

    /// 82579: whether an access is lost as slow MDIO mode (`HV_KMRN_MODE_CTRL`) is off: nobody
    /// drives the bus. The mode itself, at address 1, can be read and written: drivers do both to
    /// switch it on.
    fn too_fast(&self, address: u8) -> bool {
        let mode = self.registers.get(&(1, 769, 16)).copied().unwrap_or(0);
        self.needs_slow && address == 2 && mode & 1 << 10 == 0
    }

    fn read_base(&mut self, number: u8) -> u16 {
        let stored = self.get(number);
        let up = self.link.is_some();
        match (number, self.kind) {
            (reg::STATUS, _) => {
                let link = up && !self.latched_down;
                self.latched_down = !up;
                let complete = up && self.get(reg::CONTROL) & control::AUTO != 0;
                0x7949 | u16::from(link) << 2 | u16::from(complete) << 5
            }
            (reg::PARTNER, _) if up => self.partner_abilities().0,
            (reg::EXPANSION, _) if up => 0x0003,
            (reg::GB_STATUS, _) if self.hang => stored | 0x00ff,
            // Both receivers are fine.
            (reg::GB_STATUS, _) if up => self.partner_abilities().1 | 0x3000,
            (reg::BM_STATUS, Kind::Bm) => self.link.map_or(0, |link| {
                (speed_code(link.speed) << 14) | u16::from(link.full) << 13 | 1 << 11 | 1 << 10
            }),
            (reg::BM_EVENTS, Kind::Bm) => 0,
            (reg::BM_RX_ERRORS, Kind::Bm) if self.hang => 0xffff,
            (reg::BM_PAGE, Kind::Bm) => self.page,
            (reg::EMI_DATA, Kind::Hv) => {
                let address = self.get(reg::EMI_ADDRESS);
                if address == emi::EEE_PARTNER {
                    return self.partner_eee();
                }
                self.emi.get(&address).copied().unwrap_or(0)
            }
            (reg::HV_STATUS, Kind::Hv) => self.link.map_or(0, |link| {
                let complete = u16::from(self.get(reg::CONTROL) & control::AUTO != 0);
                speed_code(link.speed) << 8 | u16::from(link.full) << 7 | 1 << 6 | complete << 12
            }),
            _ => stored,
        }
    }

    /// Writes a register; `None` if nothing answers at that address.
    pub fn write(&mut self, address: u8, number: u8, value: u16, now: Instant) -> Option<()> {
        match (self.kind, address, number) {
            (Kind::Bm, 1, reg::BM_PAGE) => {
                self.page = value & 0xff;
                return Some(());
            }
            (Kind::Bm, 1, reg::PAGE) | (Kind::Hv, 1, reg::PAGE) => {
                self.page = value >> 5;
                return Some(());
            }
            _ => {}
        }
        if self.too_fast(address) {
            return Some(());
        }
        let (address, page) = self.select(address, number)?;
        let key = (address, page, number);
        if page != 0 || address != self.address() {
            self.registers.insert(key, value);
            let oem = self.kind == Kind::Hv && (page, number) == (HV_HIGH, reg::OEM_BITS);
            if oem && value & oem::RESTART != 0 {
                self.registers.insert(key, value & !oem::RESTART);
                self.restart(now);
            }
            return Some(());
        }
        match (number, self.kind) {
            (reg::CONTROL, _) => self.write_control(value, now),
            (reg::STATUS | reg::ID1 | reg::ID2 | reg::PARTNER | reg::EXPANSION, _)
            | (reg::GB_STATUS | reg::EXTENDED_STATUS, _)
            | (reg::BM_STATUS | reg::BM_EVENTS | reg::BM_RX_ERRORS, Kind::Bm)
            | (reg::HV_STATUS, Kind::Hv) => {}
            (reg::EMI_DATA, Kind::Hv) => {
                self.emi.insert(self.get(reg::EMI_ADDRESS), value);
            }
            _ => {
                self.registers.insert(key, value);
            }
        }
        Some(())
    }

    fn write_control(&mut self, value: u16, now: Instant) {
        let before = self.get(reg::CONTROL);
        let after = value & !(control::RESET | control::RESTART);
        let key = (self.address(), 0, reg::CONTROL);
        self.registers.insert(key, after);
        // A soft reset makes what was written take effect, and negotiates anew.
        if value & (control::RESET | control::RESTART) != 0 || before != after {
            self.restart(now);
        }
    }

    /// Address and page that an access means.
    fn select(&self, address: u8, number: u8) -> Option<(u8, u16)> {
        match self.kind {
            Kind::Bm if address == 1 => {
                // Registers 0 to 15 of the IEEE are on each page below 2; pages up from there
                // have their own.
                let paged = self.page > 1 || (self.page == 1 && number > 15);
                Some((
                    1,
                    if paged && number != reg::BM_PAGE {
                        self.page
                    } else {
                        0
                    },
                ))
            }
            Kind::Hv if address == 1 && self.page == 0 => Some((1, HV_HIGH)),
            Kind::Hv if address == 1 => Some((1, self.page)),
            Kind::Hv if address == 2 => Some((2, if number > 15 { self.hv_page() } else { 0 })),
            _ => None,
        }
    }

    /// Page of the registers at address 2: those of 768 and more are at address 1.
    fn hv_page(&self) -> u16 {
        if self.page < HV_HIGH {
            self.page
        } else {
            0
        }
    }
}

fn speed_code(speed: u16) -> u16 {
    match speed {
        1000 => 2,
        100 => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(kind: Kind) -> (Phy, Instant) {
        let now = Instant::now();
        let mut phy = Phy::new(kind, Duration::from_millis(100));
        phy.set_cable(true, now);
        phy.tick(now);
        assert_eq!(phy.link(), None);
        let now = now + Duration::from_millis(100);
        phy.tick(now);
        (phy, now)
    }

    #[test]
    fn a_link_takes_its_time_and_status_latches_its_loss() {
        let (mut phy, now) = up(Kind::Bm);
        assert_eq!(
            phy.link(),
            Some(Link {
                speed: 1000,
                full: true
            })
        );
        assert_eq!(
            phy.read(1, 1).unwrap() & 1 << 2,
            0,
            "was down since the last read"
        );
        assert_ne!(phy.read(1, 1).unwrap() & 1 << 2, 0);
        assert_eq!(phy.read(1, 17), Some(0xac00));
        phy.write(1, 0, 0x1340, now);
        assert_eq!(phy.link(), None);
    }

    #[test]
    fn what_is_not_advertised_is_not_negotiated() {
        let (mut phy, now) = up(Kind::Bm);
        phy.write(1, 9, 0, now);
        phy.write(1, 0, 0x1340, now);
        phy.tick(now + Duration::from_secs(1));
        assert_eq!(phy.link().unwrap().speed, 100);
    }

    #[test]
    fn only_its_own_address_answers() {
        let (mut phy, _) = up(Kind::Bm);
        assert_eq!(phy.read(1, 2), Some(0x0141));
        assert_eq!(phy.read(2, 2), None);
        let (mut phy, _) = up(Kind::Hv);
        assert_eq!(phy.read(2, 2), Some(0x0154));
        assert_eq!(phy.read(3, 2), None);
    }

    #[test]
    fn pages_are_apart() {
        let (mut phy, now) = up(Kind::Bm);
        phy.write(1, 22, 3, now);
        phy.write(1, 16, 0x1234, now);
        phy.write(1, 22, 0, now);
        assert_eq!(phy.read(1, 16), Some(0x0060));
        let (mut phy, now) = up(Kind::Hv);
        phy.write(1, 31, 769 << 5, now);
        phy.write(1, 16, 0x0400, now);
        assert_eq!(phy.read(1, 16), Some(0x0400));
        assert_eq!(phy.read(2, 1).unwrap() & 0x7949, 0x7949);
    }

    #[test]
    fn slow_mode_can_be_set_where_it_is_needed() {
        let (mut phy, now) = up(Kind::Hv);
        phy.needs_slow = true;
        assert_eq!(phy.read(2, 2), Some(0xffff));
        phy.write(1, 31, 769 << 5, now);
        phy.write(1, 16, 0x0400, now);
        assert_eq!(phy.read(2, 2), Some(0x0154));
        phy.reset(now);
        assert_eq!(phy.read(2, 2), Some(0xffff));
    }

    #[test]
    fn oem_bits_slow_the_link_down() {
        let (mut phy, now) = up(Kind::Hv);
        let later = now + Duration::from_secs(1);
        for (bits, speed) in [(oem::NO_GIGABIT, 100), (oem::LOW_POWER, 10), (0, 1000)] {
            phy.write(1, 31, 0, now);
            phy.write(1, reg::OEM_BITS, bits | oem::RESTART, now);
            assert_eq!(phy.link(), None);
            phy.tick(later);
            assert_eq!(phy.link().unwrap().speed, speed);
            assert_eq!(phy.peek(HV_HIGH, reg::OEM_BITS), Some(bits));
        }
    }

    #[test]
    fn the_hang_shows_as_reports_say() {
        let (mut phy, _) = up(Kind::Bm);
        phy.hang = true;
        assert_eq!(phy.read(1, 21), Some(0xffff));
        assert_eq!(phy.read(1, 10).unwrap() & 0xff, 0xff);
    }
}
