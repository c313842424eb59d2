// SPDX-License-Identifier: GPL-2.0

//! The PHY and the way to it (82574 datasheet chapter 8.5, 10.2.2.7).
//!
//! What is the same for all is here; what differs from one to the other is behind [`Model`].
//!
//! Each access takes the MDIO bus from the manageability firmware, gives one command, waits for
//! its end with a time limit and judges the result. What fails is classified, counted and
//! returned; a register that could not be read has no value.

use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            AtomicFlag,
            Relaxed, //
        },
        Mutex,
        MutexGuard, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

use crate::{
    csr::{
        Csr,
        Gone,
        PollError, //
    },
    link::{
        mii,
        resolve,
        Cause,
        Crossover,
        Duplex,
        ForcedSpeed,
        LinkMode,
        LinkRequest,
        LinkState,
        MacLink,
        PhyLink,
        Speed, //
    },
    mdic::{
        Command,
        MdicError, //
    },
    regs, //
};

pub(crate) mod bm;
pub(crate) mod hv;

/// Pause between two looks at `MDIC`: about the time of one MDIO frame (64 bits at 2.5 MHz).
const MDIC_INTERVAL: Delta = Delta::from_micros(50);

/// Longest wait for `MDIC`.
const MDIC_TIMEOUT: Delta = Delta::from_millis(64);

/// Pause between two looks at a PHY that resets itself.
const RESET_INTERVAL: Delta = Delta::from_millis(1);

/// How many times a PHY that resets itself is looked at; clause 22.2.4.1.1 allows it 0.5 s.
const RESET_TRIES: u32 = 500;

/// Pause before an access that failed is tried again, where it is.
const RETRY_PAUSE: Delta = Delta::from_millis(10);

/// A register of the PHY.
///
/// Registers 0 to 15 are the same on every page; others exist once on each page, and the page is
/// selected before the access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reg {
    /// Page.
    page: u16,
    /// Register, 0 to 31.
    reg: u8,
}

impl Reg {
    /// Last register that is on every page.
    const LAST_COMMON: u8 = 15;

    /// Register `reg` on page 0; only the lower 5 bits count.
    pub(crate) const fn new(reg: u8) -> Self {
        Self::paged(0, reg)
    }

    /// Register `reg` on page `page`; only the lower 5 bits of `reg` count.
    pub(crate) const fn paged(page: u16, reg: u8) -> Self {
        Self {
            page,
            reg: reg & 0x1f,
        }
    }
}

/// GBSR: idle errors since the last read, at most 255 (clause 40.5.1.1).
const GBSR_IDLE_ERRORS: u16 = 0x00ff;
/// How long a PHY in loopback is given to settle, as in the in-tree driver.
const LOOPBACK_SETTLE: Delta = Delta::from_millis(250);

/// Which way an access went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    /// Read.
    Read,
    /// Write.
    Write,
}

/// A PHY access that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PhyError {
    /// What went wrong.
    pub(crate) class: MdicError,
    /// MDIO address of the PHY.
    pub(crate) phy_addr: u8,
    /// Page of the register.
    pub(crate) page: u16,
    /// Register.
    pub(crate) reg: u8,
    /// The access was a write.
    pub(crate) write: bool,
}

impl kernel::fmt::Display for PhyError {
    fn fmt(&self, f: &mut kernel::fmt::Formatter<'_>) -> kernel::fmt::Result {
        write!(
            f,
            "PHY {} error: {} (PHY address {}, page {}, register {})",
            if self.write { "write" } else { "read" },
            self.class.reason(),
            self.phy_addr,
            self.page,
            self.reg
        )
    }
}

impl From<PhyError> for Error {
    fn from(e: PhyError) -> Self {
        match e.class {
            MdicError::Gone => ENODEV,
            MdicError::Ownership => EBUSY,
            MdicError::Timeout => ETIMEDOUT,
            MdicError::Flagged | MdicError::Mismatch => EIO,
        }
    }
}

