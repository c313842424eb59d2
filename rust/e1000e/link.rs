// SPDX-License-Identifier: GPL-2.0

//! Link state, what is advertised, and flow control resolution (IEEE 802.3 clauses 22, 28, 40;
//! annex 28B).
//!
//! The state of a link that could not be read is [`LinkState::Unknown`]: neither up nor down. Who
//! acts on it decides when unknown has lasted too long.
//!
//! Pure logic: of `kernel` it needs only what `core` has too.

use kernel::fmt;

use crate::mdic::MdicError;

/// PHY registers of IEEE 802.3 clause 22 and their bits.
pub(crate) mod mii {
    /// Control register.
    pub(crate) const BMCR: u8 = 0;
    /// Status register.
    pub(crate) const BMSR: u8 = 1;
    /// First half of the PHY identifier.
    pub(crate) const PHYSID1: u8 = 2;
    /// Second half of the PHY identifier.
    pub(crate) const PHYSID2: u8 = 3;
    /// Auto-negotiation advertisement.
    pub(crate) const ANAR: u8 = 4;
    /// Auto-negotiation link partner ability.
    pub(crate) const ANLPAR: u8 = 5;
    /// 1000BASE-T control.
    pub(crate) const GBCR: u8 = 9;
    /// 1000BASE-T status.
    pub(crate) const GBSR: u8 = 10;

    /// BMCR: software reset.
    pub(crate) const BMCR_RESET: u16 = 0x8000;
    /// BMCR: what is sent comes back.
    pub(crate) const BMCR_LOOPBACK: u16 = 0x4000;
    /// BMCR: 100 Mb/s when forced.
    pub(crate) const BMCR_SPEED100: u16 = 0x2000;
    /// BMCR: auto-negotiation enable.
    pub(crate) const BMCR_ANENABLE: u16 = 0x1000;
    /// BMCR: power down.
    pub(crate) const BMCR_PDOWN: u16 = 0x0800;
    /// BMCR: restart auto-negotiation.
    pub(crate) const BMCR_ANRESTART: u16 = 0x0200;
    /// BMCR: full duplex when forced.
    pub(crate) const BMCR_FULLDPLX: u16 = 0x0100;
    /// BMCR: 1000 Mb/s when forced.
    pub(crate) const BMCR_SPEED1000: u16 = 0x0040;

    /// BMSR: auto-negotiation complete.
    pub(crate) const BMSR_ANEGCOMPLETE: u16 = 0x0020;
    /// BMSR: link up; latches low.
    pub(crate) const BMSR_LSTATUS: u16 = 0x0004;

    /// ANAR, ANLPAR: asymmetric pause.
    pub(crate) const PAUSE_ASYM: u16 = 0x0800;
    /// ANAR, ANLPAR: pause.
    pub(crate) const PAUSE_CAP: u16 = 0x0400;
    /// ANAR, ANLPAR: 100BASE-TX full duplex.
    pub(crate) const FULL_100: u16 = 0x0100;
    /// ANAR, ANLPAR: 100BASE-TX half duplex.
    pub(crate) const HALF_100: u16 = 0x0080;
    /// ANAR, ANLPAR: 10BASE-T full duplex.
    pub(crate) const FULL_10: u16 = 0x0040;
    /// ANAR, ANLPAR: 10BASE-T half duplex.
    pub(crate) const HALF_10: u16 = 0x0020;

    /// GBCR: 1000BASE-T full duplex.
    pub(crate) const GBCR_FULL: u16 = 0x0200;
    /// GBCR: 1000BASE-T half duplex.
    pub(crate) const GBCR_HALF: u16 = 0x0100;
    /// GBSR: the partner does 1000BASE-T full duplex.
    pub(crate) const GBSR_FULL: u16 = 0x0800;
}

/// Link speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// 10 Mb/s.
    Mbps10,
    /// 100 Mb/s.
    Mbps100,
    /// 1000 Mb/s.
    Mbps1000,
}

