// SPDX-License-Identifier: GPL-2.0

//! Registers that only the 82579 has, or that have another meaning there.
//!
//! The 82579 is the PHY of the LAN controller in Intel's 6 Series chipset (PCH2), for whose
//! registers there is no public datasheet: names, offsets and bits are those that the in-tree
//! driver uses. Registers that are not here are as those of the 82574 in [`regs`](super).
//!
//! Some offsets are an 82574's register of quite another kind: `FCAL` is `FEXTNVM` here, `SWSM` is
//! `H2ME`. They must not be touched by the other's name.

use kernel::io::register;

use super::{
    first_of,
    one,
    storage,
    Storage, //
};

/// Number of receive addresses that driver and management engine share.
pub(crate) const SHRA_COUNT: usize = 4;

/// Number of receive addresses whose initial CRC must be told.
pub(crate) const RAICC_COUNT: usize = 5;

// General.

register! {
    /// Device control (0x00000).
    pub(crate) CTRL(u32) @ 0x00000 {
        /// The pin `LANPHYPC`, which is the PHY's power, follows `lanphypc_value`.
        16:16 lanphypc_override => bool;
        /// Value of the pin `LANPHYPC` where it is overridden.
        17:17 lanphypc_value => bool;
    }

    /// Device status (0x00008).
    pub(crate) STATUS(u32) @ 0x00008 {
        /// The basic configuration after a reset of the PHY is done. Written as 0 it is cleared.
        9:9 lan_init_done => bool;
        /// The PHY was reset. Written as 0 it is cleared.
        10:10 phyra => bool;
    }

    /// Extended device control (0x00018).
    pub(crate) CTRL_EXT(u32) @ 0x00018 {
        /// The clock for MACsec is off, so that jumbo frames are possible.
        12:12 lsecck => bool;
    }

    /// Strapping options (0x0000C), read only.
    pub(crate) STRAP(u32) @ 0x0000c {
        /// Address of the LAN controller on the system management bus.
        23:17 smbus_address;
    }

    /// Future extended NVM 4 (0x00024).
    pub(crate) FEXTNVM4(u32) @ 0x00024 {
        /// Duration of the beacon in K1: 3 = 16 us, 7 = 8 us.
        2:0 beacon_duration;
    }

    /// Future extended NVM (0x00028).
    pub(crate) FEXTNVM(u32) @ 0x00028 {
        /// Software configures the PHY after its reset, from the NVM.
        27:27 sw_config => bool;
    }

    /// The interface between MAC and PHY (0x00034). Composed in [`kmrn`](crate::chip::kmrn).
    pub(crate) KMRNCTRLSTA(u32) @ 0x00034 {}

    /// Future extended NVM 3 (0x0003C).
    pub(crate) FEXTNVM3(u32) @ 0x0003c {
        /// How long the PHY is given to be configured: 2 = 50 ms.
        27:26 phy_cfg_counter;
    }

    /// Low power idle control (0x000FC).
    pub(crate) LPIC(u32) @ 0x000fc {
        /// Time without frames after which low power idle is entered, in microseconds.
        31:24 lpiet;
    }

    /// Extended configuration control (0x00F00).
    pub(crate) EXTCNF_CTRL(u32) @ 0x00f00 {
        /// PHY and MDIO are the driver's; the firmware keeps away from them.
        5:5 swflag => bool;
        /// Hardware does not configure the PHY after its reset; software does.
        7:7 gate_phy_cfg => bool;
        /// Where the configuration of the PHY is in the NVM, in units of 32 bits.
        27:16 pointer;
    }

    /// Extended configuration size (0x00F08).
    pub(crate) EXTCNF_SIZE(u32) @ 0x00f08 {
        /// Number of register writes in the configuration of the PHY.
        23:16 length;
    }

    /// PHY control (0x00F10).
    pub(crate) PHY_CTRL(u32) @ 0x00f10 {
        /// Low power link-up in D0a.
        1:1 d0a_lplu => bool;
        /// Low power link-up outside D0a.
        2:2 nond0a_lplu => bool;
        /// No gigabit outside D0a.
        3:3 nond0a_gbe_disable => bool;
        /// No gigabit.
        6:6 gbe_disable => bool;
    }

    /// Reference of the transmitter's analogue part (0x03004).
    pub(crate) KABGTXD(u32) @ 0x03004 {
        /// Bias of the band gap; to be 5.
        19:16 bias;
    }
}

// Flow control and filters.

register! {
    /// Flow control refresh timer value (0x05F40), in units of 512 bit times.
    pub(crate) FCRTV(u32) @ 0x05f40 {
        /// Time after which a PAUSE frame is sent again.
        15:0 refresh;
    }

    /// Filter debug (0x05F04).
    pub(crate) FFLT_DBG(u32) @ 0x05f04 {
        /// What long frames need: 0 = as after a reset, 14 = long frames.
        17:14 long_frames;
    }

    /// Shared receive address low (0x05438 + 8 n): bytes 0 to 3 of the address.
    pub(crate) SHRAL(u32)[SHRA_COUNT, stride = 8] @ 0x05438 {}

    /// Shared receive address high (0x0543C + 8 n).
    pub(crate) SHRAH(u32)[SHRA_COUNT, stride = 8] @ 0x0543c {
        /// Bytes 4 and 5 of the address.
        15:0 rah;
        /// Address valid.
        31:31 av => bool;
    }

    /// Initial CRC of a receive address (0x05F50 + 4 n).
    pub(crate) RAICC(u32)[RAICC_COUNT] @ 0x05f50 {}
}

