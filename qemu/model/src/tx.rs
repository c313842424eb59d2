// SPDX-License-Identifier: GPL-2.0

//! Transmission: rings of legacy, context and data descriptors; checksums, segmentation, tags
//! (datasheet 7.2, 10.2.6).

use std::time::{Duration, Instant};

use crate::frame;
use crate::memory::{DmaError, Memory};
use crate::regs::queue;

pub const QUEUES: usize = 2;

/// Descriptor commands, legacy and data (7.2.10, 7.2.11).
mod dcmd {
    pub const EOP: u32 = 1 << 24;
    pub const IC: u32 = 1 << 26;
    pub const TSE: u32 = 1 << 26;
    pub const RS: u32 = 1 << 27;
    pub const DEXT: u32 = 1 << 29;
    pub const VLE: u32 = 1 << 30;
    pub const IDE: u32 = 1 << 31;
}

/// Extended data descriptors: a time stamp is asked for.
const TSTAMP: u64 = 1 << 36;

const IXSM: u8 = 1 << 0;
const TXSM: u8 = 1 << 1;
const TUCMD_TCP: u32 = 1 << 24;
const TUCMD_IPV4: u32 = 1 << 25;

/// `TADV` and `TIDV`: units of 1.024 us.
const TICK: Duration = Duration::from_nanos(1024);

/// No frame is larger than what the packet buffer could hold.
const LARGEST: usize = 256 * 1024;

/// A checksum or segmentation context (7.2.11.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    pub ipcss: usize,
    pub ipcso: usize,
    pub ipcse: usize,
    pub tucss: usize,
    pub tucso: usize,
    pub tucse: usize,
    pub payload: usize,
    pub header: usize,
    pub mss: usize,
    pub tcp: bool,
    pub ipv4: bool,
}

impl Context {
    fn new(low: u64, high: u64) -> Self {
        let byte = |value: u64, shift: u32| (value >> shift & 0xff) as usize;
        let word = |value: u64, shift: u32| (value >> shift & 0xffff) as usize;
        Self {
            ipcss: byte(low, 0),
            ipcso: byte(low, 8),
            ipcse: word(low, 16),
            tucss: byte(low, 32),
            tucso: byte(low, 40),
            tucse: word(low, 48),
            payload: (high & 0xf_ffff) as usize,
            header: byte(high, 40),
            mss: word(high, 48),
            tcp: high as u32 & TUCMD_TCP != 0,
            ipv4: high as u32 & TUCMD_IPV4 != 0,
        }
    }
}

/// A frame as the descriptors describe it, before it is cut up.
#[derive(Default)]
struct Assembly {
    data: Vec<u8>,
    popts: u8,
    segment: bool,
    vlan: Option<u16>,
    /// Legacy: sum up from here, put it there.
    legacy_sum: Option<(usize, usize)>,
    begun: bool,
}

/// A transmit queue.
#[derive(Default)]
pub struct Queue {
    pub base: u64,
    pub length: u32,
    pub head: u32,
    pub tail: u32,
    pub dctl: u32,
    pub tarc: u32,
    context: Context,
    assembly: Assembly,
    /// A delayed interrupt is due, and at last.
    delayed: Option<(Instant, Instant)>,
}

/// What a look at the rings brought.
#[derive(Default)]
pub struct Outcome {
    pub frames: Vec<Vec<u8>>,
    /// For each queue, whether descriptors were written back that ask for an interrupt.
    pub done: [bool; QUEUES],
    /// For each queue, whether it ran empty.
    pub empty: [bool; QUEUES],
    /// Frames that were cut up.
    pub segmented: u64,
    /// A frame was sent that is to be stamped.
    pub stamp: bool,
    pub more: bool,
}

/// The unit.
#[derive(Default)]
pub struct Tx {
    pub queues: [Queue; QUEUES],
    /// `TIDV`, `TADV`.
    pub delay: u32,
    pub absolute: u32,
    /// EtherType of tags (`VET`).
    pub vet: u16,
    /// `CTRL.VME`: descriptors may have tags put in.
    pub tag: bool,
}

/// `TARC`: the queue sends.
const ENABLE: u32 = 1 << 10;

impl Tx {
    pub fn new() -> Self {
        let mut unit = Self {
            vet: 0x8100,
            ..Self::default()
        };
        for queue in &mut unit.queues {
            queue.tarc = ENABLE | 3;
        }
        unit
    }

    /// A register of a queue's block, if it is one.
    pub fn register(&mut self, number: usize, offset: u32) -> Option<&mut u32> {
        let queue = self.queues.get_mut(number)?;
        match offset {
            queue::LEN => Some(&mut queue.length),
            queue::HEAD => Some(&mut queue.head),
            queue::TAIL => Some(&mut queue.tail),
            queue::DCTL => Some(&mut queue.dctl),
            queue::TARC => Some(&mut queue.tarc),
            _ => None,
        }
    }

