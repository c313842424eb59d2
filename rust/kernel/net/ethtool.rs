// SPDX-License-Identifier: GPL-2.0

//! The ethtool operations of a network device.
//!
//! C header: [`include/linux/ethtool.h`](srctree/include/linux/ethtool.h),
//! rules: `Documentation/networking/ethtool-netlink.rst`. All callbacks run in process context
//! under the RTNL, but for `get_ts_info`, which is not the driver's ([`hwtstamp`]).

use crate::net::{
    device::{
        self,
        with_rtnl,
        Device, //
    },
    hwtstamp,
    rtnl::Rtnl, //
};
use bindings_ext as bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::from_result,
    fmt,
    prelude::*, //
};

/// Duplex of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duplex {
    /// One direction at a time.
    Half,
    /// Both directions at once.
    Full,
}

/// A set of link modes: the first 32 of `enum ethtool_link_mode_bit_indices`, which is where all
/// copper modes up to 1000BASE-T are.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkModes(pub u32);

impl LinkModes {
    /// 10BASE-T half duplex.
    pub const BASE10_HALF: Self = Self(1 << 0);
    /// 10BASE-T full duplex.
    pub const BASE10_FULL: Self = Self(1 << 1);
    /// 100BASE-TX half duplex.
    pub const BASE100_HALF: Self = Self(1 << 2);
    /// 100BASE-TX full duplex.
    pub const BASE100_FULL: Self = Self(1 << 3);
    /// 1000BASE-T half duplex.
    pub const BASE1000_HALF: Self = Self(1 << 4);
    /// 1000BASE-T full duplex.
    pub const BASE1000_FULL: Self = Self(1 << 5);
    /// Autonegotiation.
    pub const AUTONEG: Self = Self(1 << 6);
    /// Twisted pair.
    pub const TP: Self = Self(1 << 7);
    /// Symmetric pause.
    pub const PAUSE: Self = Self(1 << 13);
    /// Asymmetric pause.
    pub const ASYM_PAUSE: Self = Self(1 << 14);

    /// This set and `other`.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// How the pairs of the cable are crossed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crossover {
    /// Straight (MDI).
    Mdi,
    /// Crossed (MDI-X).
    MdiX,
    /// Whichever finds a link.
    Auto,
}

impl Crossover {
    fn as_raw(self) -> u8 {
        // CAST: Small constants.
        (match self {
            Self::Mdi => bindings::ETH_TP_MDI,
            Self::MdiX => bindings::ETH_TP_MDI_X,
            Self::Auto => bindings::ETH_TP_MDI_AUTO,
        }) as u8
    }

    /// [`None`] for what is not to be changed.
    fn from_raw(raw: u8) -> Option<Self> {
        match u32::from(raw) {
            bindings::ETH_TP_MDI => Some(Self::Mdi),
            bindings::ETH_TP_MDI_X => Some(Self::MdiX),
            bindings::ETH_TP_MDI_AUTO => Some(Self::Auto),
            _ => None,
        }
    }
}

/// Link settings, as shown by `ethtool DEV`.
pub struct LinkSettings {
    /// Speed in Mbit/s and duplex; [`None`] if there is no link or it is not known.
    pub link: Option<(u32, Duplex)>,
    /// Whether autonegotiation is on.
    pub autoneg: bool,
    /// Address of the PHY.
    pub phy_address: u8,
    /// What the device can do.
    pub supported: LinkModes,
    /// What it tells its partner.
    pub advertising: LinkModes,
    /// What the partner tells.
    pub partner: LinkModes,
    /// How the pairs are crossed now; [`None`] if there is no link or it is not known.
    pub crossed: Option<Crossover>,
    /// How they are to be crossed.
    pub crossover: Crossover,
}

/// Link settings that a user asks for.
pub enum LinkRequest {
    /// Autonegotiate, advertising these modes.
    Autoneg(LinkModes),
    /// Force this speed in Mbit/s and duplex.
    Forced(u32, Duplex),
}

/// Energy-efficient Ethernet (EEE), as `ethtool --show-eee` shows it.
pub struct Eee {
    /// Modes in which the device can do it.
    pub supported: LinkModes,
    /// Modes in which it is to be done.
    pub advertising: LinkModes,
    /// Modes in which the partner can.
    pub partner: LinkModes,
    /// It is being done.
    pub active: bool,
    /// It is to be done.
    pub enabled: bool,
    /// The device itself goes idle.
    pub tx_lpi: bool,
    /// Time without frames after which it does, in microseconds.
    pub tx_lpi_usecs: u32,
}

/// Energy-efficient Ethernet that a user asks for: see [`Eee`].
pub struct EeeRequest {
    /// Modes in which it is to be done.
    pub advertising: LinkModes,
    /// It is to be done.
    pub enabled: bool,
    /// The device itself goes idle.
    pub tx_lpi: bool,
    /// Time without frames after which it does, in microseconds.
    pub tx_lpi_usecs: u32,
}

/// What wakes the system up: a set of `WAKE_*` of `include/uapi/linux/ethtool.h`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WakeModes(u32);

impl WakeModes {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// A link that comes or goes.
    pub const LINK: Self = Self(1 << 0);
    /// A frame for the device's own address.
    pub const UNICAST: Self = Self(1 << 1);
    /// A multicast frame.
    pub const MULTICAST: Self = Self(1 << 2);
    /// A broadcast frame.
    pub const BROADCAST: Self = Self(1 << 3);
    /// A frame with the device's address sixteen times in a row (magic packet).
    pub const MAGIC: Self = Self(1 << 5);

    /// This set and `other`.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is in this set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for WakeModes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::LINK, "link"),
            (Self::UNICAST, "unicast"),
            (Self::MULTICAST, "multicast"),
            (Self::BROADCAST, "broadcast"),
            (Self::MAGIC, "magic packet"),
        ];
        let mut first = true;
        for (_, name) in names.into_iter().filter(|&(mode, _)| self.contains(mode)) {
            f.write_str(if first { "" } else { ", " })?;
            f.write_str(name)?;
            first = false;
        }
        Ok(())
    }
}

