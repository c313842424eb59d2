// SPDX-License-Identifier: GPL-2.0

//! One device: what its callbacks share, and how it goes up and down.

use core::mem::ManuallyDrop;
use core::ops::{
    Deref,
    DerefMut, //
};
use kernel::{
    cpu,
    device::Bound,
    dma::Coherent,
    io::{
        IoBase,
        SysMem, //
    },
    new_mutex,
    pci,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            AtomicFlag,
            Relaxed, //
        },
        Mutex, //
    }, //
};
use kernel_ext::{
    net::{
        device::{
            Channel,
            Device,
            Features, //
        },
        ethtool::{
            rss_key,
            RingSizes,
            WakeModes, //
        },
        hwtstamp,
        rtnl::{
            Rtnl,
            RtnlCell, //
        },
        skbuff::DropReason, //
    },
    pci::{
        enable,
        master, //
    },
    pm::qos::CpuLatency, //
};

use crate::{
    aspm,
    chip::{
        self,
        Chip,
        DmaStopped,
        Fresh,
        Parts,
        RxConfig, //
    },
    counters::Statistics,
    csr::{
        Csr,
        Gone,
        Queue, //
    },
    filter::FilterState,
    health::Health,
    irq,
    led::Lights,
    link::{
        LinkRequest,
        LinkState, //
    },
    manage,
    moderation::Moderation,
    nvm::Nvm,
    phy::{
        LinkSetup,
        Phy, //
    },
    probe::Ready,
    ptp::{
        self,
        Ptp, //
    },
    regs,
    rss::Rss,
    rx,
    tx,
    wol, //
};

/// Bytes around the payload of a frame: header, VLAN tag, FCS.
pub(crate) const FRAME_OVERHEAD: u32 = 14 + 4 + 4;

/// Ring sizes that `ethtool -G` takes: descriptors, in powers of two. The smallest holds the worst
/// frame and leaves room to wake the queue again.
pub(crate) const MIN_RING: u32 = if tx::WORST_CASE <= 48 { 64 } else { 128 };
/// As [`MIN_RING`].
pub(crate) const MAX_RING: u32 = 4096;
/// What is received is fetched soon; what was sent is looked at less often, see [`moderation`].
const DEFAULT_RINGS: RingSizes = RingSizes { rx: 256, tx: 512 };

/// What the holder of the RTNL may change.
pub(crate) struct Setup {
    /// Number of channels, 1 or 2, for the next time that the rings are made.
    pub(crate) channels: u32,
    /// Ring sizes, for the next time that the rings are made.
    pub(crate) rings: RingSizes,
    /// The filters, kept over resets.
    pub(crate) filters: FilterState,
    /// How received frames are spread over the queues.
    pub(crate) rss: Rss,
    /// The features that are on.
    pub(crate) features: Features,
    /// What the lights showed before the port began to be identified by them.
    pub(crate) lights: Option<Lights>,
    /// What is to wake the system up.
    pub(crate) wake: WakeModes,
    /// What is stamped with the time, kept over resets.
    pub(crate) stamps: hwtstamp::Config,
}

/// Most channels of any chip.
pub(crate) const CHANNELS: u32 = regs::QUEUES as u32;

