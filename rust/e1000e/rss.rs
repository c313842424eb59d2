// SPDX-License-Identifier: GPL-2.0

//! Receive side scaling: which queue a frame goes to (82574 datasheet 7.1.2.8, 10.2.5).
//!
//! The chip hashes addresses and ports by Toeplitz's function with a key, and takes the queue from
//! a table at the lowest seven bits of the hash.
//!
//! Pure logic: needs nothing but `core`.

/// Octets of the key.
pub(crate) const KEY_LEN: usize = 40;

/// Entries of the redirection table.
pub(crate) const TABLE_LEN: usize = 128;

/// Bit of an entry of the table that is the queue.
const QUEUE_SHIFT: u32 = 7;

/// What the chip is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rss {
    /// Key of the hash.
    pub(crate) key: [u8; KEY_LEN],
    /// Queue of each entry, 0 or 1.
    table: [u8; TABLE_LEN],
    /// TCP over IPv4: hash over the ports, too.
    pub(crate) tcp4_ports: bool,
    /// TCP over IPv6: hash over the ports, too.
    pub(crate) tcp6_ports: bool,
}

impl Rss {
    /// Spreads evenly over `queues` queues, 1 or 2.
    pub(crate) fn new(key: [u8; KEY_LEN], queues: u32) -> Self {
        let mut this = Self {
            key,
            table: [0; TABLE_LEN],
            tcp4_ports: true,
            tcp6_ports: true,
        };
        this.spread(queues);
        this
    }

    /// Spreads evenly over `queues` queues, 1 or 2.
    pub(crate) fn spread(&mut self, queues: u32) {
        for (i, entry) in self.table.iter_mut().enumerate() {
            // CAST: 0 or 1.
            *entry = if queues > 1 { (i & 1) as u8 } else { 0 };
        }
    }

    /// Takes the queues of all entries; `false`, and nothing is changed, if there are more or less
    /// than the table has, or one is not 0 or 1.
    #[must_use]
    pub(crate) fn set_table(&mut self, queues: &[u32]) -> bool {
        if queues.len() != TABLE_LEN || queues.iter().any(|&queue| queue > 1) {
            return false;
        }
        for (to, &from) in self.table.iter_mut().zip(queues) {
            // CAST: Has just been checked.
            *to = from as u8;
        }
        true
    }

    /// The queues of all entries.
    pub(crate) fn table(&self) -> impl Iterator<Item = u32> + '_ {
        self.table.iter().map(|&queue| queue.into())
    }

    /// Values for the registers of the table, four entries each.
    pub(crate) fn reta(&self) -> impl Iterator<Item = u32> + '_ {
        self.table.chunks(4).map(|entries| {
            entries.iter().rev().fold(0, |word: u32, &queue| {
                word.wrapping_shl(8) | u32::from(queue).wrapping_shl(QUEUE_SHIFT)
            })
        })
    }

    /// Values for the registers of the key, four octets each.
    pub(crate) fn rssrk(&self) -> impl Iterator<Item = u32> + '_ {
        self.key.chunks(4).map(|octets| {
            octets.iter().rev().fold(0, |word: u32, &octet| {
                word.wrapping_shl(8) | u32::from(octet)
            })
        })
    }
}
