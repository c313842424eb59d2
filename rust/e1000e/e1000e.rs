// SPDX-License-Identifier: GPL-2.0

//! Driver for the Intel 82574L, 82574LA, 82579LM and 82579V Gigabit Ethernet controllers.
//!
//! Read it in this order; each layer uses only those below it:
//!
//! - callbacks: [`probe`], [`netdev`], [`ethtool`], [`selftest`];
//! - engine: [`nic`] (up and down), [`irq`], [`moderation`], [`rx`], [`tx`], [`ptp`], [`health`];
//! - chip: [`chip`] (what differs from one to the other), [`aspm`], [`phy`], [`link`], [`nvm`],
//!   [`filter`], [`rss`], [`counters`], [`ivar`], [`led`], [`wol`], [`manage`];
//! - registers: [`csr`], [`regs`], [`desc`], [`mdic`], [`systim`].
//!
//! What differs from chip to chip is behind three doors: [`chip::Chip`] (`chip/`), [`phy::Model`]
//! (`phy/`), [`nvm::Nvm`] (`nvm/`).
//!
//! "Datasheet" is the Intel 82574 GbE Controller Family Datasheet, "erratum" the specification
//! update that goes with it; commits are those of the Linux kernel.

#![forbid(unsafe_code)]

mod aspm;
mod chip;
mod counters;
mod csr;
mod desc;
mod ethtool;
mod filter;
mod health;
mod irq;
mod ivar;
mod led;
mod link;
mod manage;
mod mdic;
mod moderation;
mod netdev;
mod nic;
mod nvm;
mod phy;
mod probe;
mod ptp;
mod regs;
mod rss;
mod rx;
mod selftest;
mod systim;
mod tx;
mod wol;

kernel_ext::module_net_pci_driver! {
    type: probe::E1000e,
    name: "e1000e_rust",
    authors: ["The e1000e_rust developers"],
    description: "Intel 82574 and 82579 Gigabit Ethernet driver",
    license: "GPL",
    params: {
        int_mode: u8 {
            default: 2,
            description: "Best interrupt mode to use: 0 INTx, 1 MSI, 2 MSI-X (default)",
        },
        msix_vectors: u8 {
            default: 5,
            description: "Most MSI-X vectors to use: 5 (default), or 3",
        },
        aspm: u8 {
            default: 0,
            description: "0 switch ASPM L0s and L1 off on the link (default), 1 leave it alone",
        },
    },
}