/// One device.
#[pin_data]
pub(crate) struct Nic<'a> {
    /// The registers; unmapped before the function is disabled.
    pub(crate) csr: Csr<'a>,
    /// The PHY behind them.
    pub(crate) phy: Pin<KBox<Phy>>,
    /// What is special about the chip.
    pub(crate) chip: &'static dyn Chip,
    /// The PCI function.
    pub(crate) pdev: &'a pci::Device<Bound>,
    /// The permanent address.
    pub(crate) mac: [u8; 6],
    /// The NVM.
    pub(crate) nvm: Nvm<'a>,
    /// The longest frame, in bytes, with header and FCS, but no VLAN tag.
    pub(crate) longest_frame: u32,
    /// What manageability the board has.
    management: manage::Mode,
    /// What was last done about ASPM.
    #[pin]
    pub(crate) aspm: Mutex<aspm::Outcome>,
    /// The best way of signalling interrupts that the user allows.
    pub(crate) best: irq::Best,
    /// What only the holder of the RTNL may touch.
    pub(crate) setup: RtnlCell<Setup>,
    /// Held by whoever changes the state of the hardware as a whole, or relies on it; taken after
    /// the RTNL. How interrupts are signalled, while the rings run.
    #[pin]
    pub(crate) hardware: Mutex<Option<irq::Layout>>,
    /// How often vectors may interrupt. The last lock to be taken.
    #[pin]
    pub(crate) moderation: Mutex<Moderation>,
    /// How long the processors may take to wake up, while the rings run.
    #[pin]
    cpu_latency: CpuLatency,
    /// Set while the interface is to be up.
    pub(crate) wanted: AtomicFlag,
    /// What the link is to be.
    #[pin]
    pub(crate) link_request: Mutex<LinkRequest>,
    /// What the link was found to be by the last look.
    #[pin]
    pub(crate) link: Mutex<LinkState>,
    /// What the interrupt handlers need.
    pub(crate) irq: irq::Shared,
    /// What the health tick remembers.
    #[pin]
    pub(crate) health: Health,
    /// The clock, and time stamps of frames.
    #[pin]
    pub(crate) ptp: Ptp,
    /// The hardware's counters.
    pub(crate) statistics: Statistics,
    /// What the rings of each queue count.
    counts: [Counts; regs::QUEUES],
    /// `NETIF_MSG_*`.
    pub(crate) message_level: Atomic<u32>,
    enabled: enable::Enabled<'a>,
}

/// Counters of one queue's data path that the stack does not keep. Each is written by one context.
pub(crate) struct Counts {
    /// Frames handed to the transmit ring.
    pub(crate) tx_queued: Atomic<u64>,
    /// Frames that the chip is done with.
    pub(crate) tx_done: Atomic<u64>,
    /// Frames dropped instead of being sent.
    pub(crate) tx_dropped: Atomic<u64>,
    /// Frames dropped on reception for want of memory.
    pub(crate) rx_no_memory: Atomic<u64>,
    /// Frames dropped on reception because of errors.
    pub(crate) rx_damaged: Atomic<u64>,
    /// Frames with a wrong checksum, as found by the chip; they go to the stack.
    pub(crate) rx_bad_checksum: Atomic<u64>,
    /// Descriptors with contents that cannot be.
    pub(crate) rx_absurd: Atomic<u64>,
}

impl Counts {
    const fn new() -> Self {
        Self {
            tx_queued: Atomic::new(0),
            tx_done: Atomic::new(0),
            tx_dropped: Atomic::new(0),
            rx_no_memory: Atomic::new(0),
            rx_damaged: Atomic::new(0),
            rx_bad_checksum: Atomic::new(0),
            rx_absurd: Atomic::new(0),
        }
    }
}

/// Adds to a counter that only the current context writes.
#[inline]
pub(crate) fn count(counter: &Atomic<u64>, n: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(n), Relaxed);
}

/// Memory that the device may be using.
///
/// Given back only against the proof that the device has stopped; without it the memory is leaked,
/// which is the lesser evil to a device writing over somebody else's.
pub(crate) struct Lent<T>(ManuallyDrop<T>);

impl<T> Lent<T> {
    /// Marks `memory` as the device's from here on.
    pub(crate) fn new(memory: T) -> Self {
        Self(ManuallyDrop::new(memory))
    }

    /// Takes the memory back.
    pub(crate) fn reclaim(self, _: &DmaStopped) -> T {
        ManuallyDrop::into_inner(self.0)
    }
}

impl<T> Deref for Lent<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Lent<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// The descriptors of a ring, for the processor; without their bus addresses, which nobody needs on
/// the data path.
#[inline]
pub(crate) fn ring_memory(desc: &Coherent<[u64]>) -> SysMem<'_, [u64]> {
    desc.as_view().as_sys_mem()
}

/// The rings of all channels.
type Channels<'a> = KVec<Channel<Nic<'a>>>;

