// SPDX-License-Identifier: GPL-2.0

//! The 82574L and 82574LA.
//!
//! "Set-up list" below is the list of reserved bits with required values that the in-tree driver
//! applies to this chip on behalf of its vendor; the datasheet does not name these bits.

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
    packet_buffer,
    poll_error,
    set_rx_ring,
    set_tx_ring,
    start_engines,
    write_ivar,
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
        FilterState,
        Limits, //
    },
    ivar::{
        Vector,
        MAX_VECTORS, //
    },
    led::{
        self,
        Lights, //
    },
    link::Link,
    manage,
    mdic::MdicError,
    nvm::{
        self,
        Nvm, //
    },
    phy::{
        bm::Bm,
        Model, //
    },
    regs::{
        self,
        cause, //
    },
    rss::Rss,
    systim::SystemTime, //
};

/// The chip.
pub(super) struct I82574;

/// Pause time put into PAUSE frames, in units of 512 bit times.
const PAUSE_TIME: u16 = 0x0680;

/// Ethertype of MAC control frames (IEEE 802.3 annex 31A).
const FLOW_CONTROL_TYPE: u32 = 0x8808;

/// The address PAUSE frames are sent to, 01-80-C2-00-00-01: bytes 0 to 3.
const FLOW_CONTROL_ADDRESS_LOW: u32 = 0x00c2_8001;

/// The address PAUSE frames are sent to: bytes 4 and 5.
const FLOW_CONTROL_ADDRESS_HIGH: u32 = 0x0000_0100;

/// Receive delay in units of 1.024 us; without it the write-back threshold has no effect.
const RX_DELAY: u32 = 0x20;

/// Word with the settings for the port (82574 datasheet 6.1.1: initialization control 3).
const INIT_CONTROL_3: u16 = 0x24;

/// Initialization control 3: the device is to wake the system by itself.
const INIT_CONTROL_3_APM: u16 = 1 << 10;

/// Verifies that the reset has really taken place: PCIe requests allowed again, which only the
/// reset does; both enables off; all rings without memory.
///
/// The first one is also what a device that answers with zeros does not pass.
///
/// That the reads return is also what makes it a proof: a read's completion does not overtake the
/// writes to memory that the device sent before it (PCIe Base Specification 2.4.1).
fn verify_stopped(csr: &Csr<'_>) -> Result<(), Error> {
    csr.check()?;
    let status = csr.read(regs::STATUS)?;
    if !status.gio_master_enable() {
        return Err(Error::NotStopped {
            register: "STATUS",
            value: status.into_raw(),
        });
    }
    expect_engines_off(csr)?;
    for queue in Queue::ALL {
        expect_no_rings(csr, queue)?;
    }
    Ok(())
}

