// SPDX-License-Identifier: GPL-2.0

//! Time stamps of frames (datasheet 10.2.10): one register pair for those sent, one for those
//! received, each locked by its stamp until that is read.

use crate::frame;
use crate::regs::{self, tsync};

/// Offset of the message in an Ethernet frame of PTP.
const ETHERNET: usize = 14;
/// Length of a UDP header.
const UDP: usize = 8;
/// Offset of the control field in a message.
const CONTROL: usize = 32;
/// Messages of v2 below that are events (IEEE 1588-2008 table 19).
const FIRST_GENERAL: u8 = 8;

/// A control register and the stamp behind it.
#[derive(Default)]
struct Latch {
    control: u32,
    stamp: u64,
}

impl Latch {
    /// Takes a stamp unless there is one; whether it did.
    fn take(&mut self, systim: u64) -> bool {
        if self.control & (tsync::EN | tsync::VALID) != tsync::EN {
            return false;
        }
        self.control |= tsync::VALID;
        self.stamp = systim;
        true
    }

    fn set(&mut self, value: u32) {
        self.control = value & tsync::SETTINGS | self.control & tsync::VALID;
    }

    /// The high half, which lets the next stamp in.
    fn high(&mut self) -> u32 {
        self.control &= !tsync::VALID;
        (self.stamp >> 32) as u32
    }
}

/// The unit.
#[derive(Default)]
pub struct Stamps {
    sent: Latch,
    received: Latch,
    /// `RXMTRL`: EtherType, control field of v1, message type of v2.
    message: u32,
    /// `RXUDP`: the port, as it is on the wire.
    port: u32,
}

impl Stamps {
    /// Reads one of its registers.
    pub fn read(&mut self, register: u32) -> Option<u32> {
        Some(match register {
            regs::TSYNCTXCTL => self.sent.control,
            regs::TXSTMPL => self.sent.stamp as u32,
            regs::TXSTMPH => self.sent.high(),
            regs::TSYNCRXCTL => self.received.control,
            regs::RXSTMPL => self.received.stamp as u32,
            regs::RXSTMPH => self.received.high(),
            regs::RXMTRL => self.message,
            regs::RXUDP => self.port,
            _ => return None,
        })
    }

    /// Writes one of its registers; whether it was one.
    pub fn write(&mut self, register: u32, value: u32) -> bool {
        match register {
            regs::TSYNCTXCTL => self.sent.set(value),
            regs::TSYNCRXCTL => self.received.set(value),
            regs::RXMTRL => self.message = value,
            regs::RXUDP => self.port = value & 0xffff,
            regs::TXSTMPL | regs::TXSTMPH | regs::RXSTMPL | regs::RXSTMPH => {}
            _ => return false,
        }
        true
    }

    /// A frame that asks for it has left.
    pub fn sent(&mut self, systim: u64) {
        self.sent.take(systim);
    }

    /// A frame has come; whether it got a stamp.
    pub fn received(&mut self, frame: &[u8], systim: u64) -> bool {
        self.wants(frame) && self.received.take(systim)
    }

    /// Whether frames like this one are to be stamped.
    fn wants(&self, frame: &[u8]) -> bool {
        let kind = self.received.control >> tsync::KIND_SHIFT & 7;
        if kind == tsync::ALL {
            return true;
        }
        let ethernet = u32::from(frame::be16(frame, 12)) == self.message & 0xffff;
        let headers = frame::parse(frame);
        let at = if ethernet && kind != tsync::V1 {
            ETHERNET
        } else {
            match headers.transport {
                Some(at) if !headers.tcp && kind != tsync::V2_ETHERNET => {
                    let port = (self.port as u16).swap_bytes();
                    if frame::be16(frame, at + 2) != port {
                        return false;
                    }
                    at + UDP
                }
                _ => return false,
            }
        };
        let octet = |at: usize| frame.get(at).copied().unwrap_or(0xff);
        let kind_of_message = octet(at) & 0xf;
        match kind {
            tsync::V1 => u32::from(octet(at + CONTROL)) == self.message >> 16 & 0xff,
            tsync::EVENTS => kind_of_message < FIRST_GENERAL,
            _ => u32::from(kind_of_message) == self.message >> 24 & 0xf,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(kind: u32, message: u32) -> Stamps {
        let mut stamps = Stamps::default();
        stamps.write(regs::TSYNCRXCTL, tsync::EN | kind << tsync::KIND_SHIFT);
        stamps.write(regs::RXMTRL, 0x88f7 | message << 24);
        stamps
    }

    fn ptp(message: u8) -> Vec<u8> {
        let mut frame = vec![0; 60];
        frame::put16(&mut frame, 12, 0x88f7);
        frame[ETHERNET] = message;
        frame
    }

    #[test]
    fn a_stamp_locks_the_registers_until_it_is_read() {
        let mut stamps = unit(tsync::V2_ETHERNET, 1);
        assert!(!stamps.received(&ptp(0), 1));
        assert!(stamps.received(&ptp(1), 5 << 32 | 6));
        assert!(!stamps.received(&ptp(1), 7));
        assert_eq!(stamps.read(regs::RXSTMPL), Some(6));
        assert_eq!(stamps.read(regs::RXSTMPH), Some(5));
        assert!(stamps.received(&ptp(1), 8));
    }

    #[test]
    fn events_and_all() {
        let mut events = unit(tsync::EVENTS, 0);
        assert!(!events.received(&ptp(8), 1));
        assert!(!events.received(&[0; 60], 1));
        assert!(events.received(&ptp(3), 1));
        assert!(unit(tsync::ALL, 0).received(&[0; 60], 1));
    }

    #[test]
    fn only_what_is_asked_for_is_stamped() {
        let mut stamps = Stamps::default();
        stamps.sent(1);
        assert_eq!(stamps.read(regs::TSYNCTXCTL), Some(0));
        stamps.write(regs::TSYNCTXCTL, tsync::EN | tsync::VALID);
        assert_eq!(stamps.read(regs::TSYNCTXCTL), Some(tsync::EN));
        stamps.sent(2);
        assert_eq!(
            stamps.read(regs::TSYNCTXCTL),
            Some(tsync::EN | tsync::VALID)
        );
        assert_eq!(stamps.read(regs::TXSTMPL), Some(2));
    }
}