impl<'a> Nic<'a> {
    /// The state of a device that is ready, with everything at its default.
    pub(crate) fn new(ready: Ready<'a>) -> impl PinInit<Self, Error> + 'a {
        let Ready {
            pdev,
            enabled,
            csr,
            chip,
            phy,
            aspm,
            nvm,
            longest_frame,
            management,
            mac,
            best,
            wake,
        } = ready;
        let channels = cpu::nr_cpu_ids().clamp(1, chip.queues().min(CHANNELS));
        let rss = Rss::new(rss_key(), channels);
        let (features, _) = chip.features(chip::STANDARD_FRAME);
        let mut filters = FilterState::new(mac, chip.filter_limits());
        filters.set_vlan_filter(features.contains(Features::VLAN_FILTER));
        try_pin_init!(Self {
            csr,
            phy,
            chip,
            pdev,
            mac,
            nvm,
            longest_frame,
            management,
            aspm <- new_mutex!(aspm),
            best,
            setup: RtnlCell::new(Setup {
                channels,
                rings: DEFAULT_RINGS,
                filters,
                rss,
                features,
                lights: None,
                wake,
                stamps: ptp::NO_STAMPS,
            }),
            hardware <- new_mutex!(None),
            moderation <- new_mutex!(Moderation::new()),
            cpu_latency <- CpuLatency::new(),
            wanted: AtomicFlag::new(false),
            link_request <- new_mutex!(LinkRequest::DEFAULT),
            link <- new_mutex!(LinkState::Down),
            irq: irq::Shared::new(),
            health <- Health::new(),
            ptp <- Ptp::new(chip.system_time()),
            statistics: Statistics::new(),
            counts: [const { Counts::new() }; regs::QUEUES],
            message_level: Atomic::new(0x7),
            enabled,
        }? Error)
    }

    /// What the rings of `queue` count.
    #[inline]
    pub(crate) fn counts(&self, queue: Queue) -> &Counts {
        match (&self.counts, queue) {
            ([q0, _], Queue::Q0) => q0,
            ([_, q1], Queue::Q1) => q1,
        }
    }

    /// One of the counters of all queues together.
    pub(crate) fn total(&self, counter: fn(&Counts) -> &Atomic<u64>) -> u64 {
        self.counts.iter().fold(0, |sum: u64, counts| {
            sum.wrapping_add(counter(counts).load(Relaxed))
        })
    }

    /// The device's statistics as they are now, or, of a device that is down or gone, as they were
    /// last. Process context.
    pub(crate) fn statistics_now(&self) -> &Statistics {
        let hardware = self.hardware.lock();
        if hardware.is_some() {
            // That it is gone is told by who looks after it.
            let _ = self.statistics.update(&self.csr);
        }
        &self.statistics
    }

    /// The longest frame at MTU `mtu`, in bytes, with header, VLAN tag and FCS.
    pub(crate) fn max_frame(mtu: u32) -> u32 {
        mtu.saturating_add(FRAME_OVERHEAD)
    }

    /// The parts of the device, for who holds `Nic::hardware`.
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts {
            csr: &self.csr,
            phy: &self.phy,
            nvm: &self.nvm,
        }
    }

    /// Brings the hardware up and starts the rings. Returns whether the link must be set up anew.
    ///
    /// On failure nothing runs, and the cause has been told.
    pub(crate) fn bring_up(&self, dev: &Device<Self>, rtnl: &mut Rtnl) -> Result<bool> {
        let mut hardware = self.hardware.lock();
        if self.csr.gone() {
            self.csr
                .revive()
                .inspect_err(|e| dev_err!(self.pdev, "{}: {}\n", dev.name(), e))?;
        }
        let max_frame = Self::max_frame(dev.mtu());
        let shared = self
            .management
            .passes_through(&self.csr)
            .inspect_err(|e| dev_err!(self.pdev, "{}: {}\n", dev.name(), e))?;
        let Fresh { stopped, new_phy } = self
            .beside_the_clock(|| self.chip.reset(self.parts(), max_frame))
            .inspect_err(|e| {
                dev_err!(
                    self.pdev,
                    "{}: reset failed: {}; power-cycle\n",
                    dev.name(),
                    e
                )
            })?;
        if new_phy {
            dev.carrier_off();
            *self.link.lock() = LinkState::Down;
        }
        // Only now: what the engines were last told may be memory that is somebody else's by now.
        master::enable(self.pdev);
        self.chip
            .init_hw(&self.csr)
            .and_then(|()| self.chip.set_driver_loaded(&self.csr, true))
            .map_err(chip::Error::from)
            .and_then(|()| self.program_frames(self.setup.get(rtnl)))
            .and_then(|()| {
                if shared {
                    self.share_with_bmc(dev)?;
                }
                Ok(())
            })
            .inspect_err(|e| dev_err!(self.pdev, "{}: set-up: {}\n", dev.name(), e))?;
        ptp::program(&self.csr, &self.setup.get(rtnl).stamps)
            .inspect_err(|e| dev_err!(self.pdev, "{}: time stamps: {}\n", dev.name(), e))?;

        let channels = self
            .make_channels(dev, rtnl)
            .inspect_err(|e| dev_err!(self.pdev, "{}: no rings: {:?}\n", dev.name(), e))?;
        let layout = match irq::set_up(self, dev, rtnl) {
            Ok(layout) => layout,
            Err(e) => {
                Self::free_channels(channels, &stopped);
                return Err(e);
            }
        };
        if let Err(channels) = dev.start_channels(rtnl, channels) {
            dev_err!(self.pdev, "{}: no queues: no memory\n", dev.name());
            Self::free_channels(channels, &stopped);
            dev.release_vectors(rtnl);
            self.moderation.lock().end();
            return Err(ENOMEM);
        }
        let setup = self.setup.get(rtnl);
        layout.link(dev, rtnl, setup.channels);
        let rx_config = RxConfig {
            max_frame,
            keep_fcs: setup.features.contains(Features::RXFCS),
            keep_damaged: setup.features.contains(Features::RXALL),
        };
        if let Err(e) = self.chip.start(self.parts(), &rx_config, stopped) {
            dev_err!(self.pdev, "{}: cannot start: {}\n", dev.name(), e);
            drop(hardware);
            self.take_down(dev, rtnl);
            return Err(e.into());
        }
        if let Err(e) = self.resume_link(dev, max_frame) {
            dev_err!(self.pdev, "{}: link: {}\n", dev.name(), e);
            drop(hardware);
            self.take_down(dev, rtnl);
            return Err(e.into());
        }
        self.limit_cpu_latency(rtnl, max_frame);
        self.health.restarted();
        layout.unmask(self);
        // The first poll fills the receive rings.
        layout.raise_all(&self.csr);
        *hardware = Some(layout);
        Ok(new_phy)
    }

