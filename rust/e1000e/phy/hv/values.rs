// SPDX-License-Identifier: GPL-2.0

//! Where the registers of the 82579's PHY are, and what is written to them.
//!
//! There is no public datasheet of the registers beyond those of IEEE 802.3: names, numbers and
//! bits are those that the in-tree driver uses (`ich8lan.h`, `phy.h`).
//!
//! Pure logic: needs nothing but `core`.

/// First page of the registers behind MDIO address 1.
const FIRST_HIGH_PAGE: u16 = 768;

/// Last register that is on every page.
const LAST_COMMON: u8 = 15;

/// The register that selects the page: 32 times its number.
const PAGE_SELECT: u8 = 31;

/// Shift of the page's number in [`PAGE_SELECT`].
const PAGE_SHIFT: u32 = 5;

/// Where register `reg` of `page` is: its MDIO address, and what must be written to which register
/// at address 1 before, if anything.
///
/// Page 0 is behind address 2, pages from 768 on are behind address 1; page 768 is selected as 0.
pub(crate) const fn place(page: u16, reg: u8) -> (u8, Option<(u8, u16)>) {
    let high = page >= FIRST_HIGH_PAGE;
    let selected = if page == FIRST_HIGH_PAGE { 0 } else { page };
    let select = if reg > LAST_COMMON {
        Some((PAGE_SELECT, selected.wrapping_shl(PAGE_SHIFT)))
    } else {
        None
    };
    (if high { 1 } else { 2 }, select)
}

/// Page and register of one write in the configuration that the NVM has for the PHY: `page` is the
/// last value that was to be written to [`PAGE_SELECT`], as `None` is returned for.
pub(crate) const fn configured(address: u16, page: u16) -> Option<(u16, u8)> {
    // CAST: five bits.
    let reg = (address & 0x1f) as u8;
    if address == PAGE_SELECT as u16 {
        None
    } else {
        Some((page >> PAGE_SHIFT, reg))
    }
}

/// `HV_SMB_ADDR` (768, 26): address on the system management bus.
const SMB_ADDRESS: u16 = 0x007f;
/// `HV_SMB_ADDR`: the address is valid.
const SMB_VALID: u16 = 0x0080;
/// `HV_SMB_ADDR`: packets carry an error check.
const SMB_PEC: u16 = 0x0200;

/// `old` with `address` on the system management bus, by which the management engine reaches the
/// PHY while the system sleeps.
pub(crate) const fn smbus_address(old: u16, address: u16) -> u16 {
    (old & !SMB_ADDRESS) | (address & SMB_ADDRESS) | SMB_VALID | SMB_PEC
}

/// `HV_OEM_BITS` (768, 25): low power link-up.
const OEM_LPLU: u16 = 0x0004;
/// `HV_OEM_BITS`: no gigabit.
const OEM_NO_GIGABIT: u16 = 0x0040;
/// `HV_OEM_BITS`: negotiate anew, so that the others take effect.
const OEM_RESTART: u16 = 0x0400;

/// `old` with what the board's maker, or sleep, wants of the link.
pub(crate) const fn oem_bits(old: u16, no_gigabit: bool, lplu: bool, restart: bool) -> u16 {
    let mut bits = old & !(OEM_LPLU | OEM_NO_GIGABIT);
    if no_gigabit {
        bits |= OEM_NO_GIGABIT;
    }
    if lplu {
        bits |= OEM_LPLU;
    }
    if restart {
        bits |= OEM_RESTART;
    }
    bits
}

/// EEE advertisement and ability (IEEE 802.3 clause 45, MMD 7.60, 7.61): 100BASE-TX.
pub(crate) const EEE_100: u16 = 1 << 1;
/// The same: 1000BASE-T.
pub(crate) const EEE_1000: u16 = 1 << 2;

/// `LPI_CTRL` (772, 20): low power idle at 100 Mb/s.
const LPI_100: u16 = 0x2000;
/// `LPI_CTRL`: low power idle at 1000 Mb/s.
const LPI_1000: u16 = 0x4000;

/// `old` with low power idle at the speeds where both sides can do it. At 100 Mb/s it needs full
/// duplex, which the partner must advertise (`full_100`).
pub(crate) const fn lpi_control(old: u16, ours: u16, theirs: u16, full_100: bool) -> u16 {
    let both = ours & theirs;
    let mut bits = old & !(LPI_100 | LPI_1000);
    if both & EEE_1000 != 0 {
        bits |= LPI_1000;
    }
    if both & EEE_100 != 0 && full_100 {
        bits |= LPI_100;
    }
    bits
}

/// `HV_KMRN_FIFO_CTRLSTA` (770, 16): how many octets of the preamble are taken off.
const PREAMBLE: u16 = 0x7000;
/// The same: one.
const PREAMBLE_ONE: u16 = 0x1000;

/// `old` for the duplex of the link: in half duplex the MAC takes frames for others otherwise.
pub(crate) const fn preamble(old: u16, half: bool) -> u16 {
    (old & !PREAMBLE) | if half { PREAMBLE_ONE } else { 0 }
}

/// `HV_M_STATUS` (0, 26): autonegotiation is complete.
const STATUS_NEGOTIATED: u16 = 0x1000;
/// `HV_M_STATUS`: speed; 0 = 10 Mb/s.
const STATUS_SPEED: u16 = 0x0300;
/// `HV_M_STATUS`: link up.
const STATUS_LINK: u16 = 0x0040;

/// What K1, the power saving of the link between MAC and PHY, needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum K1 {
    /// To be off: at 100 and 1000 Mb/s frames are lost with it.
    Off,
    /// A longer beacon, at 10 Mb/s.
    LongBeacon,
    /// Nothing, as there is no link yet.
    Nothing,
}

/// What K1 needs, with `status` in `HV_M_STATUS`.
pub(crate) const fn k1(status: u16) -> K1 {
    let up = STATUS_LINK | STATUS_NEGOTIATED;
    if status & up != up {
        K1::Nothing
    } else if status & STATUS_SPEED != 0 {
        K1::Off
    } else {
        K1::LongBeacon
    }
}

/// `HV_LED_CONFIG` (768, 30): number of lights, five bits each.
const LIGHTS: u32 = 3;
const LIGHT_SHIFT: u32 = 5;
/// What a light shows; 2 = the link.
const LIGHT_LINK: u16 = 2;
/// The light is inverted.
const LIGHT_INVERTED: u16 = 1 << 3;

/// All lights on or off. There is no such mode: they show the link, inverted as it must be.
pub(crate) const fn lights(link: bool, on: bool) -> u16 {
    let light = if link == on {
        LIGHT_LINK
    } else {
        LIGHT_LINK | LIGHT_INVERTED
    };
    let mut value = 0;
    let mut i = 0;
    while i < LIGHTS {
        value |= light.wrapping_shl(i.wrapping_mul(LIGHT_SHIFT));
        i = i.wrapping_add(1);
    }
    value
}

/// The four registers of a receive address among those for waking up, from `RAL` and `RAH`: bytes 0
/// and 1, 2 and 3, 4 and 5, and whether it is valid.
pub(crate) const fn receive_address(ral: u32, rah: u32) -> [u16; 4] {
    // CAST: halves.
    [
        ral as u16,
        (ral >> 16) as u16,
        rah as u16,
        (rah >> 16) as u16 & 0x8000,
    ]
}