/// Counters of failed accesses, one for each class of [`MdicError`].
struct ErrorCounters([Atomic<u64>; MdicError::COUNT]);

impl ErrorCounters {
    /// All zero.
    const fn new() -> Self {
        Self([const { Atomic::new(0) }; MdicError::COUNT])
    }

    /// Counts a failure of class `class`.
    fn count(&self, class: MdicError) {
        if let Some(counter) = self.0.get(class.index()) {
            counter.add(1, Relaxed);
        }
    }

    /// Failures of class `class`.
    fn get(&self, class: MdicError) -> u64 {
        self.0
            .get(class.index())
            .map_or(0, |counter| counter.load(Relaxed))
    }
}

/// Identifier of a PHY: registers 2 and 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PhyId(u32);

impl PhyId {
    /// The two registers, the first one in the upper half.
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }
}

/// How a register is reached by MDIO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The address that it answers at.
    pub(crate) address: u8,
    /// What must be written first, to a register at address 1: the register, and the value.
    pub(crate) select: Option<(u8, u16)>,
}

/// Address at which the page is selected.
const SELECT_ADDRESS: u8 = 1;

/// How the crossover is read.
pub(crate) struct CrossoverStatus {
    /// The register.
    reg: Reg,
    /// Bits of it that are set once the crossover is found.
    resolved: u16,
    /// Bits of it that are set if the pairs are crossed.
    crossed: u16,
}

/// What differs from one kind of PHY to another. All functions may sleep.
pub(crate) trait Model: Sync {
    /// Whether `id` is such a PHY.
    fn is(&self, id: PhyId) -> bool;

    /// Where `reg` is.
    fn place(&self, reg: Reg) -> Place;

    /// Pause after each access, and how many times one that failed is tried again.
    fn patience(&self) -> (Option<Delta>, u32);