    /// Stops the rings and the hardware, and frees what the device was given.
    ///
    /// Where the device does not stop it is cut off from the bus; where that fails as well, the
    /// memory is leaked.
    pub(crate) fn take_down(&self, dev: &Device<Self>, rtnl: &mut Rtnl) {
        let mut hardware = self.hardware.lock();
        *hardware = None;
        // A device that is gone cannot interrupt either.
        let _ = chip::mask_all(&self.csr);
        let channels = dev.stop_channels(rtnl);
        // A last poll or handler may have unmasked again, and without vectors there is the line.
        let _ = chip::mask_all(&self.csr);
        dev.release_vectors(rtnl);
        self.moderation.lock().end();
        self.cpu_latency.limit(rtnl, None);
        // What is still in the ring will never be done.
        for counts in &self.counts {
            let queued = counts.tx_queued.load(Relaxed);
            counts.tx_done.store(queued, Relaxed);
        }

        // Stamps that are still out will never come.
        self.ptp.abandon();
        // The reset clears what was counted since the last look. A device that is gone has nothing
        // to tell.
        let _ = self.statistics.update(&self.csr);
        let stopped = self.stop_dma(dev);
        match (channels, stopped) {
            (Some(channels), Some(stopped)) => Self::free_channels(channels, &stopped),
            (Some(_), None) => self.tell_lost_memory(dev),
            (None, _) => {}
        }
    }

    /// Stops DMA by a reset, or else by cutting the device off from the bus. [`None`] if neither
    /// can be proven: what the device was given must be leaked.
    pub(crate) fn stop_dma(&self, dev: &Device<Self>) -> Option<DmaStopped> {
        let e = match self.beside_the_clock(|| self.chip.stop_dma(self.parts())) {
            Ok(stopped) => return Some(stopped),
            Err(e) => e,
        };
        match master::cut_off(self.pdev) {
            Ok(proof) => {
                dev_warn!(
                    self.pdev,
                    "{}: {}; cut off from the bus instead\n",
                    dev.name(),
                    e
                );
                Some(DmaStopped::cut_off(proof))
            }
            Err(_) => None,
        }
    }

    /// Tells that memory had to be leaked.
    pub(crate) fn tell_lost_memory(&self, dev: &Device<Self>) {
        dev_err!(
            self.pdev,
            "{}: the device does not stop; its memory is lost until the next boot, \
             power-cycle it\n",
            dev.name()
        );
    }

