// SPDX-License-Identifier: GPL-2.0

//! Registers in BAR 0, by the names of the *Intel 82574 GbE Controller Family Datasheet*,
//! revision 3.4, chapter 10.2, in sections by unit.
//!
//! Written for the model alone: a number that is wrong in the driver's own list must not be right
//! here for the same reason.

// General (10.2.2).
pub const CTRL: u32 = 0x0_0000;
pub const STATUS: u32 = 0x0_0008;
pub const EEC: u32 = 0x0_0010;
pub const EERD: u32 = 0x0_0014;
pub const CTRL_EXT: u32 = 0x0_0018;
pub const FLA: u32 = 0x0_001C;
pub const MDIC: u32 = 0x0_0020;
pub const FCAL: u32 = 0x0_0028;
pub const FCAH: u32 = 0x0_002C;
pub const FCT: u32 = 0x0_0030;
pub const VET: u32 = 0x0_0038;
pub const FCTTV: u32 = 0x0_0170;
pub const LEDCTL: u32 = 0x0_0E00;
pub const POEMB: u32 = 0x0_0F10;
pub const EXTCNF_CTRL: u32 = 0x0_0F00;
pub const EXTCNF_SIZE: u32 = 0x0_0F08;
pub const PBA: u32 = 0x0_1000;
pub const PBS: u32 = 0x0_1008;
pub const EEMNGCTL: u32 = 0x0_1010;
pub const EEARBC: u32 = 0x0_1024;
pub const EEWR: u32 = 0x0_102C;
pub const FLOP: u32 = 0x0_103C;

pub mod ctrl {
    pub const FD: u32 = 1 << 0;
    pub const GIO_MASTER_DISABLE: u32 = 1 << 2;
    pub const SLU: u32 = 1 << 6;
    pub const SPEED_SHIFT: u32 = 8;
    pub const FRCSPD: u32 = 1 << 11;
    pub const FRCDPLX: u32 = 1 << 12;
    pub const RST: u32 = 1 << 26;
    pub const VME: u32 = 1 << 30;
    pub const PHY_RST: u32 = 1 << 31;
}

pub mod status {
    pub const FD: u32 = 1 << 0;
    pub const LU: u32 = 1 << 1;
    pub const SPEED_SHIFT: u32 = 6;
    pub const ASDV_SHIFT: u32 = 8;
    /// 82579: configured by the NVM; the 82574 has `ASDV` there.
    pub const LAN_INIT_DONE: u32 = 1 << 9;
    pub const PHYRA: u32 = 1 << 10;
    pub const GIO_MASTER_ENABLE: u32 = 1 << 19;
}

pub mod eec {
    pub const REQ: u32 = 1 << 6;
    pub const GNT: u32 = 1 << 7;
    pub const PRES: u32 = 1 << 8;
    pub const AUTO_RD: u32 = 1 << 9;
}

pub mod ctrl_ext {
    pub const EE_RST: u32 = 1 << 13;
    pub const EIAME: u32 = 1 << 24;
    pub const IAME: u32 = 1 << 27;
}

pub mod mdic {
    pub const DATA: u32 = 0xffff;
    pub const REG_SHIFT: u32 = 16;
    pub const PHY_SHIFT: u32 = 21;
    pub const FIELD: u32 = 0x1f;
    pub const OP_MASK: u32 = 3 << 26;
    pub const OP_WRITE: u32 = 1 << 26;
    pub const OP_READ: u32 = 2 << 26;
    pub const READY: u32 = 1 << 28;
    pub const INTERRUPT: u32 = 1 << 29;
    pub const ERROR: u32 = 1 << 30;
}

pub mod extcnf_ctrl {
    /// The software's claim to MDIO.
    pub const MDIO_SW: u32 = 1 << 5;
    /// The hardware's (configuration by the NVM, manageability).
    pub const MDIO_HW: u32 = 1 << 6;
    /// 82579: the PHY is configured by the driver, not by hardware.
    pub const GATE_PHY_CFG: u32 = 1 << 7;
    /// Where the configuration of the PHY is in the NVM, in units of 32 bits; from the NVM.
    pub const POINTER: u32 = 0x0fff_0000;
}

