// SPDX-License-Identifier: GPL-2.0

//! Which frames the device accepts: receive addresses, the multicast hash and VLANs (82574
//! datasheet 7.1.1, 10.2.5).
//!
//! [`FilterState`] is the software's copy. It is programmed as a whole after each reset and each
//! change, so what the device holds never depends on history.
//!
//! Pure logic: needs nothing but `core`.

/// An Ethernet address.
pub(crate) type Address = [u8; 6];

/// Unicast addresses beside the primary one, at most.
pub(crate) const EXTRA_UNICAST: usize = 14;

/// Words of the multicast table array, at most.
pub(crate) const MTA_WORDS: usize = 128;

/// What one kind of chip has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Receive addresses that the driver may use, the primary one included.
    pub(crate) addresses: usize,
    /// Bits of a multicast address that are its place in the multicast table array.
    pub(crate) hash_bits: u32,
}

impl Limits {
    /// The 82574. It has 16 addresses; the last one is left alone, it is the manageability
    /// firmware's where the port is shared with a BMC.
    pub(crate) const I82574: Self = Self {
        addresses: 1 + EXTRA_UNICAST,
        hash_bits: 12,
    };

    /// The 82579. Its receive addresses 1 to 6 are the management engine's; it has four more that
    /// both may use (`SHRA`).
    pub(crate) const I82579: Self = Self {
        addresses: 5,
        hash_bits: 10,
    };

    /// Words of the multicast table array.
    pub(crate) const fn mta_words(&self) -> usize {
        1usize.wrapping_shl(self.hash_bits.saturating_sub(5))
    }
}

/// Words of the VLAN filter table array: a bit for each of 4096 VLANs.
pub(crate) const VFTA_WORDS: usize = 128;

/// The hash of a multicast address with `RCTL.MO` = 0: its highest `bits` bits, at most 12. With 12
/// that is bits 47:36 of the address, byte 5 above the upper half of byte 4.
pub(crate) const fn multicast_hash(address: &Address, bits: u32) -> u16 {
    let [_, _, _, _, byte4, byte5] = *address;
    u16::from_le_bytes([byte4, byte5]).wrapping_shr(16u32.saturating_sub(bits))
}

/// The two register values for a valid receive address: `RAL` and bits 15:0 of `RAH`.
pub(crate) const fn receive_address(address: &Address) -> (u32, u16) {
    let [a, b, c, d, e, f] = *address;
    (u32::from_le_bytes([a, b, c, d]), u16::from_le_bytes([e, f]))
}

/// The CRC that a frame to `address` begins with: what the 82579 must be told of its addresses
/// where frames are long (IEEE 802.3 clause 3.2.9, over six octets).
pub(crate) fn initial_crc(address: &Address) -> u32 {
    let mut crc = u32::MAX;
    for octet in address {
        crc ^= u32::from(*octet);
        for _ in 0..8 {
            let carry = crc & 1 != 0;
            crc >>= 1;
            if carry {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

/// Everything that decides which frames are received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterState {
    /// What the chip has.
    limits: &'static Limits,
    /// The interface's own address.
    primary: Address,
    /// More unicast addresses; the first `extra_len` are in use.
    extra: [Address; EXTRA_UNICAST],
    /// Number of addresses in `extra`.
    extra_len: usize,
    /// There were more unicast addresses than receive address registers.
    overflow: bool,
    /// The multicast table array.
    mta: [u32; MTA_WORDS],
    /// Receive everything.
    promisc: bool,
    /// Receive all multicast.
    allmulti: bool,
    /// The VLAN filter table array.
    vfta: [u32; VFTA_WORDS],
    /// Of frames with a tag, only receive those of the VLANs in `vfta`.
    vlan_filter: bool,
}

impl FilterState {
    /// Receives frames for `primary` and broadcasts.
    pub(crate) const fn new(primary: Address, limits: &'static Limits) -> Self {
        Self {
            limits,
            primary,
            extra: [[0; 6]; EXTRA_UNICAST],
            extra_len: 0,
            overflow: false,
            mta: [0; MTA_WORDS],
            promisc: false,
            allmulti: false,
            vfta: [0; VFTA_WORDS],
            vlan_filter: false,
        }
    }

    /// Receives frames of VLAN `vid`, from 0 to 4095, or no longer does.
    pub(crate) fn set_vlan(&mut self, vid: u16, wanted: bool) {
        if let Some(word) = self.vfta.get_mut(usize::from(vid >> 5)) {
            let bit = 1u32.wrapping_shl(u32::from(vid & 0x1f));
            if wanted {
                *word |= bit;
            } else {
                *word &= !bit;
            }
        }
    }

    /// Receives frames with a tag of the VLANs that were set only, or all of them.
    pub(crate) fn set_vlan_filter(&mut self, on: bool) {
        self.vlan_filter = on;
    }

    /// Changes the interface's own address.
    pub(crate) fn set_primary(&mut self, primary: Address) {
        self.primary = primary;
    }

    /// Forgets all addresses but the primary one, and sets the two modes. The first step of a
    /// change; [`add_unicast`](Self::add_unicast) and [`add_multicast`](Self::add_multicast)
    /// follow.
    pub(crate) fn begin(&mut self, promisc: bool, allmulti: bool) {
        self.extra_len = 0;
        self.overflow = false;
        self.mta = [0; MTA_WORDS];
        self.promisc = promisc;
        self.allmulti = allmulti;
    }

    /// Adds a unicast address. Where there is no room for it, all unicast is received instead.
    pub(crate) fn add_unicast(&mut self, address: &Address) {
        match self.extra.get_mut(self.extra_len) {
            Some(slot) if self.extra_len.saturating_add(1) < self.limits.addresses => {
                *slot = *address;
                self.extra_len = self.extra_len.saturating_add(1);
            }
            _ => self.overflow = true,
        }
    }

    /// Adds a multicast address.
    pub(crate) fn add_multicast(&mut self, address: &Address) {
        let hash = multicast_hash(address, self.limits.hash_bits);
        if let Some(word) = self.mta.get_mut(usize::from(hash >> 5)) {
            *word |= 1u32.wrapping_shl(u32::from(hash & 0x1f));
        }
    }

    /// What receive address register `index` is to hold; `None` = not valid.
    pub(crate) fn receive_address(&self, index: usize) -> Option<(u32, u16)> {
        let address = match index.checked_sub(1) {
            None => &self.primary,
            Some(i) if i < self.extra_len => self.extra.get(i)?,
            Some(_) => return None,
        };
        Some(receive_address(address))
    }

    /// The multicast table array.
    pub(crate) fn mta(&self) -> &[u32] {
        self.mta.get(..self.limits.mta_words()).unwrap_or(&[])
    }

    /// The VLAN filter table array.
    pub(crate) const fn vfta(&self) -> &[u32; VFTA_WORDS] {
        &self.vfta
    }

    /// `RCTL.VFE`: filter by VLAN.
    pub(crate) const fn filters_vlans(&self) -> bool {
        self.vlan_filter && !self.promisc
    }

    /// `RCTL.UPE`: receive all unicast.
    pub(crate) const fn unicast_promisc(&self) -> bool {
        self.promisc || self.overflow
    }

    /// `RCTL.MPE`: receive all multicast.
    pub(crate) const fn multicast_promisc(&self) -> bool {
        self.promisc || self.allmulti
    }
}