/// Wake on LAN, as `ethtool DEV` shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WakeOnLan {
    /// What can wake the system.
    pub supported: WakeModes,
    /// What is to.
    pub enabled: WakeModes,
}

/// Numbers of descriptors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RingSizes {
    /// Receive descriptors of each queue.
    pub rx: u32,
    /// Transmit descriptors of each queue.
    pub tx: u32,
}

/// Flow control by PAUSE frames, as `ethtool -a` shows and `-A` sets it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PauseSettings {
    /// What is asked for is negotiated with the partner, rather than forced.
    pub autoneg: bool,
    /// PAUSE frames received stop the transmitter.
    pub rx: bool,
    /// PAUSE frames are sent when room runs out.
    pub tx: bool,
}

/// Interrupt moderation, as `ethtool -c` shows and `-C` sets it: the least time between two
/// interrupts, in microseconds; 0 for none. Where it is adaptive the kernel finds it out
/// ([`net::dim`](crate::net::dim)), and what is said here counts once it is no longer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Coalesce {
    /// For frames received.
    pub rx_usecs: u32,
    /// For frames sent.
    pub tx_usecs: u32,
    /// Adaptive for frames received.
    pub rx_adaptive: bool,
    /// Adaptive for frames sent.
    pub tx_adaptive: bool,
}

impl Coalesce {
    fn from_raw(raw: &bindings::ethtool_coalesce) -> Self {
        Self {
            rx_usecs: raw.rx_coalesce_usecs,
            tx_usecs: raw.tx_coalesce_usecs,
            rx_adaptive: raw.use_adaptive_rx_coalesce != 0,
            tx_adaptive: raw.use_adaptive_tx_coalesce != 0,
        }
    }

    fn put(&self, out: &mut bindings::ethtool_coalesce) {
        out.rx_coalesce_usecs = self.rx_usecs;
        out.tx_coalesce_usecs = self.tx_usecs;
        out.use_adaptive_rx_coalesce = self.rx_adaptive.into();
        out.use_adaptive_tx_coalesce = self.tx_adaptive.into();
    }
}

/// A kind of frame that receive side scaling tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// TCP over IPv4.
    Tcp4,
    /// UDP over IPv4.
    Udp4,
    /// Anything else over IPv4.
    Ip4,
    /// TCP over IPv6.
    Tcp6,
    /// UDP over IPv6.
    Udp6,
    /// Anything else over IPv6.
    Ip6,
}

impl Flow {
    fn from_raw(raw: u32) -> Option<Self> {
        Some(match raw {
            bindings::TCP_V4_FLOW => Self::Tcp4,
            bindings::UDP_V4_FLOW => Self::Udp4,
            bindings::SCTP_V4_FLOW
            | bindings::AH_ESP_V4_FLOW
            | bindings::AH_V4_FLOW
            | bindings::ESP_V4_FLOW
            | bindings::IPV4_FLOW => Self::Ip4,
            bindings::TCP_V6_FLOW => Self::Tcp6,
            bindings::UDP_V6_FLOW => Self::Udp6,
            bindings::SCTP_V6_FLOW
            | bindings::AH_ESP_V6_FLOW
            | bindings::AH_V6_FLOW
            | bindings::ESP_V6_FLOW
            | bindings::IPV6_FLOW => Self::Ip6,
            _ => return None,
        })
    }
}

/// What the hash of receive side scaling covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HashFields {
    /// Both IP addresses.
    Addresses,
    /// Both IP addresses and both ports.
    AddressesAndPorts,
}

impl HashFields {
    const ADDRESSES: u32 = bindings::RXH_IP_SRC | bindings::RXH_IP_DST;
    const PORTS: u32 = bindings::RXH_L4_B_0_1 | bindings::RXH_L4_B_2_3;

    fn from_raw(raw: u32) -> Option<Self> {
        if raw == Self::ADDRESSES {
            Some(Self::Addresses)
        } else if raw == Self::ADDRESSES | Self::PORTS {
            Some(Self::AddressesAndPorts)
        } else {
            None
        }
    }

    fn as_raw(self) -> u32 {
        match self {
            Self::Addresses => Self::ADDRESSES,
            Self::AddressesAndPorts => Self::ADDRESSES | Self::PORTS,
        }
    }
}

/// The key for receive side scaling that this boot has chosen at random
/// (`/proc/sys/net/core/netdev_rss_key`).
pub fn rss_key<const N: usize>() -> [u8; N] {
    const { assert!(N <= bindings::NETDEV_RSS_KEY_LEN as usize) };
    let mut key = [0; N];
    // SAFETY: There is room for the length told, which is not more than the stack has.
    unsafe { bindings::netdev_rss_key_fill(key.as_mut_ptr().cast(), N) };
    key
}

/// Where a callback says why it refuses a request.
///
/// # Invariants
///
/// The pointer is null or valid for as long as the callback runs.
pub struct ExtAck<'a>(*mut bindings::netlink_ext_ack, PhantomData<&'a ()>);

impl ExtAck<'_> {
    /// # Safety
    ///
    /// The pointer must be null or valid for as long as the result.
    pub(crate) unsafe fn from_raw(extack: *mut bindings::netlink_ext_ack) -> Self {
        // INVARIANT: As the caller vouches.
        Self(extack, PhantomData)
    }

    /// Says `why`, which ethtool shows to the user.
    pub fn set(&self, why: &'static CStr) {
        if !self.0.is_null() {
            // SAFETY: By the type invariants; the text lives as long as the module, which its
            // callback keeps.
            unsafe { (*self.0)._msg = why.as_char_ptr() };
        }
    }
}

