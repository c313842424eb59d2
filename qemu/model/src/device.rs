// SPDX-License-Identifier: GPL-2.0

//! A device: its units, and the registers that bind them together.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::chip::{Chip, Options, Plain};
use crate::clock::Clock;
use crate::config::Config;
use crate::faults::{Death, Faults, Ring};
use crate::flash::Flash;
use crate::interrupts::{Interrupts, Mode, VECTORS};
use crate::lines::Lines;
use crate::manage::{self, Bmc};
use crate::mdio::Mdio;
use crate::memory::Memory;
use crate::nvm::Nvm;
use crate::phy::{Link, Phy};
use crate::regs::{self, cause, ctrl, eec, extcnf_ctrl, queue, rctl, status, swsm, tctl};
use crate::rx::Rx;
use crate::stamps::Stamps;
use crate::statistics::Statistics;
use crate::tx::Tx;

/// Descriptors fetched at one go, so that registers can be reached in between.
const BUDGET: usize = 32;

/// How long a MAC takes for a reset, in which its registers are not to be touched.
const RESET_TIME: Duration = Duration::from_micros(100);

/// How long it takes to configure a PHY after its reset.
const CONFIGURATION: Duration = Duration::from_millis(5);

/// What a look at the device brought.
#[derive(Default)]
pub struct Outcome {
    /// Frames for the wire.
    pub frames: Vec<Vec<u8>>,
    /// When to look again.
    pub next: Option<Instant>,
    /// There is more to do at once.
    pub more: bool,
}

/// A device.
pub struct Device {
    pub chip: &'static dyn Chip,
    options: Options,
    pub config: Config,
    pub memory: Memory,
    pub lines: Lines,
    pub faults: Faults,
    pub interrupts: Interrupts,
    pub phy: Phy,
    pub statistics: Statistics,
    pub bmc: Bmc,
    mdio: Mdio,
    nvm: Nvm,
    flash: Flash,
    rx: Rx,
    tx: Tx,
    clock: Clock,
    stamps: Stamps,
    plain: BTreeMap<u32, u32>,
    ctrl: u32,
    ctrl_ext: u32,
    tctl: u32,
    eec: u32,
    extcnf: u32,
    /// 82579: software waits for its flag.
    flag_wanted: bool,
    swsm: u32,
    kmrn: BTreeMap<u8, u16>,
    kmrn_last: u32,
    /// What the firmware says of itself (`FWSM`).
    pub fwsm: u32,
    pba: u32,
    phy_reset_seen: bool,
    /// 82579: what the NVM asks for is loaded into MAC and PHY.
    init_done: bool,
    configuring: Option<Instant>,
    was_up: bool,
    /// After `CTRL.RST` the NVM is read until then.
    resetting: Option<Instant>,
    /// Software resets so far.
    pub resets: u64,
}

impl Device {
    pub fn new(
        chip: &'static dyn Chip,
        options: Options,
        negotiation: Duration,
        now: Instant,
    ) -> Self {
        let (mac, id) = (options.mac, chip.device_id());
        let mut device = Self {
            chip,
            config: chip.config(&options),
            memory: Memory::default(),
            lines: Lines::default(),
            faults: Faults::default(),
            interrupts: Interrupts::new(Mode::Intx),
            phy: Phy::new(chip.phy(), negotiation),
            statistics: Statistics::default(),
            bmc: Bmc::default(),
            mdio: Mdio::default(),
            nvm: Nvm::new(mac, id, options.vectors),
            flash: Flash::new(mac, id),
            rx: Rx::new(),
            tx: Tx::default(),
            clock: Clock::new(if chip.eeprom() { 25 } else { 96 }, now),
            stamps: Stamps::default(),
            plain: BTreeMap::new(),
            ctrl: 0,
            ctrl_ext: 0,
            tctl: 0,
            eec: 0,
            extcnf: 0,
            flag_wanted: false,
            swsm: 0,
            kmrn: BTreeMap::new(),
            kmrn_last: 0,
            // No ME; the PHY may be reset by the host (RSPCIPHY).
            fwsm: if chip.eeprom() { 0 } else { 1 << 6 },
            pba: 0,
            phy_reset_seen: false,
            init_done: false,
            configuring: None,
            was_up: false,
            resetting: None,
            resets: 0,
            options,
        };
        device.power_on(now);
        device
    }