    /// Asks the firmware for the MDIO bus, under the lock that keeps others in this driver out.
    ///
    /// An `EXTCNF_CTRL` of all ones has the ownership bit set too: [`Csr::read`] tells the two
    /// apart.
    fn take_bus(&self, csr: &Csr<'_>) -> Result<(), MdicError>;

    /// Whether the firmware forbids to reset the PHY.
    fn reset_blocked(&self, csr: &Csr<'_>) -> Result<bool, Gone>;

    /// Whether the PHY is reset by itself, and not together with the device.
    fn resets_alone(&self) -> bool;

    /// Sets up what is behind the copper, for `request`.
    fn setup_copper(&self, phy: &Phy, csr: &Csr<'_>, request: &LinkRequest)
        -> Result<(), PhyError>;

    /// Has forced speed and duplex take effect, which were just written.
    fn force(&self, phy: &Phy, csr: &Csr<'_>) -> Result<(), PhyError>;

    /// Prepares for a loopback at 1000 Mb/s.
    fn before_loopback(&self, phy: &Phy, csr: &Csr<'_>) -> Result<(), PhyError>;

    /// Undoes [`before_loopback`](Self::before_loopback).
    fn after_loopback(&self, phy: &Phy, csr: &Csr<'_>) -> Result<(), PhyError>;

    /// How the crossover is read.
    fn crossover(&self) -> CrossoverStatus;

    /// The receive error counter, if there is one.
    fn receive_errors(&self) -> Option<Reg>;
}

/// What a look for a hung PHY has found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hang {
    /// Not the signature.
    No,
    /// The signature: another look must show it, too.
    Suspected,
    /// The signature again.
    Certain,
}

/// What became of setting up the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkSetup {
    /// The PHY and the MAC were set up as asked for.
    Done,
    /// The manageability firmware keeps the link as it is (`MANC`, bit 18); only the MAC was set
    /// up.
    KeptByFirmware,
}

/// Ownership of the MDIO bus. Nothing else lets one give a command to `MDIC`.
///
/// # Invariants
///
/// While it lives no one else in this driver and not the firmware uses the bus.
pub(crate) struct Mdio<'a> {
    /// The registers.
    csr: &'a Csr<'a>,
    /// What is at the other end.
    model: &'static dyn Model,
    /// How many times an access that failed is tried again.
    retries: u32,
    /// Keeps others in this driver out.
    _lock: MutexGuard<'a, ()>,
}

impl Mdio<'_> {
    /// Gives `command` and returns its result.
    fn execute(&mut self, command: Command) -> Result<u16, MdicError> {
        let mut result = self.try_once(command);
        for _ in 0..self.retries {
            match result {
                Ok(_) | Err(MdicError::Gone) => break,
                Err(_) => {}
            }
            fsleep(RETRY_PAUSE);
            result = self.try_once(command);
        }
        result
    }

    fn try_once(&mut self, command: Command) -> Result<u16, MdicError> {
        self.csr
            .write(regs::MDIC, regs::MDIC::from_raw(command.raw()));
        let polled = self.csr.poll(
            |csr| csr.read(regs::MDIC).map(regs::MDIC::into_raw),
            |&mdic| Command::settled(mdic),
            MDIC_INTERVAL,
            MDIC_TIMEOUT,
        );
        if let (Some(pause), _) = self.model.patience() {
            fsleep(pause);
        }
        match polled {
            Ok(mdic) => command.classify(mdic),
            Err(PollError::Gone) => Err(MdicError::Gone),
            Err(PollError::Timeout) => Err(MdicError::Timeout),
        }
    }

    /// Selects the page of `reg` where that is needed; returns the address to use.
    fn select(&mut self, reg: Reg) -> Result<u8, MdicError> {
        let Place { address, select } = self.model.place(reg);
        if let Some((select, value)) = select {
            self.execute(Command::write(SELECT_ADDRESS, select, value))?;
        }
        Ok(address)
    }

    /// Reads `reg`.
    fn read(&mut self, reg: Reg) -> Result<u16, MdicError> {
        let address = self.select(reg)?;
        self.execute(Command::read(address, reg.reg))
    }

    /// Writes `value` to `reg`.
    fn write(&mut self, reg: Reg, value: u16) -> Result<(), MdicError> {
        let address = self.select(reg)?;
        self.execute(Command::write(address, reg.reg, value))
            .map(|_| ())
    }
}

impl Drop for Mdio<'_> {
    fn drop(&mut self) {
        // A device that is gone has no bus to give back.
        let _ = self.csr.update(regs::EXTCNF_CTRL, |extcnf| {
            extcnf.with_mdio_sw_ownership(false)
        });
    }
}

/// The MDIO bus, held over several accesses that belong together.
pub(crate) struct Session<'a> {
    phy: &'a Phy,
    mdio: Mdio<'a>,
}

impl<'a> Session<'a> {
    /// Reads `reg`.
    pub(crate) fn read(&mut self, reg: Reg) -> Result<u16, PhyError> {
        let result = self.mdio.read(reg);
        result.map_err(|class| self.phy.failed(Op::Read, reg, class))
    }

    /// Writes `value` to `reg`.
    pub(crate) fn write(&mut self, reg: Reg, value: u16) -> Result<(), PhyError> {
        let result = self.mdio.write(reg, value);
        result.map_err(|class| self.phy.failed(Op::Write, reg, class))
    }

    /// Clears the bits `clear` of `reg` and sets the bits `set`.
    pub(crate) fn change(&mut self, reg: Reg, clear: u16, set: u16) -> Result<(), PhyError> {
        let old = self.read(reg)?;
        self.write(reg, (old & !clear) | set)
    }

    /// Does not try again what fails, as where nobody may answer.
    pub(crate) fn impatient(&mut self) {
        self.mdio.retries = 0;
    }

    /// The registers, for what goes with the bus.
    pub(crate) fn csr(&self) -> &'a Csr<'a> {
        self.mdio.csr
    }

    /// Reads the identifier.
    pub(crate) fn identify(&mut self) -> Result<PhyId, PhyError> {
        let high = self.read(Reg::new(mii::PHYSID1))?;
        let low = self.read(Reg::new(mii::PHYSID2))?;
        Ok(PhyId((u32::from(high) << 16) | u32::from(low)))
    }
}

