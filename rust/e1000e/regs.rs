// SPDX-License-Identifier: GPL-2.0

//! Registers of the Intel 82574L, in sections by unit.
//!
//! Names, offsets and bits are those of the *Intel 82574 GbE Controller Family Datasheet*,
//! revision 3.4, chapter 10.2. Offsets are bytes from the start of BAR 0; every register is 32
//! bits wide.
//!
//! What is different for the 82579 is in [`pch2`].
//!
//! # Glossary
//!
//! - **CSR**: control and status register, anything in BAR 0.
//! - **EIAC**: extended interrupt auto clear.
//! - **IVAR**: interrupt vector allocation register.
//! - **MDIC**: MDI control, the window to the PHY's registers.
//! - **NVM**: the EEPROM or flash with addresses and defaults.
//! - **PBA**: packet buffer allocation (the printed board assembly number of the NVM has the same
//!   abbreviation; in this file it is always the buffer).
//! - **RAR**: receive address register pair, `RAL` and `RAH`.

use kernel::io::{
    register,
    register::{
        FixedRegister,
        FixedRegisterLoc,
        RegisterArray, //
    }, //
};

pub(crate) mod pch2;

/// Number of receive queues, and of transmit queues, of the 82574.
pub(crate) const QUEUES: usize = 2;

/// Number of interrupt throttling registers, one for each MSI-X vector.
pub(crate) const EITR_COUNT: usize = 5;

/// Number of receive address registers.
pub(crate) const RAR_COUNT: usize = 16;

/// Number of registers with ports for manageability, each with two.
pub(crate) const MFUTP_COUNT: usize = 2;

/// Number of manageability decision filters.
pub(crate) const MDEF_COUNT: usize = 8;

/// Number of 32-bit words in the multicast table array.
pub(crate) const MTA_COUNT: usize = 128;

/// Number of 32-bit words in the VLAN filter table array.
pub(crate) const VFTA_COUNT: usize = 128;

/// Number of registers of the RSS redirection table, four entries each.
pub(crate) const RETA_COUNT: usize = 32;

/// Number of registers of the RSS key.
pub(crate) const RSSRK_COUNT: usize = 10;

// General (10.2.2).

register! {
    /// Device control (0x00000).
    pub(crate) CTRL(u32) @ 0x00000 {
        /// Full duplex; used when duplex is forced.
        0:0 fd => bool;
        /// No new PCIe requests by the device; see `STATUS.gio_master_enable`.
        2:2 gio_master_disable => bool;
        /// Auto-speed detection enable.
        5:5 asde => bool;
        /// Set link up: the MAC follows the PHY's link indication.
        6:6 slu => bool;
        /// Speed when forced: 0 = 10, 1 = 100, 2 = 1000 Mb/s.
        9:8 speed;
        /// Force the speed in `speed`.
        11:11 frcspd => bool;
        /// Force the duplex in `fd`.
        12:12 frcdplx => bool;
        /// D3cold wake-up capability advertised.
        20:20 advd3wuc => bool;
        /// The PHY may save power outside D0.
        21:21 phy_power_management => bool;
        /// Device reset, clears itself.
        26:26 rst => bool;
        /// Receive flow control enable.
        27:27 rfce => bool;
        /// Transmit flow control enable.
        28:28 tfce => bool;
        /// Reserved, to be kept clear (set-up list in the specification update).
        29:29 reserved_29 => bool;
        /// VLAN mode: strip and insert tags.
        30:30 vme => bool;
        /// PHY reset.
        31:31 phy_rst => bool;
    }

    /// Device status (0x00008), read only.
    pub(crate) STATUS(u32) @ 0x00008 {
        /// Full duplex.
        0:0 fd => bool;
        /// Link up.
        1:1 lu => bool;
        /// Transmission paused by flow control.
        4:4 txoff => bool;
        /// Link speed: 0 = 10, 1 = 100, 2 and 3 = 1000 Mb/s.
        7:6 speed;
        /// Speed found by auto-speed detection.
        9:8 asdv;
        /// PHY reset asserted since this bit was cleared.
        10:10 phyra => bool;
        /// PCIe requests of the device are enabled or still outstanding.
        19:19 gio_master_enable => bool;
    }

    /// Extended device control (0x00018).
    pub(crate) CTRL_EXT(u32) @ 0x00018 {
        /// Reload from the NVM.
        13:13 ee_rst => bool;
        /// Speed select bypass.
        15:15 spd_byps => bool;
        /// Relaxed ordering disabled.
        17:17 ro_dis => bool;
        /// PHY power down enable.
        20:20 phy_power_down_enable => bool;
        /// Reserved, to be set (set-up list in the specification update).
        22:22 reserved_22 => bool;
        /// Reserved, to be kept clear (set-up list in the specification update).
        23:23 reserved_23 => bool;
        /// MSI-X auto-mask: `EIAC` causes are masked when their vector fires.
        24:24 eiame => bool;
        /// Auto-mask by `IAM` when `ICR` is read.
        27:27 iame => bool;
        /// A driver is loaded; told to the manageability firmware.
        28:28 drv_load => bool;
        /// Clear the MSI-X pending bit with the cause.
        31:31 pba_clr => bool;
    }

    /// Flow control address low (0x00028).
    pub(crate) FCAL(u32) @ 0x00028 {}

    /// Flow control address high (0x0002C).
    pub(crate) FCAH(u32) @ 0x0002c {}

    /// Flow control type (0x00030).
    pub(crate) FCT(u32) @ 0x00030 {}

    /// VLAN ethertype (0x00038).
    pub(crate) VET(u32) @ 0x00038 {}

    /// Flow control transmit timer value (0x00170), in units of 512 bit times.
    pub(crate) FCTTV(u32) @ 0x00170 {
        /// Pause time put into transmitted PAUSE frames.
        15:0 ttv;
    }

    /// LED control (0x00E00).
    pub(crate) LEDCTL(u32) @ 0x00e00 {
        /// What LED0 shows: 14 = on, 15 = off, others what happens on the link.
        3:0 led0_mode;
        /// LED0 blinks while it is on.
        7:7 led0_blink => bool;
        /// What LED1 shows.
        11:8 led1_mode;
        /// LED1 blinks while it is on.
        15:15 led1_blink => bool;
        /// What LED2 shows.
        19:16 led2_mode;
        /// LED2 blinks while it is on.
        23:23 led2_blink => bool;
    }

    /// Extended configuration control (0x00F00).
    pub(crate) EXTCNF_CTRL(u32) @ 0x00f00 {
        /// MDIO ownership by software; reads back 1 when granted.
        5:5 mdio_sw_ownership => bool;
    }

    /// PHY OEM bits (0x00F10).
    pub(crate) POEMB(u32) @ 0x00f10 {
        /// Low power link-up in D0a.
        1:1 d0lplu => bool;
        /// Low power link-up outside D0a.
        2:2 lplu => bool;
        /// No gigabit outside D0a.
        3:3 an1000_dis_nd0a => bool;
        /// No gigabit.
        6:6 an1000_dis => bool;
    }

    /// Packet buffer allocation (0x01000), in KiB; takes effect with the next `CTRL.rst`.
    pub(crate) PBA(u32) @ 0x01000 {
        /// Receive share.
        15:0 rxa;
        /// Transmit share, read only: what `rxa` leaves.
        31:16 txa;
    }

    /// Packet buffer size (0x01008), in KiB.
    pub(crate) PBS(u32) @ 0x01008 {}
}

