// SPDX-License-Identifier: GPL-2.0

//! The self-test: `ethtool -t`.
//!
//! The ESX field report ends with a machine that `ethtool` locked up. So every wait here sleeps and
//! has an end, a device that goes away in the middle is a failed test and no more, and what was
//! changed is not put back step by step: the device is reset and set up anew.
//!
//! | test | online | offline | what is done |
//! |---|---|---|---|
//! | registers | | x | patterns written and read back, see [`chip::Chip::storage`] |
//! | NVM checksum | x | x | words 0 to 0x3f added up |
//! | interrupts | x | x | every vector raised by `ICS`, and waited for |
//! | loopback | | x | frames sent and received through the PHY, by DMA |
//! | link | up only | x | both PHY and MAC say that it is up |
//!
//! Offline the link is looked at first, as the other tests take it away. An interface that is down
//! has no traffic that could be disturbed: its device is reset for the online tests as well. It has
//! no link either. Offline, which is also how a cable is tested before the interface is used, one
//! is set up and waited for, up to five seconds, under the RTNL: 1000BASE-T takes up to four, so
//! that less would fail good cables. Online, as by those who test all interfaces once in a while,
//! nobody is kept waiting.

use kernel::{
    dma::Coherent,
    io::{
        io_read,
        io_write, //
    },
    prelude::*,
    sync::{
        atomic::Relaxed,
        barrier::{
            dma_mb,
            Read,
            Write, //
        }, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use kernel_ext::{
    net::{
        device::{
            Device,
            Operations, //
        },
        rtnl::Rtnl, //
    },
    pci::master, //
};

use crate::{
    chip::{
        self,
        DmaStopped,
        RxConfig, //
    },
    csr::{
        Gone,
        Queue, //
    },
    desc::{
        self,
        rx::WriteBack,
        tx::{
            Common,
            Offload, //
        }, //
    },
    irq,
    link::{
        Cause,
        LinkState, //
    },
    mdic::MdicError,
    nic::{
        ring_memory,
        Lent,
        Nic, //
    },
    nvm,
    phy::PhyError, //
};

/// The tests, in the order of their results.
pub(crate) const NAMES: [&str; 5] = [
    "Registers    (offline)",
    "NVM checksum (on/offline)",
    "Interrupts   (on/offline)",
    "Loopback     (offline)",
    "Link         (on/offline)",
];

/// What is written to registers: both neighbours of every bit differ, and do not.
const PATTERNS: [u32; 4] = [0x5a5a_5a5a, 0xa5a5_a5a5, 0x0000_0000, 0xffff_ffff];

/// How often, and how far apart, a link that was just set up is looked at: five seconds in all, as
/// gigabit autonegotiation takes up to four.
const LINK_LOOKS: u32 = 100;
const LINK_INTERVAL: Delta = Delta::from_millis(50);

/// Why a test failed, as far as its result tells; the rest is in the log.
#[derive(Clone, Copy)]
enum Failure {
    /// The device does not answer.
    Gone,
    /// The register at this offset does not keep what is written to it.
    Register(usize),
    /// Anything else.
    Failed,
}

impl Failure {
    /// The number that ethtool shows. No register that is tested has an offset this small.
    fn code(self) -> u64 {
        match self {
            Self::Failed => 1,
            Self::Gone => 2,
            Self::Register(offset) => offset as u64,
        }
    }
}

impl From<Gone> for Failure {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// The verdict of one test.
type Verdict = Result<(), Failure>;

/// The device under test.
struct Bench<'a, 'b> {
    nic: &'a Nic<'b>,
    dev: &'a Device<Nic<'b>>,
}

/// Runs the tests; see `Operations::self_test()`.
pub(crate) fn run(dev: &Device<Nic<'_>>, rtnl: &mut Rtnl, offline: bool, results: &mut [u64]) {
    let bench = Bench {
        nic: dev.data(),
        dev,
    };
    let up = dev.is_running();
    let verdicts = if up && !offline {
        bench.in_use()
    } else {
        bench.alone(rtnl, up, offline)
    };
    for (to, verdict) in results.iter_mut().zip(verdicts) {
        *to = verdict.map_or_else(Failure::code, |()| 0);
    }
}

impl<'b> Bench<'_, 'b> {
    /// What can be tested beside traffic.
    fn in_use(&self) -> [Verdict; NAMES.len()] {
        // Not in the middle of a reset.
        let hardware = self.nic.hardware.lock();
        let interrupts =
            match &*hardware {
                Some(layout) => self.nic.csr.check().map_err(Failure::from).and_then(|()| {
                    match irq::raise_and_wait(self.nic, layout) {
                        0 => Ok(()),
                        missing => Err(self.failed(fmt!("vectors {:#x} do not arrive", missing))),
                    }
                }),
                None => Err(self.failed(fmt!("the interface could not be brought up"))),
            };
        [Ok(()), self.nvm(), interrupts, Ok(()), self.link()]
    }

    /// Everything, with the device taken away from the stack.
    fn alone(&self, rtnl: &mut Rtnl, up: bool, offline: bool) -> [Verdict; NAMES.len()] {
        let mut link = Ok(());
        if up {
            link = self.link();
            <Nic<'b> as Operations>::stop(self.dev, rtnl);
        }
        let mut verdicts = {
            // Whoever else looks sees a device that is down.
            let _hardware = self.nic.hardware.lock();
            if self.nic.csr.gone() {
                let _ = self.nic.csr.revive();
            }
            let (registers, nvm) = match self.reset() {
                Ok(_) if offline => (self.registers(), self.nvm()),
                Ok(_) => (Ok(()), self.nvm()),
                Err(failure) => (Err(failure), Err(failure)),
            };
            let interrupts = self.interrupts(rtnl);
            let loopback = if offline { self.loopback(rtnl) } else { Ok(()) };
            if !up && offline {
                link = self.new_link();
            }
            [registers, nvm, interrupts, loopback, link]
        };
        if !up {
            // As after the interface was taken down.
            self.nic.power_down_phy();
            self.nic.retire();
        } else if <Nic<'b> as Operations>::open(self.dev, rtnl).is_err() {
            // It has been told why. The interface is still to be up, so it is tried again.
            self.nic.wanted.store(true, Relaxed);
            self.dev.kick_service();
            if let Some(link) = verdicts.last_mut() {
                *link = Err(Failure::Failed);
            }
        }
        verdicts
    }

    /// Tells what is wrong. Rate-limited: who tests in a loop need not read it each time.
    #[cold]
    fn failed(&self, what: kernel::fmt::Arguments<'_>) -> Failure {
        if self.nic.health.limit.allow(c"e1000e_rust: self-test") {
            dev_err!(self.nic.pdev, "{}: self-test: {}\n", self.dev.name(), what);
        }
        Failure::Failed
    }

    /// A PHY access that failed, which has been counted.
    fn phy_failed(&self, e: PhyError) -> Failure {
        self.nic.tell_phy_error(self.dev, &e);
        match e.class {
            MdicError::Gone => Failure::Gone,
            _ => Failure::Failed,
        }
    }

    /// Resets the device, which has its engines off and its interrupts masked afterwards.
    fn reset(&self) -> Result<DmaStopped, Failure> {
        let nic = self.nic;
        nic.beside_the_clock(|| nic.chip.reset(nic.parts(), chip::STANDARD_FRAME))
            .map(|fresh| fresh.stopped)
            .map_err(|e| match e {
                chip::Error::Gone => Failure::Gone,
                e => self.failed(fmt!("reset: {}", e)),
            })
    }

    /// Writes patterns to registers, which get their old values back.
    fn registers(&self) -> Verdict {
        let csr = &self.nic.csr;
        for storage in self.nic.chip.storage() {
            let run = &storage.run;
            for i in 0..run.count {
                let offset = run.offset.saturating_add(i.saturating_mul(run.stride));
                let old = csr.read_raw(offset)?;
                for pattern in PATTERNS {
                    let written = pattern & storage.mask;
                    csr.write_raw(offset, written);
                    let read = csr.read_raw(offset)? & storage.mask;
                    if read != written {
                        csr.write_raw(offset, old);
                        // Zeros may be a device that is gone.
                        csr.check()?;
                        self.failed(fmt!(
                            "register {:#07x}: {:#010x} written, {:#010x} read, bits {:#010x}",
                            offset,
                            written,
                            read,
                            storage.mask
                        ));
                        return Err(Failure::Register(offset));
                    }
                }
                csr.write_raw(offset, old);
            }
        }
        Ok(())
    }

    fn nvm(&self) -> Verdict {
        match self.nic.nvm.verify_checksum(&self.nic.csr) {
            Ok(()) => Ok(()),
            Err(nvm::Error::Gone) => Err(Failure::Gone),
            Err(e) => Err(self.failed(fmt!("{}", e))),
        }
    }

    /// Requests vectors as for an interface that comes up, which proves each of them.
    fn interrupts(&self, rtnl: &mut Rtnl) -> Verdict {
        drop(self.reset()?);
        // A message is a write to memory.
        master::enable(self.nic.pdev);
        let before = self.nic.irq.check_failures.load(Relaxed);
        let layout = irq::set_up(self.nic, self.dev, rtnl);
        self.dev.release_vectors(rtnl);
        self.nic.moderation.lock().end();
        let lost = self
            .nic
            .irq
            .check_failures
            .load(Relaxed)
            .wrapping_sub(before);
        self.nic.csr.check()?;
        match layout {
            Ok(_) if lost == 0 => Ok(()),
            _ => Err(self.failed(fmt!("{} vectors do not arrive", lost))),
        }
    }

    /// Sends frames through the PHY and back.
    ///
    /// Not in the MAC (`RCTL.LBM`), which is not meant for use with the internal PHY, and would
    /// leave the way to it untested.
    fn loopback(&self, rtnl: &Rtnl) -> Verdict {
        let nic = self.nic;
        if nic.phy.reset_blocked(&nic.csr)? {
            dev_info!(
                nic.pdev,
                "{}: self-test: no loopback, as the management firmware uses the PHY\n",
                self.dev.name()
            );
            return Ok(());
        }
        let stopped = self.reset()?;
        master::enable(nic.pdev);
        nic.chip.init_hw(&nic.csr)?;
        nic.chip
            .set_filters(nic.parts(), &nic.setup.get(rtnl).filters)
            .map_err(|e| self.failed(fmt!("filters: {}", e)))?;
        let wire = Wire::new(nic).map_err(|e| self.failed(fmt!("no memory: {:?}", e)))?;
        let verdict = match nic.phy.enter_loopback(&nic.csr) {
            Ok(()) => self.exchange(&wire, self.dev.mac_address(rtnl), stopped),
            Err(e) => Err(self.phy_failed(e)),
        };
        // A PHY that could not be told is told once more with the next set-up of the link.
        let left = nic.phy.leave_loopback(&nic.csr);
        match nic.stop_dma(self.dev) {
            Some(stopped) => wire.free(&stopped),
            None => nic.tell_lost_memory(self.dev),
        }
        verdict.and(left.map_err(|e| self.phy_failed(e)))
    }

    /// Starts the engines and exchanges frames with itself.
    fn exchange(&self, wire: &Wire, mac: [u8; 6], stopped: DmaStopped) -> Verdict {
        let nic = self.nic;
        let config = RxConfig {
            max_frame: chip::STANDARD_FRAME,
            keep_fcs: false,
            keep_damaged: false,
        };
        nic.chip
            .start(nic.parts(), &config, stopped)
            .map_err(|e| self.failed(fmt!("loopback: {}", e)))?;
        let mut next = wire.offer_all(nic).map_err(|_| Failure::Failed)?;
        for number in 0..FRAMES {
            let sent = wire.send(nic, mac, number).map_err(|_| Failure::Failed)?;
            let received = wire
                .wait(nic, mac, number, &mut next)
                .map_err(|_| Failure::Failed)?;
            if !received {
                nic.csr.check()?;
                return Err(self.failed(fmt!(
                    "loopback: frame {} of {}, {} bytes, does not come back",
                    number.wrapping_add(1),
                    FRAMES,
                    sent
                )));
            }
        }
        Ok(())
    }

    /// The verdict on a link as it is now.
    fn judge(&self, state: LinkState) -> Verdict {
        match state {
            LinkState::Up(_) => Ok(()),
            LinkState::Down => Err(self.failed(fmt!("no link"))),
            LinkState::Unknown(Cause::Gone) => Err(Failure::Gone),
            LinkState::Unknown(cause) => Err(self.failed(fmt!("link unknown: {}", cause))),
        }
    }

    fn look(&self) -> LinkState {
        let request = *self.nic.link_request.lock();
        self.nic.phy.read_link(&self.nic.csr, &request)
    }

    fn link(&self) -> Verdict {
        self.judge(self.look())
    }

    /// Sets up the link of an interface that is down, and waits for it.
    fn new_link(&self) -> Verdict {
        drop(self.reset()?);
        // That it failed has been told.
        self.nic
            .set_up_link(self.dev)
            .map_err(|_| Failure::Failed)?;
        for _ in 0..LINK_LOOKS {
            match self.look() {
                LinkState::Down => fsleep(LINK_INTERVAL),
                state => return self.judge(state),
            }
        }
        self.judge(LinkState::Down)
    }
}

/// Descriptors of the transmit ring of the loopback test; rings are multiples of 128 bytes.
const TX_RING: usize = 8;

/// Descriptors of the receive ring; frames of others may arrive as well.
const RX_RING: usize = 16;

/// Size of a buffer, in words of eight bytes.
const BUFFER: usize = chip::RX_BUFFER as usize / 8;

/// Where the parts are, in words.
const RX_DESC: usize = TX_RING * 2;
const TX_BUFFER: usize = RX_DESC + RX_RING * 2;
const RX_BUFFERS: usize = TX_BUFFER + BUFFER;
const WORDS: usize = RX_BUFFERS + RX_RING * BUFFER;

/// Number of frames exchanged; no more than the transmit ring takes twice over.
const FRAMES: usize = 16;

/// Lengths of the frames, in words: the shortest, the longest, and between.
const LENGTHS: [usize; 4] = [8, 16, 64, 189];

/// How often, and how far apart, it is looked whether a frame is back.
const FRAME_LOOKS: u32 = 200;
const FRAME_INTERVAL: Delta = Delta::from_millis(1);

/// Ethertype for local experiments (IEEE 802), big-endian.
const ETHERTYPE: [u8; 2] = [0x88, 0xb5];

/// The memory of the loopback test: both rings and their buffers, in one piece.
struct Wire(Lent<Coherent<[u64]>>);

impl Wire {
    fn new(nic: &Nic<'_>) -> Result<Self> {
        let memory = Coherent::zeroed_slice(nic.pdev.as_ref(), WORDS, GFP_KERNEL)?;
        let base = memory.dma_address();
        // CAST: Some hundred bytes.
        nic.chip
            .configure_tx_queue(&nic.csr, Queue::Q0, base, (TX_RING * 16) as u32);
        nic.chip.configure_rx_queue(
            &nic.csr,
            Queue::Q0,
            base.wrapping_add(RX_DESC as u64 * 8),
            (RX_RING * 16) as u32,
        );
        Ok(Self(Lent::new(memory)))
    }

    fn free(self, stopped: &DmaStopped) {
        drop(self.0.reclaim(stopped));
    }

    fn get(&self, at: usize) -> Result<u64> {
        Ok(io_read!(ring_memory(&self.0), [try: at]))
    }

    fn put(&self, at: usize, word: u64) -> Result {
        io_write!(ring_memory(&self.0), [try: at], word);
        Ok(())
    }

    fn put_descriptor(&self, at: usize, words: desc::Words) -> Result {
        self.put(at, words[0])?;
        self.put(at.wrapping_add(1), words[1])
    }

    /// Bus address of the word `at`.
    fn address(&self, at: usize) -> u64 {
        self.0
            .dma_address()
            .wrapping_add((at as u64).wrapping_mul(8))
    }

    /// Gives the descriptor `place` of the receive ring to the chip; not yet by its tail.
    fn offer(&self, place: usize) -> Result {
        let buffer = RX_BUFFERS.wrapping_add(place.wrapping_mul(BUFFER));
        self.put_descriptor(
            RX_DESC.wrapping_add(place.wrapping_mul(2)),
            desc::rx::offer(self.address(buffer)),
        )
    }

    /// Offers all buffers; returns the first descriptor that a frame will be in.
    fn offer_all(&self, nic: &Nic<'_>) -> Result<usize> {
        for place in 0..RX_RING {
            self.offer(place)?;
        }
        dma_mb(Write);
        // CAST: A small constant. One stays free, so that a full ring differs from an empty one.
        nic.csr.rdt_write(Queue::Q0, RX_RING as u32 - 1);
        Ok(0)
    }

    /// Sends frame `number`; returns its length in bytes.
    fn send(&self, nic: &Nic<'_>, mac: [u8; 6], number: usize) -> Result<usize> {
        let words = length(number);
        for i in 0..words {
            self.put(TX_BUFFER.wrapping_add(i), word(mac, number, i))?;
        }
        let place = number % TX_RING;
        // CAST: At most 1512 bytes.
        let bytes = words.wrapping_mul(8) as u32;
        let common = Common::new(Offload::None, None);
        let descriptor = desc::tx::data(self.address(TX_BUFFER), bytes, common, true);
        self.put_descriptor(place.wrapping_mul(2), descriptor)?;
        dma_mb(Write);
        // CAST: Within the ring.
        let tail = (place.wrapping_add(1) % TX_RING) as u32;
        nic.csr.tdt_write(Queue::Q0, tail);
        Ok(bytes as usize)
    }

    /// Waits until frame `number` was sent and is back, in the descriptor `next` or a later one;
    /// `false` if it does not in time, or not as it was sent.
    fn wait(&self, nic: &Nic<'_>, mac: [u8; 6], number: usize, next: &mut usize) -> Result<bool> {
        let mut back = false;
        for _ in 0..FRAME_LOOKS {
            for _ in 0..RX_RING {
                let at = RX_DESC.wrapping_add(next.wrapping_mul(2));
                let status = WriteBack::new(self.get(at.wrapping_add(1))?);
                if !status.done() {
                    break;
                }
                // Nothing of the frame is read before its write-back is seen.
                dma_mb(Read);
                back |= self.is_frame(*next, status, mac, number)?;
                self.offer(*next)?;
                dma_mb(Write);
                // CAST: Within the ring.
                nic.csr.rdt_write(Queue::Q0, *next as u32);
                *next = next.wrapping_add(1) % RX_RING;
            }
            let sent =
                desc::tx::done(self.get((number % TX_RING).wrapping_mul(2).wrapping_add(1))?);
            if back && sent {
                return Ok(true);
            }
            fsleep(FRAME_INTERVAL);
        }
        Ok(false)
    }

    /// Whether the buffer of descriptor `place` has frame `number`, whole and unchanged.
    fn is_frame(
        &self,
        place: usize,
        status: WriteBack,
        mac: [u8; 6],
        number: usize,
    ) -> Result<bool> {
        let words = length(number);
        if status.damaged() || !status.end_of_packet() || status.len() as usize != words * 8 {
            return Ok(false);
        }
        let buffer = RX_BUFFERS.wrapping_add(place.wrapping_mul(BUFFER));
        for i in 0..words {
            if self.get(buffer.wrapping_add(i))? != word(mac, number, i) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Length of frame `number` in words.
fn length(number: usize) -> usize {
    LENGTHS.get(number % LENGTHS.len()).copied().unwrap_or(8)
}

/// Word `i` of frame `number`, from `mac` to `mac`: what follows the header is different in each
/// word of each frame.
fn word(mac: [u8; 6], number: usize, i: usize) -> u64 {
    let [a, b, c, d, e, f] = mac;
    let [g, h] = ETHERTYPE;
    match i {
        0 => u64::from_le_bytes([a, b, c, d, e, f, a, b]),
        1 => u64::from_le_bytes([c, d, e, f, g, h, 0, 0]),
        _ => (number as u64)
            .wrapping_shl(32)
            .wrapping_add(i as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}