    /// Takes everything down and keeps the service from bringing it up; the PHY, and so the link,
    /// is left alone.
    pub(crate) fn quiesce(&self, dev: &Device<Self>, rtnl: &mut Rtnl) {
        self.wanted.store(false, Relaxed);
        dev.carrier_off();
        self.take_down(dev, rtnl);
        // A look at the link may just have found it up.
        dev.carrier_off();
        *self.link.lock() = LinkState::Down;
    }

    /// Leaves a device that is to wake the system for `modes`: with its PHY on, and all else off.
    ///
    /// A device that cannot be told will not wake anybody, which is told, and sleeps all the same.
    pub(crate) fn sleep_lightly(&self, dev: &Device<Self>, rtnl: &mut Rtnl, modes: WakeModes) {
        // A link that is there now may come and go as the device goes to sleep, and one that is
        // set up only now comes in any case.
        let mut modes = modes;
        if !dev.is_running() || !matches!(*self.link.lock(), LinkState::Down) {
            modes = modes.without(WakeModes::LINK);
        }
        let request = *self.link_request.lock();
        let up = dev.is_running();
        if up {
            self.quiesce(dev, rtnl);
        }
        if !up || request.loopback {
            // To hear anybody it must have the link. A failure has been told.
            let request = LinkRequest {
                loopback: false,
                ..request
            };
            let _ = self.set_up(dev, &request);
        }
        let _hardware = self.hardware.lock();
        // The reset that has stopped the device leaves its MAC without the link that the PHY keeps,
        // unless the NVM has it wake for magic packets (`CTRL.SLU`).
        let armed = Phy::setup_mac(&self.csr, &request)
            .map_err(chip::Error::from)
            .and_then(|()| {
                let filters = &self.setup.get(rtnl).filters;
                wol::arm(self.parts(), self.chip, filters, modes)
            });
        if let Err(e) = armed {
            dev_err!(
                self.pdev,
                "{}: will not wake the system: {}\n",
                dev.name(),
                e
            );
        }
        if let Err(e) = self.chip.fall_asleep(self.parts()) {
            dev_err!(self.pdev, "{}: before sleep: {}\n", dev.name(), e);
        }
        self.retire();
        self.hand_back();
    }

    /// What [`Nic::sleep_lightly`] has left is undone, and told if the system was woken by it.
    pub(crate) fn wake_up(&self, dev: &Device<Self>) {
        let _hardware = self.hardware.lock();
        self.revive();
        match wol::disarm(&self.csr) {
            Ok(WakeModes::NONE) => {}
            Ok(modes) => dev_info!(self.pdev, "{}: woke up the system: {}\n", dev.name(), modes),
            // Whoever brings the interface up tells it.
            Err(_) => {}
        }
        if !dev.is_running() {
            // It may have been on for the sake of waking.
            self.power_down_phy();
        }
        self.take_charge();
    }

    /// Leaves a device whose interface is down, with everything off that is not off yet.
    pub(crate) fn doze(&self) {
        let _hardware = self.hardware.lock();
        // The NVM may have it wake for magic packets. A device that does not answer is asleep.
        let _ = wol::disarm(&self.csr);
        self.stop_clock();
        self.hand_back();
    }

    /// What [`Nic::doze`] has left has its power back, and may have been reset by that.
    pub(crate) fn wake_from_doze(&self, dev: &Device<Self>) {
        let _hardware = self.hardware.lock();
        self.revive();
        self.run_clock();
        self.take_charge();
        if !dev.is_running() {
            self.power_down_phy();
        }
    }

    /// A device that was gone may be back: it had an error, its power or a reset since. One that is
    /// not is found to be gone by whoever uses it next.
    fn revive(&self) {
        if self.csr.gone() {
            let _ = self.csr.revive();
        }
    }

    /// Takes everything down and brings it up again; the PHY, and so the link, is left alone where
    /// the chip can do that.
    pub(crate) fn restart(&self, dev: &Device<Self>, rtnl: &mut Rtnl) -> Result {
        self.take_down(dev, rtnl);
        let result = self.bring_up(dev, rtnl);
        match result {
            // A failure has been told, and shows in the next look at the link.
            Ok(true) => {
                let _ = self.set_up_link(dev);
            }
            Ok(false) => {}
            Err(_) => dev.carrier_off(),
        }
        // To look at the link; on failure, to try again.
        dev.kick_service();
        result.map(|_| ())
    }

