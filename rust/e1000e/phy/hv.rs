// SPDX-License-Identifier: GPL-2.0

//! The 82579, which is the PHY of the chipset's LAN controller (PCH2).
//!
//! What is beyond IEEE 802.3 is known from the in-tree driver only; [`values`] says where registers
//! are and what is written to them, the functions here say when.

use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use super::{
    CrossoverStatus,
    Model,
    Phy,
    PhyError,
    PhyId,
    Place,
    Reg,
    Session, //
};
use crate::{
    chip::kmrn,
    csr::{
        Csr,
        Gone, //
    },
    link::{
        mii,
        Crossover,
        Eee,
        LinkMode,
        LinkRequest,
        Modes, //
    },
    mdic::MdicError,
    regs::pch2::{
        EXTCNF_CTRL,
        FWSM,
        KMRNCTRLSTA, //
    }, //
};

pub(crate) mod values;

use values::{
    EEE_100,
    EEE_1000,
    K1, //
};

/// The PHY.
pub(crate) struct Hv;

/// Identifier, without the revision.
const I82579: u32 = 0x0154_0090;

/// Bits of the identifier that are the revision.
const REVISION: u32 = 0xf;

/// Pause after each access: without it the next one may return the same data.
const PAUSE: Delta = Delta::from_micros(100);

/// How many times an access that failed is tried again.
const RETRIES: u32 = 2;

/// How often it is looked whether whoever had the bus before, other software, has given it up: a
/// tenth of a second in all.
const FREE_LOOKS: u32 = 100;

/// How often the bus is asked for: a second in all, as the in-tree driver waits.
const GRANT_LOOKS: u32 = 1000;

/// Pause between two looks at the bus.
const BUS_INTERVAL: Delta = Delta::from_millis(1);

/// How often, and how far apart, it is looked whether the firmware lets the PHY be reset.
const BLOCK_LOOKS: u32 = 30;
const BLOCK_INTERVAL: Delta = Delta::from_millis(10);

/// Extended management interface (EMI): address of a register, and its data.
const EMI_ADDRESS: Reg = Reg::new(16);
const EMI_DATA: Reg = Reg::new(17);

/// EMI: from which mean square error on the link is bad, and how often it may be.
const EMI_MSE_THRESHOLD: u16 = 0x084f;
const EMI_MSE_LINK_DOWN: u16 = 0x2411;
/// EMI: receiver; 0 makes it faster at 10 Mb/s in half duplex.
const EMI_RX_CONFIG: u16 = 0x3412;
/// EMI: time from one low power idle to the next, in 40 ns.
const EMI_LPI_TIMER: u16 = 0x4805;
/// EMI: what the PHY shuts down in low power idle; bit 2: its PLL at 100 Mb/s.
const EMI_LPI_SHUT: u16 = 0x4412;
/// EMI: what was received of low power idle, in bits 3:2; a read clears it.
const EMI_EEE_STATUS: u16 = 0x182e;
/// EMI: EEE capability, advertisement, ability of the partner (MMD 3.20, 7.60, 7.61).
const EMI_EEE_CAPABILITY: u16 = 0x0410;
const EMI_EEE_ADVERTISEMENT: u16 = 0x040e;
const EMI_EEE_PARTNER: u16 = 0x040f;

/// Control 2: crossover; both bits clear is straight.
const CONTROL_2: Reg = Reg::new(18);
const CONTROL_2_CROSSED: u16 = 0x0200;
const CONTROL_2_AUTO: u16 = 0x0400;
/// Loopback control.
const LOOPBACK: Reg = Reg::new(19);
const LOOPBACK_ON: u16 = 0x8001;
/// Bit 3: the PHY powers down while there is no energy on the line.
const ENERGY_DETECT: Reg = Reg::new(21);
const ENERGY_DETECT_DOWN: u16 = 1 << 3;
/// Configuration: carrier sense while sending, which half duplex needs; downshift.
const CONFIG: Reg = Reg::new(22);
const CONFIG_CRS_ON_TX: u16 = 1 << 15;
const CONFIG_DOWNSHIFT: u16 = 3 << 10;
/// Status: link up, crossover, speed.
const STATUS: Reg = Reg::new(26);
const STATUS_LINK: u16 = 0x0040;
const STATUS_CROSSED: u16 = 0x0800;