    /// Power on, or a reset of the bus.
    pub fn power_on(&mut self, now: Instant) {
        self.config.reset();
        for plain in self.chip.plain() {
            for register in (plain.first..=plain.last).step_by(4) {
                self.plain.insert(register, plain.reset);
            }
        }
        self.faults.aspm.revive(now);
        self.phy.reset(now);
        self.configuring = Some(now + CONFIGURATION);
        self.pba = 0x0014_0014;
        self.reset(now);
        self.swsm = swsm::SMBI;
        self.follow_config();
    }

    /// `CTRL.RST`: the MAC, not the PHY, nor what is manageability's.
    fn reset(&mut self, now: Instant) {
        self.resets += 1;
        for plain in self.chip.plain().iter().filter(|plain| !plain.kept) {
            for register in (plain.first..=plain.last).step_by(4) {
                self.plain.insert(register, plain.reset);
            }
        }
        self.interrupts.reset();
        self.statistics = Statistics::default();
        self.mdio = Mdio::default();
        let engine = self.faults.me.every_ms > 0;
        let addresses = std::mem::replace(&mut self.rx, Rx::new()).addresses;
        if engine {
            // The engine's own, which it would set again at once.
            self.rx.addresses[1..SHRA].copy_from_slice(&addresses[1..SHRA]);
        }
        self.tx = Tx::new();
        self.clock.reset(now);
        self.stamps = Stamps::default();
        self.ctrl = ctrl::FD | 2 << ctrl::SPEED_SHIFT | 1 << 20;
        self.ctrl_ext = if self.chip.eeprom() { 0 } else { LSECCK };
        self.tctl = tctl::PSP;
        self.extcnf &= extcnf_ctrl::GATE_PHY_CFG | extcnf_ctrl::POINTER;
        self.flag_wanted = false;
        self.eec = eec::PRES | eec::AUTO_RD;
        // What PBA was told takes effect now.
        self.rx.room = ((self.pba & 0xffff) as usize).max(1) * 1024;
        self.was_up = false;
        self.resetting = Some(now + RESET_TIME);
        let mac = if self.chip.eeprom() {
            self.nvm.mac()
        } else {
            self.flash.mac()
        };
        let low = u32::from_le_bytes([mac[0], mac[1], mac[2], mac[3]]);
        let high = u32::from(u16::from_le_bytes([mac[4], mac[5]]));
        self.rx.addresses[0] = [low, high | 1 << 31];
        if !self.chip.eeprom() {
            // The configuration that the NVM asks for is done (LAN_INIT_DONE).
            self.plain.insert(regs::EEMNGCTL, 1 << 18);
        }
    }

    /// Takes over what the configuration space says.
    pub fn follow_config(&mut self) {
        self.memory.bus_master = self.config.bus_master() && self.config.power() == 0;
        let mode = if self.config.msix_enabled() {
            Mode::Msix(self.chip.msix(&self.options).into())
        } else if self.config.msi_enabled() {
            Mode::Msi
        } else {
            Mode::Intx
        };
        if self.interrupts.mode != mode {
            self.interrupts.mode = mode;
        }
    }

    /// Writes configuration space.
    pub fn write_config(&mut self, offset: usize, data: &[u8], now: Instant) {
        let asleep = self.config.power() == 3;
        self.config.write(offset, data);
        if asleep && self.config.power() == 0 {
            // No_Soft_Reset is clear: coming back from D3hot is a reset of the function.
            self.faults.aspm.revive(now);
            self.reset(now);
        }
        self.follow_config();
    }

    /// Whether nothing answers.
    pub fn gone(&self) -> bool {
        self.faults.aspm.death == Death::Gone || self.config.power() == 3
    }