/// Declares a group of standard statistics: a struct, the C struct it goes to, its fields.
macro_rules! statistics_group {
    (
        $(#[$doc:meta])* $name:ident, $target:ident:
        $( $(#[$field_doc:meta])* $field:ident => $to:ident, )*
    ) => {
        $(#[$doc])*
        ///
        /// What the device does not count is [`None`].
        #[derive(Clone, Copy, Default)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: Option<u64>, )*
        }

        impl $name {
            /// The stack has marked every value as unknown; those that are known are set.
            fn put(&self, out: &mut bindings::$target) {
                $(
                    if let Some(value) = self.$field {
                        out.__bindgen_anon_1.stats.$to = value;
                    }
                )*
            }
        }
    };
}

statistics_group! {
    /// Statistics of the MAC: IEEE 802.3 clause 30.3.1.1, in its terms.
    MacStats, ethtool_eth_mac_stats:
    /// Good frames sent.
    frames_transmitted_ok => FramesTransmittedOK,
    /// Frames sent after one collision.
    single_collision_frames => SingleCollisionFrames,
    /// Frames sent after several collisions.
    multiple_collision_frames => MultipleCollisionFrames,
    /// Good frames received.
    frames_received_ok => FramesReceivedOK,
    /// Frames with a bad CRC.
    frame_check_sequence_errors => FrameCheckSequenceErrors,
    /// Frames with a bad CRC and a number of bits that is no multiple of 8.
    alignment_errors => AlignmentErrors,
    /// Octets of good frames sent.
    octets_transmitted_ok => OctetsTransmittedOK,
    /// Frames put off because the medium was busy.
    frames_with_deferred_xmissions => FramesWithDeferredXmissions,
    /// Collisions later than they may be.
    late_collisions => LateCollisions,
    /// Frames given up after too many collisions.
    frames_aborted_due_to_xs_colls => FramesAbortedDueToXSColls,
    /// Transmissions without carrier sense.
    carrier_sense_errors => CarrierSenseErrors,
    /// Octets of good frames received.
    octets_received_ok => OctetsReceivedOK,
    /// Frames lost because the MAC had no room.
    frames_lost_due_to_int_mac_rcv_error => FramesLostDueToIntMACRcvError,
    /// Multicast frames sent.
    multicast_frames_xmitted_ok => MulticastFramesXmittedOK,
    /// Broadcast frames sent.
    broadcast_frames_xmitted_ok => BroadcastFramesXmittedOK,
    /// Good multicast frames received.
    multicast_frames_received_ok => MulticastFramesReceivedOK,
    /// Good broadcast frames received.
    broadcast_frames_received_ok => BroadcastFramesReceivedOK,
    /// Frames whose length field does not match.
    in_range_length_errors => InRangeLengthErrors,
    /// Frames that are too long.
    frame_too_long_errors => FrameTooLongErrors,
}

statistics_group! {
    /// Statistics of MAC control frames: IEEE 802.3 clause 30.3.3.
    ControlStats, ethtool_eth_ctrl_stats:
    /// Control frames sent.
    transmitted => MACControlFramesTransmitted,
    /// Control frames received.
    received => MACControlFramesReceived,
    /// Control frames received that are not understood.
    unsupported_opcodes_received => UnsupportedOpcodesReceived,
}

statistics_group! {
    /// Statistics of PAUSE frames.
    PauseStats, ethtool_pause_stats:
    /// PAUSE frames sent.
    tx_pause_frames => tx_pause_frames,
    /// PAUSE frames received.
    rx_pause_frames => rx_pause_frames,
}

statistics_group! {
    /// Statistics of RFC 2819's Ethernet group, less its histograms.
    RmonStats, ethtool_rmon_stats:
    /// Frames too short, with a good CRC.
    undersize_pkts => undersize_pkts,
    /// Frames too long, with a good CRC.
    oversize_pkts => oversize_pkts,
    /// Frames too short, with a bad CRC.
    fragments => fragments,
    /// Frames too long, with a bad CRC.
    jabbers => jabbers,
}

const RMON_BINS: usize = bindings::ETHTOOL_RMON_HIST_MAX as usize;

/// The bins of the histograms of frame lengths: each from and to, both included, in bytes.
pub struct RmonRanges {
    count: usize,
    /// Ends with an empty one.
    ranges: [bindings::ethtool_rmon_hist_range; RMON_BINS + 1],
}

impl RmonRanges {
    /// As many as there are, at most ten.
    pub const fn new<const N: usize>(bins: [(u16, u16); N]) -> Self {
        const { assert!(N <= RMON_BINS) };
        let mut ranges =
            [const { bindings::ethtool_rmon_hist_range { low: 0, high: 0 } }; RMON_BINS + 1];
        let mut i = 0;
        while i < N {
            let (low, high) = bins[i];
            ranges[i] = bindings::ethtool_rmon_hist_range { low, high };
            i += 1;
        }
        Self { count: N, ranges }
    }
}

/// What the lights of a port are to do that a user looks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identify {
    /// It begins: what they show now is to be remembered.
    Begin,
    /// On.
    On,
    /// Off.
    Off,
    /// It is over: show again what they showed before.
    End,
}

/// How often in a second the lights go on and off again.
const BLINKS: c_int = 2;

/// How far a self-test may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelfTest {
    /// The device stays in use: only tests that disturb nothing.
    Online,
    /// Traffic may be interrupted: all tests.
    Offline,
}

/// A network driver's ethtool callbacks.
pub trait Operations: device::Operations {
    /// The largest ring sizes.
    const MAX_RINGS: RingSizes;

    /// The names of the statistics, at most 31 bytes each.
    const STAT_NAMES: &'static [&'static str];

    /// The names of the statistics of the PHY, at most 31 bytes each.
    const PHY_STAT_NAMES: &'static [&'static str];

    /// Puts the values of the PHY's statistics into `out`, in the order of their names.
    fn phy_stats(dev: &Device<Self>, rtnl: &mut Rtnl, out: &mut [u64]);

    /// The names of the self-tests, at most 31 bytes each; by custom they end with when they are
    /// run: `(offline)`, `(on/offline)`.
    const TEST_NAMES: &'static [&'static str];

    /// Runs the self-tests and puts their results into `results`, which is zeroed, in the order of
    /// their names: 0 for one that was passed or is not run, anything else for one that failed.
    ///
    /// The RTNL is held all the while, with it every other change to any interface: each wait must
    /// be short and have an end, also where the device does not answer. The interface may be up or
    /// down, and is afterwards what it was before.
    fn self_test(dev: &Device<Self>, rtnl: &mut Rtnl, how: SelfTest, results: &mut [u64]);

    /// Number of 32-bit words of a register dump.
    const DUMP_WORDS: usize;

    /// Puts the values of the statistics into `out`, in the order of their names.
    fn ethtool_stats(dev: &Device<Self>, rtnl: &mut Rtnl, out: &mut [u64]);

    /// Tells the link settings.
    fn link_settings(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result<LinkSettings>;

    /// Changes the link settings; without `crossover` the pairs stay as they are.
    fn set_link_settings(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        request: LinkRequest,
        crossover: Option<Crossover>,
    ) -> Result;

    /// Whether there is a link, as far as is known: not if it could not be found out.
    fn has_link(dev: &Device<Self>, rtnl: &mut Rtnl) -> bool;

    /// Restarts autonegotiation.
    fn restart_autoneg(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result;

    /// Tells the ring sizes.
    fn ring_sizes(dev: &Device<Self>, rtnl: &mut Rtnl) -> RingSizes;

    /// Changes the ring sizes, which are within the limits and at least 1.
    fn set_ring_sizes(dev: &Device<Self>, rtnl: &mut Rtnl, sizes: RingSizes) -> Result;

    /// Tells the number of channels, those of an interface that is down as well.
    fn channels(dev: &Device<Self>, rtnl: &mut Rtnl) -> u32;

    /// Most channels that this device can have, at most [`device::Operations::CHANNELS`].
    fn max_channels(&self) -> u32;

    /// Changes the number of channels, which is from 1 to [`Operations::max_channels`].
    fn set_channels(dev: &Device<Self>, rtnl: &mut Rtnl, channels: u32) -> Result;

    /// Octets of the key of receive side scaling.
    const RSS_KEY_LEN: usize;

    /// Entries of its indirection table.
    const RSS_TABLE_LEN: usize;

    /// Puts key and indirection table into what is given of them, of the lengths above. The hash is
    /// Toeplitz's.
    fn rss(dev: &Device<Self>, rtnl: &mut Rtnl, key: Option<&mut [u8]>, table: Option<&mut [u32]>);

    /// Changes what is given of key and indirection table; the entries are below the number of
    /// channels.
    fn set_rss(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        key: Option<&[u8]>,
        table: Option<&[u32]>,
    ) -> Result;

    /// Tells what is hashed of a kind of frame.
    fn hash_fields(dev: &Device<Self>, rtnl: &mut Rtnl, flow: Flow) -> HashFields;

    /// Changes what is hashed of a kind of frame.
    fn set_hash_fields(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        flow: Flow,
        fields: HashFields,
        extack: &ExtAck<'_>,
    ) -> Result;

    /// Tells the interrupt moderation of all queues.
    fn coalesce(dev: &Device<Self>, rtnl: &mut Rtnl) -> Coalesce;

    /// Changes the interrupt moderation of all queues, those that are not in use as well.
    fn set_coalesce(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        settings: Coalesce,
        extack: &ExtAck<'_>,
    ) -> Result;

    /// Tells the interrupt moderation of `queue`, a receive and a transmit queue, which is below
    /// the number of channels.
    fn queue_coalesce(dev: &Device<Self>, rtnl: &mut Rtnl, queue: u32) -> Result<Coalesce>;

    /// Changes the interrupt moderation of `queue`, which is below the number of channels.
    ///
    /// The stack sets several queues one after the other; if one is refused, those before it are
    /// set to what [`Operations::queue_coalesce`] told of them, which must not fail. There is no
    /// [`ExtAck`], as these requests are made by ioctl only.
    fn set_queue_coalesce(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        queue: u32,
        settings: Coalesce,
    ) -> Result;

    /// Tells of energy-efficient Ethernet; [`EOPNOTSUPP`] where there is none.
    fn eee(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result<Eee>;

    /// Changes energy-efficient Ethernet.
    fn set_eee(dev: &Device<Self>, rtnl: &mut Rtnl, wanted: EeeRequest) -> Result;

    /// Tells the flow control asked for.
    fn pause(dev: &Device<Self>, rtnl: &mut Rtnl) -> PauseSettings;

    /// Changes the flow control.
    fn set_pause(dev: &Device<Self>, rtnl: &mut Rtnl, settings: PauseSettings) -> Result;

    /// Tells the MAC's statistics.
    fn mac_stats(dev: &Device<Self>, rtnl: &mut Rtnl) -> MacStats;

    /// Tells the statistics of MAC control frames.
    fn control_stats(dev: &Device<Self>, rtnl: &mut Rtnl) -> ControlStats;

    /// Tells the statistics of PAUSE frames.
    fn pause_stats(dev: &Device<Self>, rtnl: &mut Rtnl) -> PauseStats;

    /// The bins of the histograms.
    const RMON_RANGES: &'static RmonRanges;

    /// Tells the RMON statistics; puts the numbers of frames received and sent into the
    /// histograms, which are zeroed and as long as [`Operations::RMON_RANGES`].
    fn rmon_stats(dev: &Device<Self>, rtnl: &mut Rtnl, rx: &mut [u64], tx: &mut [u64])
        -> RmonStats;

    /// What a writer of the NVM must know; says which layout it has.
    fn eeprom_magic(&self) -> u32;

    /// Length of the NVM in octets.
    fn eeprom_len(&self) -> u32;

    /// Reads the NVM from `offset` on, within its length.
    fn read_eeprom(dev: &Device<Self>, rtnl: &mut Rtnl, offset: u32, out: &mut [u8]) -> Result;

    /// Writes `data` to the NVM from `offset` on, within its length. The user knows the magic.
    fn write_eeprom(dev: &Device<Self>, rtnl: &mut Rtnl, offset: u32, data: &[u8]) -> Result;

    /// Fills a register dump, which is zeroed, and tells its version.
    fn register_dump(dev: &Device<Self>, rtnl: &mut Rtnl, out: &mut [u32]) -> u32;

    /// Has the lights of the port do `what`: [`Identify::Begin`] first, then on and off in turns,
    /// [`Identify::End`] last. The RTNL is not held in between. An error ends it.
    fn identify(dev: &Device<Self>, rtnl: &mut Rtnl, what: Identify) -> Result;

    /// Tells what can and what is to wake the system up.
    fn wake_on_lan(dev: &Device<Self>, rtnl: &mut Rtnl) -> WakeOnLan;

    /// Changes what is to wake the system up, which is among what can.
    fn set_wake_on_lan(dev: &Device<Self>, rtnl: &mut Rtnl, modes: WakeModes) -> Result;

    /// The message level, a set of `NETIF_MSG_*`.
    fn message_level(&self) -> u32;

    /// Sets the message level.
    fn set_message_level(&self, level: u32);
}

/// The C callbacks; called by the stack alone, as `net::device::Callbacks` tells.
pub(crate) trait Callbacks: Operations + hwtstamp::Callbacks {
    /// The table for `struct net_device`.
    const ETHTOOL_OPS: *const bindings::ethtool_ops = &bindings::ethtool_ops {
        supported_coalesce_params: bindings::ETHTOOL_COALESCE_USECS
            | bindings::ETHTOOL_COALESCE_USE_ADAPTIVE,
        get_link: Some(Self::get_link_callback),
        get_ts_info: Some(Self::get_ts_info_callback),
        get_sset_count: Some(Self::get_sset_count_callback),
        get_strings: Some(Self::get_strings_callback),
        self_test: Some(Self::self_test_callback),
        get_ethtool_stats: Some(Self::get_ethtool_stats_callback),
        get_ethtool_phy_stats: Some(Self::get_ethtool_phy_stats_callback),
        get_link_ksettings: Some(Self::get_link_ksettings_callback),
        set_link_ksettings: Some(Self::set_link_ksettings_callback),
        nway_reset: Some(Self::nway_reset_callback),
        get_ringparam: Some(Self::get_ringparam_callback),
        set_ringparam: Some(Self::set_ringparam_callback),
        get_channels: Some(Self::get_channels_callback),
        set_channels: Some(Self::set_channels_callback),
        get_rx_ring_count: Some(Self::get_rx_ring_count_callback),
        get_rxfh_key_size: Some(Self::get_rxfh_key_size_callback),
        get_rxfh_indir_size: Some(Self::get_rxfh_indir_size_callback),
        get_rxfh: Some(Self::get_rxfh_callback),
        set_rxfh: Some(Self::set_rxfh_callback),
        get_rxfh_fields: Some(Self::get_rxfh_fields_callback),
        set_rxfh_fields: Some(Self::set_rxfh_fields_callback),
        get_coalesce: Some(Self::get_coalesce_callback),
        set_coalesce: Some(Self::set_coalesce_callback),
        get_per_queue_coalesce: Some(Self::get_per_queue_coalesce_callback),
        set_per_queue_coalesce: Some(Self::set_per_queue_coalesce_callback),
        get_eee: Some(Self::get_eee_callback),
        set_eee: Some(Self::set_eee_callback),
        get_pauseparam: Some(Self::get_pauseparam_callback),
        set_pauseparam: Some(Self::set_pauseparam_callback),
        get_pause_stats: Some(Self::get_pause_stats_callback),
        get_eth_mac_stats: Some(Self::get_eth_mac_stats_callback),
        get_eth_ctrl_stats: Some(Self::get_eth_ctrl_stats_callback),
        get_rmon_stats: Some(Self::get_rmon_stats_callback),
        get_eeprom_len: Some(Self::get_eeprom_len_callback),
        get_eeprom: Some(Self::get_eeprom_callback),
        set_eeprom: Some(Self::set_eeprom_callback),
        get_regs_len: Some(Self::get_regs_len_callback),
        get_regs: Some(Self::get_regs_callback),
        set_phys_id: Some(Self::set_phys_id_callback),
        get_wol: Some(Self::get_wol_callback),
        set_wol: Some(Self::set_wol_callback),
        get_msglevel: Some(Self::get_msglevel_callback),
        set_msglevel: Some(Self::set_msglevel_callback),
        ..pin_init::zeroed()
    };

    /// The names in the string set `set`.
    fn names(set: u32) -> Option<&'static [&'static str]> {
        match set {
            bindings::ethtool_stringset_ETH_SS_STATS => Some(Self::STAT_NAMES),
            bindings::ethtool_stringset_ETH_SS_TEST => Some(Self::TEST_NAMES),
            bindings::ethtool_stringset_ETH_SS_PHY_STATS => Some(Self::PHY_STAT_NAMES),
            _ => None,
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_sset_count_callback(
        _dev: *mut bindings::net_device,
        set: c_int,
    ) -> c_int {
        match u32::try_from(set).ok().and_then(Self::names) {
            // CAST: A handful.
            Some(names) => names.len() as c_int,
            None => EOPNOTSUPP.to_errno(),
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_strings_callback(
        _dev: *mut bindings::net_device,
        set: u32,
        out: *mut u8,
    ) {
        const LEN: usize = bindings::ETH_GSTRING_LEN as usize;
        let Some(names) = Self::names(set) else {
            return;
        };
        // SAFETY: The stack gives room for as many strings as `get_sset_count()` told.
        let out = unsafe { core::slice::from_raw_parts_mut(out, names.len() * LEN) };
        out.fill(0);
        for (to, name) in out.chunks_exact_mut(LEN).zip(names) {
            // The last byte stays NUL.
            for (to, from) in to.iter_mut().take(LEN - 1).zip(name.bytes()) {
                *to = from;
            }
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn self_test_callback(
        dev: *mut bindings::net_device,
        test: *mut bindings::ethtool_test,
        out: *mut u64,
    ) {
        // SAFETY: A callback; the stack gives zeroed room for as many results as there are names.
        unsafe {
            let results = core::slice::from_raw_parts_mut(out, Self::TEST_NAMES.len());
            let how = if (*test).flags & bindings::ethtool_test_flags_ETH_TEST_FL_OFFLINE != 0 {
                SelfTest::Offline
            } else {
                SelfTest::Online
            };
            with_rtnl::<Self, _>(dev, |dev, rtnl| Self::self_test(dev, rtnl, how, results));
            if results.iter().any(|&result| result != 0) {
                (*test).flags |= bindings::ethtool_test_flags_ETH_TEST_FL_FAILED;
            }
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_ethtool_stats_callback(
        dev: *mut bindings::net_device,
        _stats: *mut bindings::ethtool_stats,
        out: *mut u64,
    ) {
        // SAFETY: A callback; the stack gives room for as many values as there are names.
        unsafe {
            let out = core::slice::from_raw_parts_mut(out, Self::STAT_NAMES.len());
            out.fill(0);
            with_rtnl::<Self, _>(dev, |dev, rtnl| Self::ethtool_stats(dev, rtnl, out));
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_ethtool_phy_stats_callback(
        dev: *mut bindings::net_device,
        _stats: *mut bindings::ethtool_stats,
        out: *mut u64,
    ) {
        // SAFETY: A callback; the stack gives room for as many values as there are names.
        unsafe {
            let out = core::slice::from_raw_parts_mut(out, Self::PHY_STAT_NAMES.len());
            out.fill(0);
            with_rtnl::<Self, _>(dev, |dev, rtnl| Self::phy_stats(dev, rtnl, out));
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_link_callback(dev: *mut bindings::net_device) -> u32 {
        // SAFETY: A callback.
        unsafe { with_rtnl::<Self, _>(dev, |dev, rtnl| Self::has_link(dev, rtnl)) }.into()
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_link_ksettings_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_link_ksettings,
    ) -> c_int {
        // SAFETY: A callback; `out` is valid and zeroed.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    let settings = Self::link_settings(dev, rtnl)?;
                    let out = &mut *out;
                    (out.base.speed, out.base.duplex) = match settings.link {
                        Some((speed, Duplex::Full)) => (speed, bindings::DUPLEX_FULL as u8),
                        Some((speed, Duplex::Half)) => (speed, bindings::DUPLEX_HALF as u8),
                        None => (
                            bindings::SPEED_UNKNOWN as u32,
                            bindings::DUPLEX_UNKNOWN as u8,
                        ),
                    };
                    out.base.port = bindings::PORT_TP as u8;
                    out.base.phy_address = settings.phy_address;
                    out.base.autoneg = settings.autoneg.into();
                    // CAST: A small constant.
                    out.base.eth_tp_mdix = settings
                        .crossed
                        .map_or(bindings::ETH_TP_MDI_INVALID as u8, Crossover::as_raw);
                    out.base.eth_tp_mdix_ctrl = settings.crossover.as_raw();
                    for (to, from) in [
                        (&mut out.link_modes.supported, settings.supported),
                        (&mut out.link_modes.advertising, settings.advertising),
                        (&mut out.link_modes.lp_advertising, settings.partner),
                    ] {
                        bindings::ethtool_convert_legacy_u32_to_link_mode(to.as_mut_ptr(), from.0);
                    }
                    Ok(0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_link_ksettings_callback(
        dev: *mut bindings::net_device,
        request: *const bindings::ethtool_link_ksettings,
    ) -> c_int {
        // SAFETY: A callback; the request is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    let request = &*request;
                    let crossover = Crossover::from_raw(request.base.eth_tp_mdix_ctrl);
                    let request = if u32::from(request.base.autoneg) == bindings::AUTONEG_ENABLE {
                        let mut modes = 0;
                        if !bindings::ethtool_convert_link_mode_to_legacy_u32(
                            &mut modes,
                            request.link_modes.advertising.as_ptr(),
                        ) {
                            return Err(EINVAL);
                        }
                        LinkRequest::Autoneg(LinkModes(modes))
                    } else {
                        let duplex = match u32::from(request.base.duplex) {
                            bindings::DUPLEX_FULL => Duplex::Full,
                            bindings::DUPLEX_HALF => Duplex::Half,
                            // While there is no link, a user who sets the speed alone has been told
                            // no duplex to give back.
                            bindings::DUPLEX_UNKNOWN => Duplex::Full,
                            _ => return Err(EINVAL),
                        };
                        LinkRequest::Forced(request.base.speed, duplex)
                    };
                    Self::set_link_settings(dev, rtnl, request, crossover)?;
                    Ok(0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn nway_reset_callback(dev: *mut bindings::net_device) -> c_int {
        // SAFETY: A callback.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::restart_autoneg(dev, rtnl).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_ringparam_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_ringparam,
        _kernel: *mut bindings::kernel_ethtool_ringparam,
        _extack: *mut bindings::netlink_ext_ack,
    ) {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            let sizes = with_rtnl::<Self, _>(dev, |dev, rtnl| Self::ring_sizes(dev, rtnl));
            (*out).rx_max_pending = Self::MAX_RINGS.rx;
            (*out).tx_max_pending = Self::MAX_RINGS.tx;
            (*out).rx_pending = sizes.rx;
            (*out).tx_pending = sizes.tx;
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_ringparam_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_ringparam,
        _kernel: *mut bindings::kernel_ethtool_ringparam,
        _extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: A callback; the request is valid, and the stack has checked it against the
        // largest sizes.
        unsafe {
            let sizes = RingSizes {
                rx: (*request).rx_pending,
                tx: (*request).tx_pending,
            };
            if sizes.rx == 0 || sizes.tx == 0 {
                return EINVAL.to_errno();
            }
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::set_ring_sizes(dev, rtnl, sizes).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_channels_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_channels,
    ) {
        // SAFETY: A callback; `out` is valid and zeroed.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                (*out).max_combined = dev.data().max_channels();
                (*out).combined_count = Self::channels(dev, rtnl);
            });
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_channels_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_channels,
    ) -> c_int {
        // SAFETY: A callback; the request is valid, and the stack has checked it against the
        // largest number.
        unsafe {
            let channels = (*request).combined_count;
            if channels == 0 {
                return EINVAL.to_errno();
            }
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::set_channels(dev, rtnl, channels).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_rx_ring_count_callback(dev: *mut bindings::net_device) -> u32 {
        // SAFETY: A callback.
        unsafe { with_rtnl::<Self, _>(dev, Self::channels) }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_rxfh_key_size_callback(_dev: *mut bindings::net_device) -> u32 {
        // CAST: Some dozens.
        Self::RSS_KEY_LEN as u32
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_rxfh_indir_size_callback(_dev: *mut bindings::net_device) -> u32 {
        // CAST: Some hundreds.
        Self::RSS_TABLE_LEN as u32
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_rxfh_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_rxfh_param,
    ) -> c_int {
        // SAFETY: A callback; `out` is valid, and what it points to is null or has the lengths
        // told above.
        unsafe {
            let out = &mut *out;
            // CAST: One of three bits.
            out.hfunc = bindings::ETH_RSS_HASH_TOP as u8;
            let key = NonNull::new(out.key)
                .map(|key| core::slice::from_raw_parts_mut(key.as_ptr(), Self::RSS_KEY_LEN));
            let table = NonNull::new(out.indir)
                .map(|table| core::slice::from_raw_parts_mut(table.as_ptr(), Self::RSS_TABLE_LEN));
            with_rtnl::<Self, _>(dev, |dev, rtnl| Self::rss(dev, rtnl, key, table));
        }
        0
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_rxfh_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_rxfh_param,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // INVARIANT: As the stack gives it.
        let extack = ExtAck(extack, PhantomData);
        // SAFETY: A callback; the request is valid, and what it points to is null or has the
        // lengths told above. The stack has checked the entries of the table.
        unsafe {
            let request = &*request;
            let hash = u32::from(request.hfunc);
            if hash != bindings::ETH_RSS_HASH_NO_CHANGE && hash != bindings::ETH_RSS_HASH_TOP {
                extack.set(c"the only hash function is toeplitz");
                return EOPNOTSUPP.to_errno();
            }
            let key = NonNull::new(request.key)
                .map(|key| core::slice::from_raw_parts(key.as_ptr(), Self::RSS_KEY_LEN));
            let table = NonNull::new(request.indir)
                .map(|table| core::slice::from_raw_parts(table.as_ptr(), Self::RSS_TABLE_LEN));
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::set_rss(dev, rtnl, key, table).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_rxfh_fields_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_rxfh_fields,
    ) -> c_int {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            let out = &mut *out;
            let Some(flow) = Flow::from_raw(out.flow_type) else {
                return EINVAL.to_errno();
            };
            out.data =
                with_rtnl::<Self, _>(dev, |dev, rtnl| Self::hash_fields(dev, rtnl, flow)).as_raw();
        }
        0
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_rxfh_fields_callback(
        dev: *mut bindings::net_device,
        request: *const bindings::ethtool_rxfh_fields,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // INVARIANT: As the stack gives it.
        let extack = ExtAck(extack, PhantomData);
        // SAFETY: A callback; the request is valid.
        unsafe {
            let request = &*request;
            let Some(flow) = Flow::from_raw(request.flow_type) else {
                return EINVAL.to_errno();
            };
            let Some(fields) = HashFields::from_raw(request.data) else {
                extack.set(c"use sd (both addresses) or sdfn (both ports, too)");
                return EINVAL.to_errno();
            };
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::set_hash_fields(dev, rtnl, flow, fields, &extack).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_coalesce_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_coalesce,
        _kernel: *mut bindings::kernel_ethtool_coalesce,
        _extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| Self::coalesce(dev, rtnl)).put(&mut *out);
        }
        0
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_coalesce_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_coalesce,
        _kernel: *mut bindings::kernel_ethtool_coalesce,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // INVARIANT: As the stack gives it.
        let extack = ExtAck(extack, PhantomData);
        // SAFETY: A callback; the request is valid, and the stack has refused what is not among
        // the supported parameters.
        unsafe {
            let settings = Coalesce::from_raw(&*request);
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::set_coalesce(dev, rtnl, settings, &extack).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_per_queue_coalesce_callback(
        dev: *mut bindings::net_device,
        queue: u32,
        out: *mut bindings::ethtool_coalesce,
    ) -> c_int {
        // SAFETY: A callback; `out` is valid for a write, but may not have been written to yet.
        unsafe {
            out.write(bindings::ethtool_coalesce {
                cmd: bindings::ETHTOOL_GCOALESCE,
                ..pin_init::zeroed()
            });
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    if queue >= Self::channels(dev, rtnl) {
                        return Err(EINVAL);
                    }
                    Self::queue_coalesce(dev, rtnl, queue)?.put(&mut *out);
                    Ok(0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_per_queue_coalesce_callback(
        dev: *mut bindings::net_device,
        queue: u32,
        request: *mut bindings::ethtool_coalesce,
    ) -> c_int {
        // SAFETY: A callback; the request is valid, and the stack has refused what is not among
        // the supported parameters.
        unsafe {
            let settings = Coalesce::from_raw(&*request);
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    if queue >= Self::channels(dev, rtnl) {
                        return Err(EINVAL);
                    }
                    Self::set_queue_coalesce(dev, rtnl, queue, settings).map(|()| 0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_eee_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_keee,
    ) -> c_int {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    let eee = Self::eee(dev, rtnl)?;
                    let out = &mut *out;
                    for (to, from) in [
                        (&mut out.supported, eee.supported),
                        (&mut out.advertised, eee.advertising),
                        (&mut out.lp_advertised, eee.partner),
                    ] {
                        bindings::ethtool_convert_legacy_u32_to_link_mode(to.as_mut_ptr(), from.0);
                    }
                    out.eee_active = eee.active;
                    out.eee_enabled = eee.enabled;
                    out.tx_lpi_enabled = eee.tx_lpi;
                    out.tx_lpi_timer = eee.tx_lpi_usecs;
                    Ok(0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_eee_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_keee,
    ) -> c_int {
        // SAFETY: A callback; the request is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    let request = &*request;
                    let mut modes = 0;
                    if !bindings::ethtool_convert_link_mode_to_legacy_u32(
                        &mut modes,
                        request.advertised.as_ptr(),
                    ) {
                        return Err(EINVAL);
                    }
                    let wanted = EeeRequest {
                        advertising: LinkModes(modes),
                        enabled: request.eee_enabled,
                        tx_lpi: request.tx_lpi_enabled,
                        tx_lpi_usecs: request.tx_lpi_timer,
                    };
                    Self::set_eee(dev, rtnl, wanted).map(|()| 0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_pauseparam_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_pauseparam,
    ) {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            let settings = with_rtnl::<Self, _>(dev, |dev, rtnl| Self::pause(dev, rtnl));
            (*out).autoneg = settings.autoneg.into();
            (*out).rx_pause = settings.rx.into();
            (*out).tx_pause = settings.tx.into();
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_pauseparam_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_pauseparam,
    ) -> c_int {
        // SAFETY: A callback; the request is valid.
        unsafe {
            let settings = PauseSettings {
                autoneg: (*request).autoneg != 0,
                rx: (*request).rx_pause != 0,
                tx: (*request).tx_pause != 0,
            };
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| Self::set_pause(dev, rtnl, settings).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_pause_stats_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_pause_stats,
    ) {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                Self::pause_stats(dev, rtnl).put(&mut *out);
            });
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_eth_mac_stats_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_eth_mac_stats,
    ) {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                Self::mac_stats(dev, rtnl).put(&mut *out);
            });
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_eth_ctrl_stats_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_eth_ctrl_stats,
    ) {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                Self::control_stats(dev, rtnl).put(&mut *out);
            });
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_rmon_stats_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_rmon_stats,
        ranges: *mut *const bindings::ethtool_rmon_hist_range,
    ) {
        let (mut rx, mut tx) = ([0; RMON_BINS], [0; RMON_BINS]);
        let count = Self::RMON_RANGES.count;
        // SAFETY: A callback; `out` and `ranges` are valid. The ranges live as long as the module,
        // which cannot go while one of its callbacks is used, and end with an empty one.
        unsafe {
            *ranges = Self::RMON_RANGES.ranges.as_ptr();
            let out = &mut *out;
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                let (Some(rx), Some(tx)) = (rx.get_mut(..count), tx.get_mut(..count)) else {
                    return;
                };
                Self::rmon_stats(dev, rtnl, rx, tx).put(out);
            });
            let stats = &mut out.__bindgen_anon_1.stats;
            for (to, from) in stats.hist.iter_mut().zip(rx).take(count) {
                *to = from;
            }
            for (to, from) in stats.hist_tx.iter_mut().zip(tx).take(count) {
                *to = from;
            }
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_eeprom_len_callback(dev: *mut bindings::net_device) -> c_int {
        // SAFETY: A callback.
        let len = unsafe { with_rtnl::<Self, _>(dev, |dev, _| dev.data().eeprom_len()) };
        c_int::try_from(len).unwrap_or(c_int::MAX)
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_eeprom_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_eeprom,
        out: *mut u8,
    ) -> c_int {
        // SAFETY: A callback; the stack has checked the request against the length told, and
        // gives zeroed room for as much as it asks for.
        unsafe {
            let (offset, len) = ((*request).offset, (*request).len);
            let out = core::slice::from_raw_parts_mut(out, len as usize);
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                (*request).magic = dev.data().eeprom_magic();
                from_result(|| Self::read_eeprom(dev, rtnl, offset, out).map(|()| 0))
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_eeprom_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_eeprom,
        data: *mut u8,
    ) -> c_int {
        // SAFETY: A callback; the stack has checked the request against the length told, and
        // gives as many octets as it has.
        unsafe {
            let (offset, len) = ((*request).offset, (*request).len);
            let data = core::slice::from_raw_parts(data, len as usize);
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    if (*request).magic != dev.data().eeprom_magic() {
                        return Err(EINVAL);
                    }
                    Self::write_eeprom(dev, rtnl, offset, data).map(|()| 0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_regs_len_callback(_dev: *mut bindings::net_device) -> c_int {
        // CAST: A few kilobytes.
        (Self::DUMP_WORDS * size_of::<u32>()) as c_int
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_regs_callback(
        dev: *mut bindings::net_device,
        regs: *mut bindings::ethtool_regs,
        out: *mut c_void,
    ) {
        // SAFETY: A callback; the stack gives zeroed room of the length told, page-aligned.
        unsafe {
            let out = core::slice::from_raw_parts_mut(out.cast::<u32>(), Self::DUMP_WORDS);
            (*regs).version =
                with_rtnl::<Self, _>(dev, |dev, rtnl| Self::register_dump(dev, rtnl, out));
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_phys_id_callback(
        dev: *mut bindings::net_device,
        state: bindings::ethtool_phys_id_state,
    ) -> c_int {
        let (what, done) = match state {
            bindings::ethtool_phys_id_state_ETHTOOL_ID_ACTIVE => (Identify::Begin, BLINKS),
            bindings::ethtool_phys_id_state_ETHTOOL_ID_ON => (Identify::On, 0),
            bindings::ethtool_phys_id_state_ETHTOOL_ID_OFF => (Identify::Off, 0),
            bindings::ethtool_phys_id_state_ETHTOOL_ID_INACTIVE => (Identify::End, 0),
            _ => return EINVAL.to_errno(),
        };
        // SAFETY: A callback.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    // Between two calls it may have been put to sleep, or be in a reset.
                    if !dev.is_present(rtnl) {
                        return Err(ENODEV);
                    }
                    Self::identify(dev, rtnl, what).map(|()| done)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_wol_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::ethtool_wolinfo,
    ) {
        // SAFETY: A callback; `out` is valid.
        unsafe {
            let wake = with_rtnl::<Self, _>(dev, |dev, rtnl| Self::wake_on_lan(dev, rtnl));
            (*out).supported = wake.supported.0;
            (*out).wolopts = wake.enabled.0;
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_wol_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::ethtool_wolinfo,
    ) -> c_int {
        // SAFETY: A callback; the request is valid.
        unsafe {
            let modes = WakeModes((*request).wolopts);
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    if !Self::wake_on_lan(dev, rtnl).supported.contains(modes) {
                        return Err(EOPNOTSUPP);
                    }
                    Self::set_wake_on_lan(dev, rtnl, modes).map(|()| 0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_msglevel_callback(dev: *mut bindings::net_device) -> u32 {
        // SAFETY: A callback.
        unsafe { with_rtnl::<Self, _>(dev, |dev, _| dev.data().message_level()) }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn set_msglevel_callback(dev: *mut bindings::net_device, level: u32) {
        // SAFETY: A callback.
        unsafe { with_rtnl::<Self, _>(dev, |dev, _| dev.data().set_message_level(level)) }
    }
}

impl<T: Operations + hwtstamp::Operations> Callbacks for T {}