/// The PHY of one device.
#[pin_data]
pub(crate) struct Phy {
    /// What kind it is.
    model: &'static dyn Model,
    /// Serialises MDIO accesses within the driver.
    #[pin]
    mdio: Mutex<()>,
    /// Failed reads.
    read_errors: ErrorCounters,
    /// Failed writes.
    write_errors: ErrorCounters,
    /// Errors while nothing was sent, as the partner's idle signal was received.
    idle_errors: Atomic<u64>,
    /// The receive error counter as it was last read.
    receive_errors: Atomic<u64>,
    /// The last look showed the signature of a hung PHY.
    hang_suspected: AtomicFlag,
}

impl Phy {
    /// A PHY nobody has talked to yet.
    pub(crate) fn new(model: &'static dyn Model) -> impl PinInit<Self> {
        pin_init!(Self {
            model,
            mdio <- new_mutex!(()),
            read_errors: ErrorCounters::new(),
            write_errors: ErrorCounters::new(),
            idle_errors: Atomic::new(0),
            receive_errors: Atomic::new(0),
            hang_suspected: AtomicFlag::new(false),
        })
    }

    /// The address of its IEEE registers.
    pub(crate) fn address(&self) -> u8 {
        self.model.place(Reg::new(mii::BMCR)).address
    }

