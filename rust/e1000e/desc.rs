// SPDX-License-Identifier: GPL-2.0

//! Descriptors, as two 64-bit little-endian words each.
//!
//! Pure: knows neither rings nor memory. Datasheet 3.2.4 (receive, extended) and 3.3.4 to 3.3.6
//! (transmit).

/// A descriptor as it stands in memory.
pub(crate) type Words = [u64; 2];

/// Size of a descriptor in bytes.
pub(crate) const SIZE: u32 = 16;

/// An extended receive descriptor.
pub(crate) mod rx {
    use super::Words;

    /// A descriptor that offers a buffer at bus address `addr`; clears what was written back.
    pub(crate) const fn offer(addr: u64) -> Words {
        [addr, 0]
    }

    /// The second word of a descriptor that the chip may have written back: status and errors in
    /// the lower half, length and VLAN tag in the upper.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct WriteBack(u64);

    impl WriteBack {
        const DD: u64 = 1 << 0;
        const EOP: u64 = 1 << 1;
        /// The frame had a VLAN tag, which was taken off.
        const VP: u64 = 1 << 3;
        /// Ignore the checksum indications.
        const IXSM: u64 = 1 << 2;
        const UDPCS: u64 = 1 << 4;
        const TCPCS: u64 = 1 << 5;
        /// Time stamp taken.
        const TST: u64 = 1 << 8;
        /// CRC or alignment, symbol, sequence, carrier extension, receive data.
        const FRAME_ERRORS: u64 = 1 << 24 | 1 << 25 | 1 << 26 | 1 << 28 | 1 << 31;
        /// TCP or UDP checksum, IP checksum.
        const CHECKSUM_ERRORS: u64 = 1 << 29 | 1 << 30;

        /// Takes the second word of a descriptor.
        #[inline]
        pub(crate) const fn new(word: u64) -> Self {
            Self(word)
        }

        /// Whether the chip is done with the descriptor.
        #[inline]
        pub(crate) const fn done(self) -> bool {
            self.0 & Self::DD != 0
        }

        /// Whether the frame ends in this descriptor.
        #[inline]
        pub(crate) const fn end_of_packet(self) -> bool {
            self.0 & Self::EOP != 0
        }

        /// Number of bytes in this descriptor's buffer, as the chip says.
        #[inline]
        pub(crate) const fn len(self) -> u32 {
            (self.0 >> 32) as u32 & 0xffff
        }

        /// The VLAN tag (TCI) that was taken off the frame, if any. To be looked at with
        /// [`WriteBack::end_of_packet`].
        #[inline]
        pub(crate) const fn vlan_tag(self) -> Option<u16> {
            if self.0 & Self::VP != 0 {
                Some((self.0 >> 48) as u16)
            } else {
                None
            }
        }

        /// Whether the frame was damaged. To be looked at with [`WriteBack::end_of_packet`].
        #[inline]
        pub(crate) const fn damaged(self) -> bool {
            self.0 & Self::FRAME_ERRORS != 0
        }

        /// Whether the chip has taken a time stamp of the frame. To be looked at with
        /// [`WriteBack::end_of_packet`].
        #[inline]
        pub(crate) const fn time_stamped(self) -> bool {
            self.0 & Self::TST != 0
        }

        /// Whether the chip verified the TCP or UDP checksum and found it right.
        #[inline]
        pub(crate) const fn checksum_ok(self) -> bool {
            self.0 & Self::IXSM == 0
                && self.0 & (Self::TCPCS | Self::UDPCS) != 0
                && self.0 & Self::CHECKSUM_ERRORS == 0
        }

        /// Whether the chip verified a checksum and found it wrong.
        #[inline]
        pub(crate) const fn checksum_bad(self) -> bool {
            self.0 & Self::IXSM == 0 && self.0 & Self::CHECKSUM_ERRORS != 0
        }
    }

    /// The first word of a descriptor that the chip has written back: what the hash covers in the
    /// lower half, the hash in the upper.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Hash(u64);

    impl Hash {
        /// RSS type (82574 datasheet 7.1.2.8.1): none, TCP over IPv4, TCP over IPv6.
        const TYPE: u64 = 0xf;
        const TCP_IPV4: u64 = 1;
        const TCP_IPV6: u64 = 3;

        /// Takes the first word of a descriptor.
        #[inline]
        pub(crate) const fn new(word: u64) -> Self {
            Self(word)
        }

        /// The hash, and whether it covers the ports; [`None`] if there is none.
        #[inline]
        pub(crate) const fn get(self) -> Option<(u32, bool)> {
            match self.0 & Self::TYPE {
                0 => None,
                kind => {
                    let ports = kind == Self::TCP_IPV4 || kind == Self::TCP_IPV6;
                    // CAST: the upper half.
                    Some(((self.0 >> 32) as u32, ports))
                }
            }
        }
    }
}

