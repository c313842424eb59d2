// SPDX-License-Identifier: GPL-2.0

//! How the 82574's packet buffer is split between the two directions, and what follows from it
//! (82574 datasheet 3.1.3.2, 10.2.2.15).
//!
//! Pure logic: needs nothing but `core`.

/// Longest frame in bytes, FCS included: 9216 bytes behind the Ethernet header, as in the in-tree
/// driver.
pub(crate) const MAX_FRAME: u32 = 9234;

/// Longest frame without `RCTL.LPE`: Ethernet header, VLAN tag, 1500 bytes, FCS.
pub(crate) const STANDARD_FRAME: u32 = 1522;

/// Packet buffer in KiB, for both directions.
const SIZE: u32 = 40;

/// Receive share in KiB where frames are short enough.
const RX_SHARE: u32 = 32;

/// What the device stores with each frame to be sent, in bytes.
const TX_OVERHEAD: u32 = 16;

/// Bytes of the transmit share that the device needs itself.
const TX_RESERVED: u32 = 96;

/// Most bytes of one transmit descriptor, whatever the buffer.
const TX_DESCRIPTOR_LIMIT: u32 = 24 * 1024;

/// The packet buffer of the 82579, of which only the receive share can be chosen, as the in-tree
/// driver does.
pub(crate) mod pch2 {
    use super::STANDARD_FRAME;

    /// Longest frame in bytes, FCS included: 9000 bytes behind the Ethernet header.
    pub(crate) const MAX_FRAME: u32 = 9018;

    /// Receive share in KiB for frames of up to `max_frame` bytes.
    pub(crate) const fn rx_share(max_frame: u32) -> u16 {
        if max_frame > STANDARD_FRAME {
            14
        } else {
            26
        }
    }

    /// Flow control thresholds for frames of up to `max_frame` bytes: low and high water mark, in
    /// bytes, multiples of 8.
    pub(crate) const fn water_marks(max_frame: u32) -> (u32, u32) {
        if max_frame > STANDARD_FRAME {
            // 80 and 90 % of the share.
            let share = rx_share(max_frame) as u32 * 1024;
            ((share * 8 / 10) & !7, (share * 9 / 10) & !7)
        } else {
            (0x5048, 0x5c20)
        }
    }

    /// Most bytes of one transmit descriptor, with a transmit share of `tx_share` KiB: as for the
    /// 82574, but not less than a page.
    pub(crate) fn max_tx_bytes(tx_share: u32) -> u32 {
        tx_share
            .saturating_mul(1024)
            .saturating_sub(super::TX_RESERVED)
            .clamp(4096, super::TX_DESCRIPTOR_LIMIT)
    }
}

/// Splits the packet buffer for frames of up to `max_frame` bytes: receive and transmit share in
/// KiB.
///
/// The transmit side needs room for two whole frames, the receive side for one.
pub(crate) fn split(max_frame: u32) -> (u16, u16) {
    let frame = max_frame.min(MAX_FRAME);
    let tx = frame
        .saturating_add(TX_OVERHEAD)
        .saturating_mul(2)
        .div_ceil(1024)
        .max(SIZE.saturating_sub(RX_SHARE));
    let rx = SIZE.saturating_sub(tx).max(frame.div_ceil(1024));
    // CAST: both are at most `SIZE`.
    (rx as u16, SIZE.saturating_sub(rx) as u16)
}

/// Most bytes that one transmit descriptor may have.
pub(crate) fn max_tx_bytes(max_frame: u32) -> u32 {
    let (_, tx) = split(max_frame);
    u32::from(tx)
        .saturating_mul(1024)
        .saturating_sub(TX_RESERVED)
        .min(TX_DESCRIPTOR_LIMIT)
}

/// Flow control thresholds for frames of up to `max_frame` bytes: low and high water mark, in
/// bytes, multiples of 8.
///
/// Above the high one there is room for one whole frame and for a tenth of the buffer.
pub(crate) fn water_marks(max_frame: u32) -> (u32, u32) {
    let (rx, _) = split(max_frame);
    let buffer = u32::from(rx).saturating_mul(1024);
    let high = (buffer.saturating_mul(9) / 10).min(buffer.saturating_sub(max_frame)) & !7;
    (high.saturating_sub(8), high)
}