// Wake-up and firmware.

register! {
    /// Wake-up control (0x05800).
    pub(crate) WUC(u32) @ 0x05800 {
        /// The device wakes the system by itself, as the NVM has it.
        0:0 apme => bool;
        /// The PHY finds out what to wake for, and not the MAC.
        8:8 phy_wake => bool;
    }

    /// Firmware semaphore (0x05B54): the state of the management engine (ME).
    pub(crate) FWSM(u32) @ 0x05b54 {
        /// What the engine does; bit 1 = active management.
        3:1 fw_mode;
        /// The PHY may be reset.
        6:6 rspciphy => bool;
        /// The engine is running.
        15:15 fw_valid => bool;
        /// The engine is accessing registers.
        24:24 pcim2pci => bool;
    }
}

// Flash (BAR 1): the flash controller's registers for the LAN controller. The first two are
// 16 bits wide.

/// Size of BAR 1 in bytes.
pub(crate) const FLASH_SIZE: usize = 0x1000;

/// `HSFCTL.cycle`: read.
pub(crate) const CYCLE_READ: u16 = 0;
/// `HSFCTL.cycle`: write.
pub(crate) const CYCLE_WRITE: u16 = 2;
/// `HSFCTL.cycle`: erase a sector.
pub(crate) const CYCLE_ERASE: u16 = 3;

register! {
    /// GbE flash primary region (0x0000). Taken apart in [`region`](crate::nvm::region).
    pub(crate) GFPREG(u32) @ 0x0000 {}

    /// Hardware sequencing flash status (0x0004).
    pub(crate) HSFSTS(u16) @ 0x0004 {
        /// The cycle is done. Written as 1 it is cleared.
        0:0 done => bool;
        /// The cycle failed. Written as 1 it is cleared.
        1:1 error => bool;
        /// Access to the flash was denied. Written as 1 it is cleared.
        2:2 denied => bool;
        /// Size of the smallest piece that can be erased: 256 bytes, 4, 8 or 64 KiB.
        4:3 sector_size;
        /// A cycle is in progress.
        5:5 in_progress => bool;
        /// The flash has a valid descriptor, without which there are no regions.
        14:14 descriptor_valid => bool;
        /// The protection of the flash cannot be changed.
        15:15 locked => bool;
    }

    /// Hardware sequencing flash control (0x0006).
    pub(crate) HSFCTL(u16) @ 0x0006 {
        /// Starts a cycle.
        0:0 go => bool;
        /// Kind of cycle, see [`CYCLE_READ`] and the following.
        2:1 cycle;
        /// Number of bytes, less one.
        9:8 count;
    }

    /// Flash address (0x0008), in bytes from the beginning of the flash.
    pub(crate) FADDR(u32) @ 0x0008 {}

    /// Flash data (0x0010), the first four bytes.
    pub(crate) FDATA0(u32) @ 0x0010 {}
}

/// Registers that only store, for the register test; see [`STORAGE`](super::STORAGE). Receive
/// addresses 1 to 6 are the management engine's.
pub(crate) const STORAGE: &[Storage] = &[
    storage(one(&super::VET), 0x0000_ffff),
    storage(one(&super::FCTTV), 0x0000_ffff),
    storage(one(&super::FCRTL), 0x0000_fff8),
    storage(one(&super::FCRTH), 0x0000_fff8),
    storage(one(&super::ITR), 0x0000_ffff),
    storage(first_of::<super::RDBAL>(1), 0xffff_fff0),
    storage(first_of::<super::RDBAH>(1), 0xffff_ffff),
    storage(first_of::<super::RDLEN>(1), 0x000f_ff80),
    storage(first_of::<super::RDH>(1), 0x0000_ffff),
    storage(first_of::<super::RDT>(1), 0x0000_ffff),
    storage(one(&super::RDTR), 0x0000_ffff),
    storage(one(&super::RADV), 0x0000_ffff),
    storage(first_of::<super::TDBAL>(1), 0xffff_fff0),
    storage(first_of::<super::TDBAH>(1), 0xffff_ffff),
    storage(first_of::<super::TDLEN>(1), 0x000f_ff80),
    storage(first_of::<super::TDH>(1), 0x0000_ffff),
    storage(first_of::<super::TDT>(1), 0x0000_ffff),
    storage(one(&super::TADV), 0x0000_ffff),
    storage(one(&super::TIPG), 0x3fff_ffff),
    storage(first_of::<super::MTA>(32), 0xffff_ffff),
];