// NVM (10.2.2.3, 10.2.2.4).

/// `EECD.NVMTYPE`: flash.
pub(crate) const FLASH: u32 = 3;

register! {
    /// EEPROM/flash control (0x00010).
    pub(crate) EECD(u32) @ 0x00010 {
        /// An NVM is present.
        8:8 ee_pres => bool;
        /// The automatic read after reset is done.
        9:9 auto_rd => bool;
        /// Size of the NVM, 2^(6 + `nvsize`) words.
        14:11 nvsize;
        /// Kind of NVM, see [`FLASH`].
        16:15 nvmtype;
        /// Autonomous flash update enabled.
        20:20 aupden => bool;
    }

    /// EEPROM read (0x00014).
    pub(crate) EERD(u32) @ 0x00014 {
        /// Starts the read.
        0:0 start => bool;
        /// The read is done.
        1:1 done => bool;
        /// Word address.
        15:2 addr;
        /// The word read.
        31:16 data;
    }
}

register! {
    /// EEPROM write (0x0102C).
    pub(crate) EEWR(u32) @ 0x0102c {
        /// Starts the write.
        0:0 start => bool;
        /// The write is done.
        1:1 done => bool;
        /// Word address.
        15:2 addr;
        /// The word to write.
        31:16 data;
    }
}

// PHY (10.2.2.7).

register! {
    /// MDI control (0x00020). Composed and taken apart in [`mdic`](crate::mdic).
    pub(crate) MDIC(u32) @ 0x00020 {}
}

// Interrupts (10.2.4).

