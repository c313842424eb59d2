// SPDX-License-Identifier: GPL-2.0

//! The 82579LM and 82579V: the LAN controller in Intel's 6 Series chipset (PCH2) with its PHY.
//!
//! It is no PCIe device, has one MSI, and shares nearly everything with the chipset's management
//! engine (ME), where that is running: registers, PHY, flash, receive addresses. The PHY is a chip
//! of its own, over a link (Kumeran) that needs its share of care; see [`hv`](crate::phy::hv).
//!
//! There is no public datasheet of the controller: registers, bits and sequences are those that the
//! in-tree driver uses (`ich8lan.c`). Never seen to run but on a model.

use kernel::{
    device::Bound,
    io::register::Array,
    pci,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use kernel_ext::net::device::Features;

use super::{
    disable_master,
    expect_engines_off,
    expect_no_rings,
    mask_all,
    packet_buffer::{
        pch2,
        STANDARD_FRAME, //
    },
    poll_error,
    set_rx_ring,
    set_tx_ring,
    start_engines,
    Chip,
    DmaStopped,
    Error,
    Fresh,
    Interrupts,
    Parts,
    RxConfig,
    COMMON_FEATURES,
    ETH_P_8021Q,
    MORE_FEATURES,
    TX_ABSOLUTE_DELAY,
    TX_DELAY, //
};
use crate::{
    counters::Statistics,
    csr::{
        Csr,
        Gone,
        Queue, //
    },
    filter::{
        self,
        FilterState,
        Limits, //
    },
    ivar::Vector,
    led::Lights,
    link::{
        Duplex,
        Eee,
        Link,
        Speed, //
    },
    manage,
    mdic::MdicError,
    nvm::{
        self,
        Nvm, //
    },
    phy::{
        hv::{
            values,
            Hv, //
        },
        Model,
        Reg, //
    },
    regs::{
        self,
        cause,
        pch2 as pch, //
    },
    rss::Rss,
    systim::SystemTime, //
};

/// The chip.
pub(super) struct I82579;

/// Pause time put into PAUSE frames, and time after which they are sent again, in units of 512 bit
/// times.
const PAUSE_TIME: u16 = 0xffff;

/// Receive delay in units of 1.024 us: none, `ITR` sees to it.
const RX_DELAY: u32 = 0;

/// Longest receive delay, in units of 1.024 us.
const RX_ABSOLUTE_DELAY: u32 = 8;

/// Bits of `TARC0` and `TARC1` that the in-tree driver sets; what they mean is not told. One of
/// those of `TARC1` must be clear where `TCTL.mulr` is set.
const TARC0: u32 = 1 << 23 | 1 << 24 | 1 << 26 | 1 << 27;
const TARC1: u32 = 1 << 24 | 1 << 26 | 1 << 30;
const TARC1_UNLESS_MULR: u32 = 1 << 28;

/// `GCR`: which accesses to memory go around the caches; none are to.
const GCR_NO_SNOOP: u32 = 0x3f;

/// `FWSM.fw_mode`: active management.
const ACTIVE_MANAGEMENT: u32 = 2;

/// `FEXTNVM3.phy_cfg_counter`: 50 ms.
const PHY_CFG_50_MS: u32 = 2;

/// How long the device is left alone after a reset: a read hangs it.
const RESET_TIME: Delta = Delta::from_millis(20);

/// How long the PHY is given to come to rest after a reset.
const PHY_REST: Delta = Delta::from_millis(10);

/// How long the PHY is given after it was switched off and on.
const PHY_POWER_UP: Delta = Delta::from_millis(50);

/// Longest wait for the PHY's basic configuration.
const PHY_CONFIGURED: Delta = Delta::from_millis(300);

/// Whether the management engine is running.
fn managed(csr: &Csr<'_>) -> Result<bool, Gone> {
    Ok(csr.read(pch::FWSM)?.fw_valid())
}

/// Ends requests, and switches the engines off.
fn quiesce(csr: &Csr<'_>) -> Result<(), Gone> {
    csr.check()?;
    mask_all(csr)?;
    disable_master(csr)?;
    csr.write(regs::RCTL, regs::RCTL::zeroed());
    csr.write(regs::TCTL, regs::TCTL::zeroed().with_psp(true));
    csr.flush()?;
    fsleep(Delta::from_millis(10));
    Ok(())
}

/// Resets the MAC, and with it the PHY if `with_phy`, of a device that is quiet.
///
/// What proves it is that requests are allowed again, which only the reset does, and the engines'
/// registers, as with the 82574.
fn reset_quiet(parts: Parts<'_>, with_phy: bool) -> Result<DmaStopped, Error> {
    let Parts { csr, phy, .. } = parts;
    // The engine must not be in the middle of an access to the PHY. Where it does not let go, the
    // reset is needed all the same.
    let session = match phy.session(csr) {
        Ok(session) => Some(session),
        Err(e) if e.class == MdicError::Gone => return Err(Error::Gone),
        Err(_) => None,
    };
    if with_phy && !managed(csr)? {
        // Software configures the PHY, below.
        csr.update(pch::EXTCNF_CTRL, |extcnf| extcnf.with_gate_phy_cfg(true))?;
    }
    csr.update(regs::CTRL, |ctrl| {
        ctrl.with_rst(true).with_phy_rst(with_phy)
    })?;
    fsleep(RESET_TIME);
    csr.update(pch::FEXTNVM3, |fextnvm3| {
        fextnvm3.with_const_phy_cfg_counter::<PHY_CFG_50_MS>()
    })?;
    // The reset has taken the bus away from whoever had it.
    drop(session);

    csr.poll(
        |csr| csr.read(regs::CTRL),
        |ctrl| !ctrl.rst(),
        Delta::from_millis(1),
        Delta::from_millis(20),
    )
    .map_err(poll_error(Error::ResetStuck))?;
    csr.check()?;
    let ctrl = csr.read(regs::CTRL)?;
    if ctrl.gio_master_disable() {
        return Err(Error::NotStopped {
            register: "CTRL",
            value: ctrl.into_raw(),
        });
    }
    expect_engines_off(csr)?;
    expect_no_rings(csr, Queue::Q0)?;
    Ok(DmaStopped(()))
}

/// Makes sure that the PHY answers. It may still be on the system management bus, from sleep: then
/// it is switched off and on.
fn reach_phy(parts: Parts<'_>) -> Result<(), Error> {
    let Parts { csr, phy, .. } = parts;
    if phy.session(csr)?.answers()? {
        return Ok(());
    }
    if phy.reset_blocked(csr)? {
        return Err(Error::PhyBlocked);
    }
    let mut session = phy.session(csr)?;
    session.gate_configuration(true)?;
    csr.update(pch::FEXTNVM3, |fextnvm3| {
        fextnvm3.with_const_phy_cfg_counter::<PHY_CFG_50_MS>()
    })?;
    csr.update(pch::CTRL, |ctrl| {
        ctrl.with_lanphypc_override(true).with_lanphypc_value(false)
    })?;
    csr.flush()?;
    fsleep(Delta::from_micros(10));
    csr.update(pch::CTRL, |ctrl| ctrl.with_lanphypc_override(false))?;
    csr.flush()?;
    fsleep(PHY_POWER_UP);
    Ok(())
}

/// Configures a PHY that was just reset.
fn configure_phy(parts: Parts<'_>) -> Result<(), Error> {
    let Parts { csr, phy, .. } = parts;
    fsleep(PHY_REST);
    csr.poll(
        |csr| csr.read(pch::STATUS),
        |status| status.lan_init_done(),
        Delta::from_micros(100),
        PHY_CONFIGURED,
    )
    .map_err(poll_error(Error::PhyConfiguration))?;
    // For the next time.
    csr.update(pch::STATUS, |status| {
        status.with_lan_init_done(false).with_phyra(false)
    })?;
    if phy.reset_blocked(csr)? {
        return Ok(());
    }
    fsleep(PHY_REST);

    phy.session(csr)?.after_reset()?;
    if csr.read(pch::FEXTNVM)?.sw_config() {
        load_phy_configuration(parts)?;
        let phy_ctrl = csr.read(pch::PHY_CTRL)?;
        let restart = !phy.reset_blocked(csr)?;
        phy.session(csr)?
            .set_oem_bits(phy_ctrl.gbe_disable(), phy_ctrl.d0a_lplu(), restart)?;
    }
    if !managed(csr)? {
        fsleep(PHY_REST);
        phy.session(csr)?.gate_configuration(false)?;
    }
    Ok(phy.session(csr)?.set_lpi_timer()?)
}

/// Writes to the PHY what the NVM has for it, where hardware does not.
fn load_phy_configuration(parts: Parts<'_>) -> Result<(), Error> {
    let Parts { csr, phy, nvm } = parts;
    let length = csr.read(pch::EXTCNF_SIZE)?.length().get();
    if length == 0 {
        return Ok(());
    }
    let pointer = csr.read(pch::EXTCNF_CTRL)?.pointer().get();
    let smbus = csr.read(pch::STRAP)?.smbus_address().get();
    // CAST: the lower 16 bits are those that the PHY has.
    let lights = csr.read(regs::LEDCTL)?.into_raw() as u16;

    let mut session = phy.session(csr)?;
    // CAST: seven bits.
    session.set_smbus_address(smbus as u16)?;
    session.set_lights(lights)?;
    // Pairs of words: the value, and the register. The pointer is in units of 32 bits, as is the
    // length. CAST: 12 bits.
    let mut word = (pointer as u16).wrapping_mul(2);
    let mut page = 0;
    for _ in 0..length {
        let value = nvm.read(csr, word)?;
        let register = nvm.read(csr, word.wrapping_add(1))?;
        word = word.wrapping_add(2);
        match values::configured(register, page) {
            Some((page, reg)) => session.write(Reg::paged(page, reg), value)?,
            None => page = value,
        }
    }
    Ok(())
}

/// Prepares MAC and PHY for long frames, or takes that back. The receiver is off.
///
/// Without it long frames are damaged between PHY and MAC. The MAC must take their FCS off.
fn set_long_frames(parts: Parts<'_>, long: bool) -> Result<(), Error> {
    let Parts { csr, phy, .. } = parts;
    let mut addresses = [(0, 0); pch::RAICC_COUNT];
    for (i, address) in addresses.iter_mut().enumerate() {
        if let (Some(ral), Some(rah)) = (regs::RAL::try_at(i), regs::RAH::try_at(i)) {
            *address = (csr.read(ral)?.into_raw(), csr.read(rah)?.into_raw());
        }
    }
    phy.session(csr)?.without_reception(|session| {
        let set = || -> Result<(), Gone> {
            if long {
                for (i, &(low, high)) in addresses.iter().enumerate() {
                    let valid = regs::RAH::from_raw(high).av();
                    if let (true, Some(raicc)) = (valid, pch::RAICC::try_at(i)) {
                        let [a, b, c, d] = low.to_le_bytes();
                        let [e, f, _, _] = high.to_le_bytes();
                        let crc = filter::initial_crc(&[a, b, c, d, e, f]);
                        csr.write(raicc, pch::RAICC::from_raw(crc));
                    }
                }
                csr.update(pch::FFLT_DBG, |fflt| fflt.with_const_long_frames::<14>())
            } else {
                csr.update(pch::FFLT_DBG, |fflt| fflt.with_const_long_frames::<0>())
            }
        };
        session.gone(set())?;
        if long {
            session.copy_addresses(addresses.into_iter())?;
        }
        session.make_room(long)
    })?;
    Ok(())
}

/// Sets shared receive address `i`; returns whether the engine has not locked it.
fn set_shared_address(csr: &Csr<'_>, i: usize, address: Option<(u32, u16)>) -> Result<bool, Gone> {
    let place = || Some((pch::SHRAL::try_at(i)?, pch::SHRAH::try_at(i)?));
    let (Some((ral, rah)), Some((shral, shrah))) = (place(), place()) else {
        return Ok(false);
    };
    let (low, high) = address.unwrap_or((0, 0));
    let high = pch::SHRAH::zeroed()
        .with_rah(high)
        .with_av(address.is_some());
    csr.write(ral, pch::SHRAL::from_raw(low));
    csr.flush()?;
    csr.write(rah, high);
    csr.flush()?;
    let found = csr.read(shrah)?;
    Ok(csr.read(shral)?.into_raw() == low && (found.rah(), found.av()) == (high.rah(), high.av()))
}

impl Chip for I82579 {
    fn name(&self) -> &'static str {
        "82579"
    }

    fn meet(&self, csr: &Csr<'_>) -> Result<(), Gone> {
        if managed(csr)? {
            csr.share_with_firmware();
        }
        Ok(())
    }

    fn nvm<'a>(&self, pdev: &'a pci::Device<Bound>, csr: &Csr<'_>) -> Result<Nvm<'a>, nvm::Error> {
        let bar = pdev
            .iomap_region_sized::<{ pch::FLASH_SIZE }>(1, c"e1000e_rust")
            .map_err(|_| nvm::Error::NoRegion { gfpreg: 0 })?;
        Nvm::flash(bar, csr)
    }

    fn max_vectors(&self) -> u32 {
        0
    }

    fn queues(&self) -> u32 {
        1
    }

    fn features(&self, max_frame: u32) -> (Features, Features) {
        let more = if max_frame > STANDARD_FRAME {
            // See `set_long_frames()`.
            MORE_FEATURES.without(Features::RXFCS)
        } else {
            MORE_FEATURES
        };
        (COMMON_FEATURES, more)
    }

    fn max_frame(&self, csr: &Csr<'_>) -> Result<u32, Gone> {
        Ok(if csr.read(pch::CTRL_EXT)?.lsecck() {
            pch2::MAX_FRAME
        } else {
            STANDARD_FRAME
        })
    }

    fn max_tx_bytes(&self, csr: &Csr<'_>, _: u32) -> Result<u32, Gone> {
        Ok(pch2::max_tx_bytes(csr.read(regs::PBA)?.txa().get()))
    }

    fn filter_limits(&self) -> &'static Limits {
        &Limits::I82579
    }

    fn storage(&self) -> &'static [regs::Storage] {
        pch::STORAGE
    }

    fn management(&self, parts: Parts<'_>) -> Result<manage::Mode, nvm::Error> {
        let fwsm = parts.csr.read(pch::FWSM)?;
        Ok(
            if fwsm.fw_valid() && fwsm.fw_mode().get() & ACTIVE_MANAGEMENT != 0 {
                manage::Mode::Other
            } else {
                manage::Mode::None
            },
        )
    }

    fn wakes_by_default(&self, parts: Parts<'_>) -> Result<bool, nvm::Error> {
        Ok(parts.csr.read(pch::WUC)?.apme())
    }

    fn system_time(&self) -> &'static SystemTime {
        &SystemTime::MHZ_96
    }

    fn phy(&self) -> &'static dyn Model {
        &Hv
    }

    fn stop_dma(&self, parts: Parts<'_>) -> Result<DmaStopped, Error> {
        quiesce(parts.csr)?;
        reset_quiet(parts, false)
    }

    fn reset(&self, parts: Parts<'_>, max_frame: u32) -> Result<Fresh, Error> {
        let Parts { csr, phy, .. } = parts;
        csr.write(
            regs::PBA,
            regs::PBA::zeroed().with_rxa(pch2::rx_share(max_frame)),
        );
        quiesce(csr)?;
        reach_phy(parts)?;
        // Both at once, so that the link between the two begins anew, unless the engine needs it.
        let new_phy = !phy.reset_blocked(csr)?;
        let stopped = reset_quiet(parts, new_phy)?;
        if new_phy {
            configure_phy(parts)?;
        }
        mask_all(csr)?;
        csr.read(regs::ICR)?;
        csr.update(pch::KABGTXD, |kabgtxd| kabgtxd.with_const_bias::<5>())?;
        Ok(Fresh { stopped, new_phy })
    }

    fn init_hw(&self, csr: &Csr<'_>) -> Result<(), Gone> {
        csr.update(regs::CTRL_EXT, |ctrl_ext| {
            ctrl_ext
                .with_reserved_22(true)
                .with_phy_power_down_enable(true)
                .with_ro_dis(true)
        })?;
        // Thresholds in descriptors: fetch when 31 are left; write back each one.
        let txdctl = regs::TXDCTL::zeroed()
            .with_gran(true)
            .with_count_desc(true)
            .with_const_pthresh::<0x1f>()
            .with_const_wthresh::<1>();
        csr.write(regs::TXDCTL::at(0), txdctl);
        csr.write(regs::TXDCTL::at(1), txdctl);
        let tarc = csr.read(regs::TARC::at(0))?.into_raw();
        csr.write(regs::TARC::at(0), regs::TARC::from_raw(tarc | TARC0));
        let tarc = csr.read(regs::TARC::at(1))?.into_raw();
        let tarc = if csr.read(regs::TCTL)?.mulr() {
            tarc & !TARC1_UNLESS_MULR
        } else {
            tarc | TARC1_UNLESS_MULR
        };
        csr.write(regs::TARC::at(1), regs::TARC::from_raw(tarc | TARC1));
        // Descriptors are damaged otherwise while there is NFS by UDP.
        csr.update(regs::RFCTL, |rfctl| {
            rfctl.with_nfsw_dis(true).with_nfsr_dis(true)
        })?;
        csr.update(regs::GCR, |gcr| {
            regs::GCR::from_raw(gcr.into_raw() & !GCR_NO_SNOOP)
        })?;

        csr.write(regs::WUC, regs::WUC::zeroed());
        csr.write(regs::VET, regs::VET::from_raw(ETH_P_8021Q));
        csr.write(regs::TIDV, regs::TIDV::from_raw(TX_DELAY));
        csr.write(regs::TADV, regs::TADV::from_raw(TX_ABSOLUTE_DELAY));
        csr.write(regs::RDTR, regs::RDTR::from_raw(RX_DELAY));
        csr.write(regs::RADV, regs::RADV::from_raw(RX_ABSOLUTE_DELAY));
        csr.write(regs::FCTTV, regs::FCTTV::zeroed().with_ttv(PAUSE_TIME));
        csr.write(pch::FCRTV, pch::FCRTV::zeroed().with_refresh(PAUSE_TIME));

        // What was counted before the driver was there is not ours.
        Statistics::discard(csr)
    }

    fn fall_asleep(&self, parts: Parts<'_>) -> Result<(), Error> {
        let Parts { csr, phy, .. } = parts;
        // Not at gigabit: the link would not be given up for a slower one by itself.
        csr.update(pch::PHY_CTRL, |phy_ctrl| phy_ctrl.with_gbe_disable(true))?;
        let phy_ctrl = csr.read(pch::PHY_CTRL)?;
        let sw_config = csr.read(pch::FEXTNVM)?.sw_config();
        let restart = !phy.reset_blocked(csr)?;
        let smbus = csr.read(pch::STRAP)?.smbus_address().get();
        let mut session = phy.session(csr)?;
        if sw_config {
            let lplu = phy_ctrl.d0a_lplu() || phy_ctrl.nond0a_lplu();
            session.set_oem_bits(true, lplu, restart)?;
        }
        // CAST: seven bits.
        Ok(session.set_smbus_address(smbus as u16)?)
    }

    fn set_driver_loaded(&self, csr: &Csr<'_>, loaded: bool) -> Result<(), Gone> {
        csr.update(regs::CTRL_EXT, |ctrl_ext| ctrl_ext.with_drv_load(loaded))
    }

    fn configure_rx_queue(&self, csr: &Csr<'_>, queue: Queue, base: u64, bytes: u32) {
        set_rx_ring(csr, queue, base, bytes);
    }

    fn configure_tx_queue(&self, csr: &Csr<'_>, queue: Queue, base: u64, bytes: u32) {
        set_tx_ring(csr, queue, base, bytes);
    }

    fn start(&self, parts: Parts<'_>, rx: &RxConfig, stopped: DmaStopped) -> Result<(), Error> {
        set_long_frames(parts, rx.max_frame > STANDARD_FRAME)?;
        Ok(start_engines(parts.csr, rx, stopped)?)
    }

    fn set_interrupts(&self, csr: &Csr<'_>, _: Interrupts<'_>) -> Result<(), Error> {
        mask_all(csr)?;
        // The read of `ICR` in the handler masks everything.
        csr.write(regs::IAM, regs::IAM::from_raw(cause::ALL));
        csr.update(regs::CTRL_EXT, |ctrl_ext| ctrl_ext.with_iame(true))?;
        Ok(csr.flush()?)
    }

    fn unmask(&self, csr: &Csr<'_>, _: Interrupts<'_>) {
        csr.ims_write(cause::LEGACY);
    }

    fn set_throttle(&self, csr: &Csr<'_>, _: Option<Vector>, interval: u16) {
        csr.write(regs::ITR, regs::ITR::zeroed().with_interval(interval));
    }

    fn set_filters(&self, parts: Parts<'_>, filters: &FilterState) -> Result<(), Error> {
        let Parts { csr, phy, .. } = parts;
        if let Some((low, high)) = filters.receive_address(0) {
            // The device takes a pair over with the write of the high half; each write is flushed
            // as neighbouring ones may be merged on the way.
            csr.write(regs::RAL::at(0), regs::RAL::from_raw(low));
            csr.flush()?;
            let high = regs::RAH::zeroed().with_rah(high).with_av(true);
            csr.write(regs::RAH::at(0), high);
            csr.flush()?;
        }
        // Receive addresses 1 to 6 are the management engine's. These it may lock: then frames for
        // others are received as well, and the stack sorts them out.
        let mut locked = false;
        let session = phy.session(csr)?;
        for i in 0..pch::SHRA_COUNT {
            let address = filters.receive_address(i.saturating_add(1));
            let taken = set_shared_address(csr, i, address)?;
            locked |= address.is_some() && !taken;
        }
        drop(session);
        for (i, &word) in filters.mta().iter().enumerate() {
            if let Some(location) = regs::MTA::try_at(i) {
                csr.write(location, regs::MTA::from_raw(word));
            }
        }
        csr.update(regs::RCTL, |rctl| {
            rctl.with_upe(filters.unicast_promisc() || locked)
                .with_mpe(filters.multicast_promisc())
                .with_vfe(false)
        })?;
        Ok(csr.flush()?)
    }

    fn set_rss(&self, csr: &Csr<'_>, _: &Rss) -> Result<(), Gone> {
        // There is one queue.
        csr.write(regs::MRQC, regs::MRQC::zeroed());
        Ok(())
    }

    fn set_vlan_tagging(&self, csr: &Csr<'_>, on: bool) -> Result<(), Gone> {
        csr.update(regs::CTRL, |ctrl| ctrl.with_vme(on))
    }

    fn link_up(&self, parts: Parts<'_>, link: &Link, max_frame: u32) -> Result<(), Error> {
        let Parts { csr, phy, .. } = parts;
        let half = link.duplex == Duplex::Half;
        let slowest = link.speed == Speed::Mbps10;
        csr.update(regs::TIPG, |tipg| {
            if half && slowest {
                // With the usual gap this chip wins too often, and there are many collisions.
                tipg.with_const_ipgt::<0xff>()
            } else {
                tipg.with_const_ipgt::<8>()
            }
        })?;
        if phy.session(csr)?.link_up(half, slowest)? {
            // 16 us.
            csr.update(pch::FEXTNVM4, |fextnvm4| {
                fextnvm4.with_const_beacon_duration::<3>()
            })?;
        }
        csr.update(regs::CTRL, |ctrl| {
            ctrl.with_rfce(link.pause.rx).with_tfce(link.pause.tx)
        })?;
        let (low, high) = if link.pause.tx {
            let (low, high) = pch2::water_marks(max_frame);
            (
                regs::FCRTL::from_raw(low).with_xone(true),
                regs::FCRTH::from_raw(high),
            )
        } else {
            (regs::FCRTL::zeroed(), regs::FCRTH::zeroed())
        };
        csr.write(regs::FCRTL, low);
        csr.write(regs::FCRTH, high);
        Ok(csr.flush()?)
    }

    fn link_settled(&self, parts: Parts<'_>, _: &Link) -> Result<(), Error> {
        Ok(parts.phy.session(parts.csr)?.start_lpi()?)
    }

    fn eee(&self, parts: Parts<'_>) -> Result<Option<Eee>, Error> {
        let Parts { csr, phy, .. } = parts;
        let timer = csr.read(pch::LPIC)?.lpiet().get();
        Ok(Some(phy.session(csr)?.eee(timer)?))
    }

    fn lights(&self, parts: Parts<'_>) -> Result<Lights, Error> {
        let lights = parts.phy.session(parts.csr)?.lights()?;
        Ok(Lights(lights.into()))
    }

    fn set_lights(&self, parts: Parts<'_>, Lights(lights): Lights) -> Result<(), Error> {
        // CAST: what `lights()` or `all_lights()` told.
        Ok(parts.phy.session(parts.csr)?.set_lights(lights as u16)?)
    }

    fn all_lights(&self, csr: &Csr<'_>, _: Lights, on: bool) -> Result<Lights, Gone> {
        let link = csr.read(regs::STATUS)?.lu();
        Ok(Lights(values::lights(link, on).into()))
    }
}
