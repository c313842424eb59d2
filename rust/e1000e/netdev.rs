// SPDX-License-Identifier: GPL-2.0

//! The network device's callbacks.

use kernel::{
    irq::IrqReturn,
    prelude::*,
    sync::atomic::Relaxed, //
};
use kernel_ext::{
    net::{
        device::{
            Config,
            Device,
            Features,
            HardwareStats,
            MacAddress,
            Operations,
            RxMode,
            Suspend, //
        },
        dim::Direction,
        irq::HardIrq,
        napi::{
            PollContext,
            Polled, //
        },
        rtnl::Rtnl,
        skbuff::SkBuff,
        txq::XmitQueue, //
    },
    pci::wake, //
};

use crate::{
    chip,
    health,
    irq,
    nic::{
        Lent,
        Nic,
        Poll,
        CHANNELS,
        FRAME_OVERHEAD, //
    },
    phy,
    tx, //
};

/// Payload and frame of the largest MTU that all switches agree on.
const MAX_MTU: u32 = 9216;

/// Whether the chip can leave the FCS at the end of frames as long as the MTU allows.
fn can_keep_fcs(dev: &Device<Nic<'_>>) -> bool {
    let (_, more) = dev.data().chip.features(Nic::max_frame(dev.mtu()));
    more.contains(Features::RXFCS)
}

impl<'a> Operations for Nic<'a> {
    type Tx = Lent<tx::Ring<'a>>;
    type Poll = Lent<Poll<'a>>;
    const CHANNELS: u32 = CHANNELS;

    fn config(&self) -> Config {
        // No VLAN tag is counted in the longest frame.
        let max_mtu = self
            .longest_frame
            .saturating_sub(FRAME_OVERHEAD - 4)
            .min(MAX_MTU);
        let (features, more_features) = self.chip.features(chip::STANDARD_FRAME);
        Config {
            mac: self.mac,
            max_mtu,
            features,
            more_features,
            fixed_features: Features::HIGHDMA,
            tx_timeout_ms: 5000,
        }
    }

