// SPDX-License-Identifier: GPL-2.0

//! Reception: filters, the packet buffer, queues by RSS, legacy and extended descriptors,
//! checksums, tags (datasheet 7.1, 10.2.5).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::faults::{DescriptorMode, Descriptors};
use crate::frame::{self, Headers};
use crate::memory::{DmaError, Memory};
use crate::regs::{self, cause, mrqc, queue, rctl, rfctl, rxcsum};
use crate::statistics::Statistics;

pub const QUEUES: usize = 2;
pub const ADDRESSES: usize = 16;

/// Longest frame without `RCTL.LPE`, with its check sequence (10.2.5.1).
const LONGEST: usize = 1522;

/// Packet split: the headers are in a buffer of their own.
const SPLIT: u16 = 1 << 15;

/// `RDTR` and `RADV`: units of 1.024 us.
const TICK: Duration = Duration::from_nanos(1024);

/// Status of a descriptor, legacy and extended alike (7.1.3).
mod status {
    pub const DD: u32 = 1 << 0;
    pub const EOP: u32 = 1 << 1;
    pub const IXSM: u32 = 1 << 2;
    pub const VP: u32 = 1 << 3;
    pub const UDPCS: u32 = 1 << 4;
    pub const TCPCS: u32 = 1 << 5;
    pub const IPCS: u32 = 1 << 6;
    pub const PIF: u32 = 1 << 7;
    /// Extended only: a UDP checksum was there.
    pub const UDPV: u32 = 1 << 10;
    /// Extended only: there is a time stamp.
    pub const TST: u32 = 1 << 8;
    /// Errors of extended descriptors; of legacy ones 24 bits lower, in a byte of their own.
    pub const TCPE: u32 = 1 << 29;
    pub const IPE: u32 = 1 << 30;
}

/// Where a frame goes and what is told of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Verdict {
    status: u32,
    vlan: u16,
    hash: u32,
    hash_kind: u32,
    queue: usize,
}

/// A receive queue.
#[derive(Default)]
pub struct Queue {
    pub base: u64,
    pub length: u32,
    pub head: u32,
    pub tail: u32,
    pub delay: u32,
    pub dctl: u32,
    delayed: Option<(Instant, Instant)>,
}

/// A write of a descriptor that a fault holds back.
struct Held {
    due: Option<Instant>,
    address: u64,
    data: [u8; 16],
}

/// What a look at the packet buffer brought.
#[derive(Default)]
pub struct Outcome {
    /// For each queue, whether an interrupt is due at once.
    pub done: [bool; QUEUES],
    /// For each queue, whether few descriptors are left.
    pub few: [bool; QUEUES],
    /// Causes that are no queue's.
    pub other: u32,
}

/// The unit.
pub struct Rx {
    pub queues: [Queue; QUEUES],
    pub rctl: u32,
    pub radv: u32,
    pub rxcsum: u32,
    pub rfctl: u32,
    /// Small packets have up to so many bytes (`RSRPD`), none if 0.
    pub small: u32,
    /// Sizes of a packet split descriptor's four buffers.
    pub psrctl: u32,
    pub mrqc: u32,
    pub vet: u16,
    /// `CTRL.VME`: tags are taken off.
    pub strip: bool,
    pub mta: [u32; 128],
    pub vfta: [u32; 128],
    /// `RAL` and `RAH`; those from 7 on are `SHRA` of the 82579, shared with its firmware.
    pub addresses: [[u32; 2]; ADDRESSES],
    pub reta: [u32; 32],
    pub key: [u32; 10],
    /// Bytes that the packet buffer has for reception (`PBA`).
    pub room: usize,
    /// Frames, and whether they have a time stamp.
    buffer: VecDeque<(Vec<u8>, bool)>,
    used: usize,
    held: VecDeque<Held>,
}