// Interrupts (10.2.4).
pub const ICR: u32 = 0x0_00C0;
pub const ITR: u32 = 0x0_00C4;
pub const ICS: u32 = 0x0_00C8;
pub const IMS: u32 = 0x0_00D0;
pub const IMC: u32 = 0x0_00D8;
pub const EIAC: u32 = 0x0_00DC;
pub const IAM: u32 = 0x0_00E0;
pub const IVAR: u32 = 0x0_00E4;
pub const EITR: u32 = 0x0_00E8;
pub const EITR_LAST: u32 = EITR + 4 * 4;

/// Bits of `ICR` and its kin.
pub mod cause {
    pub const TXDW: u32 = 1 << 0;
    pub const TXQE: u32 = 1 << 1;
    pub const LSC: u32 = 1 << 2;
    pub const RXDMT0: u32 = 1 << 4;
    pub const RXO: u32 = 1 << 6;
    pub const RXT0: u32 = 1 << 7;
    pub const MDAC: u32 = 1 << 9;
    pub const SRPD: u32 = 1 << 16;
    pub const ACK: u32 = 1 << 17;
    pub const MNG: u32 = 1 << 18;
    pub const RXQ0: u32 = 1 << 20;
    pub const RXQ1: u32 = 1 << 21;
    pub const TXQ0: u32 = 1 << 22;
    pub const TXQ1: u32 = 1 << 23;
    pub const OTHER: u32 = 1 << 24;
    pub const INT_ASSERTED: u32 = 1 << 31;
    /// What also sets `OTHER`.
    pub const OTHERS: u32 = LSC | RXO | MDAC | SRPD | ACK | MNG;
}

// Receive (10.2.5).
pub const RCTL: u32 = 0x0_0100;
pub const ERT: u32 = 0x0_2008;
pub const FCRTL: u32 = 0x0_2160;
pub const FCRTH: u32 = 0x0_2168;
pub const PSRCTL: u32 = 0x0_2170;
pub const RADV: u32 = 0x0_282C;
pub const RSRPD: u32 = 0x0_2C00;
pub const RAID: u32 = 0x0_2C08;
pub const RXCSUM: u32 = 0x0_5000;
pub const RFCTL: u32 = 0x0_5008;
pub const MTA: u32 = 0x0_5200;
pub const RAL0: u32 = 0x0_5400;
pub const VFTA: u32 = 0x0_5600;
pub const MRQC: u32 = 0x0_5818;
pub const RETA: u32 = 0x0_5C00;
pub const RSSRK: u32 = 0x0_5C80;
/// The first receive queue's block; the next is `QUEUE` on.
pub const RDBAL: u32 = 0x0_2800;

pub mod rctl {
    pub const EN: u32 = 1 << 1;
    pub const UPE: u32 = 1 << 3;
    pub const MPE: u32 = 1 << 4;
    pub const LPE: u32 = 1 << 5;
    pub const LBM: u32 = 3 << 6;
    pub const RDMTS_SHIFT: u32 = 8;
    /// Descriptor type: packet split is 1.
    pub const DTYP_SHIFT: u32 = 10;
    pub const MO_SHIFT: u32 = 12;
    pub const BAM: u32 = 1 << 15;
    pub const BSIZE_SHIFT: u32 = 16;
    pub const VFE: u32 = 1 << 18;
    pub const BSEX: u32 = 1 << 25;
    pub const SECRC: u32 = 1 << 26;
    pub const FLXBUF_SHIFT: u32 = 27;
}

pub mod rxcsum {
    pub const IPOFL: u32 = 1 << 8;
    pub const TUOFL: u32 = 1 << 9;
    pub const PCSD: u32 = 1 << 13;
}

pub mod rfctl {
    pub const ACK_DIS: u32 = 1 << 12;
    pub const ACKD_DIS: u32 = 1 << 13;
    pub const EXSTEN: u32 = 1 << 15;
}

pub mod mrqc {
    pub const ENABLE: u32 = 3;
    pub const RSS: u32 = 1;
    pub const TCP4: u32 = 1 << 16;
    pub const IP4: u32 = 1 << 17;
    pub const TCP6: u32 = 1 << 18;
    pub const IP6_EX: u32 = 1 << 19;
    pub const IP6: u32 = 1 << 20;
}

