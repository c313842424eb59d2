// SPDX-License-Identifier: GPL-2.0

//! What differs from chip to chip, behind one trait.
//!
//! The control path (probe, reset, link, interrupts set-up) goes through [`Chip`]; the hot path
//! knows only tail registers and interrupt masks, which are the same for all chips, and calls
//! [`Csr`] itself.

use kernel::{
    device::Bound,
    io::register::Array,
    pci,
    prelude::*,
    time::Delta, //
};
use kernel_ext::{
    net::device::Features,
    pci::master::CutOff, //
};

use crate::{
    csr::{
        Csr,
        Gone,
        PollError,
        Queue, //
    },
    filter::{
        self,
        FilterState, //
    },
    ivar::{
        Ivar,
        Lost,
        Vector, //
    },
    led::Lights,
    link::{
        Eee,
        Link, //
    },
    manage,
    mdic::MdicError,
    nvm::{
        self,
        Nvm, //
    },
    phy::{
        Model,
        Phy,
        PhyError, //
    },
    regs,
    rss::Rss,
    systim::SystemTime, //
};

mod i82574;
mod i82579;
pub(crate) mod kmrn;
mod packet_buffer;

pub(crate) use packet_buffer::STANDARD_FRAME;

/// Ethertype of an 802.1Q VLAN tag.
const ETH_P_8021Q: u32 = 0x8100;

/// Transmit delay for descriptors that ask for one (IDE), in units of 1.024 us.
const TX_DELAY: u32 = 8;

/// Longest transmit delay, in units of 1.024 us.
const TX_ABSOLUTE_DELAY: u32 = 32;

/// The chips this driver knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 82574L and 82574LA.
    I82574,
    /// 82579LM and 82579V.
    I82579,
}

impl Kind {
    /// What is special about the chip.
    pub(crate) const fn chip(self) -> &'static dyn Chip {
        match self {
            Kind::I82574 => &i82574::I82574,
            Kind::I82579 => &i82579::I82579,
        }
    }
}

/// Why the chip could not be brought to where it was to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// The device does not answer.
    Gone,
    /// `CTRL.RST` did not clear itself.
    ResetStuck,
    /// After the reset a register of the DMA engines is not at its reset value.
    NotStopped {
        /// Name of the register.
        register: &'static str,
        /// Its value.
        value: u32,
    },
    /// The automatic read of the NVM after the reset did not end.
    AutoRead,
    /// The PHY was not configured after its reset.
    PhyConfiguration,
    /// The PHY does not answer, and the firmware does not let it be switched off and on.
    PhyBlocked,
    /// `IVAR` does not hold what was written to it.
    Ivar(Lost),
    /// The PHY, which is part of it, cannot be worked on.
    Phy(PhyError),
    /// The NVM, which says how, cannot be read.
    Nvm(nvm::Error),
}

impl From<Gone> for Error {
    fn from(_: Gone) -> Self {
        Error::Gone
    }
}

impl From<PhyError> for Error {
    fn from(e: PhyError) -> Self {
        match e.class {
            MdicError::Gone => Error::Gone,
            _ => Error::Phy(e),
        }
    }
}

impl From<nvm::Error> for Error {
    fn from(e: nvm::Error) -> Self {
        match e {
            nvm::Error::Gone => Error::Gone,
            e => Error::Nvm(e),
        }
    }
}

impl From<Error> for kernel::error::Error {
    fn from(e: Error) -> Self {
        match e {
            Error::Gone => ENODEV,
            Error::ResetStuck | Error::AutoRead | Error::PhyConfiguration => ETIMEDOUT,
            Error::PhyBlocked => EBUSY,
            Error::NotStopped { .. } | Error::Ivar(_) => EIO,
            Error::Phy(e) => e.into(),
            Error::Nvm(e) => e.into(),
        }
    }
}