    fn phy_dead(&self) -> bool {
        self.faults.aspm.death != Death::Alive
    }

    /// The link that the MAC uses.
    pub fn link(&self) -> Option<Link> {
        if self.ctrl & ctrl::SLU == 0 || self.phy_dead() {
            return None;
        }
        self.phy.link()
    }

    fn status(&self) -> u32 {
        let mut value = 0;
        if self.ctrl & ctrl::GIO_MASTER_DISABLE == 0 {
            value |= status::GIO_MASTER_ENABLE;
        }
        if self.phy_reset_seen {
            value |= status::PHYRA;
        }
        if self.init_done && !self.chip.eeprom() {
            value |= status::LAN_INIT_DONE;
        }
        // A PHY that has died of ASPM takes its last word with it: STATUS does not change.
        let link = if self.ctrl & ctrl::SLU != 0 {
            self.phy.link()
        } else {
            None
        };
        let code = |speed| match speed {
            1000 => 2,
            100 => 1,
            _ => 0,
        };
        if let Some(link) = link {
            let speed = if self.ctrl & ctrl::FRCSPD != 0 {
                self.ctrl >> ctrl::SPEED_SHIFT & 3
            } else {
                code(link.speed)
            };
            let full = if self.ctrl & ctrl::FRCDPLX != 0 {
                self.ctrl & ctrl::FD != 0
            } else {
                link.full
            };
            value |= status::LU | speed << status::SPEED_SHIFT;
            if self.chip.eeprom() {
                value |= code(link.speed) << status::ASDV_SHIFT;
            }
            value |= if full { status::FD } else { 0 };
        }
        value
    }