    /// Fetches up to `budget` descriptors and what they point to.
    pub fn run(&mut self, memory: &mut Memory, budget: usize, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        let (delay, absolute) = (self.delay, self.absolute);
        let vet = self.tag.then_some(self.vet);
        for (number, queue) in self.queues.iter_mut().enumerate() {
            let before = queue.head;
            for _ in 0..budget {
                if !queue.pending() {
                    break;
                }
                match queue.step(memory, vet, &mut outcome) {
                    Ok(Some(true)) => {
                        let (soon, last) = (now + TICK * delay, now + TICK * absolute);
                        let last = queue.delayed.map_or(last, |(_, last)| last);
                        queue.delayed = Some((soon, last));
                    }
                    Ok(Some(false)) => outcome.done[number] = true,
                    Ok(None) => {}
                    // The bus does not take it: nothing more until the ring is set up anew.
                    Err(DmaError) => break,
                }
            }
            outcome.more |= queue.pending() && queue.head != before;
            outcome.empty[number] = queue.head != before && !queue.pending();
        }
        outcome
    }

    /// Interrupts that were delayed and are due, by queue, and when the next is.
    pub fn delayed(&mut self, now: Instant) -> ([bool; QUEUES], Option<Instant>) {
        let mut due = [false; QUEUES];
        let mut next: Option<Instant> = None;
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
}

impl Queue {
    fn count(&self) -> u32 {
        self.length / 16
    }

    pub fn pending(&self) -> bool {
        self.tarc & ENABLE != 0
            && self.count() > 0
            && self.head != self.tail
            && self.head < self.count()
    }

    /// Takes one descriptor; `Some` if it asked for a report, with whether its interrupt is to
    /// be delayed.
    fn step(
        &mut self,
        memory: &mut Memory,
        vet: Option<u16>,
        outcome: &mut Outcome,
    ) -> Result<Option<bool>, DmaError> {
        let address = self.base + u64::from(self.head) * 16;
        let mut raw = [0; 16];
        memory.read(address, &mut raw)?;
        let low = u64::from_le_bytes(raw[..8].try_into().unwrap_or_default());
        let high = u64::from_le_bytes(raw[8..].try_into().unwrap_or_default());
        let command = high as u32;
        let kind = command >> 20 & 0xf;
        if command & dcmd::DEXT != 0 && kind == 0 {
            self.context = Context::new(low, high);
        } else {
            self.data(memory, low, high)?;
            outcome.stamp |= command & dcmd::DEXT != 0 && high & TSTAMP != 0;
            if command & dcmd::EOP != 0 {
                let assembly = std::mem::take(&mut self.assembly);
                assembly.send(&self.context, vet, outcome);
            }
        }
        self.head += 1;
        if self.head >= self.count() {
            self.head = 0;
        }
        if command & dcmd::RS == 0 {
            return Ok(None);
        }
        // Status is in bits 35:32, DD the lowest; the rest stays as it was fetched.
        raw[12] |= 1;
        memory.write_descriptor(address, &raw, 12)?;
        Ok(Some(command & dcmd::IDE != 0))
    }