/// Transmit descriptors.
pub(crate) mod tx {
    use super::Words;

    const DTYP_DATA: u64 = 1 << 20;
    const EOP: u64 = 1 << 24;
    const IFCS: u64 = 1 << 25;
    /// In a context descriptor: the packet is TCP.
    const TUCMD_TCP: u64 = 1 << 24;
    /// In a context descriptor: the packet is IPv4.
    const TUCMD_IP: u64 = 1 << 25;
    const TSE: u64 = 1 << 26;
    const RS: u64 = 1 << 27;
    const DEXT: u64 = 1 << 29;
    const VLE: u64 = 1 << 30;
    const DD: u64 = 1 << 32;
    const TSTAMP: u64 = 1 << 36;
    const POPTS_IXSM: u64 = 1 << 40;
    const POPTS_TXSM: u64 = 1 << 41;

    /// Largest offset or header length that a context descriptor can name, in bytes.
    pub(crate) const MAX_OFFSET: u32 = 0xff;

    /// What the chip is to do with a frame beside sending it.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) enum Offload {
        /// Nothing.
        None,
        /// Sum up from byte `start` on and put the checksum at byte `field`.
        Checksum {
            /// Offset of the first byte summed up.
            start: u8,
            /// Offset of the checksum.
            field: u8,
        },
        /// Cut into segments.
        Segment {
            /// TCP over IPv6 rather than IPv4.
            ipv6: bool,
            /// Offset of the IP header.
            network: u8,
            /// Offset of the TCP header.
            transport: u8,
            /// Length of all headers.
            header_len: u8,
            /// Payload of each segment.
            mss: u16,
            /// Payload of all segments.
            payload: u32,
        },
    }

    impl Offload {
        /// The context descriptor that goes before the data, if one is needed.
        pub(crate) const fn context(self) -> Option<Words> {
            match self {
                Offload::None => None,
                Offload::Checksum { start, field } => {
                    // IPCSS, IPCSO, IPCSE (0: end of packet), TUCSS, TUCSO, TUCSE (0).
                    let low = (start as u64) << 32 | (field as u64) << 40;
                    Some([low, DEXT])
                }
                Offload::Segment {
                    ipv6,
                    network,
                    transport,
                    header_len,
                    mss,
                    payload,
                } => {
                    // The IPv4 header checksum is at byte 10 of its header, the TCP one at 16.
                    let ip = if ipv6 {
                        network as u64
                    } else {
                        network as u64
                            | (network.wrapping_add(10) as u64) << 8
                            | (transport.wrapping_sub(1) as u64) << 16
                    };
                    let low =
                        ip | (transport as u64) << 32 | (transport.wrapping_add(16) as u64) << 40;
                    let high = (payload & 0xf_ffff) as u64
                        | TSE
                        | DEXT
                        | TUCMD_TCP
                        | if ipv6 { 0 } else { TUCMD_IP }
                        | (header_len as u64) << 40
                        | (mss as u64) << 48;
                    Some([low, high])
                }
            }
        }
    }

    /// What all data descriptors of a frame have in common.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Common(u64);

    impl Common {
        /// For a frame with this offload, into which the chip is to put the VLAN tag (TCI) `vlan`.
        #[inline]
        pub(crate) const fn new(offload: Offload, vlan: Option<u16>) -> Self {
            let options = match offload {
                Offload::None => 0,
                Offload::Checksum { .. } => POPTS_TXSM,
                Offload::Segment { ipv6: true, .. } => TSE | POPTS_TXSM,
                Offload::Segment { ipv6: false, .. } => TSE | POPTS_TXSM | POPTS_IXSM,
            };
            let tag = match vlan {
                Some(tci) => VLE | (tci as u64) << 48,
                None => 0,
            };
            Self(DEXT | IFCS | DTYP_DATA | options | tag)
        }

        /// The same, and the chip is to take a time stamp.
        #[inline]
        pub(crate) const fn with_time_stamp(self) -> Self {
            Self(self.0 | TSTAMP)
        }
    }

    /// A data descriptor for `len` bytes at bus address `addr`; `last` ends the frame and asks for
    /// a write-back.
    #[inline]
    pub(crate) const fn data(addr: u64, len: u32, common: Common, last: bool) -> Words {
        let end = if last { EOP | RS } else { 0 };
        [addr, (len & 0xf_ffff) as u64 | common.0 | end]
    }

    /// Whether the chip has written back a descriptor with this second word.
    #[inline]
    pub(crate) const fn done(word: u64) -> bool {
        word & DD != 0
    }
}