register! {
    /// Interrupt cause read (0x000C0): a read acknowledges, bits are in [`cause`] too.
    pub(crate) ICR(u32) @ 0x000c0 {
        /// Transmit descriptor written back.
        0:0 txdw => bool;
        /// Link status change.
        2:2 lsc => bool;
        /// Receive sequence error.
        3:3 rxseq => bool;
        /// Receive descriptor minimum threshold reached.
        4:4 rxdmt0 => bool;
        /// Receiver overrun.
        6:6 rxo => bool;
        /// Receiver timer.
        7:7 rxt0 => bool;
        /// MDIO access complete.
        9:9 mdac => bool;
        /// Small packet received.
        16:16 srpd => bool;
        /// ACK frame received.
        17:17 ack => bool;
        /// Manageability event.
        18:18 mng => bool;
        /// Receive queue 0.
        20:20 rxq0 => bool;
        /// Receive queue 1.
        21:21 rxq1 => bool;
        /// Transmit queue 0.
        22:22 txq0 => bool;
        /// Transmit queue 1.
        23:23 txq1 => bool;
        /// Any of the other causes.
        24:24 other => bool;
        /// The device has asserted its interrupt.
        31:31 int_asserted => bool;
    }

    /// Interrupt throttling (0x000C4) outside MSI-X.
    pub(crate) ITR(u32) @ 0x000c4 {
        /// Least distance of two interrupts, in units of 256 ns.
        15:0 interval;
    }

    /// Interrupt cause set (0x000C8), write only; bits as in `ICR`.
    pub(crate) ICS(u32) @ 0x000c8 {}

    /// Interrupt mask set and read (0x000D0); bits as in `ICR`.
    pub(crate) IMS(u32) @ 0x000d0 {}

    /// Interrupt mask clear (0x000D8), write only; bits as in `ICR`.
    pub(crate) IMC(u32) @ 0x000d8 {}

    /// Extended interrupt auto clear (0x000DC); bits 24:20 as in `ICR`.
    pub(crate) EIAC(u32) @ 0x000dc {}

    /// Interrupt acknowledge auto mask (0x000E0); bits as in `ICR`. Not for MSI-X.
    pub(crate) IAM(u32) @ 0x000e0 {}

    /// Interrupt vector allocation (0x000E4). Composed and verified in [`ivar`](crate::ivar).
    pub(crate) IVAR(u32) @ 0x000e4 {}

    /// Extended interrupt throttling (0x000E8), one for each MSI-X vector.
    pub(crate) EITR(u32)[EITR_COUNT] @ 0x000e8 {
        /// Least distance of two interrupts, in units of 256 ns.
        15:0 interval;
    }
}

/// Bits of `ICR`, for the registers that take them as a set: `ICS`, `IMS`, `IMC`, `EIAC`.
pub(crate) mod cause {
    /// The two receive queues.
    pub(crate) const RXQ: [u32; super::QUEUES] = [1 << 20, 1 << 21];
    /// The two transmit queues.
    pub(crate) const TXQ: [u32; super::QUEUES] = [1 << 22, 1 << 23];
    /// All four queues.
    pub(crate) const QUEUES: u32 = 0x00f0_0000;
    /// The summary of all causes that are not a queue's.
    pub(crate) const OTHER: u32 = 1 << 24;
    /// Link status change.
    pub(crate) const LSC: u32 = 1 << 2;
    /// MDIO access complete; the driver waits for it by looking.
    pub(crate) const MDAC: u32 = 1 << 9;
    /// Receiver timer.
    pub(crate) const RXT0: u32 = 1 << 7;
    /// What raises `OTHER`: LSC, RXO, MDAC, SRPD, ACK, MNG.
    pub(crate) const OTHER_SOURCES: u32 = LSC | (1 << 6) | MDAC | (1 << 16) | (1 << 17) | (1 << 18);
    /// What a driver without MSI-X listens to: RXT0, TXDW, RXDMT0, RXSEQ, LSC.
    pub(crate) const LEGACY: u32 = RXT0 | (1 << 0) | (1 << 4) | (1 << 3) | LSC;
    /// Everything, for `IMC`.
    pub(crate) const ALL: u32 = 0xffff_ffff;
}

// Receive (10.2.5).

