// SPDX-License-Identifier: GPL-2.0

//! The BM PHY of the 82574 (82574 datasheet chapter 8.5).

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
    Reg, //
};
use crate::{
    csr::{
        Csr,
        Gone, //
    },
    link::{
        Crossover,
        LinkMode,
        LinkRequest, //
    },
    mdic::MdicError,
    regs, //
};

/// The PHY.
pub(crate) struct Bm;

/// Identifier, revision 2.
const BME1000_R2: u32 = 0x0141_0cb1;

/// MDIO address (82574 datasheet 10.2.2.7: always 1).
const ADDRESS: u8 = 1;

/// Page select.
const PAGE_SELECT: u8 = 22;

/// How many times MDIO ownership is asked for.
const OWNERSHIP_TRIES: u32 = 10;

/// Pause between two requests for MDIO ownership.
const OWNERSHIP_PAUSE: Delta = Delta::from_millis(2);

/// Copper specific control 1.
const COPPER_CONTROL: Reg = Reg::new(16);
/// Copper specific status 1.
const COPPER_STATUS: Reg = Reg::new(17);
/// Receive error counter.
const RECEIVE_ERRORS: Reg = Reg::new(21);
/// MAC specific control 2.
const MAC_CONTROL: Reg = Reg::paged(2, 21);
/// Address of the calibration registers.
const CALIBRATION_ADDRESS: Reg = Reg::new(29);
/// Data of the calibration registers.
const CALIBRATION_DATA: Reg = Reg::new(30);

/// Copper specific control 1 (register 16): crossover; both bits clear is straight, both set
/// automatic.
const COPPER_CONTROL_MDIX: u16 = 0x0060;
/// Copper specific control 1: crossed.
const COPPER_CONTROL_CROSSED: u16 = 0x0020;
/// Copper specific status 1 (register 17): speed and duplex are found, and so is the crossover.
const COPPER_STATUS_RESOLVED: u16 = 0x0800;
/// Copper specific status 1: crossed.
const COPPER_STATUS_CROSSED: u16 = 0x0040;
/// Copper specific control 1: reversed polarity is not corrected.
const COPPER_CONTROL_POLARITY: u16 = 0x0002;
/// Copper specific control 1: downshift to a lower speed after failed attempts.
const COPPER_CONTROL_DOWNSHIFT: u16 = 0x0800;

/// MAC specific control 2 (register 21 on page 2): speed of the side of the MAC while there is no
/// link.
const MAC_CONTROL_SPEED: u16 = 0x0007;
/// MAC specific control 2: 1000 Mb/s while there is no link.
const MAC_CONTROL_SPEED1000: u16 = 0x0006;

impl Model for Bm {
    fn is(&self, id: PhyId) -> bool {
        id.raw() == BME1000_R2
    }

    fn place(&self, reg: Reg) -> Place {
        Place {
            address: ADDRESS,
            select: (reg.reg > Reg::LAST_COMMON).then_some((PAGE_SELECT, reg.page)),
        }
    }

    fn patience(&self) -> (Option<Delta>, u32) {
        (None, 0)
    }

    fn take_bus(&self, csr: &Csr<'_>) -> Result<(), MdicError> {
        for attempt in 0..OWNERSHIP_TRIES {
            if attempt != 0 {
                fsleep(OWNERSHIP_PAUSE);
            }
            csr.update(regs::EXTCNF_CTRL, |extcnf| {
                extcnf.with_mdio_sw_ownership(true)
            })?;
            if csr.read(regs::EXTCNF_CTRL)?.mdio_sw_ownership() {
                return Ok(());
            }
        }
        csr.check()?;
        // Take the request back.
        csr.update(regs::EXTCNF_CTRL, |extcnf| {
            extcnf.with_mdio_sw_ownership(false)
        })?;
        Err(MdicError::Ownership)
    }

    /// 82574 datasheet 10.2.8.1, `MANC` bit 18.
    fn reset_blocked(&self, csr: &Csr<'_>) -> Result<bool, Gone> {
        Ok(csr.read(regs::MANC)?.keep_phy_link_up())
    }

    fn resets_alone(&self) -> bool {
        true
    }

    /// Downshift is off after power-on and takes effect only where it is first written as off and
    /// committed. The polarity is corrected. Calibration register 3 is written as 0, as the
    /// in-tree driver does for this revision of the PHY.
    fn setup_copper(
        &self,
        phy: &Phy,
        csr: &Csr<'_>,
        request: &LinkRequest,
    ) -> Result<(), PhyError> {
        let crossover = match (request.crossover, request.mode) {
            (Crossover::Auto, LinkMode::Autoneg(_)) => COPPER_CONTROL_MDIX,
            // Automatic crossover needs auto-negotiation.
            (Crossover::Auto, LinkMode::Forced(..)) | (Crossover::Mdi, _) => 0,
            (Crossover::MdiX, _) => COPPER_CONTROL_CROSSED,
        };
        let off = (phy.read(csr, COPPER_CONTROL)?
            & !(COPPER_CONTROL_MDIX | COPPER_CONTROL_POLARITY | COPPER_CONTROL_DOWNSHIFT))
            | crossover;
        phy.write(csr, COPPER_CONTROL, off)?;
        phy.commit(csr)?;
        phy.write(csr, COPPER_CONTROL, off | COPPER_CONTROL_DOWNSHIFT)?;
        phy.write(csr, CALIBRATION_ADDRESS, 3)?;
        phy.write(csr, CALIBRATION_DATA, 0)?;
        phy.commit(csr)
    }

    fn force(&self, phy: &Phy, csr: &Csr<'_>) -> Result<(), PhyError> {
        phy.commit(csr)
    }

    fn before_loopback(&self, phy: &Phy, csr: &Csr<'_>) -> Result<(), PhyError> {
        let mac = phy.read(csr, MAC_CONTROL)?;
        if mac & MAC_CONTROL_SPEED != MAC_CONTROL_SPEED1000 {
            let mac = (mac & !MAC_CONTROL_SPEED) | MAC_CONTROL_SPEED1000;
            phy.write(csr, MAC_CONTROL, mac)?;
            phy.commit(csr)?;
        }
        Ok(())
    }

    fn after_loopback(&self, _: &Phy, _: &Csr<'_>) -> Result<(), PhyError> {
        Ok(())
    }

    fn crossover(&self) -> CrossoverStatus {
        CrossoverStatus {
            reg: COPPER_STATUS,
            resolved: COPPER_STATUS_RESOLVED,
            crossed: COPPER_STATUS_CROSSED,
        }
    }

    fn receive_errors(&self) -> Option<Reg> {
        Some(RECEIVE_ERRORS)
    }
}
