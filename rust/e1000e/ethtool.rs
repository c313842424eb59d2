// SPDX-License-Identifier: GPL-2.0

//! The ethtool callbacks.

use kernel::{
    prelude::*,
    sync::atomic::Relaxed, //
};
use kernel_ext::{
    net::{
        device::Device,
        ethtool::{
            self,
            Coalesce,
            ControlStats,
            Crossover,
            Eee,
            EeeRequest,
            ExtAck,
            Flow,
            HashFields,
            Identify,
            LinkModes,
            LinkSettings,
            MacStats,
            Operations,
            PauseSettings,
            PauseStats,
            RingSizes,
            RmonRanges,
            RmonStats,
            SelfTest,
            WakeModes,
            WakeOnLan, //
        },
        rtnl::Rtnl, //
    },
    pci::wake, //
};

use crate::{
    aspm::View,
    counters::ENTRIES,
    csr::Queue,
    link::{
        self,
        Duplex,
        ForcedSpeed,
        LinkMode,
        LinkRequest,
        LinkState,
        Modes,
        Pause, //
    },
    mdic::MdicError,
    nic::{
        Nic,
        MAX_RING,
        MIN_RING, //
    },
    regs::DUMP,
    rss,
    selftest,
    wol, //
};

/// A statistic that the driver keeps itself.
struct Own {
    name: &'static str,
    get: fn(&Nic<'_>) -> u64,
}

macro_rules! own {
    ($($name:literal: $get:expr;)*) => {
        &[$(Own { name: $name, get: $get }),*]
    };
}

/// In the order of `ethtool -S`, behind the hardware's.
const OWN: &[Own] = own! {
    "resets": |nic| nic.health.resets.load(Relaxed);
    "tx_hangs": |nic| nic.health.tx_hangs.load(Relaxed);
    "tx_dropped": |nic| nic.total(|counts| &counts.tx_dropped);
    "rx_no_memory": |nic| nic.total(|counts| &counts.rx_no_memory);
    "rx_damaged": |nic| nic.total(|counts| &counts.rx_damaged);
    "rx_csum_errors": |nic| nic.total(|counts| &counts.rx_bad_checksum);
    "rx_absurd_descriptors": |nic| nic.total(|counts| &counts.rx_absurd);
    "tx_hwtstamp_timeouts": |nic| nic.ptp.tx_timeouts.load(Relaxed);
    "tx_hwtstamp_skipped": |nic| nic.ptp.tx_skipped.load(Relaxed);
    "rx_hwtstamp_cleared": |nic| nic.ptp.rx_cleared.load(Relaxed);
    "dead_reads": |nic| nic.csr.losses();
    "firmware_waits_lost": |nic| nic.csr.contention_timeouts.load(Relaxed);
    "tails_lost": |nic| nic.csr.tails_lost.load(Relaxed);
    "ivar_repairs": |nic| nic.health.ivar_repairs.load(Relaxed);
    "interrupts_lost": |nic| nic.health.interrupts_lost.load(Relaxed);
    "irq_selfcheck_failures": |nic| nic.irq.check_failures.load(Relaxed);
    "link_unknown": |nic| nic.health.link_unknown.load(Relaxed);
    "aspm_before": |nic| nic.aspm.lock().before.as_ref().map_or(0, View::stat);
    "aspm_after": |nic| nic.aspm.lock().after.as_ref().map_or(0, View::stat);
    "aspm_result": |nic| nic.aspm.lock().way as u64;
    "aspm_repairs": |nic| nic.health.aspm_repairs.load(Relaxed);
    "phy_read_err_ownership": |nic| nic.phy.read_error(MdicError::Ownership);
    "phy_read_err_timeout": |nic| nic.phy.read_error(MdicError::Timeout);
    "phy_read_err_flagged": |nic| nic.phy.read_error(MdicError::Flagged);
    "phy_read_err_gone": |nic| nic.phy.read_error(MdicError::Gone);
    "phy_read_err_mismatch": |nic| nic.phy.read_error(MdicError::Mismatch);
    "phy_write_err_ownership": |nic| nic.phy.write_error(MdicError::Ownership);
    "phy_write_err_timeout": |nic| nic.phy.write_error(MdicError::Timeout);
    "phy_write_err_flagged": |nic| nic.phy.write_error(MdicError::Flagged);
    "phy_write_err_gone": |nic| nic.phy.write_error(MdicError::Gone);
    "phy_write_err_mismatch": |nic| nic.phy.write_error(MdicError::Mismatch);
};

const NAMES: [&str; ENTRIES.len() + OWN.len()] = {
    let mut names = [""; ENTRIES.len() + OWN.len()];
    let mut i = 0;
    while i < ENTRIES.len() {
        names[i] = ENTRIES[i].name;
        i += 1;
    }
    let mut i = 0;
    while i < OWN.len() {
        names[ENTRIES.len() + i] = OWN[i].name;
        i += 1;
    }
    names
};

/// Number of registers in a dump, arrays counted out.
const DUMP_WORDS: usize = {
    let (mut words, mut i) = (0, 0);
    while i < DUMP.len() {
        words += DUMP[i].count;
        i += 1;
    }
    words
};

/// Version of the dump's format: the registers of [`DUMP`] in their order. The in-tree driver's
/// formats are 0 and 1.
const DUMP_VERSION: u32 = 2;

const SUPPORTED: LinkModes = LinkModes::BASE10_HALF
    .with(LinkModes::BASE10_FULL)
    .with(LinkModes::BASE100_HALF)
    .with(LinkModes::BASE100_FULL)
    .with(LinkModes::BASE1000_FULL)
    .with(LinkModes::AUTONEG)
    .with(LinkModes::TP)
    .with(LinkModes::PAUSE)
    .with(LinkModes::ASYM_PAUSE);

/// The modes of the link layer beside those of ethtool.
const MODES: [(Modes, LinkModes); 5] = [
    (Modes::HALF_10, LinkModes::BASE10_HALF),
    (Modes::FULL_10, LinkModes::BASE10_FULL),
    (Modes::HALF_100, LinkModes::BASE100_HALF),
    (Modes::FULL_100, LinkModes::BASE100_FULL),
    (Modes::FULL_1000, LinkModes::BASE1000_FULL),
];

fn to_ethtool(modes: Modes) -> LinkModes {
    MODES
        .into_iter()
        .filter(|&(ours, _)| modes.contains(ours))
        .fold(LinkModes::default(), |set, (_, theirs)| set.with(theirs))
}

fn from_ethtool(modes: LinkModes) -> Modes {
    MODES
        .into_iter()
        .filter(|&(_, theirs)| modes.contains(theirs))
        .fold(Modes::NONE, |set, (ours, _)| set.with(ours))
}

fn pause_modes(pause: Pause) -> LinkModes {
    let set = LinkModes::default();
    match (pause.rx, pause.tx) {
        (false, false) => set,
        (true, true) => set.with(LinkModes::PAUSE),
        (true, false) => set.with(LinkModes::PAUSE).with(LinkModes::ASYM_PAUSE),
        (false, true) => set.with(LinkModes::ASYM_PAUSE),
    }
}

fn crossover(crossover: link::Crossover) -> Crossover {
    match crossover {
        link::Crossover::Mdi => Crossover::Mdi,
        link::Crossover::MdiX => Crossover::MdiX,
        link::Crossover::Auto => Crossover::Auto,
    }
}

fn duplex(duplex: Duplex) -> ethtool::Duplex {
    match duplex {
        Duplex::Half => ethtool::Duplex::Half,
        Duplex::Full => ethtool::Duplex::Full,
    }
}

/// Has received frames spread as `new` says.
fn take_rss(nic: &Nic<'_>, rtnl: &mut Rtnl, new: rss::Rss) -> Result {
    let old = core::mem::replace(&mut nic.setup.get_mut(rtnl).rss, new);
    nic.program_frames_if_running(rtnl)
        .inspect_err(|_| nic.setup.get_mut(rtnl).rss = old)
}

impl Operations for Nic<'_> {
    const MAX_RINGS: RingSizes = RingSizes {
        rx: MAX_RING,
        tx: MAX_RING,
    };
    const STAT_NAMES: &'static [&'static str] = &NAMES;
    const PHY_STAT_NAMES: &'static [&'static str] = &["phy_idle_errors", "phy_receive_errors"];

    fn phy_stats(dev: &Device<Self>, _rtnl: &mut Rtnl, out: &mut [u64]) {
        let nic = dev.data();
        // A PHY that is powered down or in a reset has nothing to tell. A failure leaves the counts
        // as they were, and is counted itself.
        if nic.hardware.lock().is_some() {
            let _ = nic
                .phy
                .update_errors(&nic.csr)
                .inspect_err(|e| nic.tell_phy_error(dev, e));
        }
        let (idle, receive) = nic.phy.errors();
        for (to, value) in out.iter_mut().zip([idle, receive]) {
            *to = value;
        }
    }

    const TEST_NAMES: &'static [&'static str] = &selftest::NAMES;
    const DUMP_WORDS: usize = DUMP_WORDS;

    fn self_test(dev: &Device<Self>, rtnl: &mut Rtnl, how: SelfTest, results: &mut [u64]) {
        selftest::run(dev, rtnl, how == SelfTest::Offline, results);
    }

    fn ethtool_stats(dev: &Device<Self>, _rtnl: &mut Rtnl, out: &mut [u64]) {
        let nic = dev.data();
        let now = nic.statistics_now();
        let hardware = ENTRIES.iter().map(|entry| (entry.get)(now));
        let own = OWN.iter().map(|own| (own.get)(nic));
        for (to, value) in out.iter_mut().zip(Iterator::chain(hardware, own)) {
            *to = value;
        }
    }

    fn link_settings(dev: &Device<Self>, _rtnl: &mut Rtnl) -> Result<LinkSettings> {
        let nic = dev.data();
        let request = *nic.link_request.lock();
        let link = match *nic.link.lock() {
            LinkState::Up(link) if dev.carrier_ok() => Some(link),
            _ => None,
        };
        // What the partner says is only asked for while there is one; a failure is counted and
        // told as none.
        let partner = match link {
            Some(_) if request.loopback => LinkModes::default(),
            Some(_) => nic
                .phy
                .read_partner(&nic.csr)
                .inspect_err(|e| nic.tell_phy_error(dev, e))
                .map_or(LinkModes::default(), |(anlpar, gbsr)| {
                    to_ethtool(Modes::from_partner(anlpar, gbsr))
                        .with(LinkModes::TP)
                        .with(LinkModes::AUTONEG)
                }),
            None => LinkModes::default(),
        };
        let crossed = match link {
            Some(_) => nic
                .phy
                .crossed(&nic.csr)
                .inspect_err(|e| nic.tell_phy_error(dev, e))
                .unwrap_or(None),
            None => None,
        };
        let (autoneg, advertising) = match request.mode {
            LinkMode::Autoneg(modes) => (
                true,
                to_ethtool(modes)
                    .with(LinkModes::TP)
                    .with(LinkModes::AUTONEG)
                    .with(pause_modes(request.pause)),
            ),
            LinkMode::Forced(..) => (false, LinkModes::TP),
        };
        Ok(LinkSettings {
            link: link.map(|link| (link.speed.mbps(), duplex(link.duplex))),
            autoneg,
            phy_address: nic.phy.address(),
            supported: SUPPORTED,
            advertising,
            partner: if autoneg {
                partner
            } else {
                LinkModes::default()
            },
            crossed: crossed.map(crossover),
            crossover: crossover(request.crossover),
        })
    }

    fn has_link(dev: &Device<Self>, _rtnl: &mut Rtnl) -> bool {
        let nic = dev.data();
        if !dev.carrier_ok() || !matches!(*nic.link.lock(), LinkState::Up(_)) {
            return false;
        }
        // The next look at it is up to half a second away.
        nic.csr.check().inspect_err(|_| dev.kick_service()).is_ok()
    }

    fn set_link_settings(
        dev: &Device<Self>,
        _rtnl: &mut Rtnl,
        request: ethtool::LinkRequest,
        crossover: Option<Crossover>,
    ) -> Result {
        let nic = dev.data();
        let mode = match request {
            ethtool::LinkRequest::Autoneg(modes) => {
                let modes = from_ethtool(modes);
                if modes.is_empty() {
                    dev_info!(
                        nic.pdev,
                        "{}: advertise at least one of 10, 100 (half, full) and 1000 (full)\n",
                        dev.name()
                    );
                    return Err(EINVAL);
                }
                LinkMode::Autoneg(modes)
            }
            // 1000BASE-T must be negotiated (IEEE 802.3 clause 40.5): nothing else is offered, as
            // in the in-tree driver.
            ethtool::LinkRequest::Forced(1000, ethtool::Duplex::Full) => {
                LinkMode::Autoneg(Modes::FULL_1000)
            }
            ethtool::LinkRequest::Forced(speed, wanted) => {
                let speed = match speed {
                    10 => ForcedSpeed::Mbps10,
                    100 => ForcedSpeed::Mbps100,
                    _ => {
                        dev_info!(
                            nic.pdev,
                            "{}: use 10, 100 (half or full duplex) or 1000 Mb/s (full)\n",
                            dev.name()
                        );
                        return Err(EINVAL);
                    }
                };
                LinkMode::Forced(
                    speed,
                    match wanted {
                        ethtool::Duplex::Half => Duplex::Half,
                        ethtool::Duplex::Full => Duplex::Full,
                    },
                )
            }
        };
        let old = *nic.link_request.lock();
        let crossover = match crossover {
            Some(Crossover::Mdi) => link::Crossover::Mdi,
            Some(Crossover::MdiX) => link::Crossover::MdiX,
            Some(Crossover::Auto) => link::Crossover::Auto,
            None => old.crossover,
        };
        let new = LinkRequest {
            mode,
            crossover,
            ..old
        };
        *nic.link_request.lock() = new;
        let hardware = nic.hardware.lock();
        if hardware.is_none() {
            return Ok(());
        }
        nic.set_up_link(dev)
            .inspect(|()| dev.kick_service())
            .inspect_err(|_| *nic.link_request.lock() = old)
    }

    fn restart_autoneg(dev: &Device<Self>, _rtnl: &mut Rtnl) -> Result {
        let nic = dev.data();
        let request = *nic.link_request.lock();
        if request.loopback || !matches!(request.mode, LinkMode::Autoneg(_)) {
            return Err(EINVAL);
        }
        let hardware = nic.hardware.lock();
        if hardware.is_none() {
            return Err(EAGAIN);
        }
        nic.phy
            .restart_autoneg(&nic.csr)
            .inspect_err(|e| nic.tell_phy_error(dev, e))
            .map_err(|_| EIO)?;
        dev.kick_service();
        Ok(())
    }

    fn ring_sizes(dev: &Device<Self>, rtnl: &mut Rtnl) -> RingSizes {
        dev.data().setup.get(rtnl).rings
    }

    fn set_ring_sizes(dev: &Device<Self>, rtnl: &mut Rtnl, sizes: RingSizes) -> Result {
        let nic = dev.data();
        // A frame may need as many descriptors. Who tries ever smaller sizes is to see the end.
        if sizes.rx < MIN_RING || sizes.tx < MIN_RING {
            return Err(EINVAL);
        }
        // As the in-tree driver does, odd sizes are rounded up rather than refused.
        let round = |n: u32| {
            n.min(MAX_RING)
                .checked_next_power_of_two()
                .unwrap_or(MAX_RING)
        };
        let new = RingSizes {
            rx: round(sizes.rx),
            tx: round(sizes.tx),
        };
        let old = core::mem::replace(&mut nic.setup.get_mut(rtnl).rings, new);
        if old == new {
            return Ok(());
        }
        nic.restart_if_running(dev, rtnl).inspect_err(|_| {
            // The old sizes have worked before.
            nic.setup.get_mut(rtnl).rings = old;
            dev.kick_service();
        })
    }

    fn channels(dev: &Device<Self>, rtnl: &mut Rtnl) -> u32 {
        dev.data().setup.get(rtnl).channels
    }

    fn max_channels(&self) -> u32 {
        self.chip.queues()
    }

    fn set_channels(dev: &Device<Self>, rtnl: &mut Rtnl, channels: u32) -> Result {
        let nic = dev.data();
        let keep_table = dev.rss_configured(rtnl);
        let setup = nic.setup.get_mut(rtnl);
        if setup.channels == channels {
            return Ok(());
        }
        let old = (setup.channels, setup.rss.clone());
        setup.channels = channels;
        if !keep_table {
            setup.rss.spread(channels);
        }
        nic.restart_if_running(dev, rtnl).inspect_err(|_| {
            // The old number has worked before.
            let setup = nic.setup.get_mut(rtnl);
            (setup.channels, setup.rss) = old;
            dev.kick_service();
        })
    }

    const RSS_KEY_LEN: usize = rss::KEY_LEN;
    const RSS_TABLE_LEN: usize = rss::TABLE_LEN;

    fn rss(dev: &Device<Self>, rtnl: &mut Rtnl, key: Option<&mut [u8]>, table: Option<&mut [u32]>) {
        let rss = &dev.data().setup.get(rtnl).rss;
        if let Some(key) = key {
            key.iter_mut()
                .zip(rss.key)
                .for_each(|(to, from)| *to = from);
        }
        if let Some(table) = table {
            table
                .iter_mut()
                .zip(rss.table())
                .for_each(|(to, from)| *to = from);
        }
    }

    fn set_rss(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        key: Option<&[u8]>,
        table: Option<&[u32]>,
    ) -> Result {
        if dev.data().chip.queues() < 2 {
            return Err(EOPNOTSUPP);
        }
        let mut new = dev.data().setup.get(rtnl).rss.clone();
        if let Some(key) = key {
            new.key = key.try_into().map_err(|_| EINVAL)?;
        }
        if table.is_some_and(|table| !new.set_table(table)) {
            return Err(EINVAL);
        }
        take_rss(dev.data(), rtnl, new)
    }

    fn hash_fields(dev: &Device<Self>, rtnl: &mut Rtnl, flow: Flow) -> HashFields {
        let rss = &dev.data().setup.get(rtnl).rss;
        let ports = match flow {
            Flow::Tcp4 => rss.tcp4_ports,
            Flow::Tcp6 => rss.tcp6_ports,
            Flow::Udp4 | Flow::Udp6 | Flow::Ip4 | Flow::Ip6 => false,
        };
        if ports {
            HashFields::AddressesAndPorts
        } else {
            HashFields::Addresses
        }
    }

    fn set_hash_fields(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        flow: Flow,
        fields: HashFields,
        extack: &ExtAck<'_>,
    ) -> Result {
        let ports = fields == HashFields::AddressesAndPorts;
        let mut new = dev.data().setup.get(rtnl).rss.clone();
        match flow {
            Flow::Tcp4 => new.tcp4_ports = ports,
            Flow::Tcp6 => new.tcp6_ports = ports,
            Flow::Udp4 | Flow::Udp6 | Flow::Ip4 | Flow::Ip6 => {
                if ports {
                    extack.set(c"the chip hashes over the ports of TCP only: use sd");
                    return Err(EOPNOTSUPP);
                }
            }
        }
        take_rss(dev.data(), rtnl, new)
    }

    // The first queue stands for all, as in other drivers.
    fn coalesce(dev: &Device<Self>, _rtnl: &mut Rtnl) -> Coalesce {
        dev.data().moderation.lock().get(Queue::Q0)
    }

    fn set_coalesce(
        dev: &Device<Self>,
        _rtnl: &mut Rtnl,
        settings: Coalesce,
        extack: &ExtAck<'_>,
    ) -> Result {
        let nic = dev.data();
        let done = nic.moderation.lock().set_all(nic, dev, settings);
        done.inspect_err(|refused| extack.set(refused.text()))?;
        Ok(())
    }

    fn queue_coalesce(dev: &Device<Self>, _rtnl: &mut Rtnl, queue: u32) -> Result<Coalesce> {
        let queue = Queue::new(queue).ok_or(EINVAL)?;
        Ok(dev.data().moderation.lock().get(queue))
    }

    fn set_queue_coalesce(
        dev: &Device<Self>,
        _rtnl: &mut Rtnl,
        queue: u32,
        settings: Coalesce,
    ) -> Result {
        let nic = dev.data();
        let queue = Queue::new(queue).ok_or(EINVAL)?;
        let done = nic.moderation.lock().set(nic, dev, queue, settings);
        done.inspect_err(|refused| {
            dev_info!(
                nic.pdev,
                "{}: queue {}: {}\n",
                dev.name(),
                queue.index(),
                refused.text()
            );
        })?;
        Ok(())
    }

    fn eee(dev: &Device<Self>, _rtnl: &mut Rtnl) -> Result<Eee> {
        let nic = dev.data();
        let _hardware = nic.hardware.lock();
        let eee = nic.chip.eee(nic.parts())?.ok_or(EOPNOTSUPP)?;
        let request = *nic.link_request.lock();
        Ok(Eee {
            supported: to_ethtool(eee.supported),
            advertising: to_ethtool(request.eee),
            partner: to_ethtool(eee.partner),
            active: eee.active,
            enabled: request.eee_on,
            tx_lpi: true,
            tx_lpi_usecs: eee.timer,
        })
    }

    fn set_eee(dev: &Device<Self>, rtnl: &mut Rtnl, wanted: EeeRequest) -> Result {
        let nic = dev.data();
        let now = Self::eee(dev, rtnl)?;
        let modes = from_ethtool(wanted.advertising);
        if !Modes::EEE.contains(modes)
            || (wanted.tx_lpi, wanted.tx_lpi_usecs) != (now.tx_lpi, now.tx_lpi_usecs)
        {
            dev_info!(
                nic.pdev,
                "{}: EEE: 100 and 1000 Mb/s (full) can be chosen, its idle times cannot\n",
                dev.name()
            );
            return Err(EINVAL);
        }
        let old = *nic.link_request.lock();
        *nic.link_request.lock() = LinkRequest {
            eee: modes,
            eee_on: wanted.enabled,
            ..old
        };
        let hardware = nic.hardware.lock();
        if hardware.is_none() {
            return Ok(());
        }
        // The partner must hear of it.
        nic.set_up_link(dev)
            .inspect(|()| dev.kick_service())
            .inspect_err(|_| *nic.link_request.lock() = old)
    }

    fn pause(dev: &Device<Self>, _rtnl: &mut Rtnl) -> PauseSettings {
        let request = *dev.data().link_request.lock();
        PauseSettings {
            autoneg: request.pause_autoneg,
            rx: request.pause.rx,
            tx: request.pause.tx,
        }
    }

    fn set_pause(dev: &Device<Self>, _rtnl: &mut Rtnl, settings: PauseSettings) -> Result {
        let nic = dev.data();
        let old = *nic.link_request.lock();
        if settings.autoneg && !matches!(old.mode, LinkMode::Autoneg(_)) {
            dev_info!(
                nic.pdev,
                "{}: flow control is negotiated with the link: set autoneg on first\n",
                dev.name()
            );
            return Err(EINVAL);
        }
        let new = LinkRequest {
            pause: Pause {
                rx: settings.rx,
                tx: settings.tx,
            },
            pause_autoneg: settings.autoneg,
            ..old
        };
        *nic.link_request.lock() = new;
        let hardware = nic.hardware.lock();
        if hardware.is_none() {
            return Ok(());
        }
        // The partner must hear of it, which takes the link away for a moment; what is only ours
        // is set with the next look at the link.
        if matches!(new.mode, LinkMode::Autoneg(_)) && new.anar() != old.anar() {
            nic.set_up_link(dev)
                .inspect_err(|_| *nic.link_request.lock() = old)?;
        }
        dev.kick_service();
        Ok(())
    }

    fn mac_stats(dev: &Device<Self>, _rtnl: &mut Rtnl) -> MacStats {
        let hw = dev.data().statistics_now();
        MacStats {
            frames_transmitted_ok: Some(hw.tx_packets()),
            single_collision_frames: Some(hw.single_collisions()),
            multiple_collision_frames: Some(hw.multiple_collisions()),
            frames_received_ok: Some(hw.rx_packets()),
            frame_check_sequence_errors: Some(hw.crc_errors()),
            alignment_errors: Some(hw.align_errors()),
            octets_transmitted_ok: Some(hw.tx_bytes()),
            frames_with_deferred_xmissions: Some(hw.deferred()),
            late_collisions: Some(hw.late_collisions()),
            frames_aborted_due_to_xs_colls: Some(hw.excessive_collisions()),
            // As `tx_carrier_errors`.
            carrier_sense_errors: None,
            octets_received_ok: Some(hw.rx_bytes()),
            frames_lost_due_to_int_mac_rcv_error: Some(hw.missed()),
            multicast_frames_xmitted_ok: Some(hw.tx_multicast()),
            broadcast_frames_xmitted_ok: Some(hw.tx_broadcast()),
            multicast_frames_received_ok: Some(hw.rx_multicast()),
            broadcast_frames_received_ok: Some(hw.rx_broadcast()),
            in_range_length_errors: Some(hw.length_errors()),
            frame_too_long_errors: Some(hw.oversize()),
        }
    }

    fn control_stats(dev: &Device<Self>, _rtnl: &mut Rtnl) -> ControlStats {
        let hw = dev.data().statistics_now();
        ControlStats {
            transmitted: Some(hw.tx_xon().wrapping_add(hw.tx_xoff())),
            received: Some(hw.rx_xon().wrapping_add(hw.rx_xoff())),
            unsupported_opcodes_received: Some(hw.rx_unsupported_flow_control()),
        }
    }

    fn pause_stats(dev: &Device<Self>, _rtnl: &mut Rtnl) -> PauseStats {
        let hw = dev.data().statistics_now();
        PauseStats {
            tx_pause_frames: Some(hw.tx_xon().wrapping_add(hw.tx_xoff())),
            rx_pause_frames: Some(hw.rx_xon().wrapping_add(hw.rx_xoff())),
        }
    }

    // The last ends with the longest frame that the driver has the chip take.
    const RMON_RANGES: &'static RmonRanges = &RmonRanges::new([
        (0, 64),
        (65, 127),
        (128, 255),
        (256, 511),
        (512, 1023),
        (1024, 9238),
    ]);

    fn rmon_stats(
        dev: &Device<Self>,
        _rtnl: &mut Rtnl,
        rx: &mut [u64],
        tx: &mut [u64],
    ) -> RmonStats {
        let hw = dev.data().statistics_now();
        rx.iter_mut()
            .zip(hw.rx_lengths())
            .for_each(|(to, from)| *to = from);
        tx.iter_mut()
            .zip(hw.tx_lengths())
            .for_each(|(to, from)| *to = from);
        RmonStats {
            undersize_pkts: Some(hw.undersize()),
            oversize_pkts: Some(hw.oversize()),
            fragments: Some(hw.fragments()),
            jabbers: Some(hw.jabbers()),
        }
    }

    fn eeprom_magic(&self) -> u32 {
        // As in the in-tree driver: device, vendor.
        u32::from(self.pdev.device_id()) << 16 | u32::from(self.pdev.vendor_id().as_raw())
    }

    fn eeprom_len(&self) -> u32 {
        u32::from(self.nvm.words()).saturating_mul(2)
    }

    fn read_eeprom(dev: &Device<Self>, _rtnl: &mut Rtnl, offset: u32, out: &mut [u8]) -> Result {
        let nic = dev.data();
        // Not in the middle of a reset.
        let _hardware = nic.hardware.lock();
        nic.nvm.read_octets(&nic.csr, offset, out).map_err(|e| {
            dev_info!(nic.pdev, "{}: NVM: {}\n", dev.name(), e);
            EIO
        })
    }

    fn write_eeprom(dev: &Device<Self>, _rtnl: &mut Rtnl, offset: u32, data: &[u8]) -> Result {
        let nic = dev.data();
        // Not in the middle of a reset, after which the device reads the NVM.
        let _hardware = nic.hardware.lock();
        nic.nvm
            .write_octets(&nic.csr, &nic.phy, offset, data)
            .map_err(|e| {
                dev_err!(nic.pdev, "{}: NVM: {}\n", dev.name(), e);
                e.into()
            })
    }

    fn register_dump(dev: &Device<Self>, _rtnl: &mut Rtnl, out: &mut [u32]) -> u32 {
        let nic = dev.data();
        let offsets = DUMP.iter().flat_map(|run| {
            (0..run.count).map(move |i| run.offset.saturating_add(i.saturating_mul(run.stride)))
        });
        for (to, offset) in out.iter_mut().zip(offsets) {
            match nic.csr.read_raw(offset) {
                Ok(value) => *to = value,
                Err(_) => {
                    // The rest is zeroes; the reason is in the log.
                    dev.kick_service();
                    break;
                }
            }
        }
        // As in the in-tree driver: format, revision, device.
        DUMP_VERSION << 24
            | u32::from(nic.pdev.revision_id()) << 16
            | u32::from(nic.pdev.device_id())
    }

    fn identify(dev: &Device<Self>, rtnl: &mut Rtnl, what: Identify) -> Result {
        let nic = dev.data();
        // Not in the middle of a reset, which has the lights as the NVM says.
        let _hardware = nic.hardware.lock();
        let (chip, parts) = (nic.chip, nic.parts());
        let lights = &mut nic.setup.get_mut(rtnl).lights;
        let new = match (what, *lights) {
            (Identify::Begin, _) => {
                *lights = Some(chip.lights(parts)?);
                return Ok(());
            }
            (Identify::On, Some(old)) => chip.all_lights(&nic.csr, old, true)?,
            (Identify::Off, Some(old)) => chip.all_lights(&nic.csr, old, false)?,
            (Identify::End, Some(old)) => {
                *lights = None;
                old
            }
            (_, None) => return Err(EINVAL),
        };
        Ok(chip.set_lights(parts, new)?)
    }

    fn wake_on_lan(dev: &Device<Self>, rtnl: &mut Rtnl) -> WakeOnLan {
        let nic = dev.data();
        if wake::is_capable(nic.pdev) {
            WakeOnLan {
                supported: wol::SUPPORTED,
                enabled: nic.setup.get(rtnl).wake,
            }
        } else {
            WakeOnLan {
                supported: WakeModes::NONE,
                enabled: WakeModes::NONE,
            }
        }
    }

    fn set_wake_on_lan(dev: &Device<Self>, rtnl: &mut Rtnl, modes: WakeModes) -> Result {
        let nic = dev.data();
        // The device hears of it when it is put to sleep.
        wake::allow(nic.pdev, !modes.is_empty())?;
        nic.setup.get_mut(rtnl).wake = modes;
        Ok(())
    }

    fn message_level(&self) -> u32 {
        self.message_level.load(Relaxed)
    }

    fn set_message_level(&self, level: u32) {
        self.message_level.store(level, Relaxed);
    }
}