register! {
    /// Receive control (0x00100).
    pub(crate) RCTL(u32) @ 0x00100 {
        /// Receiver enable.
        1:1 en => bool;
        /// Store bad packets.
        2:2 sbp => bool;
        /// Unicast promiscuous.
        3:3 upe => bool;
        /// Multicast promiscuous.
        4:4 mpe => bool;
        /// Long packets (more than 1522 bytes).
        5:5 lpe => bool;
        /// Loopback mode: 0 = none, 1 = MAC, 3 = PHY.
        7:6 lbm;
        /// Descriptor type: 0 = legacy or extended, 1 = packet split.
        11:10 dtyp;
        /// Multicast offset: which 12 address bits are the hash; 0 = 47:36.
        13:12 mo;
        /// Accept broadcast.
        15:15 bam => bool;
        /// Buffer size: 0 = 2048 bytes (with `bsex` 0).
        17:16 bsize;
        /// VLAN filter enable.
        18:18 vfe => bool;
        /// Canonical form indicator enable.
        19:19 cfien => bool;
        /// Discard pause frames.
        22:22 dpf => bool;
        /// Pass MAC control frames.
        23:23 pmcf => bool;
        /// Buffer size extension: `bsize` times 16.
        25:25 bsex => bool;
        /// Strip the Ethernet CRC.
        26:26 secrc => bool;
    }

    /// Flow control receive threshold low (0x02160), in bytes.
    pub(crate) FCRTL(u32) @ 0x02160 {
        /// Threshold in units of 8 bytes.
        15:3 rtl;
        /// Send XON.
        31:31 xone => bool;
    }

    /// Flow control receive threshold high (0x02168), in bytes.
    pub(crate) FCRTH(u32) @ 0x02168 {
        /// Threshold in units of 8 bytes.
        15:3 rth;
    }

    /// Packet split receive control (0x02170).
    pub(crate) PSRCTL(u32) @ 0x02170 {}

    /// Receive descriptor ring base, low half (0x02800 + 0x100 n).
    pub(crate) RDBAL(u32)[QUEUES, stride = 0x100] @ 0x02800 {}

    /// Receive descriptor ring base, high half (0x02804 + 0x100 n).
    pub(crate) RDBAH(u32)[QUEUES, stride = 0x100] @ 0x02804 {}

    /// Receive descriptor ring length in bytes (0x02808 + 0x100 n), a multiple of 128.
    pub(crate) RDLEN(u32)[QUEUES, stride = 0x100] @ 0x02808 {}

    /// Receive descriptor head (0x02810 + 0x100 n).
    pub(crate) RDH(u32)[QUEUES, stride = 0x100] @ 0x02810 {}

    /// Receive descriptor tail (0x02818 + 0x100 n).
    pub(crate) RDT(u32)[QUEUES, stride = 0x100] @ 0x02818 {}

    /// Receive interrupt delay timer (0x02820), in units of 1.024 us.
    pub(crate) RDTR(u32) @ 0x02820 {
        /// Write back what is done at once; reads as 0.
        31:31 fpd => bool;
    }

    /// Receive descriptor control (0x02828 + 0x100 n).
    pub(crate) RXDCTL(u32)[QUEUES, stride = 0x100] @ 0x02828 {
        /// Prefetch threshold.
        5:0 pthresh;
        /// Host threshold.
        13:8 hthresh;
        /// Write-back threshold.
        21:16 wthresh;
        /// Granularity of the thresholds: 0 = cache lines, 1 = descriptors.
        24:24 gran => bool;
    }

    /// Receive interrupt absolute delay timer (0x0282C), in units of 1.024 us.
    pub(crate) RADV(u32) @ 0x0282c {}

    /// Receive checksum control (0x05000).
    pub(crate) RXCSUM(u32) @ 0x05000 {
        /// Packet checksum start, in bytes.
        7:0 pcss;
        /// IP checksum offload.
        8:8 ipofl => bool;
        /// TCP and UDP checksum offload.
        9:9 tuofl => bool;
        /// IP payload checksum enable.
        12:12 ippcse => bool;
        /// Packet checksum disable: the descriptor carries the RSS hash instead.
        13:13 pcsd => bool;
    }

    /// Receive filter control (0x05008).
    pub(crate) RFCTL(u32) @ 0x05008 {
        /// NFS write disable.
        6:6 nfsw_dis => bool;
        /// NFS read disable.
        7:7 nfsr_dis => bool;
        /// ACK accelerate disable.
        12:12 ack_dis => bool;
        /// Extended status: extended receive descriptors.
        15:15 exsten => bool;
        /// IPv6 extension header parsing disabled.
        16:16 ipv6_ex_dis => bool;
        /// New IPv6 extension headers disabled.
        17:17 new_ipv6_ext_dis => bool;
    }
}

// Transmit (10.2.6).

register! {
    /// Transmit control (0x00400).
    pub(crate) TCTL(u32) @ 0x00400 {
        /// Transmitter enable.
        1:1 en => bool;
        /// Pad short packets to 64 bytes.
        3:3 psp => bool;
        /// Collision threshold.
        11:4 ct;
        /// Collision distance, in byte times.
        21:12 cold;
        /// Retransmit on late collision.
        24:24 rtlc => bool;
        /// Several outstanding PCIe requests.
        28:28 mulr => bool;
    }

    /// Transmit inter packet gap (0x00410), in byte times (8 bits).
    pub(crate) TIPG(u32) @ 0x00410 {
        /// Back to back gap.
        9:0 ipgt;
        /// Part 1 of the gap, for half duplex.
        19:10 ipgr1;
        /// The whole gap, for half duplex.
        29:20 ipgr2;
    }

    /// Transmit descriptor ring base, low half (0x03800 + 0x100 n).
    pub(crate) TDBAL(u32)[QUEUES, stride = 0x100] @ 0x03800 {}

    /// Transmit descriptor ring base, high half (0x03804 + 0x100 n).
    pub(crate) TDBAH(u32)[QUEUES, stride = 0x100] @ 0x03804 {}

    /// Transmit descriptor ring length in bytes (0x03808 + 0x100 n), a multiple of 128.
    pub(crate) TDLEN(u32)[QUEUES, stride = 0x100] @ 0x03808 {}

    /// Transmit descriptor head (0x03810 + 0x100 n).
    pub(crate) TDH(u32)[QUEUES, stride = 0x100] @ 0x03810 {}

    /// Transmit descriptor tail (0x03818 + 0x100 n).
    pub(crate) TDT(u32)[QUEUES, stride = 0x100] @ 0x03818 {}

    /// Transmit interrupt delay value (0x03820), in units of 1.024 us.
    pub(crate) TIDV(u32) @ 0x03820 {
        /// Write back what is done at once; reads as 0.
        31:31 fpd => bool;
    }

    /// Transmit descriptor control (0x03828 + 0x100 n).
    pub(crate) TXDCTL(u32)[QUEUES, stride = 0x100] @ 0x03828 {
        /// Prefetch threshold.
        5:0 pthresh;
        /// Host threshold.
        13:8 hthresh;
        /// Write-back threshold.
        21:16 wthresh;
        /// Counts descriptors still to be processed; to be set on both queues.
        22:22 count_desc => bool;
        /// Granularity of the thresholds: 0 = cache lines, 1 = descriptors.
        24:24 gran => bool;
    }

    /// Transmit absolute interrupt delay value (0x0382C), in units of 1.024 us.
    pub(crate) TADV(u32) @ 0x0382c {}

    /// Transmit arbitration count (0x03840 + 0x100 n).
    pub(crate) TARC(u32)[QUEUES, stride = 0x100] @ 0x03840 {
        /// Transmit arbitration counter of the queue.
        6:0 count;
        /// Queue enable.
        10:10 enable => bool;
        /// Reserved; to be set in TARC0 (TX hang with a full internal buffer).
        26:26 reserved_26 => bool;
        /// Reserved; to be cleared in TARC0.
        30:27 reserved_30_27;
    }
}

