// SPDX-License-Identifier: GPL-2.0

//! The ethtool operations of a network device.
//!
//! C header: [`include/linux/ethtool.h`](srctree/include/linux/ethtool.h),
//! rules: `Documentation/networking/ethtool-netlink.rst`. All callbacks run in process context
//! under the RTNL.

use crate::net::{
    device::{
        self,
        with_rtnl,
        Device, //
    },
    rtnl::Rtnl, //
};
use bindings_ext as bindings;
use kernel::{
    error::from_result,
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
}

/// Link settings that a user asks for.
pub enum LinkRequest {
    /// Autonegotiate, advertising these modes.
    Autoneg(LinkModes),
    /// Force this speed in Mbit/s and duplex.
    Forced(u32, Duplex),
}

/// Numbers of descriptors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RingSizes {
    /// Receive descriptors of each queue.
    pub rx: u32,
    /// Transmit descriptors of each queue.
    pub tx: u32,
}

/// A network driver's ethtool callbacks.
pub trait Operations: device::Operations {
    /// The largest ring sizes.
    const MAX_RINGS: RingSizes;

    /// The names of the statistics, at most 31 bytes each.
    const STAT_NAMES: &'static [&'static str];

    /// Number of 32-bit words of a register dump.
    const DUMP_WORDS: usize;

    /// Puts the values of the statistics into `out`, in the order of their names.
    fn ethtool_stats(dev: &Device<Self>, rtnl: &mut Rtnl, out: &mut [u64]);

    /// Tells the link settings.
    fn link_settings(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result<LinkSettings>;

    /// Changes the link settings.
    fn set_link_settings(dev: &Device<Self>, rtnl: &mut Rtnl, request: LinkRequest) -> Result;

    /// Restarts autonegotiation.
    fn restart_autoneg(dev: &Device<Self>, rtnl: &mut Rtnl) -> Result;

    /// Tells the ring sizes.
    fn ring_sizes(dev: &Device<Self>, rtnl: &mut Rtnl) -> RingSizes;

    /// Changes the ring sizes, which are within the limits and at least 1.
    fn set_ring_sizes(dev: &Device<Self>, rtnl: &mut Rtnl, sizes: RingSizes) -> Result;

    /// Fills a register dump, which is zeroed, and tells its version.
    fn register_dump(dev: &Device<Self>, rtnl: &mut Rtnl, out: &mut [u32]) -> u32;

    /// The message level, a set of `NETIF_MSG_*`.
    fn message_level(&self) -> u32;

    /// Sets the message level.
    fn set_message_level(&self, level: u32);
}

/// The C callbacks; called by the stack alone, as `net::device::Callbacks` tells.
pub(crate) trait Callbacks: Operations {
    /// The table for `struct net_device`.
    const ETHTOOL_OPS: *const bindings::ethtool_ops = &bindings::ethtool_ops {
        get_link: Some(bindings::ethtool_op_get_link),
        get_ts_info: Some(bindings::ethtool_op_get_ts_info),
        get_sset_count: Some(Self::get_sset_count_callback),
        get_strings: Some(Self::get_strings_callback),
        get_ethtool_stats: Some(Self::get_ethtool_stats_callback),
        get_link_ksettings: Some(Self::get_link_ksettings_callback),
        set_link_ksettings: Some(Self::set_link_ksettings_callback),
        nway_reset: Some(Self::nway_reset_callback),
        get_ringparam: Some(Self::get_ringparam_callback),
        set_ringparam: Some(Self::set_ringparam_callback),
        get_regs_len: Some(Self::get_regs_len_callback),
        get_regs: Some(Self::get_regs_callback),
        get_msglevel: Some(Self::get_msglevel_callback),
        set_msglevel: Some(Self::set_msglevel_callback),
        ..pin_init::zeroed()
    };

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_sset_count_callback(
        _dev: *mut bindings::net_device,
        set: c_int,
    ) -> c_int {
        if set == bindings::ethtool_stringset_ETH_SS_STATS as c_int {
            // CAST: A handful.
            Self::STAT_NAMES.len() as c_int
        } else {
            EOPNOTSUPP.to_errno()
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
        if set != bindings::ethtool_stringset_ETH_SS_STATS {
            return;
        }
        // SAFETY: The stack gives room for as many strings as `get_sset_count()` told.
        let out = unsafe { core::slice::from_raw_parts_mut(out, Self::STAT_NAMES.len() * LEN) };
        out.fill(0);
        for (to, name) in out.chunks_exact_mut(LEN).zip(Self::STAT_NAMES) {
            // The last byte stays NUL.
            for (to, from) in to.iter_mut().take(LEN - 1).zip(name.bytes()) {
                *to = from;
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
                            _ => return Err(EINVAL),
                        };
                        LinkRequest::Forced(request.base.speed, duplex)
                    };
                    Self::set_link_settings(dev, rtnl, request)?;
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

impl<T: Operations> Callbacks for T {}