    fn spec(&self, register: u32) -> Option<&'static Plain> {
        self.chip
            .plain()
            .iter()
            .find(|plain| (plain.first..=plain.last).contains(&register))
    }

    /// Reads a register of BAR 0.
    pub fn read(&mut self, register: u32, now: Instant) -> u32 {
        self.faults.aspm.busy(now);
        if self.gone() {
            return !0;
        }
        self.tick_units(now);
        let eeprom = self.chip.eeprom();
        match register {
            regs::CTRL => self.ctrl,
            regs::STATUS => self.status(),
            regs::EEC => self.eec,
            regs::EERD if eeprom => self.nvm.read_eerd(),
            regs::EEWR if eeprom => self.nvm.read_eewr(),
            regs::EEMNGCTL => 1 << 18,
            regs::CTRL_EXT => self.ctrl_ext,
            regs::MDIC => self.mdio.read(&mut self.faults.mdic),
            KMRNCTRLSTA if !eeprom => self.kmrn_last,
            regs::VET => self.rx.vet.into(),
            regs::EXTCNF_CTRL => self.extcnf,
            regs::PBA => self.pba,
            regs::ICR => self.interrupts.read_icr(self.ctrl_ext),
            regs::ITR => self.interrupts.itr,
            regs::IMS => self.interrupts.ims,
            regs::EIAC if eeprom => self.interrupts.eiac,
            regs::IAM => self.interrupts.iam,
            regs::IVAR if eeprom => self.interrupts.ivar,
            regs::EITR..=regs::EITR_LAST if eeprom => {
                self.interrupts.eitr[((register - regs::EITR) / 4) as usize % VECTORS]
            }
            regs::RCTL => self.rx.rctl,
            regs::RADV => self.rx.radv,
            regs::RXCSUM => self.rx.rxcsum,
            regs::RFCTL => self.rx.rfctl,
            regs::RSRPD => self.rx.small,
            regs::PSRCTL => self.rx.psrctl,
            regs::MRQC => self.rx.mrqc,
            regs::TCTL => self.tctl,
            regs::TIDV => self.tx.delay,
            regs::TADV => self.tx.absolute,
            regs::SWSM if eeprom => self.read_swsm(),
            regs::FWSM => self.firmware(now),
            regs::SYSTIML => self.clock.read_low(now),
            regs::SYSTIMH => self.clock.read_high(),
            regs::TIMINCA => self.clock.timinca,
            regs::STATISTICS..regs::STATISTICS_END => self.statistics.read(register),
            _ => self
                .ring(register, |value| *value)
                .or_else(|| self.stamps.read(register))
                .or_else(|| self.rx.table(register).map(|value| *value))
                .or_else(|| self.plain.get(&register).copied())
                .unwrap_or(0),
        }
    }

    /// Writes a register of BAR 0.
    pub fn write(&mut self, register: u32, value: u32, now: Instant) {
        self.faults.aspm.busy(now);
        if self.gone() {
            return;
        }
        self.tick_units(now);
        self.faults.me.written(now);
        let eeprom = self.chip.eeprom();
        match register {
            regs::CTRL => self.write_ctrl(value, now),
            // Zeroes clear.
            regs::STATUS => {
                self.phy_reset_seen &= value & status::PHYRA != 0;
                self.init_done &= value & status::LAN_INIT_DONE != 0;
            }
            regs::EEC => self.write_eec(value),
            regs::EERD if eeprom => self.nvm.write_eerd(value, &mut self.faults.nvm),
            regs::EEWR if eeprom => self.nvm.write_eewr(value),
            regs::CTRL_EXT => self.write_ctrl_ext(value, now),
            regs::MDIC => self.mdio.write(value, now),
            KMRNCTRLSTA if !eeprom => self.write_kmrn(value),
            regs::VET => {
                self.rx.vet = value as u16;
                self.tx.vet = value as u16;
            }
            regs::EXTCNF_CTRL => self.write_extcnf(value),
            regs::PBA => self.pba = self.chip.pba(value),
            regs::ICR => self.interrupts.write_icr(value, self.ctrl_ext),
            regs::ITR => self.interrupts.itr = value & 0xffff,
            regs::ICS => self.interrupts.raise(value),
            regs::IMS => self.interrupts.set_mask(value),
            regs::IMC => self.interrupts.clear_mask(value),
            regs::EIAC if eeprom => self.interrupts.eiac = value & 0x01f0_0000,
            regs::IAM => self.interrupts.iam = value,
            regs::IVAR if eeprom => self.interrupts.ivar = value & 0x800f_ffff,
            regs::EITR..=regs::EITR_LAST if eeprom => {
                let number = ((register - regs::EITR) / 4) as usize % VECTORS;
                self.interrupts.eitr[number] = value & 0xffff;
            }
            regs::RCTL => self.rx.rctl = value,
            regs::RADV => self.rx.radv = value & 0xffff,
            regs::RXCSUM => self.rx.rxcsum = value & 0x3fff,
            regs::RFCTL => self.rx.rfctl = value,
            regs::RSRPD => self.rx.small = value & 0xfff,
            regs::PSRCTL => self.rx.psrctl = value,
            regs::MRQC => self.rx.mrqc = value,
            regs::TCTL => self.tctl = value,
            regs::TIDV => self.tx.delay = value & 0xffff,
            regs::TADV => self.tx.absolute = value & 0xffff,
            regs::SWSM if eeprom => self.write_swsm(value),
            regs::WUS => {
                // Ones clear; nothing sets them here.
            }
            regs::SYSTIML => self.clock.write_low(value, now),
            regs::SYSTIMH => self.clock.write_high(value, now),
            regs::TIMINCA => self.clock.set_timinca(value, now),
            _ => self.write_rest(register, value),
        }
    }

    /// `FWSM`: whether firmware is there, and whether it accesses registers just now.
    fn firmware(&self, now: Instant) -> u32 {
        let me = &self.faults.me;
        let valid = u32::from(me.every_ms > 0) << 15;
        self.fwsm | valid | u32::from(me.busy(now)) << 24
    }

    fn write_rest(&mut self, register: u32, value: u32) {
        let ring = match register {
            regs::RDBAL..0x2a00 => Some(Ring::Rx),
            regs::TDBAL..0x3a00 => Some(Ring::Tx),
            _ => None,
        };
        let tail = ring.filter(|_| register % queue::STEP == queue::TAIL);
        if tail.is_some_and(|ring| self.faults.tails.take(ring)) {
            return;
        }
        let shared = (SHRAL..SHRA_END).contains(&register);
        if shared && self.faults.me.locks_addresses {
            return;
        }
        let written = self.ring(register, |place| *place = value);
        if written.is_some() || self.stamps.write(register, value) {
            return;
        }
        if let Some(place) = self.rx.table(register) {
            *place = value;
        } else if let Some(spec) = self.spec(register) {
            self.plain.insert(register, value & spec.mask);
        }
    }

    /// A register of a ring, if it is one; those of bases and with reserved bits go by a copy.
    fn ring<R>(&mut self, register: u32, access: impl FnOnce(&mut u32) -> R) -> Option<R> {
        let (block, receive) = match register {
            regs::RDBAL..0x2a00 => (register - regs::RDBAL, true),
            regs::TDBAL..0x3a00 => (register - regs::TDBAL, false),
            _ => return None,
        };
        let (number, offset) = ((block / queue::STEP) as usize, block % queue::STEP);
        if matches!(offset, queue::BAL | queue::BAH) {
            let base = if receive {
                &mut self.rx.queues[number].base
            } else {
                &mut self.tx.queues[number].base
            };
            let shift = if offset == queue::BAH { 32 } else { 0 };
            let mut half = (*base >> shift) as u32;
            let result = access(&mut half);
            if offset == queue::BAL {
                half &= !0xf;
            }
            *base = *base & !(0xffff_ffff << shift) | u64::from(half) << shift;
            return Some(result);
        }
        let place = if receive {
            self.rx.register(number, offset)
        } else {
            self.tx.register(number, offset)
        }?;
        let result = access(place);
        *place &= match offset {
            queue::LEN => 0x000f_ff80,
            queue::HEAD | queue::TAIL => 0xffff,
            queue::DELAY => 0xffff,
            _ => !0,
        };
        Some(result)
    }

    fn write_ctrl(&mut self, value: u32, now: Instant) {
        if value & ctrl::PHY_RST != 0 && self.ctrl & ctrl::PHY_RST == 0 {
            self.phy.reset(now);
            self.phy_reset_seen = true;
            self.init_done = false;
            self.configuring = Some(now + CONFIGURATION);
        }
        if value & ctrl::RST != 0 {
            self.reset(now);
            return;
        }
        let power = LANPHYPC_OVERRIDE | LANPHYPC_VALUE;
        if !self.chip.eeprom()
            && value & power == LANPHYPC_OVERRIDE
            && self.ctrl & power != LANPHYPC_OVERRIDE
        {
            // LANPHYPC: the PHY's power is taken away.
            self.phy.reset(now);
        }
        self.ctrl = value;
        self.rx.strip = value & ctrl::VME != 0;
        self.tx.tag = self.rx.strip;
    }

    fn write_ctrl_ext(&mut self, value: u32, now: Instant) {
        self.ctrl_ext = value & !regs::ctrl_ext::EE_RST;
        if !self.chip.eeprom() {
            self.ctrl_ext |= LSECCK;
        }
        if value & regs::ctrl_ext::EE_RST != 0 {
            self.eec |= eec::AUTO_RD;
        }
        if !self.chip.eeprom() {
            // PHY power-down, LANPHYPC's end: done at once (LPCD).
            self.ctrl_ext |= value & 1 << 2;
            let _ = now;
        }
    }

    fn write_eec(&mut self, value: u32) {
        let kept = eec::PRES | eec::AUTO_RD | eec::GNT;
        self.eec = self.eec & kept | value & !kept;
        if value & eec::REQ != 0 {
            self.eec |= eec::GNT;
        } else {
            self.eec &= !eec::GNT;
        }
    }

    /// Whether hardware or firmware own the PHY.
    fn mdio_held(&self) -> bool {
        self.extcnf & extcnf_ctrl::MDIO_HW != 0
            || self.faults.semaphores.mdio
            || self.faults.me.holds()
    }

    /// MDIO ownership (10.2.2.15): the software's claim sticks only while nobody else owns it. The
    /// 82579 remembers it until then: the in-tree driver asks once, and waits.
    fn write_extcnf(&mut self, value: u32) {
        let mut next = value & !extcnf_ctrl::MDIO_HW | self.extcnf & extcnf_ctrl::MDIO_HW;
        self.flag_wanted = !self.chip.eeprom() && value & extcnf_ctrl::MDIO_SW != 0;
        if self.mdio_held() {
            next = next & !extcnf_ctrl::MDIO_SW | self.extcnf & value & extcnf_ctrl::MDIO_SW;
        }
        self.extcnf = next;
    }

    /// A read of `SMBI` that finds it clear takes it (10.2.8.11).
    fn read_swsm(&mut self) -> u32 {
        let value = self.swsm;
        if self.faults.semaphores.swsm {
            return value | swsm::SMBI;
        }
        self.swsm |= swsm::SMBI;
        value
    }

    fn write_swsm(&mut self, value: u32) {
        // Software clears SMBI, and sets the other only if firmware does not hold it.
        let mut next = self.swsm & value & swsm::SMBI | value & !swsm::SMBI;
        if self.faults.semaphores.swsm {
            next &= !swsm::SWESMBI;
        }
        self.swsm = next;
    }

    /// A register of the interconnect between MAC and PHY, as it was last written.
    pub fn peek_kmrn(&self, number: u8) -> Option<u16> {
        self.kmrn.get(&number).copied()
    }

    /// The window to the interconnect between MAC and PHY (Kumeran).
    fn write_kmrn(&mut self, value: u32) {
        let number = (value >> 16 & 0x1f) as u8;
        if value & 1 << 21 != 0 {
            let data = self.kmrn.get(&number).copied().unwrap_or(0);
            self.kmrn_last = value & 0xffff_0000 | u32::from(data);
        } else {
            self.kmrn.insert(number, value as u16);
            self.kmrn_last = value;
        }
    }

    /// Reads from the flash registers in BAR 1.
    pub fn read_flash(&mut self, offset: u32, length: usize) -> u32 {
        if self.gone() {
            return !0;
        }
        self.flash.read(offset, length)
    }

    pub fn write_flash(&mut self, offset: u32, length: usize, value: u32) {
        if !self.gone() {
            self.flash
                .write(offset, length, value, &mut self.faults.nvm);
        }
    }

    /// Switches the management controller on or off: its word in the NVM, which the driver reads
    /// as it binds, and its filters.
    pub fn set_bmc(&mut self, on: bool) {
        self.bmc.on = on;
        self.nvm.set_pass_through(on);
        for number in 0..manage::FILTERS {
            self.plain.insert(regs::MDEF + 4 * number as u32, 0);
        }
        let (manc, filter) = if on {
            (manage::RCV_TCO_EN, manage::IPMI)
        } else {
            (0, 0)
        };
        self.plain.insert(regs::MANC2H, 0);
        self.plain
            .insert(regs::MDEF + 4 * manage::FILTER as u32, filter);
        self.plain.insert(regs::MANC, manc);
    }

    /// Hands a frame to the management controller if it is for it; whether the host gets it.
    fn pass_through(&mut self, frame: &[u8]) -> bool {
        let plain = |register| self.plain.get(&register).copied().unwrap_or(0);
        let manc = plain(regs::MANC);
        if !self.bmc.on || manc & manage::RCV_TCO_EN == 0 || frame.len() < 14 {
            return true;
        }
        let filters = std::array::from_fn(|number| plain(regs::MDEF + 4 * number as u32));
        let passed = manage::passed(frame, self.rx.exact(&frame[..6]), &filters);
        if passed == 0 {
            return true;
        }
        let shared = manc & manage::EN_MNG2HOST != 0 && passed & plain(regs::MANC2H) != 0;
        self.bmc.take(frame);
        shared
    }

    /// A frame from the wire.
    pub fn receive(&mut self, frame: Vec<u8>, now: Instant) {
        let cut_off = self.phy_dead() || self.phy.link().is_none() || self.phy.loopback();
        if !cut_off && !self.pass_through(&frame) {
            return;
        }
        if self.gone() || self.link().is_none() || self.phy.loopback() {
            return;
        }
        self.faults.aspm.busy(now);
        self.take_in(frame, now);
    }

    fn take_in(&mut self, frame: Vec<u8>, now: Instant) {
        let (clock, stamps) = (&self.clock, &mut self.stamps);
        let stamp = |frame: &[u8]| stamps.received(frame, clock.now(now));
        if self.rx.receive(frame, &mut self.statistics, stamp) {
            self.interrupts.raise(cause::RXO);
        }
    }

    /// Lets time pass for the units that need no memory; returns when firmware is to be looked at.
    fn tick_units(&mut self, now: Instant) -> Option<Instant> {
        let aspm = self.config.aspm() != 0;
        self.faults.aspm.tick(now, aspm);
        self.phy.hang = self.faults.phy_hang;
        self.phy.needs_slow = self.faults.slow_mdio;
        let free = self.extcnf & extcnf_ctrl::MDIO_SW == 0;
        let me = self.faults.me.tick(now, free);
        if self.flag_wanted && !self.mdio_held() {
            self.extcnf |= extcnf_ctrl::MDIO_SW;
        }
        self.phy.tick(now);
        let dead = self.phy_dead();
        let fault = &mut self.faults.mdic;
        if self.mdio.tick(now, &mut self.phy, fault, dead) {
            self.interrupts.raise(cause::MDAC);
        }
        if self.resetting.is_some_and(|until| until <= now) {
            self.resetting = None;
        }
        if self.configuring.is_some_and(|until| until <= now) {
            self.configuring = None;
            self.init_done = true;
        }
        let up = self.status() & status::LU != 0;
        if up != self.was_up {
            self.was_up = up;
            if !self.phy_dead() {
                self.interrupts.raise(cause::LSC);
            }
        }
        me
    }

    /// Lets time pass: sends, receives, interrupts.
    pub fn tick(&mut self, now: Instant) -> Outcome {
        let me = self.tick_units(now);
        let mut outcome = Outcome::default();
        let mut deadlines = vec![me, self.phy.deadline(), self.mdio.deadline()];
        if self.faults.aspm.idle_ms > 0 && !self.gone() {
            deadlines.push(Some(now + Duration::from_millis(20)));
        }
        if !self.gone() {
            self.transmit(now, &mut outcome, &mut deadlines);
            self.fill(now, &mut deadlines);
            deadlines.push(self.signal(now));
        }
        outcome.frames.append(&mut self.bmc.outbox);
        outcome.next = deadlines.into_iter().flatten().min();
        outcome
    }

    /// Sends interrupts that are due; returns when to look again.
    pub fn signal(&mut self, now: Instant) -> Option<Instant> {
        let mut signals = vec![];
        let next = self.interrupts.service(now, self.ctrl_ext, &mut signals);
        for signal in signals {
            if signal != crate::interrupts::Signal::Intx || !self.config.intx_disabled() {
                self.lines.send(signal, &mut self.faults.messages);
            }
        }
        next
    }

    fn queue_cause(&self, number: usize, single: u32, each: [u32; 2]) -> u32 {
        match self.interrupts.mode {
            Mode::Msix(_) => each[number],
            _ => single,
        }
    }

    fn transmit(
        &mut self,
        now: Instant,
        outcome: &mut Outcome,
        deadlines: &mut Vec<Option<Instant>>,
    ) {
        let each = [cause::TXQ0, cause::TXQ1];
        let sends = self.tctl & tctl::EN != 0
            && !self.faults.tx_hang
            && self.ctrl & ctrl::GIO_MASTER_DISABLE == 0
            && (self.link().is_some() || self.rx.rctl & rctl::LBM != 0);
        if sends {
            let sent = self.tx.run(&mut self.memory, BUDGET, now);
            self.statistics.add(regs::TSCTC, sent.segmented);
            outcome.more = sent.more;
            if sent.stamp {
                self.stamps.sent(self.clock.now(now));
            }
            for number in 0..each.len() {
                if sent.done[number] {
                    let causes = self.queue_cause(number, cause::TXDW, each);
                    self.interrupts.raise(causes);
                }
                if sent.empty[number] && self.queue_cause(number, 0, each) == 0 {
                    self.interrupts.raise(cause::TXQE);
                }
            }
            for frame in sent.frames {
                self.faults.aspm.busy(now);
                self.statistics.frame(&frame[..6], frame.len() + 4, false);
                if self.phy.loopback() || self.rx.rctl & rctl::LBM != 0 {
                    self.take_in(frame, now);
                } else {
                    outcome.frames.push(frame);
                }
            }
        }
        let (due, next) = self.tx.delayed(now);
        for (number, due) in due.into_iter().enumerate() {
            if due {
                let causes = self.queue_cause(number, cause::TXDW, each);
                self.interrupts.raise(causes);
            }
        }
        deadlines.push(next);
    }

    fn fill(&mut self, now: Instant, deadlines: &mut Vec<Option<Instant>>) {
        let each = [cause::RXQ0, cause::RXQ1];
        let enabled = self.rx.rctl & rctl::EN != 0 && self.ctrl & ctrl::GIO_MASTER_DISABLE == 0;
        if enabled {
            let fault = &mut self.faults.descriptors;
            let got = self.rx.run(&mut self.memory, fault, now);
            self.interrupts.raise(got.other);
            for number in 0..each.len() {
                if got.done[number] {
                    let causes = self.queue_cause(number, cause::RXT0, each);
                    self.interrupts.raise(causes);
                }
                if got.few[number] {
                    let causes = self.queue_cause(number, cause::RXDMT0, each);
                    self.interrupts.raise(causes);
                }
            }
        }
        let (due, next) = self.rx.delayed(now);
        for (number, due) in due.into_iter().enumerate() {
            if due {
                let causes = self.queue_cause(number, cause::RXT0, each);
                self.interrupts.raise(causes);
            }
        }
        deadlines.push(next);
    }

    /// A register as it stands, without what a read does to it; `None` if it has no store.
    pub fn peek(&mut self, register: u32) -> Option<u32> {
        Some(match register {
            regs::CTRL => self.ctrl,
            regs::STATUS => self.status(),
            regs::CTRL_EXT => self.ctrl_ext,
            regs::EXTCNF_CTRL => self.extcnf,
            regs::ICR => self.interrupts.icr,
            regs::IMS => self.interrupts.ims,
            regs::IVAR if self.chip.eeprom() => self.interrupts.ivar,
            regs::RCTL => self.rx.rctl,
            regs::TCTL => self.tctl,
            regs::STATISTICS..regs::STATISTICS_END => self.statistics.peek(register) as u32,
            _ => {
                return self
                    .ring(register, |value| *value)
                    .or_else(|| self.rx.table(register).map(|value| *value))
                    .or_else(|| self.plain.get(&register).copied());
            }
        })
    }
}

/// 82579: receive addresses from this one on are `SHRA`; the engine's are before them.
const SHRA: usize = 7;
const SHRAL: u32 = 0x5438;
const SHRA_END: u32 = 0x5458;
/// 82579, `CTRL_EXT`: no MACsec, so that long frames are possible.
const LSECCK: u32 = 1 << 12;
/// 82579: Kumeran control and status.
const KMRNCTRLSTA: u32 = 0x0034;
/// 82579, `CTRL`: the PHY's power, by software.
const LANPHYPC_OVERRIDE: u32 = 1 << 16;
const LANPHYPC_VALUE: u32 = 1 << 17;
