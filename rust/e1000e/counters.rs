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

impl Statistics {
    /// Good frames received, by length: the chip's bins from the shortest to the longest.
    pub(crate) fn rx_lengths(&self) -> [u64; 6] {
        [
            self.rx_64(),
            self.rx_65_to_127(),
            self.rx_128_to_255(),
            self.rx_256_to_511(),
            self.rx_512_to_1023(),
            self.rx_1024_to_max(),
        ]
    }

    /// Good frames sent, as [`rx_lengths`](Self::rx_lengths).
    pub(crate) fn tx_lengths(&self) -> [u64; 6] {
        [
            self.tx_64(),
            self.tx_65_to_127(),
            self.tx_128_to_255(),
            self.tx_256_to_511(),
            self.tx_512_to_1023(),
            self.tx_1024_to_max(),
        ]
    }
}

/// The device's statistics for `ethtool -S`: what is neither in a standard group (`ethtool -S DEV
/// --all-groups`, `Documentation/networking/statistics.rst`) nor counted by the stack itself.
pub(crate) const ENTRIES: &[Entry] = &[
    entry("rx_total_packets", Statistics::rx_total_packets),
    entry("tx_total_packets", Statistics::tx_total_packets),
    entry("rx_total_bytes", Statistics::rx_total_bytes),
    entry("tx_total_bytes", Statistics::tx_total_bytes),
    entry("rx_phy_errors", Statistics::rx_phy_errors),
    entry("rx_no_buffer_count", Statistics::no_buffer),
    entry(
        "rx_carrier_extension_errors",
        Statistics::carrier_extension_errors,
    ),
    entry("tx_tcp_seg_good", Statistics::tso_contexts),
    entry("tx_tcp_seg_failed", Statistics::tso_failures),
    entry("rx_flow_control_xon", Statistics::rx_xon),
    entry("rx_flow_control_xoff", Statistics::rx_xoff),
    entry("tx_flow_control_xon", Statistics::tx_xon),
    entry("tx_flow_control_xoff", Statistics::tx_xoff),
    entry("tx_smbus", Statistics::tx_management),
    entry("rx_smbus", Statistics::rx_management),
    entry("dropped_smbus", Statistics::dropped_management),
    entry("interrupts_asserted", Statistics::interrupts),
];