impl Rx {
    pub fn new() -> Self {
        Self {
            queues: std::array::from_fn(|_| Queue {
                dctl: 1 << 16, // write-back threshold
                ..Queue::default()
            }),
            rctl: 0,
            radv: 0,
            rxcsum: rxcsum::IPOFL | rxcsum::TUOFL,
            rfctl: 0,
            small: 0,
            psrctl: 0x0004_0402,
            mrqc: 0,
            vet: 0x8100,
            strip: false,
            mta: [0; 128],
            vfta: [0; 128],
            addresses: [[0; 2]; ADDRESSES],
            reta: [0; 32],
            key: [0; 10],
            room: 20 * 1024,
            buffer: VecDeque::new(),
            used: 0,
            held: VecDeque::new(),
        }
    }

    /// A register of a queue's block, if it is one.
    pub fn register(&mut self, number: usize, offset: u32) -> Option<&mut u32> {
        let queue = self.queues.get_mut(number)?;
        match offset {
            queue::LEN => Some(&mut queue.length),
            queue::HEAD => Some(&mut queue.head),
            queue::TAIL => Some(&mut queue.tail),
            queue::DELAY => Some(&mut queue.delay),
            queue::DCTL => Some(&mut queue.dctl),
            _ => None,
        }
    }

    /// The tables (10.2.5), if `register` is in one of them.
    pub fn table(&mut self, register: u32) -> Option<&mut u32> {
        let at = |base: u32| (register.wrapping_sub(base) / 4) as usize;
        match register {
            regs::MTA..=0x53fc => self.mta.get_mut(at(regs::MTA)),
            regs::RAL0..=0x547c => {
                let at = at(regs::RAL0);
                self.addresses.get_mut(at / 2).map(|pair| &mut pair[at % 2])
            }
            regs::VFTA..=0x57fc => self.vfta.get_mut(at(regs::VFTA)),
            regs::RETA..=0x5c7c => self.reta.get_mut(at(regs::RETA)),
            regs::RSSRK..=0x5ca4 => self.key.get_mut(at(regs::RSSRK)),
            _ => None,
        }
    }

    /// A frame from the wire, which gets a time stamp by `stamp` or not; whether the buffer
    /// overran.
    pub fn receive(
        &mut self,
        mut frame: Vec<u8>,
        statistics: &mut Statistics,
        stamp: impl FnOnce(&[u8]) -> bool,
    ) -> bool {
        if self.rctl & rctl::EN == 0 || frame.len() < 14 {
            return false;
        }
        let tagged = frame::be16(&frame, 12) == self.vet;
        let largest = if self.rctl & rctl::LPE != 0 {
            16 * 1024
        } else {
            LONGEST
        };
        if frame.len() + 4 > largest {
            statistics.add(regs::ROC, 1);
            return false;
        }
        if frame.len() < frame::LEAST {
            frame.resize(frame::LEAST, 0);
        }
        statistics.add(regs::TPR, 0);
        if !self.accepts(&frame, tagged) {
            return false;
        }
        if self.used + frame.len() > self.room {
            statistics.add(regs::MPC, 1);
            return true;
        }
        self.used += frame.len();
        statistics.frame(&frame[..6], frame.len() + 4, true);
        let stamped = stamp(&frame);
        self.buffer.push_back((frame, stamped));
        false
    }

    /// Destination and VLAN filters (7.1.1).
    fn accepts(&self, frame: &[u8], tagged: bool) -> bool {
        let address = &frame[..6];
        let multicast = address[0] & 1 != 0;
        let passes = if address.iter().all(|byte| *byte == 0xff) {
            self.rctl & rctl::BAM != 0 || self.rctl & rctl::MPE != 0
        } else if multicast {
            self.rctl & rctl::MPE != 0 || self.in_mta(address)
        } else {
            self.rctl & rctl::UPE != 0
        };
        if !passes && !self.exact(address) {
            return false;
        }
        if tagged && self.rctl & rctl::VFE != 0 {
            let vlan = usize::from(frame::be16(frame, 14) & 0xfff);
            return self.vfta[vlan / 32] >> (vlan % 32) & 1 != 0;
        }
        true
    }

