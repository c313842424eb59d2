// SPDX-License-Identifier: GPL-2.0

//! Time stamps of frames, taken by the device's own clock.
//!
//! C header: [`include/linux/net_tstamp.h`](srctree/include/linux/net_tstamp.h),
//! rules: `Documentation/networking/timestamping.rst`.
//!
//! The clock is registered before the net device and unregistered after it
//! ([`device::Registration`]), so that a running interface always finds it. Without one, because
//! the kernel has none or the registration failed, the stack is told that the device takes no
//! stamps.

use crate::{
    net::{
        device::{
            self,
            with_rtnl,
            Device, //
        },
        ethtool::ExtAck,
        rtnl::Rtnl, //
    },
    ptp::{
        self,
        PtpClock, //
    }, //
};
use bindings_ext as bindings;
use core::ptr::NonNull;
use kernel::{
    error::from_result,
    prelude::*, //
};

/// Which received frames are stamped (`enum hwtstamp_rx_filters`); "event" are the messages of PTP
/// that need a stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum RxFilter {
    /// None.
    None = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_NONE,
    /// All.
    All = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_ALL,
    /// What was asked for and some more; an answer only.
    Some = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_SOME,
    /// PTP v1 over UDP, every event.
    V1L4Event = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V1_L4_EVENT,
    /// PTP v1 over UDP, Sync.
    V1L4Sync = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V1_L4_SYNC,
    /// PTP v1 over UDP, Delay_Req.
    V1L4DelayReq = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V1_L4_DELAY_REQ,
    /// PTP v2 over UDP, every event.
    V2L4Event = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_L4_EVENT,
    /// PTP v2 over UDP, Sync.
    V2L4Sync = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_L4_SYNC,
    /// PTP v2 over UDP, Delay_Req.
    V2L4DelayReq = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_L4_DELAY_REQ,
    /// PTP v2 over Ethernet, every event.
    V2L2Event = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_L2_EVENT,
    /// PTP v2 over Ethernet, Sync.
    V2L2Sync = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_L2_SYNC,
    /// PTP v2 over Ethernet, Delay_Req.
    V2L2DelayReq = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_L2_DELAY_REQ,
    /// PTP v2 over either, every event.
    V2Event = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_EVENT,
    /// PTP v2 over either, Sync.
    V2Sync = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_SYNC,
    /// PTP v2 over either, Delay_Req.
    V2DelayReq = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_PTP_V2_DELAY_REQ,
    /// NTP.
    NtpAll = bindings::hwtstamp_rx_filters_HWTSTAMP_FILTER_NTP_ALL,
}

impl RxFilter {
    fn from_raw(raw: c_int) -> Option<Self> {
        [
            Self::None,
            Self::All,
            Self::V1L4Event,
            Self::V1L4Sync,
            Self::V1L4DelayReq,
            Self::V2L4Event,
            Self::V2L4Sync,
            Self::V2L4DelayReq,
            Self::V2L2Event,
            Self::V2L2Sync,
            Self::V2L2DelayReq,
            Self::V2Event,
            Self::V2Sync,
            Self::V2DelayReq,
            Self::NtpAll,
        ]
        .into_iter()
        .find(|&filter| filter.as_raw() == raw)
    }

    fn as_raw(self) -> c_int {
        // CAST: A handful of small numbers.
        self as c_int
    }
}

/// Which frames are stamped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Frames to be sent whose sender asks for it.
    pub tx: bool,
    /// Frames received.
    pub rx: RxFilter,
}

/// What a network driver whose device takes time stamps does for it.
pub trait Operations: device::Operations + PtpClock {
    /// The filters that the device has, as `ethtool -T` shows them.
    const RX_FILTERS: &'static [RxFilter];

    /// Starts the clock, which is registered right after. Process context; the net device is not
    /// registered yet. Without a clock the device takes no stamps; why is for the driver to tell.
    fn start_clock(&self) -> Result<ptp::Config>;

    /// Tells what is stamped. Process context.
    fn hwtstamp(dev: &Device<Self>, rtnl: &mut Rtnl) -> Config;