impl Chip for I82574 {
    fn name(&self) -> &'static str {
        "82574"
    }

    fn meet(&self, csr: &Csr<'_>) -> Result<(), Gone> {
        // Boot code leaves it set, and the chip has one port, so no one else can hold it (82574
        // datasheet 10.2.8.11).
        csr.update(regs::SWSM, |swsm| swsm.with_smbi(false))
    }

    fn nvm<'a>(&self, _: &'a pci::Device<Bound>, csr: &Csr<'_>) -> Result<Nvm<'a>, nvm::Error> {
        Ok(Nvm::eeprom(csr)?)
    }

    fn max_vectors(&self) -> u32 {
        MAX_VECTORS.into()
    }

    fn queues(&self) -> u32 {
        regs::QUEUES as u32
    }

    fn features(&self, _: u32) -> (Features, Features) {
        (
            COMMON_FEATURES
                .with(Features::RXHASH)
                .with(Features::VLAN_FILTER),
            MORE_FEATURES,
        )
    }

    fn max_frame(&self, _: &Csr<'_>) -> Result<u32, Gone> {
        Ok(packet_buffer::MAX_FRAME)
    }

    fn max_tx_bytes(&self, _: &Csr<'_>, max_frame: u32) -> Result<u32, Gone> {
        Ok(packet_buffer::max_tx_bytes(max_frame))
    }

    fn filter_limits(&self) -> &'static Limits {
        &Limits::I82574
    }

    fn storage(&self) -> &'static [regs::Storage] {
        regs::STORAGE
    }

    fn management(&self, parts: Parts<'_>) -> Result<manage::Mode, nvm::Error> {
        manage::Mode::read(parts.csr, parts.nvm)
    }

    fn wakes_by_default(&self, parts: Parts<'_>) -> Result<bool, nvm::Error> {
        Ok(parts.nvm.read(parts.csr, INIT_CONTROL_3)? & INIT_CONTROL_3_APM != 0)
    }

    fn system_time(&self) -> &'static SystemTime {
        &SystemTime::MHZ_25
    }

    fn phy(&self) -> &'static dyn Model {
        &Bm
    }

    fn stop_dma(&self, parts: Parts<'_>) -> Result<DmaStopped, Error> {
        let Parts { csr, phy, .. } = parts;
        csr.check()?;
        mask_all(csr)?;
        let settings = manage::Settings::read(csr)?;

        // Requests are ended first. Only then is the receiver switched off: since commit
        // 7f99ae633884 the in-tree driver does not clear `RCTL.EN` of a running 82574.
        // Where some stay pending the reset ends them.
        disable_master(csr)?;
        csr.write(regs::RCTL, regs::RCTL::zeroed());
        csr.update(regs::TCTL, |tctl| tctl.with_en(false))?;
        csr.flush()?;
        fsleep(Delta::from_millis(10));

        // The reset gives MDIO ownership back to the firmware, so it must be ours before: else
        // the reset cuts an access of the firmware short. Where the firmware does not let go, the
        // reset is needed all the same.
        let mdio = match phy.own(csr) {
            Ok(mdio) => Some(mdio),
            Err(MdicError::Gone) => return Err(Error::Gone),
            Err(_) => None,
        };
        csr.update(regs::CTRL, |ctrl| ctrl.with_rst(true))?;
        fsleep(Delta::from_millis(1));
        drop(mdio);

        csr.poll(
            |csr| csr.read(regs::CTRL),
            |ctrl| !ctrl.rst(),
            Delta::from_millis(1),
            Delta::from_millis(20),
        )
        .map_err(poll_error(Error::ResetStuck))?;
        verify_stopped(csr)?;
        settings.restore(csr)?;

        Ok(DmaStopped(()))
    }

    fn reset(&self, parts: Parts<'_>, max_frame: u32) -> Result<Fresh, Error> {
        let csr = parts.csr;
        // A flash must not update itself while the driver runs.
        let flash = csr.read(regs::EECD)?.nvmtype().get() == regs::FLASH;
        if flash {
            csr.update(regs::EECD, |eecd| eecd.with_aupden(false))?;
        }

        // The split of the packet buffer takes effect with the reset, and outlives it.
        let (rx, _) = packet_buffer::split(max_frame);
        csr.write(regs::PBA, regs::PBA::zeroed().with_rxa(rx));

        let settings = manage::Settings::read(csr)?;
        let stopped = self.stop_dma(parts)?;

        if flash {
            csr.update(regs::CTRL_EXT, |ctrl_ext| ctrl_ext.with_ee_rst(true))?;
            csr.flush()?;
        }
        csr.poll(
            |csr| csr.read(regs::EECD),
            |eecd| eecd.auto_rd(),
            Delta::from_millis(1),
            Delta::from_millis(100),
        )
        .map_err(poll_error(Error::AutoRead))?;
        // The PHY is configured from the NVM only now; neither is to be touched before the end.
        fsleep(Delta::from_millis(25));
        // What the NVM says is not what the BMC has said since.
        settings.restore(csr)?;

        // The reset unmasks nothing, but an event of the reset itself may be pending.
        mask_all(csr)?;
        csr.read(regs::ICR)?;
        Ok(Fresh {
            stopped,
            new_phy: false,
        })
    }

    fn init_hw(&self, csr: &Csr<'_>) -> Result<(), Gone> {
        // Set-up list: descriptors are counted, and both queues must agree even where only one is
        // used. Thresholds in descriptors: fetch when 31 are left and one is ready; write back
        // each one, as a burst of write-backs stalls transmission.
        let txdctl = regs::TXDCTL::zeroed()
            .with_gran(true)
            .with_count_desc(true)
            .with_const_pthresh::<0x1f>()
            .with_const_hthresh::<1>()
            .with_const_wthresh::<1>();
        csr.write(regs::TXDCTL::at(0), txdctl);
        csr.write(regs::TXDCTL::at(1), txdctl);

        // Commit d6cb17d5f801: without bit 26 the transmitter hangs with a full internal buffer.
        let tarc = csr.read(regs::TARC::at(0))?;
        csr.write(
            regs::TARC::at(0),
            tarc.with_const_reserved_30_27::<0>().with_reserved_26(true),
        );

        // Set-up list.
        csr.update(regs::CTRL, |ctrl| ctrl.with_reserved_29(false))?;
        csr.update(regs::CTRL_EXT, |ctrl_ext| {
            ctrl_ext.with_reserved_23(false).with_reserved_22(true)
        })?;
        csr.update(regs::GCR, |gcr| {
            gcr.with_reserved_22(true).with_l1_act_without_l0s_rx(true)
        })?;

        // Commit 78272bbab895: unreliable PCIe completions, above all with ASPM, end in transmit
        // timeouts.
        csr.update(regs::GCR2, |gcr2| gcr2.with_reserved_0(true))?;

        // Low power link-up would choose the lowest speed.
        csr.update(regs::POEMB, |poemb| poemb.with_d0lplu(false))?;

        csr.write(regs::WUC, regs::WUC::zeroed());
        csr.write(regs::VET, regs::VET::from_raw(ETH_P_8021Q));

        csr.write(
            regs::TIPG,
            // Reset values (82574 datasheet 10.2.6.3), good for all speeds over copper.
            regs::TIPG::zeroed()
                .with_const_ipgt::<8>()
                .with_const_ipgr1::<8>()
                .with_const_ipgr2::<6>(),
        );
        csr.write(regs::TIDV, regs::TIDV::from_raw(TX_DELAY));
        csr.write(regs::TADV, regs::TADV::from_raw(TX_ABSOLUTE_DELAY));
        csr.write(regs::RDTR, regs::RDTR::from_raw(RX_DELAY));
        csr.write(regs::RADV, regs::RADV::from_raw(RX_DELAY));

        csr.write(regs::FCT, regs::FCT::from_raw(FLOW_CONTROL_TYPE));
        csr.write(regs::FCAH, regs::FCAH::from_raw(FLOW_CONTROL_ADDRESS_HIGH));
        csr.write(regs::FCAL, regs::FCAL::from_raw(FLOW_CONTROL_ADDRESS_LOW));
        csr.write(regs::FCTTV, regs::FCTTV::zeroed().with_ttv(PAUSE_TIME));

        // What was counted before the driver was there is not ours.
        Statistics::discard(csr)
    }

    fn write_back(&self, csr: &Csr<'_>) -> Result<(), Gone> {
        // Twice, as the in-tree driver's `e1000e_flush_descriptors()` has found to be needed.
        for _ in 0..2 {
            csr.write(regs::TIDV, regs::TIDV::from_raw(TX_DELAY).with_fpd(true));
            csr.write(regs::RDTR, regs::RDTR::from_raw(RX_DELAY).with_fpd(true));
            csr.flush()?;
        }
        Ok(())
    }

    fn set_driver_loaded(&self, csr: &Csr<'_>, loaded: bool) -> Result<(), Gone> {
        csr.update(regs::CTRL_EXT, |ctrl_ext| ctrl_ext.with_drv_load(loaded))
    }

    fn configure_rx_queue(&self, csr: &Csr<'_>, queue: Queue, base: u64, bytes: u32) {
        set_rx_ring(csr, queue, base, bytes);
        // Thresholds in descriptors: fetch 32 at once, write back 4 at once.
        let rxdctl = regs::RXDCTL::zeroed()
            .with_gran(true)
            .with_const_pthresh::<0x20>()
            .with_const_hthresh::<4>()
            .with_const_wthresh::<4>();
        match queue {
            Queue::Q0 => csr.write(regs::RXDCTL::at(0), rxdctl),
            Queue::Q1 => csr.write(regs::RXDCTL::at(1), rxdctl),
        }
    }

    fn configure_tx_queue(&self, csr: &Csr<'_>, queue: Queue, base: u64, bytes: u32) {
        set_tx_ring(csr, queue, base, bytes);
    }

    fn start(&self, parts: Parts<'_>, rx: &RxConfig, stopped: DmaStopped) -> Result<(), Error> {
        Ok(start_engines(parts.csr, rx, stopped)?)
    }

    fn set_interrupts(&self, csr: &Csr<'_>, interrupts: Interrupts<'_>) -> Result<(), Error> {
        mask_all(csr)?;
        match interrupts {
            Interrupts::MsiX(ivar) => {
                // Spurious interrupts on the receipt of bare TCP ACKs in MSI-X mode.
                csr.update(regs::RFCTL, |rfctl| rfctl.with_ack_dis(true))?;
                write_ivar(csr, ivar)?;
                // Without `OTHER`: commit 745d0bd3af99, its cause would be cleared before it is
                // read.
                csr.write(regs::EIAC, regs::EIAC::from_raw(cause::QUEUES));
                // `IAM` is not written: commit 0a8047ac68e5, it breaks the auto-mask of MSI-X.
                csr.update(regs::CTRL_EXT, |ctrl_ext| {
                    ctrl_ext
                        .with_iame(false)
                        .with_eiame(true)
                        .with_pba_clr(true)
                })?;
            }
            Interrupts::Single => {
                csr.update(regs::RFCTL, |rfctl| rfctl.with_ack_dis(false))?;
                csr.write(regs::EIAC, regs::EIAC::zeroed());
                // The read of `ICR` in the handler masks everything.
                csr.write(regs::IAM, regs::IAM::from_raw(cause::ALL));
                csr.update(regs::CTRL_EXT, |ctrl_ext| {
                    ctrl_ext
                        .with_iame(true)
                        .with_eiame(false)
                        .with_pba_clr(false)
                })?;
            }
        }
        csr.flush()?;
        Ok(())
    }

    fn unmask(&self, csr: &Csr<'_>, interrupts: Interrupts<'_>) {
        csr.ims_write(match interrupts {
            // Erratum 12, commit 116f4a640b31: a read of `ICR` while `INT_ASSERTED` is clear
            // loses interrupts. With the sources of `OTHER` unmasked as well that bit is set
            // whenever `OTHER` is.
            Interrupts::MsiX(_) => cause::QUEUES | cause::OTHER | cause::OTHER_SOURCES,
            Interrupts::Single => cause::LEGACY,
        });
    }

    fn set_throttle(&self, csr: &Csr<'_>, vector: Option<Vector>, interval: u16) {
        match vector {
            Some(vector) => {
                if let Some(location) = regs::EITR::try_at(vector.index().into()) {
                    csr.write(location, regs::EITR::zeroed().with_interval(interval));
                }
            }
            None => csr.write(regs::ITR, regs::ITR::zeroed().with_interval(interval)),
        }
    }

    fn set_filters(&self, parts: Parts<'_>, filters: &FilterState) -> Result<(), Error> {
        let csr = parts.csr;
        for i in 0..Limits::I82574.addresses {
            if let (Some(ral), Some(rah)) = (regs::RAL::try_at(i), regs::RAH::try_at(i)) {
                let (low, high) = match filters.receive_address(i) {
                    Some((low, high)) => (low, regs::RAH::zeroed().with_rah(high).with_av(true)),
                    None => (0, regs::RAH::zeroed()),
                };
                // The device takes a pair over with the write of the high half; each write is
                // flushed as neighbouring ones may be merged on the way.
                csr.write(ral, regs::RAL::from_raw(low));
                csr.flush()?;
                csr.write(rah, high);
                csr.flush()?;
            }
        }
        for (i, &word) in filters.mta().iter().enumerate() {
            if let Some(location) = regs::MTA::try_at(i) {
                csr.write(location, regs::MTA::from_raw(word));
            }
        }
        for (i, &word) in filters.vfta().iter().enumerate() {
            if let Some(location) = regs::VFTA::try_at(i) {
                csr.write(location, regs::VFTA::from_raw(word));
            }
        }
        csr.update(regs::RCTL, |rctl| {
            rctl.with_upe(filters.unicast_promisc())
                .with_mpe(filters.multicast_promisc())
                .with_vfe(filters.filters_vlans())
        })?;
        Ok(csr.flush()?)
    }

    fn set_rss(&self, csr: &Csr<'_>, rss: &Rss) -> Result<(), Gone> {
        for (i, word) in rss.rssrk().enumerate() {
            if let Some(location) = regs::RSSRK::try_at(i) {
                csr.write(location, regs::RSSRK::from_raw(word));
            }
        }
        for (i, word) in rss.reta().enumerate() {
            if let Some(location) = regs::RETA::try_at(i) {
                csr.write(location, regs::RETA::from_raw(word));
            }
        }
        csr.write(
            regs::MRQC,
            regs::MRQC::zeroed()
                .with_const_mrqe::<1>()
                .with_tcp_ipv4(rss.tcp4_ports)
                .with_ipv4(true)
                .with_tcp_ipv6(rss.tcp6_ports)
                .with_ipv6_ex(true)
                .with_ipv6(true),
        );
        csr.flush()
    }

    fn set_vlan_tagging(&self, csr: &Csr<'_>, on: bool) -> Result<(), Gone> {
        csr.update(regs::CTRL, |ctrl| ctrl.with_vme(on))
    }

    fn link_up(&self, parts: Parts<'_>, link: &Link, max_frame: u32) -> Result<(), Error> {
        let csr = parts.csr;
        csr.update(regs::CTRL, |ctrl| {
            ctrl.with_rfce(link.pause.rx).with_tfce(link.pause.tx)
        })?;
        // The collision distance is the same at all speeds this chip does in half duplex, and
        // `TARC` needs no change at 10 and 100 Mb/s: the speed mode bit is the 82571's.
        let (low, high) = if link.pause.tx {
            let (low, high) = packet_buffer::water_marks(max_frame);
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

    fn lights(&self, parts: Parts<'_>) -> Result<Lights, Error> {
        Ok(Lights(parts.csr.read(regs::LEDCTL)?.into_raw()))
    }

    fn set_lights(&self, parts: Parts<'_>, Lights(ledctl): Lights) -> Result<(), Error> {
        parts.csr.check()?;
        parts
            .csr
            .write(regs::LEDCTL, regs::LEDCTL::from_raw(ledctl));
        Ok(())
    }

    fn all_lights(&self, _: &Csr<'_>, Lights(ledctl): Lights, on: bool) -> Result<Lights, Gone> {
        let all = led::all(regs::LEDCTL::from_raw(ledctl), on);
        Ok(Lights(all.into_raw()))
    }
}
