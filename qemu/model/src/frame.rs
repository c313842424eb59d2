// SPDX-License-Identifier: GPL-2.0

//! Frames: what the chip's filters and offloads look at.

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_VLAN: u16 = 0x8100;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// A frame on the wire has at least so many bytes, less the check sequence.
pub const LEAST: usize = 60;

pub fn be16(frame: &[u8], at: usize) -> u16 {
    match frame.get(at..at + 2) {
        Some(pair) => u16::from_be_bytes([pair[0], pair[1]]),
        None => 0,
    }
}

/// Puts 16 bits at `at`, if the frame has such bytes.
pub fn put16(frame: &mut [u8], at: usize, value: u16) {
    if let Some(pair) = frame.get_mut(at..at.saturating_add(2)) {
        pair.copy_from_slice(&value.to_be_bytes());
    }
}

pub fn put32(frame: &mut [u8], at: usize, value: u32) {
    if let Some(bytes) = frame.get_mut(at..at.saturating_add(4)) {
        bytes.copy_from_slice(&value.to_be_bytes());
    }
}

/// The one's complement sum of the internet checksum, folded, not inverted.
pub fn sum(data: &[u8], start: u32) -> u16 {
    let mut sum = u64::from(start);
    for pair in data.chunks(2) {
        sum += u64::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The frame check sequence (IEEE 802.3 3.2.9), as it lies in memory.
pub fn crc(data: &[u8]) -> [u8; 4] {
    let mut crc = !0u32;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 != 0 { 0xedb8_8320 } else { 0 };
        }
    }
    (!crc).to_le_bytes()
}

/// What of a frame was understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Offset of the IP header.
    pub ip: usize,
    pub ipv4: bool,
    pub ipv6: bool,
    /// Part of a larger datagram.
    pub fragment: bool,
    /// Offset of the TCP or UDP header, if it is one.
    pub transport: Option<usize>,
    pub tcp: bool,
    /// End of the IP datagram in the frame.
    pub end: usize,
}

/// Looks into a frame.
pub fn parse(frame: &[u8]) -> Headers {
    let mut headers = Headers::default();
    let mut at = 12;
    if be16(frame, at) == ETHERTYPE_VLAN {
        at += 4;
    }
    let kind = be16(frame, at);
    at += 2;
    headers.ip = at;
    match kind {
        ETHERTYPE_IPV4 if frame.len() >= at + 20 && frame[at] >> 4 == 4 => {
            let length = usize::from(frame[at] & 0xf) * 4;
            headers.ipv4 = length >= 20 && frame.len() >= at + length;
            headers.end = (at + usize::from(be16(frame, at + 2))).min(frame.len());
            headers.fragment = be16(frame, at + 6) & 0x3fff != 0;
            headers.protocol(frame[at + 9], at + length);
        }
        ETHERTYPE_IPV6 if frame.len() >= at + 40 && frame[at] >> 4 == 6 => {
            headers.ipv6 = true;
            headers.end = (at + 40 + usize::from(be16(frame, at + 4))).min(frame.len());
            headers.protocol(frame[at + 6], at + 40);
        }
        _ => {}
    }
    headers
}

impl Headers {
    fn protocol(&mut self, protocol: u8, at: usize) {
        let least = match protocol {
            TCP => 20,
            UDP => 8,
            _ => return,
        };
        if !self.fragment && (self.ipv4 || self.ipv6) && at + least <= self.end {
            self.transport = Some(at);
            self.tcp = protocol == TCP;
        }
    }

    /// How long the headers are that go before data, 0 if the frame is not IP.
    pub fn headers(&self, frame: &[u8]) -> usize {
        match self.transport {
            Some(at) if self.tcp => at + usize::from(frame[at + 12] >> 4) * 4,
            Some(at) => at + 8,
            None if self.ipv4 => self.ip + usize::from(frame[self.ip] & 0xf) * 4,
            None if self.ipv6 => self.ip + 40,
            None => 0,
        }
    }

    pub fn ip_good(&self, frame: &[u8]) -> bool {
        let length = usize::from(frame[self.ip] & 0xf) * 4;
        sum(&frame[self.ip..self.ip + length], 0) == 0xffff
    }

    /// Whether it acknowledges something by TCP, and has data only if it may.
    pub fn acknowledges(&self, frame: &[u8], with_data: bool) -> bool {
        let Some(at) = self.transport.filter(|_| self.tcp) else {
            return false;
        };
        let data = at + usize::from(frame[at + 12] >> 4) * 4;
        frame[at + 13] & 1 << 4 != 0 && (with_data || data >= self.end)
    }

    /// Whether the checksum of TCP or UDP is right; `None` if it has none.
    pub fn transport_good(&self, frame: &[u8]) -> Option<bool> {
        let at = self.transport?;
        if !self.tcp && be16(frame, at + 6) == 0 {
            return None;
        }
        let addresses = if self.ipv4 {
            &frame[self.ip + 12..self.ip + 20]
        } else {
            &frame[self.ip + 8..self.ip + 40]
        };
        let protocol = u32::from(if self.tcp { TCP } else { UDP });
        let pseudo = u32::from(sum(addresses, protocol)) + (self.end - at) as u32;
        Some(sum(&frame[at..self.end], pseudo) == 0xffff)
    }
}

/// The Toeplitz hash (7.1.2.8.1) of `data` with a key.
pub fn toeplitz(key: &[u8; 40], data: &[u8]) -> u32 {
    let mut hash = 0;
    let mut window = u32::from_be_bytes([key[0], key[1], key[2], key[3]]);
    for (index, byte) in data.iter().enumerate() {
        for bit in 0..8 {
            if byte >> (7 - bit) & 1 != 0 {
                hash ^= window;
            }
            let next = key.get(index + 4).copied().unwrap_or(0) >> (7 - bit) & 1;
            window = window << 1 | u32::from(next);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_sequence_of_the_usual_example() {
        assert_eq!(u32::from_le_bytes(crc(b"123456789")), 0xcbf4_3926);
    }

    #[test]
    fn hash_of_the_published_example() {
        // Microsoft's verification suite for RSS, IPv4 with ports.
        const KEY: [u8; 40] = [
            0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
            0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
            0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
        ];
        let data = [66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6];
        assert_eq!(toeplitz(&KEY, &data), 0x51cc_c178);
        assert_eq!(toeplitz(&KEY, &data[..8]), 0x323e_8fc2);
    }

    #[test]
    fn udp_over_ipv4() {
        let mut frame = vec![0; 14 + 20 + 8 + 2];
        put16(&mut frame, 12, ETHERTYPE_IPV4);
        frame[14] = 0x45;
        put16(&mut frame, 16, 30);
        frame[23] = UDP;
        let ip = !sum(&frame[14..34], 0);
        put16(&mut frame, 24, ip);
        put16(&mut frame, 38, 10);
        put16(&mut frame, 42, 0xabcd);
        let headers = parse(&frame);
        assert_eq!((headers.transport, headers.tcp), (Some(34), false));
        assert_eq!(headers.headers(&frame), 42);
        assert!(headers.ip_good(&frame));
        assert_eq!(headers.transport_good(&frame), None);
        let pseudo = u32::from(UDP) + 10;
        let udp = !sum(&frame[34..44], pseudo);
        put16(&mut frame, 40, udp);
        assert_eq!(headers.transport_good(&frame), Some(true));
        frame[43] ^= 1;
        assert_eq!(headers.transport_good(&frame), Some(false));
    }
}