    /// Changes what is stamped; the filter may be any, [`RxFilter::Some`] apart. Returns the filter
    /// that is really set, as the one who asks is told. [`ERANGE`] if the device has no filter that
    /// has all of what is asked for. Process context.
    fn set_hwtstamp(
        dev: &Device<Self>,
        rtnl: &mut Rtnl,
        config: Config,
        extack: &ExtAck<'_>,
    ) -> Result<RxFilter>;
}

/// The C callbacks; called by the stack alone, as `net::device::Callbacks` tells.
pub(crate) trait Callbacks: Operations {
    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn hwtstamp_get_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::kernel_hwtstamp_config,
    ) -> c_int {
        // SAFETY: A callback, under the RTNL; `out` is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                if dev.clock().is_none() {
                    return EOPNOTSUPP.to_errno();
                }
                let config = Self::hwtstamp(dev, rtnl);
                (*out).tx_type = if config.tx {
                    bindings::hwtstamp_tx_types_HWTSTAMP_TX_ON as c_int
                } else {
                    bindings::hwtstamp_tx_types_HWTSTAMP_TX_OFF as c_int
                };
                (*out).rx_filter = config.rx.as_raw();
                0
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn hwtstamp_set_callback(
        dev: *mut bindings::net_device,
        request: *mut bindings::kernel_hwtstamp_config,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int {
        // SAFETY: As the stack gives it.
        let extack = unsafe { ExtAck::from_raw(extack) };
        // SAFETY: A callback, under the RTNL; the request is valid.
        unsafe {
            with_rtnl::<Self, _>(dev, |dev, rtnl| {
                from_result(|| {
                    if dev.clock().is_none() {
                        extack.set(c"no PTP clock, no time stamps: see the kernel log");
                        return Err(EOPNOTSUPP);
                    }
                    let tx = match u32::try_from((*request).tx_type)? {
                        bindings::hwtstamp_tx_types_HWTSTAMP_TX_OFF => false,
                        bindings::hwtstamp_tx_types_HWTSTAMP_TX_ON => true,
                        _ => {
                            extack.set(c"frames to be sent: use off or on");
                            return Err(ERANGE);
                        }
                    };
                    let rx = RxFilter::from_raw((*request).rx_filter).ok_or(ERANGE)?;
                    let set = Self::set_hwtstamp(dev, rtnl, Config { tx, rx }, &extack)?;
                    (*request).rx_filter = set.as_raw();
                    Ok(0)
                })
            })
        }
    }

    /// # Safety
    ///
    /// A callback.
    unsafe extern "C" fn get_ts_info_callback(
        dev: *mut bindings::net_device,
        out: *mut bindings::kernel_ethtool_ts_info,
    ) -> c_int {
        // SAFETY: A callback, of a device that stays registered meanwhile: under the RTNL, the RCU
        // read lock or with a reference (`include/linux/ethtool.h`). `out` is valid.
        unsafe {
            let dev = Device::<Self>::from_raw(NonNull::new_unchecked(dev));
            // The software's stamps, and no clock.
            bindings::ethtool_op_get_ts_info(dev.as_raw(), out);
            let Some(clock) = dev.clock() else {
                return 0;
            };
            (*out).so_timestamping |= bindings::SOF_TIMESTAMPING_TX_HARDWARE
                | bindings::SOF_TIMESTAMPING_RX_HARDWARE
                | bindings::SOF_TIMESTAMPING_RAW_HARDWARE;
            (*out).phc_index = clock.index();
            (*out).tx_types = 1 << bindings::hwtstamp_tx_types_HWTSTAMP_TX_OFF
                | 1 << bindings::hwtstamp_tx_types_HWTSTAMP_TX_ON;
            (*out).rx_filters = Self::RX_FILTERS
                .iter()
                .fold(0, |set, &filter| set | 1u32.wrapping_shl(filter as u32));
        }
        0
    }
}

impl<T: Operations> Callbacks for T {}