// Filters (10.2.5).

register! {
    /// Multicast table array (0x05200): one bit for each value of the address hash.
    pub(crate) MTA(u32)[MTA_COUNT] @ 0x05200 {}

    /// Receive address low (0x05400 + 8 n): bytes 0 to 3 of the address.
    pub(crate) RAL(u32)[RAR_COUNT, stride = 8] @ 0x05400 {}

    /// Receive address high (0x05404 + 8 n).
    pub(crate) RAH(u32)[RAR_COUNT, stride = 8] @ 0x05404 {
        /// Bytes 4 and 5 of the address.
        15:0 rah;
        /// Address valid.
        31:31 av => bool;
    }

    /// VLAN filter table array (0x05600): one bit for each VLAN id.
    pub(crate) VFTA(u32)[VFTA_COUNT] @ 0x05600 {}
}

// RSS (10.2.5).

register! {
    /// Multiple receive queues command (0x05818).
    pub(crate) MRQC(u32) @ 0x05818 {
        /// 1 = RSS over two queues.
        1:0 mrqe;
        /// Hash over TCP/IPv4.
        16:16 tcp_ipv4 => bool;
        /// Hash over IPv4.
        17:17 ipv4 => bool;
        /// Hash over TCP/IPv6.
        18:18 tcp_ipv6 => bool;
        /// Hash over IPv6 with extension headers.
        19:19 ipv6_ex => bool;
        /// Hash over IPv6.
        20:20 ipv6 => bool;
    }

    /// Redirection table (0x05C00), four entries each; bit 7 of an entry is the queue.
    pub(crate) RETA(u32)[RETA_COUNT] @ 0x05c00 {}

    /// RSS random key (0x05C80).
    pub(crate) RSSRK(u32)[RSSRK_COUNT] @ 0x05c80 {}
}

// Wake-up and manageability (10.2.8, 10.2.9).

register! {
    /// Wake-up control (0x05800).
    pub(crate) WUC(u32) @ 0x05800 {
        /// APM enable.
        0:0 apme => bool;
        /// PME enable.
        1:1 pme_en => bool;
        /// PME status.
        2:2 pme_status => bool;
        /// Assert PME on APM wake-up.
        3:3 apmpme => bool;
    }

    /// Wake-up filter control (0x05808). Composed in [`wol`](crate::wol).
    pub(crate) WUFC(u32) @ 0x05808 {}

    /// Wake-up status (0x05810).
    pub(crate) WUS(u32) @ 0x05810 {}

    /// Management control (0x05820).
    pub(crate) MANC(u32) @ 0x05820 {
        /// Manageability receives packets.
        17:17 rcv_tco_en => bool;
        /// The firmware keeps the PHY link up: no PHY reset by software.
        18:18 keep_phy_link_up => bool;
        /// Manageability packets are passed to the host.
        21:21 en_mng2host => bool;
    }

    /// Management filters valid (0x05824). Only kept over resets, as the next.
    pub(crate) MFVAL(u32) @ 0x05824 {}

    /// Management flexible UDP and TCP ports (0x05828).
    pub(crate) MFUTP(u32)[MFUTP_COUNT, stride = 8] @ 0x05828 {}

    /// Management control to host (0x05860): a bit for each decision filter. Composed in
    /// [`manage`](crate::manage), as the next.
    pub(crate) MANC2H(u32) @ 0x05860 {}

    /// Manageability decision filters (0x05890).
    pub(crate) MDEF(u32)[MDEF_COUNT] @ 0x05890 {}

    /// Function active and power state (0x05B30).
    pub(crate) FACTPS(u32) @ 0x05b30 {
        /// The clock of the manageability unit is off.
        29:29 mngcg => bool;
    }

    /// Software semaphore (0x05B50).
    pub(crate) SWSM(u32) @ 0x05b50 {
        /// Semaphore between software agents.
        0:0 smbi => bool;
        /// Semaphore between software and firmware.
        1:1 swesmbi => bool;
    }

    /// Firmware semaphore (0x05B54).
    pub(crate) FWSM(u32) @ 0x05b54 {
        /// Firmware mode; 0 = none.
        3:1 fw_mode;
        /// The firmware is running.
        15:15 fw_valid => bool;
    }
}