impl kernel::fmt::Display for Error {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        match self {
            Error::Gone => kernel::fmt::Display::fmt(&Gone, f),
            Error::ResetStuck => f.write_str("the reset (CTRL bit 26) did not end"),
            Error::NotStopped { register, value } => write!(
                f,
                "{register} is {value:#010x} after the reset: DMA may still be running"
            ),
            Error::AutoRead => f.write_str("the NVM was not read after the reset (EECD bit 9)"),
            Error::PhyConfiguration => {
                f.write_str("the PHY was not configured after the reset (STATUS bit 9)")
            }
            Error::PhyBlocked => f.write_str(
                "the PHY does not answer, and the management engine does not let it be reset \
                 (FWSM bit 6)",
            ),
            Error::Ivar(lost) => kernel::fmt::Display::fmt(lost, f),
            Error::Phy(e) => kernel::fmt::Display::fmt(e, f),
            Error::Nvm(e) => kernel::fmt::Display::fmt(e, f),
        }
    }
}

/// Proof that the device can no longer write to memory it was given.
///
/// Memory of rings and buffers is freed only against this. [`Chip::start`] consumes it.
#[must_use = "without it the memory given to the device cannot be freed"]
pub(crate) struct DmaStopped(());

impl DmaStopped {
    /// The device was cut off from the bus: it is not a bus master any more (PCI command
    /// register, bit 2), or it was removed.
    pub(crate) fn cut_off(_: CutOff) -> Self {
        Self(())
    }
}

/// How the device signals interrupts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Interrupts<'a> {
    /// MSI-X, with this mapping of causes to vectors.
    MsiX(&'a Ivar),
    /// One interrupt for everything: MSI or INTx.
    Single,
}

/// What the receiver is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RxConfig {
    /// Longest frame to accept, in bytes, with Ethernet header, VLAN tag and FCS.
    pub(crate) max_frame: u32,
    /// Leave the FCS at the end of frames.
    pub(crate) keep_fcs: bool,
    /// Receive damaged frames too.
    pub(crate) keep_damaged: bool,
}

/// The parts of one device, for whoever works on it: under `Nic::hardware`, or alone.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// The registers.
    pub(crate) csr: &'a Csr<'a>,
    /// The PHY behind them.
    pub(crate) phy: &'a Phy,
    /// The NVM.
    pub(crate) nvm: &'a Nvm<'a>,
}

/// What a reset has left.
pub(crate) struct Fresh {
    /// Nothing runs.
    pub(crate) stopped: DmaStopped,
    /// The PHY was reset as well: the link is gone, and must be set up anew.
    pub(crate) new_phy: bool,
}

/// Features of all chips that the user may switch and that are on at first.
const COMMON_FEATURES: Features = Features::SG
    .with(Features::HW_CSUM)
    .with(Features::RXCSUM)
    .with(Features::TSO)
    .with(Features::TSO6)
    .with(Features::VLAN_RX)
    .with(Features::VLAN_TX);

/// Features of all chips that the user may switch and that are off at first.
const MORE_FEATURES: Features = Features::RXFCS
    .with(Features::RXALL)
    .with(Features::LOOPBACK);

/// Size of the buffer behind each receive descriptor, in bytes. Longer frames take several.
pub(crate) const RX_BUFFER: u32 = 2048;

/// One kind of chip. All functions may sleep unless they say otherwise.
pub(crate) trait Chip: Sync {
    /// Name for logs.
    fn name(&self) -> &'static str;

