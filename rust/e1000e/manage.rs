// SPDX-License-Identifier: GPL-2.0

//! A port that is shared with a management controller, a BMC (82574 datasheet 10.2.8).
//!
//! The BMC sends and receives through the device on its own (pass-through), with filters that it
//! has set, whatever becomes of the driver. So the driver keeps these over its resets, leaves the
//! PHY on while it is down, and leaves the last receive address alone (see
//! [`filter`](crate::filter)). It tells the firmware that it is there by `CTRL_EXT.DRV_LOAD`.

use kernel::io::register::Array;

use crate::{
    csr::{
        Csr,
        Gone, //
    },
    nvm::{
        self,
        Nvm, //
    },
    regs, //
};

/// Word with the kind of manageability in bits 14:13 (82574 datasheet 6.1.1: initialization
/// control 2).
const INIT_CONTROL_2: u16 = 0x0f;

/// Decision filters that let the two ports of IPMI through, and nothing else.
const IPMI: u32 = PORT_623 | PORT_664;
const PORT_664: u32 = 1 << 10;
const PORT_623: u32 = 1 << 11;

/// What manageability the board has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// None.
    None,
    /// A BMC has frames passed through.
    PassThrough,
    /// Some other kind, or one that cannot be told.
    Other,
}

impl Mode {
    /// What the NVM says. May sleep.
    pub(crate) fn read(csr: &Csr<'_>, nvm: &Nvm<'_>) -> Result<Self, nvm::Error> {
        Ok(match nvm.read(csr, INIT_CONTROL_2)? >> 13 & 3 {
            0 => Self::None,
            2 => Self::PassThrough,
            _ => Self::Other,
        })
    }

    /// Whether a BMC has frames passed through now.
    pub(crate) fn passes_through(self, csr: &Csr<'_>) -> Result<bool, Gone> {
        Ok(self == Self::PassThrough
            && csr.read(regs::MANC)?.rcv_tco_en()
            && !csr.read(regs::FACTPS)?.mngcg())
    }
}

/// What a BMC has set, kept over a reset.
pub(crate) struct Settings {
    manc: regs::MANC,
    manc2h: regs::MANC2H,
    mfval: regs::MFVAL,
    ports: [regs::MFUTP; 2],
    filters: [u32; regs::MDEF_COUNT],
}

impl Settings {
    /// Reads them.
    pub(crate) fn read(csr: &Csr<'_>) -> Result<Self, Gone> {
        Ok(Self {
            manc: csr.read(regs::MANC)?,
            manc2h: csr.read(regs::MANC2H)?,
            mfval: csr.read(regs::MFVAL)?,
            ports: [csr.read(regs::MFUTP::at(0))?, csr.read(regs::MFUTP::at(1))?],
            filters: filters(csr)?,
        })
    }

    /// Nothing of it is there, as after a reset that has taken it.
    fn is_empty(&self) -> bool {
        !self.manc.rcv_tco_en()
            && self.manc2h.into_raw() == 0
            && self.mfval.into_raw() == 0
            && self.ports.iter().all(|ports| ports.into_raw() == 0)
            && self.filters.iter().all(|&filter| filter == 0)
    }

    /// Writes what a reset has taken. Where it has left something, a difference is what the BMC
    /// has set meanwhile.
    pub(crate) fn restore(&self, csr: &Csr<'_>) -> Result<(), Gone> {
        let now = Self::read(csr)?;
        let nothing_lost = self.is_empty() && self.manc.into_raw() == now.manc.into_raw();
        if nothing_lost || !now.is_empty() {
            return Ok(());
        }
        // What frames are passed on by comes before that they are.
        for (i, &filter) in self.filters.iter().enumerate() {
            if let Some(place) = regs::MDEF::try_at(i) {
                csr.write(place, regs::MDEF::from_raw(filter));
            }
        }
        for (i, &ports) in self.ports.iter().enumerate() {
            if let Some(place) = regs::MFUTP::try_at(i) {
                csr.write(place, ports);
            }
        }
        csr.write(regs::MFVAL, self.mfval);
        csr.write(regs::MANC2H, self.manc2h);
        csr.write(regs::MANC, self.manc);
        csr.flush()
    }
}

/// The decision filters.
fn filters(csr: &Csr<'_>) -> Result<[u32; regs::MDEF_COUNT], Gone> {
    let mut filters = [0; regs::MDEF_COUNT];
    for (i, filter) in filters.iter_mut().enumerate() {
        if let Some(place) = regs::MDEF::try_at(i) {
            *filter = csr.read(place)?.into_raw();
        }
    }
    Ok(filters)
}

/// Has what goes to the BMC by the ports of IPMI go to the host as well, as the in-tree driver's
/// `e1000_init_manageability_pt()` does, but for the filter it makes, of which it enables another.
/// Returns whether there was a filter for it, or room for one.
pub(crate) fn share_ipmi(csr: &Csr<'_>) -> Result<bool, Gone> {
    let (mut to_host, mut found, mut free) = (csr.read(regs::MANC2H)?.into_raw(), 0, None);
    for (i, filter) in filters(csr)?.into_iter().enumerate() {
        if filter == 0 {
            free = free.or(Some(i));
        } else if filter & !IPMI == 0 {
            found |= filter;
            to_host |= bit(i);
        }
    }
    if found != IPMI {
        if let Some(i) = free {
            if let Some(place) = regs::MDEF::try_at(i) {
                csr.write(place, regs::MDEF::from_raw(IPMI));
                to_host |= bit(i);
                found = IPMI;
            }
        }
    }
    csr.write(regs::MANC2H, regs::MANC2H::from_raw(to_host));
    csr.update(regs::MANC, |manc| manc.with_en_mng2host(true))?;
    csr.flush()?;
    Ok(found == IPMI)
}

/// `MANC2H`: what decision filter `i` lets through goes to the host as well.
fn bit(i: usize) -> u32 {
    // CAST: One of eight.
    1u32.wrapping_shl(i as u32)
}