impl Speed {
    /// The speed in Mb/s.
    pub(crate) const fn mbps(self) -> u32 {
        match self {
            Speed::Mbps10 => 10,
            Speed::Mbps100 => 100,
            Speed::Mbps1000 => 1000,
        }
    }

    /// From `STATUS.SPEED`; both 2 and 3 are 1000 Mb/s.
    pub(crate) const fn from_status(speed: u32) -> Self {
        match speed {
            0 => Speed::Mbps10,
            1 => Speed::Mbps100,
            _ => Speed::Mbps1000,
        }
    }
}

/// Duplex mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplex {
    /// One direction at a time.
    Half,
    /// Both directions at once.
    Full,
}

/// Flow control by PAUSE frames, for each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// PAUSE frames received stop the transmitter.
    pub(crate) rx: bool,
    /// PAUSE frames are sent when the packet buffer fills up.
    pub(crate) tx: bool,
}

impl Pause {
    /// No flow control.
    pub(crate) const NONE: Self = Self {
        rx: false,
        tx: false,
    };
    /// Flow control in both directions.
    pub(crate) const FULL: Self = Self { rx: true, tx: true };

    /// The pause bits of ANAR that ask for this (table 28B-2).
    ///
    /// There is no way to ask for the receive direction only: both bits also allow the other
    /// direction, which [`resolve_pause`] then takes away again.
    pub(crate) const fn advertisement(self) -> u16 {
        match (self.rx, self.tx) {
            (false, false) => 0,
            (false, true) => mii::PAUSE_ASYM,
            (true, _) => mii::PAUSE_CAP | mii::PAUSE_ASYM,
        }
    }
}

/// Resolves flow control from both sides' advertisements (ANAR, ANLPAR; table 28B-3), and takes
/// away the directions that were not asked for.
pub(crate) const fn resolve_pause(anar: u16, anlpar: u16, wanted: Pause) -> Pause {
    let both = anar & anlpar;
    let resolved = if both & mii::PAUSE_CAP != 0 {
        Pause::FULL
    } else if both & mii::PAUSE_ASYM == 0 {
        Pause::NONE
    } else {
        // Both can do one direction; the side that is able to stop is the one that receives.
        Pause {
            rx: anar & mii::PAUSE_CAP != 0,
            tx: anlpar & mii::PAUSE_CAP != 0,
        }
    };
    Pause {
        rx: resolved.rx && wanted.rx,
        tx: resolved.tx && wanted.tx,
    }
}

/// A set of link modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Modes(u8);

impl Modes {
    /// No mode.
    pub(crate) const NONE: Self = Self(0);
    /// 10BASE-T half duplex.
    pub(crate) const HALF_10: Self = Self(1 << 0);
    /// 10BASE-T full duplex.
    pub(crate) const FULL_10: Self = Self(1 << 1);
    /// 100BASE-TX half duplex.
    pub(crate) const HALF_100: Self = Self(1 << 2);
    /// 100BASE-TX full duplex.
    pub(crate) const FULL_100: Self = Self(1 << 3);
    /// 1000BASE-T full duplex. Half duplex is not supported at this speed.
    pub(crate) const FULL_1000: Self = Self(1 << 4);
    /// Those that energy-efficient Ethernet is defined for.
    pub(crate) const EEE: Self = Self::FULL_100.with(Self::FULL_1000);
    /// Everything the device can do.
    pub(crate) const ALL: Self = Self(0x1f);

    /// Each mode with its bit in ANAR and ANLPAR.
    const ANAR: [(Self, u16); 4] = [
        (Self::HALF_10, mii::HALF_10),
        (Self::FULL_10, mii::FULL_10),
        (Self::HALF_100, mii::HALF_100),
        (Self::FULL_100, mii::FULL_100),
    ];

    /// Both sets together.
    #[must_use]
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all modes of `other` are in the set.
    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is no mode in the set.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as bits of ANAR.
    pub(crate) fn to_anar(self) -> u16 {
        Self::ANAR
            .into_iter()
            .filter(|&(mode, _)| self.contains(mode))
            .fold(0, |bits, (_, bit)| bits | bit)
    }

