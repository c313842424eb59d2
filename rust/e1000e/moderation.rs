// SPDX-License-Identifier: GPL-2.0

//! Interrupt moderation: how often each vector may interrupt.
//!
//! It is asked for by queue and direction. The chip has one time for each vector (`EITR`), or one
//! for all outside MSI-X (`ITR`): of the times that meet there the shortest counts, as each is the
//! longest that a frame is to wait.
//!
//! Where it is to be adaptive the kernel finds out the time, and a work item of
//! [`kernel_ext::net::dim`] hands it on. Who stops channels waits for these work items, and holds
//! `Nic::hardware`: so they must not take it, and all this has a lock of its own, the last to be
//! taken. The registers are only written under it, and whole, so that nothing old is written last.

use kernel::prelude::*;
use kernel_ext::net::{
    device::Device,
    dim::Direction,
    ethtool::Coalesce, //
};

use crate::{
    csr::Queue,
    irq::Layout,
    ivar::Cause,
    nic::Nic,
    regs::QUEUES, //
};

/// At first: at most 20,000 interrupts a second for received frames. Nobody waits for frames that
/// were sent, and a poll for received ones looks at them, too: those have 5,000, so that a small
/// request and its answer mostly take one interrupt. A ring of the default size, with a context
/// for each frame, then still lasts for 1.2 million frames a second.
const DEFAULT: Coalesce = Coalesce {
    rx_usecs: DEFAULT_USECS,
    tx_usecs: 200,
    rx_adaptive: false,
    tx_adaptive: false,
};
const DEFAULT_USECS: u32 = 50;

/// The longest time between two interrupts that `ITR` and `EITR` can hold, in microseconds.
const MAX_USECS: u32 = 0xffff * 256 / 1000;

/// Microseconds, at most [`MAX_USECS`], in the units of `ITR` and `EITR`: 256 ns each, rounded
/// down.
fn interval(usecs: u32) -> u16 {
    // CAST: What does not fit has been cut off.
    (usecs.min(MAX_USECS).saturating_mul(1000) / 256) as u16
}

/// Why a setting is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Longer than the registers can hold.
    TooLong,
    /// There is one interrupt for all queues.
    OneForAll,
    /// The two directions of a queue share a vector.
    Shared,
}

impl Refused {
    /// For the user.
    pub(crate) const fn text(self) -> &'static CStr {
        match self {
            Self::TooLong => c"rx-usecs and tx-usecs can be 16776 at most",
            Self::OneForAll => c"one interrupt serves all queues: set them together",
            Self::Shared => c"one vector serves both directions of a queue: set the same for both",
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooLong => ERANGE,
            Refused::OneForAll => EOPNOTSUPP,
            Refused::Shared => EINVAL,
        }
    }
}

/// What is asked for, kept for as long as the device is bound, and where it goes.
pub(crate) struct Moderation {
    /// By queue, of those that are not in use as well.
    queues: [Coalesce; QUEUES],
    /// What it was for each queue before that was last set by itself.
    before: [Coalesce; QUEUES],
    /// The vectors and the number of channels in use, while there are vectors.
    target: Option<(Layout, u32)>,
}

/// What belongs to `queue`.
fn of<T>(all: &[T; QUEUES], queue: Queue) -> &T {
    match (all, queue) {
        ([one, _], Queue::Q0) | ([_, one], Queue::Q1) => one,
    }
}

/// As [`of`].
fn of_mut<T>(all: &mut [T; QUEUES], queue: Queue) -> &mut T {
    match (all, queue) {
        ([one, _], Queue::Q0) | ([_, one], Queue::Q1) => one,
    }
}

impl Moderation {
    /// The default, without vectors.
    pub(crate) const fn new() -> Self {
        Self {
            queues: [DEFAULT; QUEUES],
            before: [DEFAULT; QUEUES],
            target: None,
        }
    }

    /// What is asked for of `queue`.
    pub(crate) fn get(&self, queue: Queue) -> Coalesce {
        *of(&self.queues, queue)
    }

    /// Asks for the same of all queues.
    pub(crate) fn set_all(
        &mut self,
        nic: &Nic<'_>,
        dev: &Device<Nic<'_>>,
        wanted: Coalesce,
    ) -> Result<(), Refused> {
        check(&wanted)?;
        self.queues = [wanted; QUEUES];
        self.apply(nic, dev);
        Ok(())
    }