    pub fn exact(&self, address: &[u8]) -> bool {
        let low = u32::from_le_bytes([address[0], address[1], address[2], address[3]]);
        let high = u32::from(u16::from_le_bytes([address[4], address[5]]));
        self.addresses
            .iter()
            .any(|pair| pair[1] >> 31 != 0 && pair[0] == low && pair[1] & 0xffff == high)
    }

    fn in_mta(&self, address: &[u8]) -> bool {
        let shift = [4, 3, 2, 0][(self.rctl >> rctl::MO_SHIFT & 3) as usize];
        let hash = (u16::from_le_bytes([address[4], address[5]]) >> shift & 0xfff) as usize;
        self.mta[hash / 32] >> (hash % 32) & 1 != 0
    }

    /// Moves frames from the buffer to memory as far as there are descriptors.
    pub fn run(&mut self, memory: &mut Memory, fault: &mut Descriptors, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        self.release(memory, now);
        while let Some((frame, stamped)) = self.buffer.front() {
            let mut verdict = self.judge(frame);
            verdict.status |= if *stamped { status::TST } else { 0 };
            let number = verdict.queue;
            if self.queues[number].available() == 0 {
                break;
            }
            // The device is as good as without memory if the bus does not take it.
            let Some((frame, _)) = self.buffer.pop_front() else {
                break;
            };
            self.used -= frame.len();
            outcome.other |= self.noticed(&frame);
            if self.deliver(memory, &frame, verdict, fault, now) == Ok(true) {
                self.notify(number, now, &mut outcome);
            }
        }
        outcome
    }

    /// Causes that a frame raises by what it is: an acknowledgment of TCP, a small packet.
    fn noticed(&self, frame: &[u8]) -> u32 {
        let mut causes = 0;
        let headers = frame::parse(frame);
        if self.rfctl & rfctl::ACK_DIS == 0
            && headers.acknowledges(frame, self.rfctl & rfctl::ACKD_DIS == 0)
        {
            causes |= cause::ACK;
        }
        if frame.len() <= self.small as usize {
            causes |= cause::SRPD;
        }
        causes
    }

    fn notify(&mut self, number: usize, now: Instant, outcome: &mut Outcome) {
        let radv = self.radv & 0xffff;
        let threshold = [2, 4, 8, 2][(self.rctl >> rctl::RDMTS_SHIFT & 3) as usize];
        let queue = &mut self.queues[number];
        outcome.few[number] |= queue.available() == queue.count() / threshold;
        let delay = queue.delay & 0xffff;
        if delay == 0 {
            outcome.done[number] = true;
            return;
        }
        let last = match (queue.delayed, radv) {
            (Some((_, last)), _) => last,
            (None, 0) => now + Duration::from_secs(1),
            (None, _) => now + TICK * radv,
        };
        queue.delayed = Some((now + TICK * delay, last));
    }

    /// Interrupts that were delayed and are due, by queue, and when to look again.
    pub fn delayed(&mut self, now: Instant) -> ([bool; QUEUES], Option<Instant>) {
        let mut due = [false; QUEUES];
        let mut next = self.held.iter().filter_map(|held| held.due).min();
        for (number, queue) in self.queues.iter_mut().enumerate() {
            if let Some((soon, last)) = queue.delayed {
                let at = soon.min(last);
                if at <= now {
                    queue.delayed = None;
                    due[number] = true;
                } else {
                    next = Some(next.map_or(at, |next| next.min(at)));
                }
            }
        }
        (due, next)
    }