    /// The set as bits of GBCR.
    pub(crate) const fn to_gbcr(self) -> u16 {
        if self.contains(Self::FULL_1000) {
            mii::GBCR_FULL
        } else {
            0
        }
    }

    /// The modes the partner advertises.
    pub(crate) fn from_partner(anlpar: u16, gbsr: u16) -> Self {
        let gigabit = if gbsr & mii::GBSR_FULL != 0 {
            Self::FULL_1000
        } else {
            Self::NONE
        };
        Self::ANAR
            .into_iter()
            .filter(|&(_, bit)| anlpar & bit != 0)
            .fold(gigabit, |modes, (mode, _)| modes.with(mode))
    }
}

/// Speeds that can be forced: 1000BASE-T needs auto-negotiation (clause 40.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForcedSpeed {
    /// 10 Mb/s.
    Mbps10,
    /// 100 Mb/s.
    Mbps100,
}

/// How the link's speed and duplex are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkMode {
    /// Auto-negotiation, advertising these modes.
    Autoneg(Modes),
    /// Forced.
    Forced(ForcedSpeed, Duplex),
}

/// How the pairs of the cable are crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crossover {
    /// Straight (MDI).
    Mdi,
    /// Crossed (MDI-X).
    MdiX,
    /// Whichever finds a link; needs auto-negotiation, and is straight without.
    Auto,
}

/// What the user wants of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkRequest {
    /// Speed and duplex.
    pub(crate) mode: LinkMode,
    /// Flow control wanted.
    pub(crate) pause: Pause,
    /// Whether `pause` is negotiated; otherwise it is forced.
    pub(crate) pause_autoneg: bool,
    /// How the pairs are crossed.
    pub(crate) crossover: Crossover,
    /// Modes in which energy-efficient Ethernet is advertised, where the chip can do that: those of
    /// full duplex at 100 and 1000 Mb/s.
    pub(crate) eee: Modes,
    /// Whether it is advertised at all.
    pub(crate) eee_on: bool,
    /// What is sent comes back by the PHY, at 1000 Mb/s; the rest counts once that is over.
    pub(crate) loopback: bool,
}

impl LinkRequest {
    /// Negotiate everything the device can do.
    pub(crate) const DEFAULT: Self = Self {
        mode: LinkMode::Autoneg(Modes::ALL),
        pause: Pause::FULL,
        pause_autoneg: true,
        crossover: Crossover::Auto,
        eee: Modes::EEE,
        eee_on: true,
        loopback: false,
    };

    /// Contents of ANAR for this request: selector field 1 (IEEE 802.3), modes and pause.
    pub(crate) fn anar(&self) -> u16 {
        const SELECTOR: u16 = 1;
        let modes = match self.mode {
            LinkMode::Autoneg(modes) => modes,
            LinkMode::Forced(..) => Modes::NONE,
        };
        SELECTOR | modes.to_anar() | self.pause.advertisement()
    }

    /// `bmcr` changed for this request: negotiate and restart, or force.
    pub(crate) const fn bmcr(&self, bmcr: u16) -> u16 {
        let cleared = bmcr
            & !(mii::BMCR_LOOPBACK
                | mii::BMCR_SPEED1000
                | mii::BMCR_SPEED100
                | mii::BMCR_FULLDPLX
                | mii::BMCR_ANENABLE
                | mii::BMCR_ANRESTART
                | mii::BMCR_PDOWN);
        match self.mode {
            LinkMode::Autoneg(_) => cleared | mii::BMCR_ANENABLE | mii::BMCR_ANRESTART,
            LinkMode::Forced(speed, duplex) => {
                let speed = match speed {
                    ForcedSpeed::Mbps10 => 0,
                    ForcedSpeed::Mbps100 => mii::BMCR_SPEED100,
                };
                let duplex = match duplex {
                    Duplex::Half => 0,
                    Duplex::Full => mii::BMCR_FULLDPLX,
                };
                cleared | speed | duplex
            }
        }
    }
}