    /// Gets to know a device that was not touched yet. Comes before everything else.
    fn meet(&self, csr: &Csr<'_>) -> Result<(), Gone>;

    /// Finds its NVM.
    fn nvm<'a>(&self, pdev: &'a pci::Device<Bound>, csr: &Csr<'_>) -> Result<Nvm<'a>, nvm::Error>;

    /// Most MSI-X vectors; 0 where the chip has no MSI-X.
    fn max_vectors(&self) -> u32;

    /// Number of receive queues, and of transmit queues: 1 or 2.
    fn queues(&self) -> u32;

    /// Features that the user may switch, with frames of up to `max_frame` bytes: those that are
    /// on at first, and others.
    fn features(&self, max_frame: u32) -> (Features, Features);

    /// Longest frame of this device, in bytes, with Ethernet header and FCS, but no VLAN tag.
    fn max_frame(&self, csr: &Csr<'_>) -> Result<u32, Gone>;

    /// Most bytes that one transmit descriptor may have, with the transmit share of the packet
    /// buffer that frames of `max_frame` bytes have left by the last reset.
    fn max_tx_bytes(&self, csr: &Csr<'_>, max_frame: u32) -> Result<u32, Gone>;

    /// How many addresses and groups the filters take.
    fn filter_limits(&self) -> &'static filter::Limits;

    /// Registers that only store, for the register test.
    fn storage(&self) -> &'static [regs::Storage];

    /// What manageability the board has.
    fn management(&self, parts: Parts<'_>) -> Result<manage::Mode, nvm::Error>;

    /// Whether the device is to wake the system for magic packets as long as the user has not said.
    fn wakes_by_default(&self, parts: Parts<'_>) -> Result<bool, nvm::Error>;

    /// How the counter behind the clock counts.
    fn system_time(&self) -> &'static SystemTime;

    /// The kind of PHY that it has.
    fn phy(&self) -> &'static dyn Model;

    /// Stops DMA for good: ends the device's PCIe requests, resets it, and verifies.
    ///
    /// The PHY, and so the link, is left alone. On an error nothing is proven; then the device must
    /// be cut off from the bus.
    fn stop_dma(&self, parts: Parts<'_>) -> Result<DmaStopped, Error>;

    /// Stops DMA as [`stop_dma`](Self::stop_dma) does and waits until the device is ready to be
    /// set up for frames of up to `max_frame` bytes. All interrupts are masked.
    fn reset(&self, parts: Parts<'_>, max_frame: u32) -> Result<Fresh, Error>;

    /// Sets up everything that does not depend on rings, interrupts and link, after
    /// [`reset`](Self::reset): errata, thresholds, flow control constants.
    fn init_hw(&self, csr: &Csr<'_>) -> Result<(), Gone>;

    /// Has descriptors that are done with written back that wait for others, or for a timer that
    /// now and then does not come.
    fn write_back(&self, _: &Csr<'_>) -> Result<(), Gone> {
        Ok(())
    }

    /// Gets the device ready for sleep, from which it may wake the system or not.
    fn fall_asleep(&self, _: Parts<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Tells the manageability firmware that a driver is loaded (`true`) or no longer is.
    fn set_driver_loaded(&self, csr: &Csr<'_>, loaded: bool) -> Result<(), Gone>;

    /// Gives receive queue `queue` its ring: `bytes` bytes of descriptors at bus address `base`.
    fn configure_rx_queue(&self, csr: &Csr<'_>, queue: Queue, base: u64, bytes: u32);

    /// Gives transmit queue `queue` its ring: `bytes` bytes of descriptors at bus address `base`.
    fn configure_tx_queue(&self, csr: &Csr<'_>, queue: Queue, base: u64, bytes: u32);

    /// Starts transmitter and receiver. From here on the device writes to memory, so this takes
    /// the proof away that it does not.
    fn start(&self, parts: Parts<'_>, rx: &RxConfig, stopped: DmaStopped) -> Result<(), Error>;

    /// Programs how interrupts are signalled. They stay masked.
    fn set_interrupts(&self, csr: &Csr<'_>, interrupts: Interrupts<'_>) -> Result<(), Error>;

    /// Unmasks all interrupts the driver handles. Does not sleep.
    fn unmask(&self, csr: &Csr<'_>, interrupts: Interrupts<'_>);

    /// Sets the least distance between two interrupts of `vector` to `interval`, in units of
    /// 256 ns; `None` is the single interrupt outside MSI-X. Does not sleep.
    fn set_throttle(&self, csr: &Csr<'_>, vector: Option<Vector>, interval: u16);

    /// Programs all filters.
    fn set_filters(&self, parts: Parts<'_>, filters: &FilterState) -> Result<(), Error>;

    /// Programs how received frames are spread over the queues.
    fn set_rss(&self, csr: &Csr<'_>, rss: &Rss) -> Result<(), Gone>;

    /// Takes VLAN tags off received frames, and puts them into frames to be sent whose descriptors
    /// say so; or leaves both alone.
    fn set_vlan_tagging(&self, csr: &Csr<'_>, on: bool) -> Result<(), Gone>;

    /// Sets MAC and PHY up for a link that has come up, with frames of up to `max_frame` bytes.
    fn link_up(&self, parts: Parts<'_>, link: &Link, max_frame: u32) -> Result<(), Error>;

    /// Does what must wait until the link has been up for two seconds.
    fn link_settled(&self, _: Parts<'_>, _: &Link) -> Result<(), Error> {
        Ok(())
    }

    /// Energy-efficient Ethernet as it is now; [`None`] if the chip has none.
    fn eee(&self, _: Parts<'_>) -> Result<Option<Eee>, Error> {
        Ok(None)
    }

    /// What the lights show, in the chip's own terms.
    fn lights(&self, parts: Parts<'_>) -> Result<Lights, Error>;

    /// Has the lights show `lights`.
    fn set_lights(&self, parts: Parts<'_>, lights: Lights) -> Result<(), Error>;

    /// `lights` with all of them on or off.
    fn all_lights(&self, csr: &Csr<'_>, lights: Lights, on: bool) -> Result<Lights, Gone>;
}

/// Masks all interrupts. Does not sleep.
pub(crate) fn mask_all(csr: &Csr<'_>) -> Result<(), Gone> {
    csr.imc_write(regs::cause::ALL);
    csr.flush()
}

/// Writes `ivar` and reads it back.
pub(crate) fn write_ivar(csr: &Csr<'_>, ivar: &Ivar) -> Result<(), Error> {
    csr.write(regs::IVAR, regs::IVAR::from_raw(ivar.raw()));
    check_ivar(csr, ivar)?.map_err(Error::Ivar)
}

/// Compares `IVAR` with what was written. Does not sleep.
///
/// The outer error is a device that is gone. All ones or zero in the register of a device that
/// answers are a lost mapping like any other.
pub(crate) fn check_ivar(csr: &Csr<'_>, ivar: &Ivar) -> Result<Result<(), Lost>, Gone> {
    let found = csr.read(regs::IVAR)?.into_raw();
    let verdict = ivar.verify(found);
    if verdict.is_err() {
        csr.check()?;
    }
    Ok(verdict)
}

/// Acknowledges and returns the causes behind the vector of `OTHER`. Does not sleep.
///
/// The read of `ICR` also takes away causes of queues that have not fired yet; they are raised
/// again.
pub(crate) fn acknowledge_other(csr: &Csr<'_>) -> Result<regs::ICR, Gone> {
    let icr = csr.read(regs::ICR)?;
    let queues = icr.into_raw() & regs::cause::QUEUES;
    if queues != 0 {
        csr.ics_write(queues);
    }
    Ok(icr)
}

/// Ends the device's PCIe requests (82574 datasheet 3.1.3.10), as far as it does in time.
fn disable_master(csr: &Csr<'_>) -> Result<(), Gone> {
    csr.update(regs::CTRL, |ctrl| ctrl.with_gio_master_disable(true))?;
    match csr.poll(
        |csr| csr.read(regs::STATUS),
        |status| !status.gio_master_enable(),
        Delta::from_micros(100),
        Delta::from_millis(80),
    ) {
        Ok(_) | Err(PollError::Timeout) => Ok(()),
        Err(PollError::Gone) => Err(Gone),
    }
}

/// An error unless the register value `value` is 0.
fn expect_zero(register: &'static str, value: u32) -> Result<(), Error> {
    if value == 0 {
        Ok(())
    } else {
        Err(Error::NotStopped { register, value })
    }
}

/// An error if transmitter or receiver is on.
fn expect_engines_off(csr: &Csr<'_>) -> Result<(), Error> {
    let rctl = csr.read(regs::RCTL)?;
    if rctl.en() {
        return Err(Error::NotStopped {
            register: "RCTL",
            value: rctl.into_raw(),
        });
    }
    let tctl = csr.read(regs::TCTL)?;
    if tctl.en() {
        return Err(Error::NotStopped {
            register: "TCTL",
            value: tctl.into_raw(),
        });
    }
    Ok(())
}

/// An error if the device has memory for the rings of `queue`.
fn expect_no_rings(csr: &Csr<'_>, queue: Queue) -> Result<(), Error> {
    let (rdlen, rdt, tdlen, tdt) = match queue {
        Queue::Q0 => (
            csr.read(regs::RDLEN::at(0))?,
            csr.read(regs::RDT::at(0))?,
            csr.read(regs::TDLEN::at(0))?,
            csr.read(regs::TDT::at(0))?,
        ),
        Queue::Q1 => (
            csr.read(regs::RDLEN::at(1))?,
            csr.read(regs::RDT::at(1))?,
            csr.read(regs::TDLEN::at(1))?,
            csr.read(regs::TDT::at(1))?,
        ),
    };
    expect_zero("RDLEN", rdlen.into_raw())?;
    expect_zero("RDT", rdt.into_raw())?;
    expect_zero("TDLEN", tdlen.into_raw())?;
    expect_zero("TDT", tdt.into_raw())
}

/// Tells the device the receive ring of `queue`: see [`Chip::configure_rx_queue`].
fn set_rx_ring(csr: &Csr<'_>, queue: Queue, base: u64, bytes: u32) {
    // CAST: the two halves.
    let (low, high) = (base as u32, (base >> 32) as u32);
    macro_rules! program {
        ($n:literal) => {{
            csr.write(regs::RDBAL::at($n), regs::RDBAL::from_raw(low));
            csr.write(regs::RDBAH::at($n), regs::RDBAH::from_raw(high));
            csr.write(regs::RDLEN::at($n), regs::RDLEN::from_raw(bytes));
            csr.write(regs::RDH::at($n), regs::RDH::zeroed());
            csr.write(regs::RDT::at($n), regs::RDT::zeroed());
        }};
    }
    match queue {
        Queue::Q0 => program!(0),
        Queue::Q1 => program!(1),
    }
}

/// Tells the device the transmit ring of `queue`: see [`Chip::configure_tx_queue`].
fn set_tx_ring(csr: &Csr<'_>, queue: Queue, base: u64, bytes: u32) {
    // CAST: the two halves.
    let (low, high) = (base as u32, (base >> 32) as u32);
    macro_rules! program {
        ($n:literal) => {{
            csr.write(regs::TDBAL::at($n), regs::TDBAL::from_raw(low));
            csr.write(regs::TDBAH::at($n), regs::TDBAH::from_raw(high));
            csr.write(regs::TDLEN::at($n), regs::TDLEN::from_raw(bytes));
            csr.write(regs::TDH::at($n), regs::TDH::zeroed());
            csr.write(regs::TDT::at($n), regs::TDT::zeroed());
        }};
    }
    match queue {
        Queue::Q0 => program!(0),
        Queue::Q1 => program!(1),
    }
}

/// Starts transmitter and receiver: see [`Chip::start`].
fn start_engines(csr: &Csr<'_>, rx: &RxConfig, stopped: DmaStopped) -> Result<(), Gone> {
    // From the first enable on the proof does not hold any more.
    drop(stopped);

    csr.update(regs::TCTL, |tctl| {
        tctl.with_en(true)
            .with_psp(true)
            .with_rtlc(true)
            .with_const_ct::<15>()
            .with_const_cold::<63>()
    })?;

    csr.update(regs::RFCTL, |rfctl| rfctl.with_exsten(true))?;
    csr.update(regs::RXCSUM, |rxcsum| {
        // The hash in the place of the packet checksum, which nobody needs.
        rxcsum.with_ipofl(true).with_tuofl(true).with_pcsd(true)
    })?;
    // The filters' bits are kept. `SECRC`: the device strips the FCS.
    csr.update(regs::RCTL, |rctl| {
        rctl.with_en(true)
            .with_sbp(rx.keep_damaged)
            .with_lpe(rx.max_frame > packet_buffer::STANDARD_FRAME)
            .with_const_lbm::<0>()
            .with_const_dtyp::<0>()
            .with_const_mo::<0>()
            .with_bam(true)
            .with_const_bsize::<0>()
            .with_bsex(false)
            .with_secrc(!rx.keep_fcs)
    })?;
    csr.flush()
}

/// Maps the end of a wait.
fn poll_error(timeout: Error) -> impl FnOnce(PollError) -> Error {
    move |e| match e {
        PollError::Gone => Error::Gone,
        PollError::Timeout => timeout,
    }
}