    fn open(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result {
        let nic = dev.data();
        dev.carrier_off();
        nic.bring_up(dev, rtnl).inspect_err(|_| nic.retire())?;
        // A link that cannot be set up now is looked after like one that fails later.
        let _ = nic.set_up_link(dev);
        nic.wanted.store(true, Relaxed);
        dev.kick_service();
        Ok(())
    }

    fn stop(dev: &Device<Self>, rtnl: &mut Rtnl) {
        let nic = dev.data();
        nic.quiesce(dev, rtnl);
        nic.power_down_phy();
        nic.retire();
    }

    fn suspend(dev: &Device<Self>, rtnl: &mut Rtnl, why: Suspend) {
        let nic = dev.data();
        let modes = nic.setup.get(rtnl).wake;
        if why == Suspend::Sleep && !modes.is_empty() && wake::is_allowed(nic.pdev) {
            nic.sleep_lightly(dev, rtnl, modes);
        } else if dev.is_running() {
            Self::stop(dev, rtnl);
        } else {
            nic.retire();
        }
        nic.hand_back();
        // Without power the counter stands still.
        nic.stop_clock();
    }

    fn resume(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result {
        dev.data().wake_up(dev);
        // A device whose interface is down is made ready when that comes up, all but its clock.
        if dev.is_running() {
            Self::open(dev, rtnl)?;
        } else {
            dev.data().run_clock();
        }
        Ok(())
    }

    fn runtime_suspend(dev: &Device<Self>) {
        dev.data().doze();
    }

    fn runtime_resume(dev: &Device<Self>) {
        dev.data().wake_from_doze(dev);
    }

    fn remove(&self) {
        self.hand_back();
    }

    #[inline]
    fn start_xmit(
        dev: &Device<Self>,
        tx: &mut Self::Tx,
        queue: &XmitQueue<'_>,
        skb: SkBuff,
        more: bool,
    ) -> Result<(), SkBuff> {
        tx.xmit(dev, queue, skb, more)
    }

    #[inline]
    fn poll(dev: &Device<Self>, poll: &mut Self::Poll, ctx: &PollContext<'_>) -> Polled {
        poll.tx.poll(dev.data(), ctx);
        let frames = match ctx.rx() {
            Some(rx) => poll.rx.poll(dev, ctx.budget(), &rx),
            None => 0,
        };
        if frames < ctx.budget() {
            Polled::Done(frames)
        } else {
            Polled::More
        }
    }

    #[inline]
    fn rearm(dev: &Device<Self>, channel: usize) {
        irq::rearm(dev.data(), channel);
    }

    #[inline]
    fn interrupt(dev: &Device<Self>, vector: usize, ctx: &HardIrq<'_>) -> IrqReturn {
        irq::handle(dev.data(), dev, vector, ctx)
    }

    fn moderate(dev: &Device<Self>, _channel: usize, _direction: Direction) {
        let nic = dev.data();
        nic.moderation.lock().program(nic, dev);
    }

    fn service(dev: &Device<Self>) {
        health::service(dev);
    }

    fn stats(dev: &Device<Self>) -> HardwareStats {
        let nic = dev.data();
        let hw = &nic.statistics;
        let length = hw
            .oversize()
            .wrapping_add(hw.undersize())
            .wrapping_add(hw.length_errors());
        HardwareStats {
            rx_errors: hw
                .crc_errors()
                .wrapping_add(hw.align_errors())
                .wrapping_add(hw.rx_phy_errors())
                .wrapping_add(hw.carrier_extension_errors())
                .wrapping_add(length)
                .wrapping_add(nic.total(|counts| &counts.rx_absurd)),
            rx_length_errors: length,
            rx_crc_errors: hw.crc_errors(),
            rx_frame_errors: hw.align_errors(),
            rx_missed_errors: hw.missed(),
            rx_dropped: nic.total(|counts| &counts.rx_no_memory),
            multicast: hw.rx_multicast(),
            tx_errors: hw.excessive_collisions().wrapping_add(hw.late_collisions()),
            tx_dropped: nic.total(|counts| &counts.tx_dropped),
            tx_aborted_errors: hw.excessive_collisions(),
            tx_window_errors: hw.late_collisions(),
            // `TNCRS` is not read: the in-tree driver excepts the 82574 from that.
            tx_carrier_errors: 0,
            collisions: hw.collisions(),
        }
    }

    fn note_rx_mode(dev: &Device<Self>, rtnl: &mut Rtnl, mode: &RxMode<'_>) {
        let filters = &mut dev.data().setup.get_mut(rtnl).filters;
        filters.begin(mode.promiscuous, mode.all_multicast);
        for address in mode.unicast() {
            filters.add_unicast(&address);
        }
        for address in mode.multicast() {
            filters.add_multicast(&address);
        }
    }

    fn set_rx_mode(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result {
        dev.data().program_frames_if_running(rtnl)
    }

    fn set_mac_address(dev: &Device<Self>, rtnl: &mut Rtnl, mac: &MacAddress) -> Result {
        let nic = dev.data();
        let old = dev.mac_address(rtnl);
        nic.setup.get_mut(rtnl).filters.set_primary(*mac);
        nic.program_frames_if_running(rtnl)
            .inspect_err(|_| nic.setup.get_mut(rtnl).filters.set_primary(old))
    }

    fn fix_features(dev: &Device<Self>, _rtnl: &mut Rtnl, mut wanted: Features) -> Features {
        // One bit switches both directions, see `Nic::program_frames()`.
        if !wanted.contains(Features::VLAN_RX) {
            wanted = wanted.without(Features::VLAN_TX);
        }
        if !can_keep_fcs(dev) {
            wanted = wanted.without(Features::RXFCS);
        }
        // The chip has trouble with it at 10 and 100 Mb/s (the in-tree driver's `e1000_probe()`,
        // which asks before there is a link).
        if dev.data().link.lock().is_slow() {
            wanted = wanted.without(tx::SEGMENTATION);
        }
        wanted
    }

    fn set_features(dev: &Device<Self>, rtnl: &mut Rtnl, features: Features) -> Result {
        let nic = dev.data();
        let old = nic.setup.get(rtnl).features;
        let changed = |one: Features| features.contains(one) != old.contains(one);
        let loopback = changed(Features::LOOPBACK);
        if loopback {
            nic.set_loopback(dev, features.contains(Features::LOOPBACK))?;
        }
        let receiver = changed(Features::RXFCS) || changed(Features::RXALL);
        let tags = changed(Features::VLAN_RX) || changed(Features::VLAN_FILTER);
        nic.take_features(rtnl, features);
        let result = if receiver {
            nic.restart_if_running(dev, rtnl)
        } else if tags {
            nic.program_frames_if_running(rtnl)
        } else {
            Ok(())
        };
        result.inspect_err(|_| {
            nic.take_features(rtnl, old);
            if loopback {
                // A failure has been told.
                let _ = nic.set_loopback(dev, old.contains(Features::LOOPBACK));
            }
        })
    }

    #[inline]
    fn features_check(dev: &Device<Self>, skb: &SkBuff, features: Features) -> Features {
        // The features follow the speed only after the first frames.
        if skb.is_gso() && dev.data().health.slow.load(Relaxed) {
            return tx::check_features(skb, features.without(tx::SEGMENTATION));
        }
        tx::check_features(skb, features)
    }

    fn add_vlan(dev: &Device<Self>, rtnl: &mut Rtnl, vid: u16) -> Result {
        let nic = dev.data();
        nic.setup.get_mut(rtnl).filters.set_vlan(vid, true);
        nic.program_frames_if_running(rtnl)
            .inspect_err(|_| nic.setup.get_mut(rtnl).filters.set_vlan(vid, false))
    }

    fn remove_vlan(dev: &Device<Self>, rtnl: &mut Rtnl, vid: u16) -> Result {
        let nic = dev.data();
        nic.setup.get_mut(rtnl).filters.set_vlan(vid, false);
        nic.program_frames_if_running(rtnl)
    }

    fn mtu_changed(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result {
        let nic = dev.data();
        if nic.setup.get(rtnl).features.contains(Features::RXFCS) && !can_keep_fcs(dev) {
            dev_info!(
                nic.pdev,
                "{}: no jumbo frames with their FCS: switch rx-fcs off first\n",
                dev.name()
            );
            return Err(EINVAL);
        }
        nic.restart_if_running(dev, rtnl)?;
        // What was asked for may be possible now.
        dev.update_features(rtnl);
        Ok(())
    }

    fn tx_timeout(dev: &Device<Self>, _queue: usize) {
        dev.data().health.request(dev, health::Reason::TxTimeout);
    }

    fn mii_address(&self) -> u8 {
        self.phy.address()
    }

    fn mii_read(dev: &Device<Self>, _rtnl: &mut Rtnl, register: u8) -> Result<u16> {
        let nic = dev.data();
        nic.phy
            .read(&nic.csr, phy::Reg::new(register))
            .map_err(|e| {
                nic.tell_phy_error(dev, &e);
                EIO
            })
    }
}