    /// Sets the MAC up for the link that the PHY has kept over a reset.
    fn resume_link(&self, dev: &Device<Self>, max_frame: u32) -> Result<(), chip::Error> {
        let request = *self.link_request.lock();
        if request.loopback {
            // There is no link to lose, so that nothing need be kept. A failure has been told, and
            // shows in the next look at the link.
            let _ = self.set_up_link(dev);
        } else {
            Phy::setup_mac(&self.csr, &request)?;
        }
        match *self.link.lock() {
            LinkState::Up(link) => self.chip.link_up(self.parts(), &link, max_frame),
            _ => Ok(()),
        }
    }

    /// With jumbo frames little of the packet buffer is left for what arrives while memory cannot
    /// be written, as the processors are in a deep sleep: they must be back before it is full, at
    /// 1000 Mb/s. Shorter frames do without, as in the in-tree driver (`e1000_configure_rx()`).
    fn limit_cpu_latency(&self, rtnl: &mut Rtnl, max_frame: u32) {
        let limit = match self.csr.read(regs::PBA) {
            Ok(pba) if max_frame > chip::STANDARD_FRAME => {
                let room = (u32::from(pba.rxa()) * 1024).saturating_sub(max_frame);
                Some(room * 8 / 1000)
            }
            // A device that is gone receives nothing.
            _ => None,
        };
        self.cpu_latency.limit(rtnl, limit);
    }

    /// Gives the bus to others; the device is down, but not the firmware's. A device that is gone
    /// needs no telling, and memory that it could write to is not freed in any case.
    pub(crate) fn retire(&self) {
        self.take_charge();
        let _ = master::cut_off(self.pdev);
    }

    /// Tells the firmware that there is a driver; what resets the device makes it forget. A device
    /// that is gone is found to be by others.
    pub(crate) fn take_charge(&self) {
        let _ = self.chip.set_driver_loaded(&self.csr, true);
    }

    /// Gives the device back to the firmware.
    pub(crate) fn hand_back(&self) {
        let _ = self.chip.set_driver_loaded(&self.csr, false);
    }

    /// Switches the PHY off, so that the partner sees that the interface is down, unless the
    /// management firmware needs it. A failure is counted.
    pub(crate) fn power_down_phy(&self) {
        if self.management == manage::Mode::None {
            let _ = self.phy.power_down(&self.csr);
        }
    }

    /// Lets the BMC, if there is one, and the host both have what is for the BMC.
    fn share_with_bmc(&self, dev: &Device<Self>) -> Result<(), Gone> {
        if !manage::share_ipmi(&self.csr)? && self.health.limit.allow(c"e1000e_rust: BMC") {
            dev_warn!(
                self.pdev,
                "{}: no decision filter left for the ports of IPMI: only the BMC gets them\n",
                dev.name()
            );
        }
        Ok(())
    }

    /// As [`Nic::restart`], if the rings run; if they do not they are made when they next do.
    pub(crate) fn restart_if_running(&self, dev: &Device<Self>, rtnl: &mut Rtnl) -> Result {
        if self.hardware.lock().is_none() {
            return Ok(());
        }
        self.restart(dev, rtnl)
    }

    /// Has what is sent come back by the PHY instead of leaving, or ends that: at once if the rings
    /// run. The link, which is gone meanwhile, then becomes what is asked for of it.
    pub(crate) fn set_loopback(&self, dev: &Device<Self>, on: bool) -> Result {
        let hardware = self.hardware.lock();
        if on && self.phy.reset_blocked(&self.csr)? {
            dev_err!(
                self.pdev,
                "{}: no loopback, as the management firmware uses the PHY\n",
                dev.name()
            );
            return Err(EBUSY);
        }
        self.link_request.lock().loopback = on;
        if hardware.is_none() {
            return Ok(());
        }
        // What is behind it is not what was.
        dev.carrier_off();
        *self.link.lock() = LinkState::Down;
        let done = self.set_up_link(dev);
        if done.is_err() {
            self.link_request.lock().loopback = !on;
        }
        dev.kick_service();
        done
    }

    /// Sets PHY and MAC up for the link that is asked for, and starts it.
    pub(crate) fn set_up_link(&self, dev: &Device<Self>) -> Result {
        let request = *self.link_request.lock();
        self.set_up(dev, &request)
    }

