// SPDX-License-Identifier: GPL-2.0

//! A management controller (BMC) that shares the port: pass-through by the decision filters, and
//! an actor behind it that answers (datasheet 3.5, 10.2.8).
//!
//! What goes to it does not need the host: not `RCTL.EN`, not `CTRL.SLU`, not a function that is
//! awake; but the PHY's link. It sends back what it gets at the two ports of IPMI, so that the
//! other end can tell for how long it was cut off.

use crate::frame;

/// `MANC`: frames are passed through; those that `MANC2H` names go to the host, too.
pub const RCV_TCO_EN: u32 = 1 << 17;
pub const EN_MNG2HOST: u32 = 1 << 21;

/// Decision filters (`MDEF`).
pub const FILTERS: usize = 8;

/// `MDEF`: what is to be met, and of the rest what is enough (10.2.8.9).
mod mdef {
    pub const UNICAST_AND: u32 = 1 << 0;
    pub const BROADCAST_AND: u32 = 1 << 1;
    pub const UNICAST_OR: u32 = 1 << 4;
    pub const BROADCAST_OR: u32 = 1 << 5;
    pub const ARP_REQUEST: u32 = 1 << 7;
    pub const ARP_RESPONSE: u32 = 1 << 8;
    pub const PORT_664: u32 = 1 << 10;
    pub const PORT_623: u32 = 1 << 11;
    pub const OR: u32 = !0xf & !(1 << 6);
}

/// What the actor sets as it comes up: the two ports of IPMI to itself, by the third filter.
pub const FILTER: usize = 2;
pub const IPMI: u32 = mdef::PORT_664 | mdef::PORT_623;

const UDP: u8 = 17;

/// The actor.
#[derive(Default)]
pub struct Bmc {
    pub on: bool,
    /// Frames that were passed to it, and that it sent.
    pub received: u64,
    pub sent: u64,
    /// What it sends next.
    pub outbox: Vec<Vec<u8>>,
}

/// What a frame is, as far as decision filters look.
fn features(frame: &[u8], own: bool) -> u32 {
    let mut found = 0;
    if frame[..6] == [0xff; 6] {
        found |= mdef::BROADCAST_AND | mdef::BROADCAST_OR;
    } else if own {
        found |= mdef::UNICAST_AND | mdef::UNICAST_OR;
    }
    if frame::be16(frame, 12) == 0x0806 {
        found |= match frame::be16(frame, 20) {
            1 => mdef::ARP_REQUEST,
            2 => mdef::ARP_RESPONSE,
            _ => 0,
        };
    }
    let headers = frame::parse(frame);
    if let Some(at) = headers.transport.filter(|_| !headers.tcp) {
        found |= match frame::be16(frame, at + 2) {
            664 => mdef::PORT_664,
            623 => mdef::PORT_623,
            _ => 0,
        };
    }
    found
}

/// By which of the filters a frame passes, a bit each. `own`: it is for the station address.
pub fn passed(frame: &[u8], own: bool, filters: &[u32; FILTERS]) -> u32 {
    let found = features(frame, own);
    let mut passed = 0;
    for (number, filter) in filters.iter().enumerate() {
        let (all, any) = (filter & !mdef::OR, filter & mdef::OR);
        if *filter != 0 && found & all == all && (any == 0 || found & any != 0) {
            passed |= 1 << number;
        }
    }
    passed
}

impl Bmc {
    /// Takes a frame; a datagram for IPMI over IPv4 goes back to where it came from.
    pub fn take(&mut self, frame: &[u8]) {
        self.received += 1;
        let headers = frame::parse(frame);
        let Some(at) = headers.transport.filter(|_| headers.ipv4 && !headers.tcp) else {
            return;
        };
        if frame[headers.ip + 9] != UDP || frame[0] & 1 != 0 {
            return;
        }
        let mut answer = frame.to_vec();
        // Both ends change places, which leaves the checksums as they are.
        let mut swap = |first: usize, second: usize, length: usize| {
            for offset in 0..length {
                answer.swap(first + offset, second + offset);
            }
        };
        swap(0, 6, 6);
        swap(headers.ip + 12, headers.ip + 16, 4);
        swap(at, at + 2, 2);
        self.sent += 1;
        self.outbox.push(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(port: u16) -> Vec<u8> {
        let mut frame = vec![0u8; 60];
        frame[..12].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        frame[12] = 8;
        frame[14] = 0x45;
        frame[17] = 36;
        frame[23] = UDP;
        frame[26..34].copy_from_slice(&[10, 0, 0, 2, 10, 0, 0, 1]);
        frame::put16(&mut frame, 34, 4000);
        frame::put16(&mut frame, 36, port);
        frame
    }

    #[test]
    fn filters() {
        let only = |filter| [0, filter, 0, 0, 0, 0, 0, 0];
        assert_eq!(passed(&datagram(623), true, &only(IPMI)), 2);
        assert_eq!(passed(&datagram(664), true, &only(IPMI)), 2);
        assert_eq!(passed(&datagram(665), true, &only(IPMI)), 0);
        let with = only(IPMI | mdef::UNICAST_AND);
        assert_eq!(passed(&datagram(623), true, &with), 2);
        assert_eq!(passed(&datagram(623), false, &with), 0);
        assert_eq!(passed(&datagram(7), true, &only(mdef::UNICAST_AND)), 2);
    }

    #[test]
    fn answers() {
        let mut bmc = Bmc::default();
        bmc.take(&datagram(623));
        let answer = &bmc.outbox[0];
        assert_eq!(answer[..6], [2, 0, 0, 0, 0, 2]);
        assert_eq!(answer[26..34], [10, 0, 0, 1, 10, 0, 0, 2]);
        assert_eq!(frame::be16(answer, 34), 623);
        assert_eq!(frame::be16(answer, 36), 4000);
    }
}