    /// Asks for `wanted` of `queue` alone, where the vectors, if there are any, can do that.
    ///
    /// What was asked for before is not refused: the stack sets several queues one by one, and
    /// takes all of them back if one is refused.
    pub(crate) fn set(
        &mut self,
        nic: &Nic<'_>,
        dev: &Device<Nic<'_>>,
        queue: Queue,
        wanted: Coalesce,
    ) -> Result<(), Refused> {
        check(&wanted)?;
        match &self.target {
            Some((Layout::Single(_), _)) => return Err(Refused::OneForAll),
            Some((layout, _))
                if layout.directions_share(queue)
                    && differ(&wanted)
                    && wanted != self.get(queue)
                    && wanted != *of(&self.before, queue) =>
            {
                return Err(Refused::Shared);
            }
            _ => {}
        }
        *of_mut(&mut self.before, queue) =
            core::mem::replace(of_mut(&mut self.queues, queue), wanted);
        self.apply(nic, dev);
        Ok(())
    }

    /// There are vectors, as `layout` has them, and `channels` will be in use.
    pub(crate) fn begin(
        &mut self,
        nic: &Nic<'_>,
        dev: &Device<Nic<'_>>,
        layout: Layout,
        channels: u32,
    ) {
        self.target = Some((layout, channels));
        self.apply(nic, dev);
    }

    /// There are no vectors any more.
    pub(crate) fn end(&mut self) {
        self.target = None;
    }

    fn apply(&self, nic: &Nic<'_>, dev: &Device<Nic<'_>>) {
        for queue in Queue::ALL {
            let wanted = self.get(queue);
            dev.set_adaptive(queue.index(), Direction::Rx, wanted.rx_adaptive);
            dev.set_adaptive(queue.index(), Direction::Tx, wanted.tx_adaptive);
        }
        self.program(nic, dev);
    }

    /// Sets how often each vector may interrupt: that of nothing but `OTHER` as at first.
    ///
    /// Single writes to registers that are nobody else's, so that this needs no `Nic::hardware`.
    pub(crate) fn program(&self, nic: &Nic<'_>, dev: &Device<Nic<'_>>) {
        let Some((layout, channels)) = &self.target else {
            return;
        };
        let Layout::MsiX { assignment, .. } = layout else {
            let usecs = Queue::first(*channels)
                .map(|queue| {
                    let rx = self.usecs(dev, queue, Direction::Rx);
                    rx.min(self.usecs(dev, queue, Direction::Tx))
                })
                .min();
            let usecs = usecs.unwrap_or(DEFAULT_USECS);
            nic.chip.set_throttle(&nic.csr, None, interval(usecs));
            return;
        };
        let usecs = |cause| {
            let (queue, direction) = match cause {
                Cause::Rx0 => (Queue::Q0, Direction::Rx),
                Cause::Rx1 => (Queue::Q1, Direction::Rx),
                Cause::Tx0 => (Queue::Q0, Direction::Tx),
                Cause::Tx1 => (Queue::Q1, Direction::Tx),
                Cause::Other => return None,
            };
            Some(self.usecs(dev, queue, direction))
        };
        for vector in assignment.count().vectors() {
            let usecs = assignment.causes(vector).filter_map(usecs).min();
            let usecs = usecs.unwrap_or(DEFAULT_USECS);
            nic.chip
                .set_throttle(&nic.csr, Some(vector), interval(usecs));
        }
    }

    /// The time for one direction of a queue, in microseconds.
    fn usecs(&self, dev: &Device<Nic<'_>>, queue: Queue, direction: Direction) -> u32 {
        let wanted = self.get(queue);
        let (adaptive, fixed) = match direction {
            Direction::Rx => (wanted.rx_adaptive, wanted.rx_usecs),
            Direction::Tx => (wanted.tx_adaptive, wanted.tx_usecs),
        };
        adaptive
            .then(|| dev.adaptive_usecs(queue.index(), direction))
            .flatten()
            .unwrap_or(fixed)
    }
}

/// Whether the registers can hold it.
fn check(wanted: &Coalesce) -> Result<(), Refused> {
    if wanted.rx_usecs.max(wanted.tx_usecs) > MAX_USECS {
        Err(Refused::TooLong)
    } else {
        Ok(())
    }
}

/// Whether the two directions are not to have the same.
fn differ(wanted: &Coalesce) -> bool {
    (wanted.rx_usecs, wanted.rx_adaptive) != (wanted.tx_usecs, wanted.tx_adaptive)
}