    /// What is known of a frame before it is written.
    fn judge(&self, frame: &[u8]) -> Verdict {
        let headers = frame::parse(frame);
        let mut verdict = Verdict::default();
        if !self.exact(&frame[..6]) {
            verdict.status |= status::PIF;
        }
        self.sums(frame, &headers, &mut verdict);
        if frame::be16(frame, 12) == self.vet && self.strip {
            verdict.status |= status::VP;
            verdict.vlan = frame::be16(frame, 14);
        }
        if self.mrqc & mrqc::ENABLE == mrqc::RSS {
            self.hash(frame, &headers, &mut verdict);
        }
        verdict
    }

    fn sums(&self, frame: &[u8], headers: &Headers, verdict: &mut Verdict) {
        if self.rxcsum & (rxcsum::IPOFL | rxcsum::TUOFL) == 0 {
            verdict.status |= status::IXSM;
            return;
        }
        if headers.ipv4 && self.rxcsum & rxcsum::IPOFL != 0 {
            verdict.status |= status::IPCS;
            if !headers.ip_good(frame) {
                verdict.status |= status::IPE;
            }
        }
        if self.rxcsum & rxcsum::TUOFL != 0 {
            if let Some(good) = headers.transport_good(frame) {
                verdict.status |= status::TCPCS;
                if !headers.tcp {
                    verdict.status |= status::UDPCS | status::UDPV;
                }
                if !good {
                    verdict.status |= status::TCPE;
                }
            }
        }
    }

    /// RSS (7.1.2.8): the hash by the fields that are enabled, the queue by the table.
    fn hash(&self, frame: &[u8], headers: &Headers, verdict: &mut Verdict) {
        let ip = headers.ip;
        let (addresses, with_ports, alone, kinds) = if headers.ipv4 {
            (ip + 12..ip + 20, mrqc::TCP4, mrqc::IP4, (1, 2))
        } else if headers.ipv6 {
            (
                ip + 8..ip + 40,
                mrqc::TCP6,
                mrqc::IP6 | mrqc::IP6_EX,
                (3, 5),
            )
        } else {
            return;
        };
        let mut data = frame[addresses].to_vec();
        match headers.transport {
            Some(at) if headers.tcp && self.mrqc & with_ports != 0 => {
                data.extend_from_slice(&frame[at..at + 4]);
                verdict.hash_kind = kinds.0;
            }
            _ if self.mrqc & alone != 0 => verdict.hash_kind = kinds.1,
            _ => return,
        }
        let mut key = [0; 40];
        for (bytes, word) in key.chunks_exact_mut(4).zip(&self.key) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        verdict.hash = frame::toeplitz(&key, &data);
        let index = (verdict.hash & 0x7f) as usize;
        let entry = self.reta[index / 4] >> (8 * (index % 4)) & 0xff;
        verdict.queue = (entry >> 7) as usize;
    }

    /// Bytes of a buffer (`RCTL.BSIZE`, `BSEX`, `FLXBUF`).
    fn buffer_size(&self) -> usize {
        let flexible = (self.rctl >> rctl::FLXBUF_SHIFT & 0xf) as usize;
        if flexible > 0 {
            return flexible * 1024;
        }
        let size = 2048 >> (self.rctl >> rctl::BSIZE_SHIFT & 3);
        size * if self.rctl & rctl::BSEX != 0 { 16 } else { 1 }
    }