/// Settings by the board's maker.
const OEM_BITS: Reg = Reg::paged(768, 25);
/// Address on the system management bus.
const SMB_ADDRESS: Reg = Reg::paged(768, 26);
/// What the lights show.
const LIGHTS: Reg = Reg::paged(768, 30);
/// Mode of the link to the MAC.
const KMRN_MODE: Reg = Reg::paged(769, 16);
const KMRN_MODE_SLOW: u16 = 0x0400;
/// The same: to be set but for long frames.
const KMRN_MODE_SHORT: u16 = 1 << 13;
/// Port configuration: how the PHY wakes the system.
const PORT_CONFIG: Reg = Reg::paged(769, 17);
const PORT_CONFIG_REGISTERS: u16 = 1 << 2;
const PORT_CONFIG_HOST_WAKE: u16 = 1 << 4;
const PORT_CONFIG_ME_WAKE: u16 = 1 << 5;
/// Bit 14: the receive path is off.
const DFT: Reg = Reg::paged(769, 20);
const DFT_RX_OFF: u16 = 1 << 14;
/// Room for long frames.
const LONG_FRAMES: Reg = Reg::paged(769, 23);
/// Pause time of PAUSE frames, in units of 512 bit times.
const PAUSE_TIME: Reg = Reg::paged(769, 27);
/// Buffer between PHY and MAC.
const KMRN_FIFO: Reg = Reg::paged(770, 16);
/// Power management.
const POWER: Reg = Reg::paged(770, 17);
const POWER_K1: u16 = 0x4000;
const POWER_LONG_FRAMES: u16 = 1 << 10;
/// Low power idle control.
const LPI_CONTROL: Reg = Reg::paged(772, 20);
/// Bit 0: no energy detection of the whole chip.
const CHIP_ENERGY_DETECT: Reg = Reg::paged(776, 18);
/// Distance of the transmit pointers in bits 11:2.
const TX_POINTERS: Reg = Reg::paged(776, 20);
/// Clock of the receiver.
const RX_CLOCK: Reg = Reg::paged(776, 23);

/// Registers for waking up are behind these two: number, and data.
const WAKE_ADDRESS: Reg = Reg::paged(800, 17);
const WAKE_DATA: Reg = Reg::paged(800, 18);
/// The first register of receive address 0 among them; four for each.
const WAKE_RAR: u16 = 16;

impl Hv {
    /// The wake-up register of `part` (0 to 3) of receive address `index`.
    const fn wake_rar(index: u16, part: u16) -> u16 {
        WAKE_RAR
            .wrapping_add(index.wrapping_mul(4))
            .wrapping_add(part)
    }
}

impl Model for Hv {
    fn is(&self, id: PhyId) -> bool {
        id.raw() & !REVISION == I82579
    }

    fn place(&self, reg: Reg) -> Place {
        let (address, select) = values::place(reg.page, reg.reg);
        Place { address, select }
    }

    fn patience(&self) -> (Option<Delta>, u32) {
        (Some(PAUSE), RETRIES)
    }

    fn take_bus(&self, csr: &Csr<'_>) -> Result<(), MdicError> {
        for _ in 0..FREE_LOOKS {
            if !csr.read(EXTCNF_CTRL)?.swflag() {
                break;
            }
            fsleep(BUS_INTERVAL);
        }
        if csr.read(EXTCNF_CTRL)?.swflag() {
            csr.check()?;
            return Err(MdicError::Ownership);
        }
        for _ in 0..GRANT_LOOKS {
            // Each time anew, should the request not be kept while the firmware has the bus.
            csr.update(EXTCNF_CTRL, |extcnf| extcnf.with_swflag(true))?;
            if csr.read(EXTCNF_CTRL)?.swflag() {
                return Ok(());
            }
            fsleep(BUS_INTERVAL);
        }
        csr.check()?;
        // Take the request back.
        csr.update(EXTCNF_CTRL, |extcnf| extcnf.with_swflag(false))?;
        Err(MdicError::Ownership)
    }