/// Energy-efficient Ethernet, as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Eee {
    /// Modes in which the chip can do it.
    pub(crate) supported: Modes,
    /// Modes in which the partner can.
    pub(crate) partner: Modes,
    /// Low power idle was seen since it was last asked.
    pub(crate) active: bool,
    /// Time without frames after which low power idle is entered, in microseconds.
    pub(crate) timer: u32,
}

/// Registers of the PHY that tell the state of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PhyLink {
    /// Control register.
    pub(crate) bmcr: u16,
    /// Status register, the second of two reads: the link bit latches low.
    pub(crate) bmsr: u16,
    /// What we advertise.
    pub(crate) anar: u16,
    /// What the partner advertises.
    pub(crate) anlpar: u16,
}

/// Fields of `STATUS` that tell the state of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MacLink {
    /// `STATUS.LU`: link up.
    pub(crate) up: bool,
    /// `STATUS.SPEED`.
    pub(crate) speed: Speed,
    /// `STATUS.FD`.
    pub(crate) duplex: Duplex,
}

/// A link that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Speed.
    pub(crate) speed: Speed,
    /// Duplex.
    pub(crate) duplex: Duplex,
    /// Flow control in force.
    pub(crate) pause: Pause,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duplex = match self.duplex {
            Duplex::Half => "half",
            Duplex::Full => "full",
        };
        let pause = match (self.pause.rx, self.pause.tx) {
            (false, false) => "none",
            (true, false) => "rx",
            (false, true) => "tx",
            (true, true) => "rx/tx",
        };
        write!(
            f,
            "{} Mb/s, {} duplex, flow control {}",
            self.speed.mbps(),
            duplex,
            pause
        )
    }
}

/// Why the state of the link is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The device does not answer.
    Gone,
    /// A PHY register could not be read.
    Phy {
        /// What went wrong.
        class: MdicError,
        /// The register.
        reg: u8,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Gone => f.write_str("the device is gone"),
            Cause::Phy { class, reg } => write!(f, "PHY register {}: {}", reg, class.reason()),
        }
    }
}

/// State of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// Up, as told by both PHY and MAC.
    Up(Link),
    /// Down, as told by one of them.
    Down,
    /// It could not be found out.
    Unknown(Cause),
}

impl LinkState {
    /// Whether the link is up, but slower than 1000 Mb/s.
    pub(crate) const fn is_slow(&self) -> bool {
        match self {
            LinkState::Up(link) => link.speed.mbps() < 1000,
            LinkState::Down | LinkState::Unknown(_) => false,
        }
    }
}

/// Finds the state of the link from registers that were all read without an error.
pub(crate) const fn resolve(phy: &PhyLink, mac: &MacLink, request: &LinkRequest) -> LinkState {
    if request.loopback {
        // It needs no partner, and has none to pause.
        return if phy.bmcr & mii::BMCR_LOOPBACK != 0 {
            LinkState::Up(Link {
                speed: Speed::Mbps1000,
                duplex: Duplex::Full,
                pause: Pause::NONE,
            })
        } else {
            LinkState::Down
        };
    }
    if phy.bmsr & mii::BMSR_LSTATUS == 0 || !mac.up {
        return LinkState::Down;
    }
    // Full duplex only: PAUSE is not defined for half duplex (clause 31B.1).
    let pause = match mac.duplex {
        Duplex::Half => Pause::NONE,
        Duplex::Full if !request.pause_autoneg => request.pause,
        Duplex::Full => {
            if phy.bmcr & mii::BMCR_ANENABLE != 0 && phy.bmsr & mii::BMSR_ANEGCOMPLETE != 0 {
                resolve_pause(phy.anar, phy.anlpar, request.pause)
            } else {
                Pause::NONE
            }
        }
    };
    LinkState::Up(Link {
        speed: mac.speed,
        duplex: mac.duplex,
        pause,
    })
}