    /// Writes a frame; whether it fitted.
    fn deliver(
        &mut self,
        memory: &mut Memory,
        frame: &[u8],
        verdict: Verdict,
        fault: &mut Descriptors,
        now: Instant,
    ) -> Result<bool, DmaError> {
        let mut data = frame.to_vec();
        if self.rctl & rctl::SECRC == 0 {
            data.extend_from_slice(&frame::crc(frame));
        }
        if verdict.status & status::VP != 0 {
            data.drain(12..16);
        }
        if self.splits() {
            return self.deliver_split(memory, &data, frame::parse(&data).headers(&data), verdict);
        }
        let size = self.buffer_size();
        let extended = self.rfctl & rfctl::EXSTEN != 0;
        let needed = data.len().div_ceil(size) as u32;
        if self.queues[verdict.queue].available() < needed {
            return Ok(false); // cut short in hardware, too
        }
        let parts = data.chunks(size);
        let last = parts.len() - 1;
        for (index, part) in parts.enumerate() {
            let address = self.queues[verdict.queue].next();
            let mut buffer = [0; 8];
            memory.read(address, &mut buffer)?;
            memory.write(u64::from_le_bytes(buffer), part)?;
            let mut status = status::DD;
            if index == last {
                status |= verdict.status | status::EOP;
            }
            let mode = fault.take();
            let length = match mode {
                Some(DescriptorMode::Length) => 0xffff,
                Some(DescriptorMode::Empty) => 0,
                _ => part.len() as u16,
            };
            let mut written = if extended {
                extended_descriptor(&verdict, self.rxcsum, status, length)
            } else {
                legacy_descriptor(buffer, &verdict, status, length)
            };
            if mode == Some(DescriptorMode::Reserved) {
                reserved(&mut written, extended);
            }
            self.write_back(memory, address, written, mode, fault.ms, now)?;
        }
        Ok(true)
    }

    /// Whether descriptors are those for packet split (`RCTL.DTYP`), of twice the size.
    fn splits(&self) -> bool {
        self.rfctl & rfctl::EXSTEN != 0 && self.rctl >> rctl::DTYP_SHIFT & 3 == 1
    }

    /// Sizes of the four buffers (`PSRCTL`), the first in units of 128 bytes.
    fn split_sizes(&self) -> [usize; 4] {
        let field = |shift: u32, mask: u32| (self.psrctl >> shift & mask) as usize;
        [
            field(0, 0x7f) * 128,
            field(8, 0x3f) * 1024,
            field(16, 0x3f) * 1024,
            field(24, 0x3f) * 1024,
        ]
    }

    /// Writes a frame to packet split descriptors, its headers to the first buffer alone if they
    /// fit; whether it fitted.
    fn deliver_split(
        &mut self,
        memory: &mut Memory,
        data: &[u8],
        headers: usize,
        verdict: Verdict,
    ) -> Result<bool, DmaError> {
        let sizes = self.split_sizes();
        let split = headers > 0 && headers <= sizes[0].min(data.len());
        let first = if split { headers } else { sizes[0] };
        let (first, mut rest) = data.split_at(first.min(data.len()));
        let room = sizes[1..].iter().sum::<usize>();
        let more = rest.len().saturating_sub(room).div_ceil(room.max(1));
        let needed = 2 * (1 + more as u32);
        if (room == 0 && !rest.is_empty()) || self.queues[verdict.queue].available() < needed {
            return Ok(false);
        }
        for number in 0..=more {
            let address = self.queues[verdict.queue].next();
            self.queues[verdict.queue].next();
            let mut pointers = [0; 32];
            memory.read(address, &mut pointers)?;
            let mut lengths = [0; 4];
            for (index, pointer) in pointers.chunks_exact(8).enumerate() {
                let part = match (index, number) {
                    (0, 0) => first,
                    (0, _) => &[],
                    _ => {
                        let (part, left) = rest.split_at(rest.len().min(sizes[index]));
                        rest = left;
                        part
                    }
                };
                if !part.is_empty() {
                    let at = u64::from_le_bytes(pointer.try_into().unwrap_or_default());
                    memory.write(at, part)?;
                }
                lengths[index] = part.len() as u16;
            }
            let mut status = status::DD;
            if number == more {
                status |= verdict.status | status::EOP;
            }
            let mut written = [0; 32];
            let head = extended_descriptor(&verdict, self.rxcsum, status, lengths[0]);
            written[..16].copy_from_slice(&head);
            let header = if split && number == 0 {
                SPLIT | headers as u16
            } else {
                0
            };
            written[16..18].copy_from_slice(&header.to_le_bytes());
            for (bytes, length) in written[18..24].chunks_exact_mut(2).zip(&lengths[1..]) {
                bytes.copy_from_slice(&length.to_le_bytes());
            }
            memory.write_descriptor(address, &written, 8)?;
        }
        Ok(true)
    }