    fn reset_blocked(&self, csr: &Csr<'_>) -> Result<bool, Gone> {
        for attempt in 0..BLOCK_LOOKS {
            if attempt != 0 {
                fsleep(BLOCK_INTERVAL);
            }
            if csr.read(FWSM)?.rspciphy() {
                return Ok(false);
            }
        }
        csr.check()?;
        Ok(true)
    }

    fn resets_alone(&self) -> bool {
        false
    }

    fn setup_copper(
        &self,
        phy: &Phy,
        csr: &Csr<'_>,
        request: &LinkRequest,
    ) -> Result<(), PhyError> {
        let crossover = match (request.crossover, request.mode) {
            (Crossover::Auto, LinkMode::Autoneg(_)) => CONTROL_2_AUTO,
            // Automatic crossover needs auto-negotiation.
            (Crossover::Auto, LinkMode::Forced(..)) | (Crossover::Mdi, _) => 0,
            (Crossover::MdiX, _) => CONTROL_2_CROSSED,
        };
        let mut session = phy.session(csr)?;
        // The longest time between two polls of the PHY, and the most of them: else 10 Mb/s ends in
        // timeouts.
        session.kmrn_write(kmrn::TIMEOUTS, 0xffff)?;
        session.kmrn_change(kmrn::INBAND, |inband| inband | 0x3f)?;
        session.change(CONFIG, 0, CONFIG_CRS_ON_TX | CONFIG_DOWNSHIFT)?;
        session.change(CONTROL_2, CONTROL_2_CROSSED | CONTROL_2_AUTO, crossover)?;
        session.write(PAUSE_TIME, 0xffff)?;
        let eee = if request.eee_on {
            eee_bits(request.eee)
        } else {
            0
        };
        session.emi_write(EMI_EEE_ADVERTISEMENT, eee)
    }

    fn force(&self, _: &Phy, _: &Csr<'_>) -> Result<(), PhyError> {
        // At once; a reset of the PHY would take its other settings away.
        Ok(())
    }

    fn before_loopback(&self, phy: &Phy, csr: &Csr<'_>) -> Result<(), PhyError> {
        let mut session = phy.session(csr)?;
        session.change(ENERGY_DETECT, ENERGY_DETECT_DOWN, 0)?;
        session.change(CHIP_ENERGY_DETECT, 0, 1)?;
        session.write(LOOPBACK, LOOPBACK_ON)
    }

    fn after_loopback(&self, phy: &Phy, csr: &Csr<'_>) -> Result<(), PhyError> {
        phy.session(csr)?.change(LOOPBACK, LOOPBACK_ON, 0)
    }

    fn crossover(&self) -> CrossoverStatus {
        CrossoverStatus {
            reg: STATUS,
            resolved: STATUS_LINK,
            crossed: STATUS_CROSSED,
        }
    }

    fn receive_errors(&self) -> Option<Reg> {
        None
    }
}

/// `modes` as in the EEE advertisement.
fn eee_bits(modes: Modes) -> u16 {
    let bit = |mode, bit| if modes.contains(mode) { bit } else { 0 };
    bit(Modes::FULL_100, EEE_100) | bit(Modes::FULL_1000, EEE_1000)
}

/// The modes of an EEE advertisement.
fn eee_modes(bits: u16) -> Modes {
    let mode = |bit, mode| {
        if bits & bit != 0 {
            mode
        } else {
            Modes::NONE
        }
    };
    mode(EEE_100, Modes::FULL_100).with(mode(EEE_1000, Modes::FULL_1000))
}

