// SPDX-License-Identifier: GPL-2.0

//! The device's statistics, added up to 64 bits (82574 datasheet 10.2.7).
//!
//! The registers are 32 bits wide (octets: 64) and clear on read. They are read with each health
//! tick, often enough that none of them runs over at 1000 Mb/s. A device that is gone adds
//! nothing: its all ones never get here.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

use crate::{
    csr::{
        Csr,
        Gone, //
    },
    regs, //
};

/// Declares the accumulated statistics: a field, its register or pair of registers (low, high).
macro_rules! statistics {
    ($( $(#[$doc:meta])* $field:ident: $low:ident $(, $high:ident)?; )*) => {
        /// The statistics of one device since it was bound.
        pub(crate) struct Statistics {
            $( $(#[$doc])* $field: Atomic<u64>, )*
        }

        impl Statistics {
            /// All zero.
            pub(crate) const fn new() -> Self {
                Self { $( $field: Atomic::new(0), )* }
            }

            /// Adds what the device has counted since the last call. One caller at a time.
            ///
            /// Where the device goes away in the middle, what was read before is kept.
            pub(crate) fn update(&self, csr: &Csr<'_>) -> Result<(), Gone> {
                $(
                    let count = u64::from(csr.read(regs::$low)?.into_raw());
                    // A pair is cleared by the read of its high half, which comes last.
                    $( let count = count | u64::from(csr.read(regs::$high)?.into_raw()) << 32; )?
                    self.$field.add(count, Relaxed);
                )*
                Ok(())
            }

            /// Clears the device's registers and leaves the accumulated values alone.
            pub(crate) fn discard(csr: &Csr<'_>) -> Result<(), Gone> {
                Self::new().update(csr)
            }

            $(
                $(#[$doc])*
                pub(crate) fn $field(&self) -> u64 {
                    self.$field.load(Relaxed)
                }
            )*
        }
    };
}

statistics! {
    /// Frames with a bad CRC.
    crc_errors: CRCERRS;
    /// Frames with an alignment error.
    align_errors: ALGNERRC;
    /// Errors signalled by the PHY while receiving.
    rx_phy_errors: RXERRC;
    /// Frames lost for want of room in the packet buffer.
    missed: MPC;
    /// Frames sent after one collision.
    single_collisions: SCC;
    /// Frames given up after too many collisions.
    excessive_collisions: ECOL;
    /// Frames sent after several collisions.
    multiple_collisions: MCC;
    /// Late collisions.
    late_collisions: LATECOL;
    /// Collisions.
    collisions: COLC;
    /// Transmissions put off.
    deferred: DC;
    /// Transmissions without carrier sense.
    no_carrier_sense: TNCRS;
    /// Carrier extension errors.
    carrier_extension_errors: CEXTERR;
    /// Frames whose length field does not match.
    length_errors: RLEC;
    /// XON frames received.
    rx_xon: XONRXC;
    /// XON frames sent.
    tx_xon: XONTXC;
    /// XOFF frames received.
    rx_xoff: XOFFRXC;
    /// XOFF frames sent.
    tx_xoff: XOFFTXC;
    /// Flow control frames received that are not understood.
    rx_unsupported_flow_control: FCRUC;
    /// Good frames received of 64 bytes.
    rx_64: PRC64;
    /// Good frames received of 65 to 127 bytes.
    rx_65_to_127: PRC127;
    /// Good frames received of 128 to 255 bytes.
    rx_128_to_255: PRC255;
    /// Good frames received of 256 to 511 bytes.
    rx_256_to_511: PRC511;
    /// Good frames received of 512 to 1023 bytes.
    rx_512_to_1023: PRC1023;
    /// Good frames received of 1024 bytes and more.
    rx_1024_to_max: PRC1522;
    /// Good frames received.
    rx_packets: GPRC;
    /// Good broadcast frames received.
    rx_broadcast: BPRC;
    /// Good multicast frames received.
    rx_multicast: MPRC;
    /// Good frames sent.
    tx_packets: GPTC;
    /// Octets of good frames received.
    rx_bytes: GORCL, GORCH;
    /// Octets of good frames sent.
    tx_bytes: GOTCL, GOTCH;
    /// Frames that found no receive descriptor.
    no_buffer: RNBC;
    /// Frames too short, with a good CRC.
    undersize: RUC;
    /// Frames too short, with a bad CRC.
    fragments: RFC;
    /// Frames too long, with a good CRC.
    oversize: ROC;
    /// Frames too long, with a bad CRC.
    jabbers: RJC;
    /// Frames received for the manageability firmware.
    rx_management: MNGPRC;
    /// Frames lost that were for the manageability firmware.
    dropped_management: MPDC;
    /// Frames sent by the manageability firmware.
    tx_management: MNGPTC;
    /// Octets received, also in bad frames.
    rx_total_bytes: TORL, TORH;
    /// Octets sent, also in bad frames.
    tx_total_bytes: TOTL, TOTH;
    /// Frames received, also bad ones.
    rx_total_packets: TPR;
    /// Frames sent, also bad ones.
    tx_total_packets: TPT;
    /// Good frames sent of 64 bytes.
    tx_64: PTC64;
    /// Good frames sent of 65 to 127 bytes.
    tx_65_to_127: PTC127;
    /// Good frames sent of 128 to 255 bytes.
    tx_128_to_255: PTC255;
    /// Good frames sent of 256 to 511 bytes.
    tx_256_to_511: PTC511;
    /// Good frames sent of 512 to 1023 bytes.
    tx_512_to_1023: PTC1023;
    /// Good frames sent of 1024 bytes and more.
    tx_1024_to_max: PTC1522;
    /// Multicast frames sent.
    tx_multicast: MPTC;
    /// Broadcast frames sent.
    tx_broadcast: BPTC;
    /// TCP segmentation contexts done.
    tso_contexts: TSCTC;
    /// TCP segmentation contexts that failed.
    tso_failures: TSCTFC;
    /// Interrupts asserted.
    interrupts: IAC;
}

/// A statistic as `ethtool -S` shows it.
pub(crate) struct Entry {
    /// Its name; that of the in-tree e1000e driver where that driver has it.
    pub(crate) name: &'static str,
    /// Its value.
    pub(crate) get: fn(&Statistics) -> u64,
}

/// Makes an [`Entry`].
const fn entry(name: &'static str, get: fn(&Statistics) -> u64) -> Entry {
    Entry { name, get }
}

/// The device's statistics for `ethtool -S`. What the network stack counts itself is not here.
pub(crate) const ENTRIES: &[Entry] = &[
    entry("rx_packets", Statistics::rx_packets),
    entry("tx_packets", Statistics::tx_packets),
    entry("rx_bytes", Statistics::rx_bytes),
    entry("tx_bytes", Statistics::tx_bytes),
    entry("rx_broadcast", Statistics::rx_broadcast),
    entry("tx_broadcast", Statistics::tx_broadcast),
    entry("rx_multicast", Statistics::rx_multicast),
    entry("tx_multicast", Statistics::tx_multicast),
    entry("rx_total_packets", Statistics::rx_total_packets),
    entry("tx_total_packets", Statistics::tx_total_packets),
    entry("rx_total_bytes", Statistics::rx_total_bytes),
    entry("tx_total_bytes", Statistics::tx_total_bytes),
    entry("collisions", Statistics::collisions),
    entry("rx_crc_errors", Statistics::crc_errors),
    entry("rx_align_errors", Statistics::align_errors),
    entry("rx_phy_errors", Statistics::rx_phy_errors),
    entry("rx_length_errors", Statistics::length_errors),
    entry("rx_long_length_errors", Statistics::oversize),
    entry("rx_short_length_errors", Statistics::undersize),
    entry("rx_fragments", Statistics::fragments),
    entry("rx_jabbers", Statistics::jabbers),
    entry("rx_no_buffer_count", Statistics::no_buffer),
    entry("rx_missed_errors", Statistics::missed),
    entry(
        "rx_carrier_extension_errors",
        Statistics::carrier_extension_errors,
    ),
    entry("tx_aborted_errors", Statistics::excessive_collisions),
    entry("tx_carrier_errors", Statistics::no_carrier_sense),
    entry("tx_abort_late_coll", Statistics::late_collisions),
    entry("tx_deferred_ok", Statistics::deferred),
    entry("tx_single_coll_ok", Statistics::single_collisions),
    entry("tx_multi_coll_ok", Statistics::multiple_collisions),
    entry("tx_tcp_seg_good", Statistics::tso_contexts),
    entry("tx_tcp_seg_failed", Statistics::tso_failures),
    entry("rx_flow_control_xon", Statistics::rx_xon),
    entry("rx_flow_control_xoff", Statistics::rx_xoff),
    entry("tx_flow_control_xon", Statistics::tx_xon),
    entry("tx_flow_control_xoff", Statistics::tx_xoff),
    entry(
        "rx_flow_control_unsupported",
        Statistics::rx_unsupported_flow_control,
    ),
    entry("tx_smbus", Statistics::tx_management),
    entry("rx_smbus", Statistics::rx_management),
    entry("dropped_smbus", Statistics::dropped_management),
    entry("rx_64_bytes", Statistics::rx_64),
    entry("rx_65_to_127_bytes", Statistics::rx_65_to_127),
    entry("rx_128_to_255_bytes", Statistics::rx_128_to_255),
    entry("rx_256_to_511_bytes", Statistics::rx_256_to_511),
    entry("rx_512_to_1023_bytes", Statistics::rx_512_to_1023),
    entry("rx_1024_to_max_bytes", Statistics::rx_1024_to_max),
    entry("tx_64_bytes", Statistics::tx_64),
    entry("tx_65_to_127_bytes", Statistics::tx_65_to_127),
    entry("tx_128_to_255_bytes", Statistics::tx_128_to_255),
    entry("tx_256_to_511_bytes", Statistics::tx_256_to_511),
    entry("tx_512_to_1023_bytes", Statistics::tx_512_to_1023),
    entry("tx_1024_to_max_bytes", Statistics::tx_1024_to_max),
    entry("interrupts_asserted", Statistics::interrupts),
];