    fn data(&mut self, memory: &mut Memory, low: u64, high: u64) -> Result<(), DmaError> {
        let command = high as u32;
        let extended = command & dcmd::DEXT != 0;
        let length = (command & if extended { 0xf_ffff } else { 0xffff }) as usize;
        let assembly = &mut self.assembly;
        let start = assembly.data.len();
        if start + length <= LARGEST {
            assembly.data.resize(start + length, 0);
            memory.read(low, &mut assembly.data[start..])?;
        }
        if !assembly.begun {
            assembly.begun = true;
            assembly.popts = if extended {
                (high >> 40 & 0xff) as u8
            } else {
                0
            };
        }
        // The tag and TSE count in the last descriptor of a frame, which the first agrees with.
        if extended {
            assembly.segment |= command & dcmd::TSE != 0;
        } else if command & dcmd::IC != 0 {
            let start = (high >> 40 & 0xff) as usize;
            assembly.legacy_sum = Some((start, (command >> 16 & 0xff) as usize));
        }
        if command & dcmd::VLE != 0 && command & dcmd::EOP != 0 {
            assembly.vlan = Some((high >> 48) as u16);
        }
        Ok(())
    }
}

impl Assembly {
    fn send(mut self, context: &Context, vet: Option<u16>, outcome: &mut Outcome) {
        let mut frames = if self.segment && context.mss > 0 && context.header > 0 {
            outcome.segmented += 1;
            segments(&self.data, context, self.popts)
        } else {
            if let Some((start, at)) = self.legacy_sum {
                if start < self.data.len() {
                    let value = !frame::sum(&self.data[start..], 0);
                    frame::put16(&mut self.data, at, value);
                }
            }
            checksums(&mut self.data, context, self.popts, 0);
            vec![self.data]
        };
        for frame in &mut frames {
            if frame.len() < 14 {
                continue; // not a frame
            }
            if let (Some(vet), Some(tag)) = (vet, self.vlan) {
                let [a, b] = vet.to_be_bytes();
                let [c, d] = tag.to_be_bytes();
                frame.splice(12..12, [a, b, c, d]);
            }
            if frame.len() < frame::LEAST {
                frame.resize(frame::LEAST, 0);
            }
            outcome.frames.push(std::mem::take(frame));
        }
    }
}

/// Puts in the checksums that a context describes; `length` is what the pseudo header lacks.
fn checksums(data: &mut [u8], context: &Context, popts: u8, length: u32) {
    let end = |field: usize, data: &[u8]| match field {
        0 => data.len(),
        last => (last + 1).min(data.len()),
    };
    if popts & TXSM != 0 {
        let end = end(context.tucse, data);
        if context.tucss < end {
            let value = !frame::sum(&data[context.tucss..end], length);
            // UDP: no checksum at all is told by 0.
            let value = if value == 0 && !context.tcp {
                0xffff
            } else {
                value
            };
            frame::put16(data, context.tucso, value);
        }
    }
    if popts & IXSM != 0 {
        let end = end(context.ipcse, data);
        if context.ipcss < end {
            frame::put16(data, context.ipcso, 0);
            let value = !frame::sum(&data[context.ipcss..end], 0);
            frame::put16(data, context.ipcso, value);
        }
    }
}

/// Cuts a frame up (7.3.6): each part gets the headers, with lengths, identification, sequence
/// number and flags that are right for it.
fn segments(data: &[u8], context: &Context, popts: u8) -> Vec<Vec<u8>> {
    if data.len() < context.header {
        return vec![];
    }
    let (header, payload) = data.split_at(context.header);
    let payload = &payload[..payload.len().min(context.payload)];
    let id = frame::be16(header, context.ipcss + 4);
    let (at, tucss) = (context.ipcss, context.tucss);
    let sequence = header.get(tucss + 4..tucss + 8).map_or(0, |bytes| {
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    });
    let count = payload.len().div_ceil(context.mss);
    payload
        .chunks(context.mss)
        .enumerate()
        .map(|(number, part)| {
            let mut frame = [header, part].concat();
            let length = frame.len();
            if context.ipv4 {
                frame::put16(&mut frame, at + 2, (length - at.min(length)) as u16);
                frame::put16(&mut frame, at + 4, id.wrapping_add(number as u16));
            } else {
                let ip = (length - at.min(length)).saturating_sub(40);
                frame::put16(&mut frame, at + 4, ip as u16);
            }
            if context.tcp {
                let offset = (number * context.mss) as u32;
                frame::put32(&mut frame, tucss + 4, sequence.wrapping_add(offset));
                if number + 1 < count {
                    if let Some(flags) = frame.get_mut(tucss + 13) {
                        *flags &= !0x09; // FIN and PSH are for the last
                    }
                }
            } else {
                frame::put16(&mut frame, tucss + 4, (length - tucss.min(length)) as u16);
            }
            let transport = (length - tucss.min(length)) as u32;
            checksums(&mut frame, context, popts, transport);
            frame
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TCP over IPv4 with `payload` bytes, its checksum that of the pseudo header less length.
    fn tcp(payload: usize) -> Vec<u8> {
        let mut frame: Vec<u8> = vec![0; 54];
        frame::put16(&mut frame, 12, 0x0800);
        frame[14] = 0x45;
        frame[23] = 6;
        frame[26..34].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        frame[46] = 0x50;
        frame[47] = 0x19; // FIN, PSH, ACK
        frame::put32(&mut frame, 38, 1000);
        let pseudo = frame::sum(&frame[26..34], 6);
        frame::put16(&mut frame, 50, pseudo);
        frame.extend((0..payload).map(|number| number as u8));
        frame
    }

    #[test]
    fn segments_are_good_tcp() {
        let context = Context {
            ipcss: 14,
            ipcso: 24,
            ipcse: 33,
            tucss: 34,
            tucso: 50,
            tucse: 0,
            payload: 2500,
            header: 54,
            mss: 1000,
            tcp: true,
            ipv4: true,
        };
        let frames = segments(&tcp(2500), &context, IXSM | TXSM);
        assert_eq!(
            frames.iter().map(Vec::len).collect::<Vec<_>>(),
            [1054, 1054, 554]
        );
        for (number, one) in frames.iter().enumerate() {
            let headers = frame::parse(one);
            assert!(headers.ip_good(one));
            assert_eq!(headers.transport_good(one), Some(true));
            assert_eq!(frame::be16(one, 18), number as u16);
            assert_eq!(one[47] & 0x09 != 0, number == 2);
        }
    }
}