impl Session<'_> {
    fn emi_read(&mut self, register: u16) -> Result<u16, PhyError> {
        self.write(EMI_ADDRESS, register)?;
        self.read(EMI_DATA)
    }

    fn emi_write(&mut self, register: u16, value: u16) -> Result<(), PhyError> {
        self.write(EMI_ADDRESS, register)?;
        self.write(EMI_DATA, value)
    }

    /// Reads a register of the interface between MAC and PHY.
    fn kmrn_read(&mut self, register: u8) -> Result<u16, PhyError> {
        let csr = self.csr();
        csr.write(KMRNCTRLSTA, KMRNCTRLSTA::from_raw(kmrn::read(register)));
        self.gone(csr.flush())?;
        fsleep(Delta::from_micros(2));
        let found = self.gone(csr.read(KMRNCTRLSTA))?;
        Ok(kmrn::data(found.into_raw()))
    }

    /// Writes to a register of the interface between MAC and PHY.
    fn kmrn_write(&mut self, register: u8, value: u16) -> Result<(), PhyError> {
        let csr = self.csr();
        csr.write(
            KMRNCTRLSTA,
            KMRNCTRLSTA::from_raw(kmrn::write(register, value)),
        );
        self.gone(csr.flush())?;
        fsleep(Delta::from_micros(2));
        Ok(())
    }

    fn kmrn_change(&mut self, register: u8, f: impl FnOnce(u16) -> u16) -> Result<(), PhyError> {
        let old = self.kmrn_read(register)?;
        self.kmrn_write(register, f(old))
    }

    /// A device that is gone, as an error of the PHY.
    pub(crate) fn gone<T>(&self, result: Result<T, Gone>) -> Result<T, PhyError> {
        self.phy.gone(result)
    }

    /// Whether the PHY answers as an 82579. It may have to be told first to be slow.
    pub(crate) fn answers(&mut self) -> Result<bool, PhyError> {
        self.impatient();
        for attempt in 0..3 {
            if attempt == 2 {
                match self.slow_mode() {
                    Err(e) if e.class == MdicError::Gone => return Err(e),
                    _ => {}
                }
            }
            match self.identify() {
                Ok(id) if Hv.is(id) => return Ok(true),
                Err(e) if e.class == MdicError::Gone => return Err(e),
                _ => {}
            }
        }
        Ok(false)
    }

    fn slow_mode(&mut self) -> Result<(), PhyError> {
        self.change(KMRN_MODE, 0, KMRN_MODE_SLOW)
    }

    /// What a PHY needs that was reset, before anything else.
    pub(crate) fn after_reset(&mut self) -> Result<(), PhyError> {
        self.slow_mode()?;
        // Commit 4d24136c8ea0: links drop where there is noise.
        self.emi_write(EMI_MSE_THRESHOLD, 0x0034)?;
        self.emi_write(EMI_MSE_LINK_DOWN, 0x0005)?;
        self.change(PORT_CONFIG, PORT_CONFIG_HOST_WAKE, 0)
    }

    /// The last that a PHY needs that was reset.
    pub(crate) fn set_lpi_timer(&mut self) -> Result<(), PhyError> {
        // 200 us.
        self.emi_write(EMI_LPI_TIMER, 0x1387)
    }

    /// Tells the PHY its address on the system management bus.
    pub(crate) fn set_smbus_address(&mut self, address: u16) -> Result<(), PhyError> {
        let old = self.read(SMB_ADDRESS)?;
        self.write(SMB_ADDRESS, values::smbus_address(old, address))
    }

    /// Tells the PHY what the board's maker, or sleep, wants of the link.
    pub(crate) fn set_oem_bits(
        &mut self,
        no_gigabit: bool,
        lplu: bool,
        restart: bool,
    ) -> Result<(), PhyError> {
        let old = self.read(OEM_BITS)?;
        self.write(OEM_BITS, values::oem_bits(old, no_gigabit, lplu, restart))
    }

    /// What the lights show.
    pub(crate) fn lights(&mut self) -> Result<u16, PhyError> {
        self.read(LIGHTS)
    }

    /// Has the lights show something else.
    pub(crate) fn set_lights(&mut self, lights: u16) -> Result<(), PhyError> {
        self.write(LIGHTS, lights)
    }

    /// Sets the PHY up for a link that has come up. Returns whether the MAC must send a longer
    /// beacon in K1.
    pub(crate) fn link_up(&mut self, half: bool, slowest: bool) -> Result<bool, PhyError> {
        self.emi_write(EMI_RX_CONFIG, if half && slowest { 0 } else { 1 })?;
        let k1 = values::k1(self.read(STATUS)?);
        if k1 == K1::Off {
            self.change(POWER, POWER_K1, 0)?;
        }
        let old = self.read(KMRN_FIFO)?;
        self.write(KMRN_FIFO, values::preamble(old, half))?;
        Ok(k1 == K1::LongBeacon)
    }

    /// Switches low power idle on where both sides can do it. Not earlier than a second after the
    /// link has come up (IEEE 802.3 clause 78), which this PHY does not wait for itself.
    pub(crate) fn start_lpi(&mut self) -> Result<(), PhyError> {
        let theirs = self.emi_read(EMI_EEE_PARTNER)?;
        let ours = self.emi_read(EMI_EEE_ADVERTISEMENT)?;
        let full_100 = self.read(Reg::new(mii::ANLPAR))? & mii::FULL_100 != 0;
        let shut = self.emi_read(EMI_LPI_SHUT)?;
        self.emi_write(EMI_LPI_SHUT, shut & !(1 << 2))?;
        // What was seen before is not of this link.
        self.emi_read(EMI_EEE_STATUS)?;
        let old = self.read(LPI_CONTROL)?;
        self.write(
            LPI_CONTROL,
            values::lpi_control(old, ours, theirs, full_100),
        )
    }

    /// Tells of energy-efficient Ethernet, with `timer` of the MAC.
    pub(crate) fn eee(&mut self, timer: u32) -> Result<Eee, PhyError> {
        Ok(Eee {
            supported: eee_modes(self.emi_read(EMI_EEE_CAPABILITY)?),
            partner: eee_modes(self.emi_read(EMI_EEE_PARTNER)?),
            active: self.emi_read(EMI_EEE_STATUS)? & 0x000c != 0,
            timer,
        })
    }

    /// Does `f` with the receive path off.
    pub(crate) fn without_reception(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<(), PhyError>,
    ) -> Result<(), PhyError> {
        self.change(DFT, 0, DFT_RX_OFF)?;
        let result = f(self);
        let on = self.change(DFT, DFT_RX_OFF, 0);
        result.and(on)
    }

    /// Makes room for long frames in the PHY and on the way to the MAC, or takes it back.
    pub(crate) fn make_room(&mut self, long: bool) -> Result<(), PhyError> {
        self.kmrn_change(
            kmrn::CONTROL,
            |control| {
                if long {
                    control | 1
                } else {
                    control & !1
                }
            },
        )?;
        self.kmrn_change(kmrn::HALF_DUPLEX, kmrn::half_duplex)?;
        let bits = |room: u16, shift: u32| room.wrapping_shl(shift);
        self.change(
            LONG_FRAMES,
            bits(0x7f, 5),
            bits(if long { 0x37 } else { 0 }, 5),
        )?;
        let short = if long { 0 } else { KMRN_MODE_SHORT };
        self.change(KMRN_MODE, KMRN_MODE_SHORT, short)?;
        let distance = if long { 0x1f } else { 0x8 };
        self.change(TX_POINTERS, bits(0x3ff, 2), bits(distance, 2))?;
        self.write(RX_CLOCK, if long { 0xf100 } else { 0x7e00 })?;
        let power = if long { POWER_LONG_FRAMES } else { 0 };
        self.change(POWER, POWER_LONG_FRAMES, power)
    }

    /// Tells the PHY the receive addresses `RAL`, `RAH` of the MAC.
    pub(crate) fn copy_addresses(
        &mut self,
        addresses: impl Iterator<Item = (u32, u32)>,
    ) -> Result<(), PhyError> {
        let before = self.read(PORT_CONFIG)?;
        self.write(
            PORT_CONFIG,
            (before | PORT_CONFIG_REGISTERS) & !(PORT_CONFIG_HOST_WAKE | PORT_CONFIG_ME_WAKE),
        )?;
        let copy = || -> Result<(), PhyError> {
            for (index, (ral, rah)) in (0u16..).zip(addresses) {
                for (part, value) in (0u16..).zip(values::receive_address(ral, rah)) {
                    self.write(WAKE_ADDRESS, Hv::wake_rar(index, part))?;
                    self.write(WAKE_DATA, value)?;
                }
            }
            Ok(())
        };
        let result = copy();
        result.and(self.write(PORT_CONFIG, before))
    }

    /// Has hardware configure the PHY after its reset, or leaves that to software.
    pub(crate) fn gate_configuration(&mut self, software: bool) -> Result<(), PhyError> {
        let csr = self.csr();
        self.gone(csr.update(EXTCNF_CTRL, |extcnf| extcnf.with_gate_phy_cfg(software)))
    }
}
