// SPDX-License-Identifier: GPL-2.0

//! PCI: the parts that mainline's `kernel::pci` lacks.

pub mod aspm;
pub mod enable;
pub mod link;
pub mod master;
pub mod wake;