    fn write_back(
        &mut self,
        memory: &mut Memory,
        address: u64,
        data: [u8; 16],
        mode: Option<DescriptorMode>,
        ms: u64,
        now: Instant,
    ) -> Result<(), DmaError> {
        match mode {
            Some(DescriptorMode::Late) => self.held.push_back(Held {
                due: Some(now + Duration::from_millis(ms)),
                address,
                data,
            }),
            Some(DescriptorMode::Order) => self.held.push_back(Held {
                due: None,
                address,
                data,
            }),
            _ => {
                write_one(memory, address, &data, self.rfctl)?;
                // What was to come out of order may now.
                while let Some(held) = self.held.pop_front_if_waiting() {
                    write_one(memory, held.address, &held.data, self.rfctl)?;
                }
            }
        }
        Ok(())
    }

    /// Writes what was held back until now.
    fn release(&mut self, memory: &mut Memory, now: Instant) {
        while let Some(held) = self.held.front() {
            if held.due.is_none_or(|due| due > now) {
                break;
            }
            if let Some(held) = self.held.pop_front() {
                // Memory that is gone by now need not be written.
                let _ = write_one(memory, held.address, &held.data, self.rfctl);
            }
        }
    }
}

trait Waiting {
    fn pop_front_if_waiting(&mut self) -> Option<Held>;
}

impl Waiting for VecDeque<Held> {
    fn pop_front_if_waiting(&mut self) -> Option<Held> {
        if self.front()?.due.is_none() {
            return self.pop_front();
        }
        None
    }
}

impl Queue {
    fn count(&self) -> u32 {
        self.length / 16
    }

    fn available(&self) -> u32 {
        let count = self.count();
        if self.head >= count || self.tail >= count {
            return 0;
        }
        (self.tail + count - self.head) % count
    }

    /// The address of the next descriptor, which is used up.
    fn next(&mut self) -> u64 {
        let address = self.base + u64::from(self.head) * 16;
        self.head += 1;
        if self.head >= self.count() {
            self.head = 0;
        }
        address
    }
}

fn write_one(
    memory: &mut Memory,
    address: u64,
    data: &[u8; 16],
    rfctl: u32,
) -> Result<(), DmaError> {
    let last = if rfctl & rfctl::EXSTEN != 0 { 8 } else { 12 };
    memory.write_descriptor(address, data, last)
}

/// Extended: what was hashed, the hash, status and errors, length, tag.
fn extended_descriptor(verdict: &Verdict, rxcsum: u32, status: u32, length: u16) -> [u8; 16] {
    let mut data = [0; 16];
    let mrq = verdict.hash_kind | (verdict.queue as u32) << 8;
    data[0..4].copy_from_slice(&mrq.to_le_bytes());
    if rxcsum & rxcsum::PCSD != 0 {
        data[4..8].copy_from_slice(&verdict.hash.to_le_bytes());
    }
    data[8..12].copy_from_slice(&status.to_le_bytes());
    data[12..14].copy_from_slice(&length.to_le_bytes());
    data[14..16].copy_from_slice(&verdict.vlan.to_le_bytes());
    data
}

/// Legacy (7.1.3): the buffer's address stays.
fn legacy_descriptor(buffer: [u8; 8], verdict: &Verdict, status: u32, length: u16) -> [u8; 16] {
    let mut data = [0; 16];
    data[0..8].copy_from_slice(&buffer);
    data[8..10].copy_from_slice(&length.to_le_bytes());
    data[12] = status as u8;
    data[13] = (status >> 24) as u8;
    data[14..16].copy_from_slice(&verdict.vlan.to_le_bytes());
    data
}