// Time synchronisation (IEEE 1588). Read and written by [`ptp`](crate::ptp) alone.

register! {
    /// System time low (0x0B600): a read latches `SYSTIMH`.
    pub(crate) SYSTIML(u32) @ 0x0b600 {}

    /// System time high (0x0B604).
    pub(crate) SYSTIMH(u32) @ 0x0b604 {}

    /// Increment attributes (0x0B608). Composed in [`systim`](crate::systim).
    pub(crate) TIMINCA(u32) @ 0x0b608 {
        /// What is added to `SYSTIM` with each period.
        23:0 incvalue;
        /// Period, in ticks of the clock.
        31:24 incperiod;
    }

    /// Transmit time synchronisation control (0x0B614).
    pub(crate) TSYNCTXCTL(u32) @ 0x0b614 {
        /// There is a time stamp; a read of `TXSTMPH` clears it.
        0:0 valid => bool;
        /// Takes time stamps of frames whose descriptor asks for it.
        4:4 en => bool;
    }

    /// Transmit time stamp low (0x0B618).
    pub(crate) TXSTMPL(u32) @ 0x0b618 {}

    /// Transmit time stamp high (0x0B61C): a read lets the next one in.
    pub(crate) TXSTMPH(u32) @ 0x0b61c {}

    /// Receive time synchronisation control (0x0B620).
    pub(crate) TSYNCRXCTL(u32) @ 0x0b620 {
        /// There is a time stamp; a read of `RXSTMPH` clears it.
        0:0 valid => bool;
        /// Frames to be stamped: 0 = v2 over Ethernet, 1 = v1 over UDP, 2 = v2 over either, each
        /// with the message in `RXMTRL`; 4 = all frames; 5 = all events of v2.
        3:1 kind;
        /// Takes time stamps.
        4:4 en => bool;
    }

    /// Receive time stamp low (0x0B624).
    pub(crate) RXSTMPL(u32) @ 0x0b624 {}

    /// Receive time stamp high (0x0B628): a read lets the next one in.
    pub(crate) RXSTMPH(u32) @ 0x0b628 {}

    /// Received messages to be stamped (0x0B634).
    pub(crate) RXMTRL(u32) @ 0x0b634 {
        /// Ethertype of PTP over Ethernet.
        15:0 etype;
        /// Control field of a v1 message.
        23:16 ctrlt;
        /// Message type of a v2 message.
        31:24 msgt;
    }

    /// UDP port of messages to be stamped (0x0B638), in the byte order of the wire.
    pub(crate) RXUDP(u32) @ 0x0b638 {
        /// The port.
        15:0 uport;
    }
}

// PCIe (10.2.3).

register! {
    /// PCIe control (0x05B00).
    pub(crate) GCR(u32) @ 0x05b00 {
        /// Reserved, to be set (set-up list in the specification update).
        22:22 reserved_22 => bool;
        /// L1 may be entered with the receiver not in L0s.
        27:27 l1_act_without_l0s_rx => bool;
    }

    /// PCIe control 2 (0x05B64).
    pub(crate) GCR2(u32) @ 0x05b64 {
        /// Reserved, to be set: bad PCIe completions with ASPM.
        0:0 reserved_0 => bool;
    }
}

// Statistics (10.2.7): all clear on read.