    fn set_up(&self, dev: &Device<Self>, request: &LinkRequest) -> Result {
        match self.phy.setup_link(&self.csr, request) {
            Ok(LinkSetup::Done) => Ok(()),
            Ok(LinkSetup::KeptByFirmware) => {
                // Tried again with each look at the link where a loopback is asked for.
                if !request.loopback || self.health.limit.allow(c"e1000e_rust: loopback") {
                    dev_info!(
                        self.pdev,
                        "{}: the management firmware keeps the link as it is\n",
                        dev.name()
                    );
                }
                Ok(())
            }
            Err(e) => {
                self.tell_phy_error(dev, &e);
                Err(EIO)
            }
        }
    }

    /// Takes over the features that are to be on.
    pub(crate) fn take_features(&self, rtnl: &mut Rtnl, features: Features) {
        let setup = self.setup.get_mut(rtnl);
        setup.features = features;
        // Whoever wants damaged frames wants those whose tag is damaged, too.
        setup.filters.set_vlan_filter(
            features.contains(Features::VLAN_FILTER) && !features.contains(Features::RXALL),
        );
    }

    /// Programs which frames are received, where they go, and what becomes of their tags.
    fn program_frames(&self, setup: &Setup) -> Result<(), chip::Error> {
        // Tags are taken off and put in together, or not at all.
        let tagging = setup.features.contains(Features::VLAN_RX);
        self.chip.set_filters(self.parts(), &setup.filters)?;
        self.chip.set_rss(&self.csr, &setup.rss)?;
        Ok(self.chip.set_vlan_tagging(&self.csr, tagging)?)
    }

    /// As [`Nic::program_frames`], if the rings run; otherwise it is done when they are started.
    pub(crate) fn program_frames_if_running(&self, rtnl: &Rtnl) -> Result {
        let hardware = self.hardware.lock();
        if hardware.is_some() {
            self.program_frames(self.setup.get(rtnl))?;
        }
        Ok(())
    }

    /// Tells of a PHY access that failed, rate-limited.
    pub(crate) fn tell_phy_error(&self, dev: &Device<Self>, e: &crate::phy::PhyError) {
        if self.health.limit.allow(c"e1000e_rust: PHY error") {
            dev_err!(
                self.pdev,
                "{}: {}; see phy_*_err_* in ethtool -S\n",
                dev.name(),
                e
            );
        }
    }

    /// Allocates the rings and tells the stopped device where they are.
    fn make_channels(&self, dev: &Device<Self>, rtnl: &Rtnl) -> Result<Channels<'a>> {
        let Setup {
            channels, rings, ..
        } = *self.setup.get(rtnl);
        let max_tx = self
            .chip
            .max_tx_bytes(&self.csr, Self::max_frame(dev.mtu()))?;
        // Nothing is the device's before `start()`, so that `?` may drop it: rings become `Lent`
        // only when all are complete, as the last step.
        let mut made = KVec::with_capacity(channels as usize, GFP_KERNEL)?;
        for queue in Queue::first(channels) {
            let pool = rx::pool(dev, self.pdev.as_ref(), rings.rx)?;
            let rx = rx::Ring::new(self.pdev.as_ref(), queue, rings.rx, pool.clone())?;
            let (tx, clean) = tx::ring(self.pdev.as_ref(), queue, rings.tx, max_tx)?;
            self.chip
                .configure_rx_queue(&self.csr, queue, rx.dma_address(), rx.bytes());
            self.chip
                .configure_tx_queue(&self.csr, queue, clean.dma_address(), clean.bytes());
            made.push((tx, Poll { rx, tx: clean }, pool), GFP_KERNEL)?;
        }
        let mut lent = KVec::with_capacity(made.len(), GFP_KERNEL)?;
        for (tx, poll, pool) in made {
            let channel = Channel {
                tx: Lent::new(tx),
                poll: Lent::new(poll),
                pool,
            };
            // There is room.
            let _ = lent.push_within_capacity(channel);
        }
        Ok(lent)
    }

    /// Frees the rings and all that is in them.
    fn free_channels(channels: Channels<'a>, stopped: &DmaStopped) {
        for channel in channels {
            let mut poll = channel.poll.reclaim(stopped);
            drop(channel.tx.reclaim(stopped));
            poll.tx.drop_all(DropReason::DeviceNotReady);
        }
    }
}

/// What the poll of a channel owns.
pub(crate) struct Poll<'a> {
    /// The receive ring.
    pub(crate) rx: rx::Ring,
    /// The end of the transmit ring that frees.
    pub(crate) tx: tx::Clean<'a>,
}
