// SPDX-License-Identifier: GPL-2.0

//! Wake on LAN (82574 datasheet 5.5, 10.2.9).
//!
//! The MAC compares what it receives with filters and raises PME on a match, also in D3. That a
//! link is lost is nothing to wake for: it may change its speed as the device goes to sleep.

use kernel::prelude::*;
use kernel_ext::net::ethtool::WakeModes;

use crate::{
    chip::{
        self,
        Chip,
        Parts, //
    },
    csr::{
        Csr,
        Gone, //
    },
    filter::FilterState,
    regs, //
};

/// Each mode with its bit in `WUFC` and `WUS`.
const FILTERS: [(WakeModes, u32); 5] = [
    (WakeModes::LINK, 1 << 0),
    (WakeModes::MAGIC, 1 << 1),
    (WakeModes::UNICAST, 1 << 2),
    (WakeModes::MULTICAST, 1 << 3),
    (WakeModes::BROADCAST, 1 << 4),
];

/// What the chip can wake for.
pub(crate) const SUPPORTED: WakeModes = WakeModes::LINK
    .with(WakeModes::MAGIC)
    .with(WakeModes::UNICAST)
    .with(WakeModes::MULTICAST)
    .with(WakeModes::BROADCAST);

fn to_filters(modes: WakeModes) -> u32 {
    FILTERS
        .into_iter()
        .filter(|&(mode, _)| modes.contains(mode))
        .fold(0, |bits, (_, bit)| bits | bit)
}

/// Has the device, which is stopped but for its PHY, wake the system for any of `modes`.
///
/// The receiver is switched on; it has no descriptors, so that nothing is written to memory.
pub(crate) fn arm(
    parts: Parts<'_>,
    chip: &dyn Chip,
    addresses: &FilterState,
    modes: WakeModes,
) -> Result<(), chip::Error> {
    let csr = parts.csr;
    disarm(csr)?;
    // The reset that stopped the device has emptied them.
    chip.set_filters(parts, addresses)?;
    let all_multicast = addresses.multicast_promisc() || modes.contains(WakeModes::MULTICAST);
    csr.update(regs::RCTL, |rctl| {
        rctl.with_en(true).with_bam(true).with_mpe(all_multicast)
    })?;
    csr.update(regs::CTRL, |ctrl| {
        ctrl.with_advd3wuc(true).with_phy_power_management(true)
    })?;
    csr.write(regs::WUFC, regs::WUFC::from_raw(to_filters(modes)));
    csr.write(regs::WUC, regs::WUC::zeroed().with_pme_en(true));
    csr.flush()?;
    Ok(())
}

/// Has the device wake nobody any more; returns what it has woken for since it was armed.
pub(crate) fn disarm(csr: &Csr<'_>) -> Result<WakeModes, Gone> {
    let status = csr.read(regs::WUS)?.into_raw();
    // Written ones clear, here and in `WUC`.
    csr.write(regs::WUC, regs::WUC::zeroed().with_pme_status(true));
    csr.write(regs::WUFC, regs::WUFC::zeroed());
    csr.write(regs::WUS, regs::WUS::from_raw(status));
    csr.flush()?;
    Ok(FILTERS
        .into_iter()
        .filter(|&(_, bit)| status & bit != 0)
        .fold(WakeModes::NONE, |set, (mode, _)| set.with(mode)))
}