/// Sets the bits that must be zero: of the queue and hash kind, and status 19:16, 14:11.
fn reserved(data: &mut [u8; 16], extended: bool) {
    if extended {
        data[0] |= 0xf0;
        data[1] |= 0xe0;
        data[2] = 0xff;
        data[3] = 0xff;
        data[9] |= 0x78;
        data[10] |= 0x0f;
    } else {
        data[13] |= 0x18;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(destination: [u8; 6]) -> Vec<u8> {
        let mut frame = vec![0; 60];
        frame[..6].copy_from_slice(&destination);
        frame
    }

    fn unit() -> Rx {
        let mut unit = Rx::new();
        unit.rctl = rctl::EN | rctl::BAM;
        unit.addresses[0] = [0x1200_5452, 0x8000_0134];
        unit
    }

    #[test]
    fn filters() {
        let own = [0x52, 0x54, 0x00, 0x12, 0x34, 0x01];
        let mut unit = unit();
        assert!(unit.accepts(&frame(own), false));
        assert!(unit.accepts(&frame([0xff; 6]), false));
        let other = [0x52, 0x54, 0x00, 0x12, 0x34, 0x02];
        assert!(!unit.accepts(&frame(other), false));
        unit.rctl |= rctl::UPE;
        assert!(unit.accepts(&frame(other), false));
        let group = [0x01, 0, 0x5e, 0, 0, 0x01];
        assert!(!unit.accepts(&frame(group), false));
        // Bits 47:36 of the address, 0x010.
        unit.mta[0] = 1 << 16;
        assert!(unit.accepts(&frame(group), false));
    }

    #[test]
    fn a_full_buffer_overruns() {
        let mut unit = unit();
        unit.room = 100;
        let mut statistics = Statistics::default();
        assert!(!unit.receive(frame([0xff; 6]), &mut statistics, |_| false));
        assert!(unit.receive(frame([0xff; 6]), &mut statistics, |_| false));
        assert_eq!(statistics.peek(regs::MPC), 1);
    }

    #[test]
    fn long_frames_need_leave() {
        let mut unit = unit();
        let mut statistics = Statistics::default();
        let mut long = frame([0xff; 6]);
        long.resize(LONGEST - 3, 0);
        unit.receive(long.clone(), &mut statistics, |_| false);
        assert_eq!(statistics.peek(regs::ROC), 1);
        unit.rctl |= rctl::LPE;
        unit.receive(long, &mut statistics, |_| false);
        assert_eq!(statistics.peek(regs::GPRC), 1);
    }

    #[test]
    fn acknowledgments_and_small_packets() {
        let mut unit = unit();
        let mut ack = frame([0xff; 6]);
        frame::put16(&mut ack, 12, 0x0800);
        ack[14] = 0x45;
        ack[17] = 40;
        ack[23] = 6;
        ack[46] = 0x50;
        ack[47] = 1 << 4;
        assert_eq!(unit.noticed(&ack), cause::ACK);
        unit.rfctl = rfctl::ACKD_DIS;
        ack[17] = 41;
        assert_eq!(unit.noticed(&ack), 0, "with data");
        unit.small = 60;
        assert_eq!(unit.noticed(&ack), cause::SRPD);
        unit.rfctl = rfctl::ACK_DIS;
        unit.small = 59;
        assert_eq!(unit.noticed(&ack), 0);
    }

    #[test]
    fn ring_arithmetic() {
        let mut queue = Queue {
            length: 64,
            tail: 3,
            ..Queue::default()
        };
        assert_eq!(queue.available(), 3);
        for _ in 0..3 {
            queue.next();
        }
        assert_eq!(queue.available(), 0);
        queue.tail = 2;
        assert_eq!(queue.available(), 3);
        queue.tail = 9; // beyond the ring
        assert_eq!(queue.available(), 0);
    }
}