register! {
    /// CRC errors (0x04000).
    pub(crate) CRCERRS(u32) @ 0x04000 {}
    /// Alignment errors (0x04004).
    pub(crate) ALGNERRC(u32) @ 0x04004 {}
    /// Receive errors signalled by the PHY (0x0400C).
    pub(crate) RXERRC(u32) @ 0x0400c {}
    /// Missed packets: no room in the packet buffer (0x04010).
    pub(crate) MPC(u32) @ 0x04010 {}
    /// Single collisions (0x04014).
    pub(crate) SCC(u32) @ 0x04014 {}
    /// Excessive collisions (0x04018).
    pub(crate) ECOL(u32) @ 0x04018 {}
    /// Multiple collisions (0x0401C).
    pub(crate) MCC(u32) @ 0x0401c {}
    /// Late collisions (0x04020).
    pub(crate) LATECOL(u32) @ 0x04020 {}
    /// Collisions (0x04028).
    pub(crate) COLC(u32) @ 0x04028 {}
    /// Deferred transmissions (0x04030).
    pub(crate) DC(u32) @ 0x04030 {}
    /// Carrier extension errors (0x0403C).
    pub(crate) CEXTERR(u32) @ 0x0403c {}
    /// Receive length errors (0x04040).
    pub(crate) RLEC(u32) @ 0x04040 {}
    /// XON received (0x04048).
    pub(crate) XONRXC(u32) @ 0x04048 {}
    /// XON transmitted (0x0404C).
    pub(crate) XONTXC(u32) @ 0x0404c {}
    /// XOFF received (0x04050).
    pub(crate) XOFFRXC(u32) @ 0x04050 {}
    /// XOFF transmitted (0x04054).
    pub(crate) XOFFTXC(u32) @ 0x04054 {}
    /// Unsupported flow control frames received (0x04058).
    pub(crate) FCRUC(u32) @ 0x04058 {}
    /// Packets received of 64 bytes (0x0405C).
    pub(crate) PRC64(u32) @ 0x0405c {}
    /// Packets received of 65 to 127 bytes (0x04060).
    pub(crate) PRC127(u32) @ 0x04060 {}
    /// Packets received of 128 to 255 bytes (0x04064).
    pub(crate) PRC255(u32) @ 0x04064 {}
    /// Packets received of 256 to 511 bytes (0x04068).
    pub(crate) PRC511(u32) @ 0x04068 {}
    /// Packets received of 512 to 1023 bytes (0x0406C).
    pub(crate) PRC1023(u32) @ 0x0406c {}
    /// Packets received of 1024 bytes and more (0x04070).
    pub(crate) PRC1522(u32) @ 0x04070 {}
    /// Good packets received (0x04074).
    pub(crate) GPRC(u32) @ 0x04074 {}
    /// Broadcast packets received (0x04078).
    pub(crate) BPRC(u32) @ 0x04078 {}
    /// Multicast packets received (0x0407C).
    pub(crate) MPRC(u32) @ 0x0407c {}
    /// Good packets transmitted (0x04080).
    pub(crate) GPTC(u32) @ 0x04080 {}
    /// Good octets received, low half (0x04088).
    pub(crate) GORCL(u32) @ 0x04088 {}
    /// Good octets received, high half (0x0408C); a read clears both halves.
    pub(crate) GORCH(u32) @ 0x0408c {}
    /// Good octets transmitted, low half (0x04090).
    pub(crate) GOTCL(u32) @ 0x04090 {}
    /// Good octets transmitted, high half (0x04094); a read clears both halves.
    pub(crate) GOTCH(u32) @ 0x04094 {}
    /// Received without a free buffer in host memory (0x040A0).
    pub(crate) RNBC(u32) @ 0x040a0 {}
    /// Undersized packets received (0x040A4).
    pub(crate) RUC(u32) @ 0x040a4 {}
    /// Fragments received (0x040A8).
    pub(crate) RFC(u32) @ 0x040a8 {}
    /// Oversized packets received (0x040AC).
    pub(crate) ROC(u32) @ 0x040ac {}
    /// Jabbers received (0x040B0).
    pub(crate) RJC(u32) @ 0x040b0 {}
    /// Management packets received (0x040B4).
    pub(crate) MNGPRC(u32) @ 0x040b4 {}
    /// Management packets dropped (0x040B8).
    pub(crate) MPDC(u32) @ 0x040b8 {}
    /// Management packets transmitted (0x040BC).
    pub(crate) MNGPTC(u32) @ 0x040bc {}
    /// Total octets received, low half (0x040C0).
    pub(crate) TORL(u32) @ 0x040c0 {}
    /// Total octets received, high half (0x040C4); a read clears both halves.
    pub(crate) TORH(u32) @ 0x040c4 {}
    /// Total octets transmitted, low half (0x040C8).
    pub(crate) TOTL(u32) @ 0x040c8 {}
    /// Total octets transmitted, high half (0x040CC); a read clears both halves.
    pub(crate) TOTH(u32) @ 0x040cc {}
    /// Total packets received (0x040D0).
    pub(crate) TPR(u32) @ 0x040d0 {}
    /// Total packets transmitted (0x040D4).
    pub(crate) TPT(u32) @ 0x040d4 {}
    /// Packets transmitted of 64 bytes (0x040D8).
    pub(crate) PTC64(u32) @ 0x040d8 {}
    /// Packets transmitted of 65 to 127 bytes (0x040DC).
    pub(crate) PTC127(u32) @ 0x040dc {}
    /// Packets transmitted of 128 to 255 bytes (0x040E0).
    pub(crate) PTC255(u32) @ 0x040e0 {}
    /// Packets transmitted of 256 to 511 bytes (0x040E4).
    pub(crate) PTC511(u32) @ 0x040e4 {}
    /// Packets transmitted of 512 to 1023 bytes (0x040E8).
    pub(crate) PTC1023(u32) @ 0x040e8 {}
    /// Packets transmitted of 1024 bytes and more (0x040EC).
    pub(crate) PTC1522(u32) @ 0x040ec {}
    /// Multicast packets transmitted (0x040F0).
    pub(crate) MPTC(u32) @ 0x040f0 {}
    /// Broadcast packets transmitted (0x040F4).
    pub(crate) BPTC(u32) @ 0x040f4 {}
    /// TCP segmentation contexts transmitted (0x040F8).
    pub(crate) TSCTC(u32) @ 0x040f8 {}
    /// TCP segmentation contexts that failed (0x040FC).
    pub(crate) TSCTFC(u32) @ 0x040fc {}
    /// Interrupt assertions (0x04100).
    pub(crate) IAC(u32) @ 0x04100 {}
}

/// A run of registers for the register dump (`ethtool -d`).
pub(crate) struct Dump {
    /// Offset of the first register, in bytes.
    pub(crate) offset: usize,
    /// Number of registers.
    pub(crate) count: usize,
    /// Distance of two registers, in bytes.
    pub(crate) stride: usize,
}

