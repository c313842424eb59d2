// SPDX-License-Identifier: GPL-2.0

//! Networking: the parts that mainline's `kernel::net` lacks.

pub mod device;
pub mod dim;
pub mod ethtool;
pub mod hwtstamp;
pub mod irq;
pub mod napi;
pub mod pci;
pub mod qstats;
pub mod rtnl;
pub mod skbuff;
pub mod txq;