    /// Takes the MDIO bus. May sleep.
    pub(crate) fn own<'a>(&'a self, csr: &'a Csr<'a>) -> Result<Mdio<'a>, MdicError> {
        let lock = self.mdio.lock();
        self.model.take_bus(csr)?;
        let (_, retries) = self.model.patience();
        // INVARIANT: granted by the firmware, and the lock is held.
        Ok(Mdio {
            csr,
            model: self.model,
            retries,
            _lock: lock,
        })
    }

    /// Takes the MDIO bus for several accesses. May sleep.
    pub(crate) fn session<'a>(&'a self, csr: &'a Csr<'a>) -> Result<Session<'a>, PhyError> {
        match self.own(csr) {
            Ok(mdio) => Ok(Session { phy: self, mdio }),
            Err(class) => Err(self.failed(Op::Read, Reg::new(mii::BMCR), class)),
        }
    }

    /// Reads the register `reg`. May sleep.
    pub(crate) fn read(&self, csr: &Csr<'_>, reg: Reg) -> Result<u16, PhyError> {
        self.own(csr)
            .and_then(|mut mdio| mdio.read(reg))
            .map_err(|class| self.failed(Op::Read, reg, class))
    }

    /// Writes `value` to the register `reg`. May sleep.
    pub(crate) fn write(&self, csr: &Csr<'_>, reg: Reg, value: u16) -> Result<(), PhyError> {
        self.own(csr)
            .and_then(|mut mdio| mdio.write(reg, value))
            .map_err(|class| self.failed(Op::Write, reg, class))
    }

    /// Counts a failed access and describes it.
    #[cold]
    fn failed(&self, op: Op, reg: Reg, class: MdicError) -> PhyError {
        match op {
            Op::Read => self.read_errors.count(class),
            Op::Write => self.write_errors.count(class),
        }
        PhyError {
            class,
            phy_addr: self.model.place(reg).address,
            page: reg.page,
            reg: reg.reg,
            write: op == Op::Write,
        }
    }

    /// Number of reads that failed in this way.
    pub(crate) fn read_error(&self, class: MdicError) -> u64 {
        self.read_errors.get(class)
    }

    /// Number of writes that failed in this way.
    pub(crate) fn write_error(&self, class: MdicError) -> u64 {
        self.write_errors.get(class)
    }

    /// Reads the identifier.
    pub(crate) fn identify(&self, csr: &Csr<'_>) -> Result<PhyId, PhyError> {
        self.session(csr)?.identify()
    }

    /// Whether `id` is the PHY that this device has.
    pub(crate) fn is(&self, id: PhyId) -> bool {
        self.model.is(id)
    }

    /// Whether the firmware forbids to reset the PHY. May sleep.
    pub(crate) fn reset_blocked(&self, csr: &Csr<'_>) -> Result<bool, Gone> {
        self.model.reset_blocked(csr)
    }

    /// Resets the PHY by `CTRL.PHY_RST`, for a PHY that hangs. The link must be set up anew.
    ///
    /// Returns whether it was done; the firmware may forbid it, or it may be done with the device.
    pub(crate) fn hardware_reset(&self, csr: &Csr<'_>) -> Result<bool, PhyError> {
        if !self.model.resets_alone() || self.gone(self.reset_blocked(csr))? {
            return Ok(false);
        }
        let mdio = self
            .own(csr)
            .map_err(|class| self.failed(Op::Write, Reg::new(mii::BMCR), class))?;
        let pulse = || -> Result<(), Gone> {
            let ctrl = csr.read(regs::CTRL)?;
            csr.write(regs::CTRL, ctrl.with_phy_rst(true));
            csr.flush()?;
            fsleep(Delta::from_micros(100));
            csr.write(regs::CTRL, ctrl);
            csr.flush()?;
            fsleep(Delta::from_micros(150));
            Ok(())
        };
        let pulsed = pulse();
        drop(mdio);
        self.gone(pulsed)?;
        // The PHY loads its configuration from the NVM.
        fsleep(Delta::from_millis(10));
        self.hang_suspected.store(false, Relaxed);
        Ok(true)
    }

    /// Resets the PHY by its own control register: changes of most registers need that.
    fn commit(&self, csr: &Csr<'_>) -> Result<(), PhyError> {
        let bmcr = Reg::new(mii::BMCR);
        let value = self.read(csr, bmcr)?;
        self.write(csr, bmcr, value | mii::BMCR_RESET)?;
        for _ in 0..RESET_TRIES {
            if self.read(csr, bmcr)? & mii::BMCR_RESET == 0 {
                return Ok(());
            }
            fsleep(RESET_INTERVAL);
        }
        Err(self.failed(Op::Write, bmcr, MdicError::Timeout))
    }

    /// Starts auto-negotiation anew.
    pub(crate) fn restart_autoneg(&self, csr: &Csr<'_>) -> Result<(), PhyError> {
        let bmcr = Reg::new(mii::BMCR);
        let value = self.read(csr, bmcr)?;
        self.write(csr, bmcr, value | mii::BMCR_ANENABLE | mii::BMCR_ANRESTART)
    }

    /// Sets up PHY and MAC for `request` and starts the link, or the loopback.
    ///
    /// Nothing is waited for: the end is told by a link status change.
    pub(crate) fn setup_link(
        &self,
        csr: &Csr<'_>,
        request: &LinkRequest,
    ) -> Result<LinkSetup, PhyError> {
        let blocked = self.gone(self.reset_blocked(csr))?;
        if request.loopback && !blocked {
            self.enter_loopback(csr)?;
            return Ok(LinkSetup::Done);
        }
        self.gone(Self::setup_mac(csr, request))?;
        if blocked {
            return Ok(LinkSetup::KeptByFirmware);
        }
        let bmcr = Reg::new(mii::BMCR);
        let value = self.read(csr, bmcr)?;
        let idle = mii::BMCR_PDOWN | mii::BMCR_LOOPBACK;
        if value & idle != 0 {
            self.write(csr, bmcr, value & !idle)?;
        }
        self.model.setup_copper(self, csr, request)?;

        if let LinkMode::Autoneg(modes) = request.mode {
            self.write(csr, Reg::new(mii::ANAR), request.anar())?;
            let gbcr = Reg::new(mii::GBCR);
            let value = self.read(csr, gbcr)? & !(mii::GBCR_FULL | mii::GBCR_HALF);
            self.write(csr, gbcr, value | modes.to_gbcr())?;
        }
        let value = request.bmcr(self.read(csr, bmcr)?);
        self.write(csr, bmcr, value)?;
        if let LinkMode::Forced(..) = request.mode {
            self.model.force(self, csr)?;
        }
        Ok(LinkSetup::Done)
    }

    /// The MAC's side of the link, loopback apart: follow the PHY, or the same forced values as the
    /// PHY.
    pub(crate) fn setup_mac(csr: &Csr<'_>, request: &LinkRequest) -> Result<(), Gone> {
        csr.update(regs::CTRL, |ctrl| {
            let ctrl = ctrl.with_slu(true);
            match request.mode {
                LinkMode::Autoneg(_) => ctrl.with_frcspd(false).with_frcdplx(false),
                LinkMode::Forced(speed, duplex) => {
                    let ctrl = match speed {
                        ForcedSpeed::Mbps10 => ctrl.with_const_speed::<0>(),
                        ForcedSpeed::Mbps100 => ctrl.with_const_speed::<1>(),
                    };
                    ctrl.with_asde(false)
                        .with_frcspd(true)
                        .with_frcdplx(true)
                        .with_fd(duplex == Duplex::Full)
                }
            }
        })
    }

    /// Finds out the state of the link. A register that cannot be read makes it unknown.
    pub(crate) fn read_link(&self, csr: &Csr<'_>, request: &LinkRequest) -> LinkState {
        let read = || -> Result<LinkState, Cause> {
            let phy = PhyLink {
                bmcr: self.read(csr, Reg::new(mii::BMCR))?,
                bmsr: {
                    // The link bit latches low: the first read tells the past.
                    self.read(csr, Reg::new(mii::BMSR))?;
                    self.read(csr, Reg::new(mii::BMSR))?
                },
                anar: self.read(csr, Reg::new(mii::ANAR))?,
                anlpar: self.read(csr, Reg::new(mii::ANLPAR))?,
            };
            let status = csr.read(regs::STATUS).map_err(|Gone| Cause::Gone)?;
            let mac = MacLink {
                up: status.lu(),
                speed: Speed::from_status(status.speed().get()),
                duplex: if status.fd() {
                    Duplex::Full
                } else {
                    Duplex::Half
                },
            };
            Ok(resolve(&phy, &mac, request))
        };
        read().unwrap_or_else(LinkState::Unknown)
    }

    /// What the partner advertises: `ANLPAR` and the 1000BASE-T status register.
    pub(crate) fn read_partner(&self, csr: &Csr<'_>) -> Result<(u16, u16), PhyError> {
        Ok((self.read(csr, Reg::new(mii::ANLPAR))?, self.read_gbsr(csr)?))
    }

    /// Reads the 1000BASE-T status register, which takes the idle errors out of it.
    fn read_gbsr(&self, csr: &Csr<'_>) -> Result<u16, PhyError> {
        let gbsr = self.read(csr, Reg::new(mii::GBSR))?;
        self.idle_errors
            .add((gbsr & GBSR_IDLE_ERRORS).into(), Relaxed);
        Ok(gbsr)
    }

    /// Reads the receive error counter, which stops at 65,535, if there is one.
    fn read_receive_errors(&self, csr: &Csr<'_>) -> Result<Option<u16>, PhyError> {
        let Some(reg) = self.model.receive_errors() else {
            return Ok(None);
        };
        let errors = self.read(csr, reg)?;
        self.receive_errors.store(errors.into(), Relaxed);
        Ok(Some(errors))
    }

    /// Brings the error counts up to date; a read that fails adds nothing to them.
    pub(crate) fn update_errors(&self, csr: &Csr<'_>) -> Result<(), PhyError> {
        self.read_receive_errors(csr)?;
        self.read_gbsr(csr).map(|_| ())
    }

    /// Idle errors, and the receive error counter, as last read.
    pub(crate) fn errors(&self) -> (u64, u64) {
        (
            self.idle_errors.load(Relaxed),
            self.receive_errors.load(Relaxed),
        )
    }

    /// How the pairs are crossed; [`None`] if that is not found yet.
    pub(crate) fn crossed(&self, csr: &Csr<'_>) -> Result<Option<Crossover>, PhyError> {
        let CrossoverStatus {
            reg,
            resolved,
            crossed,
        } = self.model.crossover();
        let status = self.read(csr, reg)?;
        Ok(if status & resolved == 0 {
            None
        } else if status & crossed != 0 {
            Some(Crossover::MdiX)
        } else {
            Some(Crossover::Mdi)
        })
    }

    /// Looks for the signature of a hung PHY. To be called with every look at a link that is up.
    ///
    /// Commit ff10e13cd06f: the receive error counter (register 21) is at its end and the idle
    /// error count (low byte of register 10) as well. Only a reset of the PHY helps.
    pub(crate) fn look_for_hang(&self, csr: &Csr<'_>) -> Result<Hang, PhyError> {
        let receive_errors = self.read_receive_errors(csr)?;
        let idle_errors = self.read_gbsr(csr)? & GBSR_IDLE_ERRORS;
        let signature = receive_errors == Some(0xffff) && idle_errors == GBSR_IDLE_ERRORS;
        let before = self.hang_suspected.xchg(signature, Relaxed);
        Ok(match (signature, before) {
            (false, _) => Hang::No,
            (true, false) => Hang::Suspected,
            (true, true) => Hang::Certain,
        })
    }

    /// Has the PHY give back what the MAC sends, at 1000 Mb/s and full duplex, to which the MAC is
    /// forced as well. The link is gone, and must be set up anew after
    /// [`leave_loopback`](Self::leave_loopback).
    pub(crate) fn enter_loopback(&self, csr: &Csr<'_>) -> Result<(), PhyError> {
        self.model.before_loopback(self, csr)?;
        self.write(
            csr,
            Reg::new(mii::BMCR),
            mii::BMCR_LOOPBACK | mii::BMCR_FULLDPLX | mii::BMCR_SPEED1000,
        )?;
        fsleep(LOOPBACK_SETTLE);
        self.gone(csr.update(regs::CTRL, |ctrl| {
            ctrl.with_slu(true)
                .with_asde(false)
                .with_frcspd(true)
                .with_frcdplx(true)
                .with_fd(true)
                .with_const_speed::<2>()
        }))
    }

    /// Ends what [`enter_loopback`](Self::enter_loopback) began.
    pub(crate) fn leave_loopback(&self, csr: &Csr<'_>) -> Result<(), PhyError> {
        let bmcr = Reg::new(mii::BMCR);
        let value = self.read(csr, bmcr)?;
        self.write(csr, bmcr, value & !mii::BMCR_LOOPBACK)?;
        self.model.after_loopback(self, csr)
    }

    /// Powers the PHY down. Returns whether it was done; the firmware may need it.
    ///
    /// [`setup_link`](Self::setup_link) powers it up again.
    pub(crate) fn power_down(&self, csr: &Csr<'_>) -> Result<bool, PhyError> {
        if self.gone(self.reset_blocked(csr))? {
            return Ok(false);
        }
        let bmcr = Reg::new(mii::BMCR);
        let value = self.read(csr, bmcr)?;
        self.write(csr, bmcr, value | mii::BMCR_PDOWN)?;
        Ok(true)
    }

    /// A device that is gone while the PHY was to be worked on, as a PHY error.
    fn gone<T>(&self, result: Result<T, Gone>) -> Result<T, PhyError> {
        result.map_err(|Gone| self.failed(Op::Write, Reg::new(mii::BMCR), MdicError::Gone))
    }
}

impl From<Gone> for MdicError {
    fn from(_: Gone) -> Self {
        MdicError::Gone
    }
}

impl From<PhyError> for Cause {
    fn from(e: PhyError) -> Self {
        match e.class {
            MdicError::Gone => Cause::Gone,
            class => Cause::Phy { class, reg: e.reg },
        }
    }
}