/// Describes a fixed register.
const fn one<T: FixedRegister>(_: &FixedRegisterLoc<T>) -> Dump {
    Dump {
        offset: T::OFFSET,
        count: 1,
        stride: 4,
    }
}

/// Describes the register array `T`.
const fn many<T: RegisterArray>() -> Dump {
    Dump {
        offset: T::OFFSET,
        count: T::SIZE,
        stride: T::STRIDE,
    }
}

/// Describes the first `count` registers of the array `T`.
const fn first_of<T: RegisterArray>(count: usize) -> Dump {
    Dump {
        offset: T::OFFSET,
        count,
        stride: T::STRIDE,
    }
}

/// Registers that can be read without a side effect, in the order of the dump. `ICR` and the
/// statistics are left out: a read clears them.
pub(crate) const DUMP: &[Dump] = &[
    one(&CTRL),
    one(&STATUS),
    one(&EECD),
    one(&CTRL_EXT),
    one(&MDIC),
    one(&FCAL),
    one(&FCAH),
    one(&FCT),
    one(&VET),
    one(&FCTTV),
    one(&LEDCTL),
    one(&EXTCNF_CTRL),
    one(&POEMB),
    one(&PBA),
    one(&PBS),
    one(&ITR),
    one(&IMS),
    one(&EIAC),
    one(&IAM),
    one(&IVAR),
    many::<EITR>(),
    one(&RCTL),
    one(&FCRTL),
    one(&FCRTH),
    one(&PSRCTL),
    many::<RDBAL>(),
    many::<RDBAH>(),
    many::<RDLEN>(),
    many::<RDH>(),
    many::<RDT>(),
    one(&RDTR),
    many::<RXDCTL>(),
    one(&RADV),
    one(&RXCSUM),
    one(&RFCTL),
    one(&TCTL),
    one(&TIPG),
    many::<TDBAL>(),
    many::<TDBAH>(),
    many::<TDLEN>(),
    many::<TDH>(),
    many::<TDT>(),
    one(&TIDV),
    many::<TXDCTL>(),
    one(&TADV),
    many::<TARC>(),
    many::<RAL>(),
    many::<RAH>(),
    many::<MTA>(),
    many::<VFTA>(),
    one(&MRQC),
    many::<RETA>(),
    many::<RSSRK>(),
    one(&WUC),
    one(&WUFC),
    one(&WUS),
    one(&MANC),
    one(&MANC2H),
    many::<MDEF>(),
    one(&FACTPS),
    one(&FWSM),
    one(&GCR),
    one(&GCR2),
    one(&TIMINCA),
    one(&TSYNCTXCTL),
    one(&TSYNCRXCTL),
    one(&RXMTRL),
    one(&RXUDP),
];

/// A run of registers that keep what is written to them, and the bits in which they do.
pub(crate) struct Storage {
    /// The registers.
    pub(crate) run: Dump,
    /// Bits that can be written and read back.
    pub(crate) mask: u32,
}

const fn storage(run: Dump, mask: u32) -> Storage {
    Storage { run, mask }
}

/// Registers that only store, for the register test: with receiver, transmitter and interrupts off
/// a write to them has no effect. Left out are those that a firmware may be using, and `TIDV`,
/// which QEMU's device does not let read.
pub(crate) const STORAGE: &[Storage] = &[
    storage(one(&FCAL), 0xffff_ffff),
    storage(one(&FCAH), 0x0000_ffff),
    storage(one(&FCT), 0x0000_ffff),
    storage(one(&VET), 0x0000_ffff),
    storage(one(&FCTTV), 0x0000_ffff),
    storage(one(&FCRTL), 0x0000_fff8),
    storage(one(&FCRTH), 0x0000_fff8),
    storage(one(&ITR), 0x0000_ffff),
    storage(many::<EITR>(), 0x0000_ffff),
    storage(one(&IVAR), 0x000f_ffff),
    storage(many::<RDBAL>(), 0xffff_fff0),
    storage(many::<RDBAH>(), 0xffff_ffff),
    storage(many::<RDLEN>(), 0x000f_ff80),
    storage(many::<RDH>(), 0x0000_ffff),
    storage(many::<RDT>(), 0x0000_ffff),
    storage(one(&RDTR), 0x0000_ffff),
    storage(one(&RADV), 0x0000_ffff),
    storage(many::<TDBAL>(), 0xffff_fff0),
    storage(many::<TDBAH>(), 0xffff_ffff),
    storage(many::<TDLEN>(), 0x000f_ff80),
    storage(many::<TDH>(), 0x0000_ffff),
    storage(many::<TDT>(), 0x0000_ffff),
    storage(one(&TADV), 0x0000_ffff),
    storage(one(&TIPG), 0x3fff_ffff),
    storage(many::<MTA>(), 0xffff_ffff),
    storage(many::<VFTA>(), 0xffff_ffff),
    storage(many::<RSSRK>(), 0xffff_ffff),
    // The queue of each of the four entries.
    storage(many::<RETA>(), 0x8080_8080),
];