// Transmit (10.2.6).
pub const TCTL: u32 = 0x0_0400;
pub const TIPG: u32 = 0x0_0410;
pub const AIT: u32 = 0x0_0458;
pub const TDBAL: u32 = 0x0_3800;
pub const TIDV: u32 = 0x0_3820;
pub const TADV: u32 = 0x0_382C;

pub mod tctl {
    pub const EN: u32 = 1 << 1;
    pub const PSP: u32 = 1 << 3;
}

/// A queue's registers, from its block's start.
pub mod queue {
    pub const BAL: u32 = 0x00;
    pub const BAH: u32 = 0x04;
    pub const LEN: u32 = 0x08;
    pub const HEAD: u32 = 0x10;
    pub const TAIL: u32 = 0x18;
    /// `RDTR` of a receive queue.
    pub const DELAY: u32 = 0x20;
    pub const DCTL: u32 = 0x28;
    /// `TARC` of a transmit queue.
    pub const TARC: u32 = 0x40;
    /// From one queue to the next.
    pub const STEP: u32 = 0x100;
}

// Statistics (10.2.7).
pub const STATISTICS: u32 = 0x0_4000;
pub const STATISTICS_END: u32 = 0x0_4128;
pub const MPC: u32 = 0x0_4010;
pub const PRC64: u32 = 0x0_405C;
pub const GPRC: u32 = 0x0_4074;
pub const BPRC: u32 = 0x0_4078;
pub const MPRC: u32 = 0x0_407C;
pub const GPTC: u32 = 0x0_4080;
pub const GORCL: u32 = 0x0_4088;
pub const GOTCL: u32 = 0x0_4090;
pub const ROC: u32 = 0x0_40AC;
pub const TORL: u32 = 0x0_40C0;
pub const TOTL: u32 = 0x0_40C8;
pub const TPR: u32 = 0x0_40D0;
pub const TPT: u32 = 0x0_40D4;
pub const PTC64: u32 = 0x0_40D8;
pub const MPTC: u32 = 0x0_40F0;
pub const BPTC: u32 = 0x0_40F4;
pub const TSCTC: u32 = 0x0_40F8;

// Manageability and wake-up (10.2.8, 10.2.9), host interface.
pub const WUC: u32 = 0x0_5800;
pub const WUFC: u32 = 0x0_5808;
pub const WUS: u32 = 0x0_5810;
pub const MANC: u32 = 0x0_5820;
pub const IPAV: u32 = 0x0_5838;
pub const MDEF: u32 = 0x0_5890;
pub const MANC2H: u32 = 0x0_5860;
pub const GCR: u32 = 0x0_5B00;
pub const FACTPS: u32 = 0x0_5B30;
pub const SWSM: u32 = 0x0_5B50;
pub const FWSM: u32 = 0x0_5B54;
pub const SWSM2: u32 = 0x0_5B58;
pub const GCR2: u32 = 0x0_5B64;

pub mod swsm {
    pub const SMBI: u32 = 1 << 0;
    pub const SWESMBI: u32 = 1 << 1;
}

// Time stamps (10.2.10).
pub const SYSTIML: u32 = 0x0_B600;
pub const SYSTIMH: u32 = 0x0_B604;
pub const TIMINCA: u32 = 0x0_B608;
pub const TSYNCTXCTL: u32 = 0x0_B614;
pub const TXSTMPL: u32 = 0x0_B618;
pub const TXSTMPH: u32 = 0x0_B61C;
pub const TSYNCRXCTL: u32 = 0x0_B620;
pub const RXSTMPL: u32 = 0x0_B624;
pub const RXSTMPH: u32 = 0x0_B628;
pub const RXMTRL: u32 = 0x0_B634;
pub const RXUDP: u32 = 0x0_B638;

/// `TSYNCTXCTL` and `TSYNCRXCTL`.
pub mod tsync {
    pub const VALID: u32 = 1 << 0;
    pub const KIND_SHIFT: u32 = 1;
    pub const EN: u32 = 1 << 4;
    pub const SETTINGS: u32 = 0x1e;
    /// Kinds of frames received.
    pub const V2_ETHERNET: u32 = 0;
    pub const V1: u32 = 1;
    pub const ALL: u32 = 4;
    pub const EVENTS: u32 = 5;
}
pub const TIMADJL: u32 = 0x0_B60C;
pub const TIMADJH: u32 = 0x0_B610;
