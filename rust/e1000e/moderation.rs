// SPDX-License-Identifier: GPL-2.0

//! Interrupt moderation: how often each vector may interrupt.
//!
//! It is asked for by queue and direction. The chip has one time for each vector (`EITR`), or one
//! for all outside MSI-X (`ITR`): of the times that meet there the shortest counts, as each is the
//! longest that a frame is to wait.

use kernel::prelude::*;
use kernel_ext::net::ethtool::Coalesce;

use crate::{
    csr::Queue,
    irq::Layout,
    ivar::Cause,
    nic::Nic,
    regs::QUEUES, //
};

/// At first: at most 20,000 interrupts a second of each vector.
const DEFAULT: Coalesce = Coalesce {
    rx_usecs: DEFAULT_USECS,
    tx_usecs: DEFAULT_USECS,
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

/// What is asked for, by queue, of those that are not in use as well.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    queues: [Coalesce; QUEUES],
    /// What it was for each queue before that was last set by itself.
    before: [Coalesce; QUEUES],
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

impl Settings {
    /// The default.
    pub(crate) const fn new() -> Self {
        Self {
            queues: [DEFAULT; QUEUES],
            before: [DEFAULT; QUEUES],
        }
    }

    /// What is asked for of `queue`.
    pub(crate) fn get(&self, queue: Queue) -> Coalesce {
        *of(&self.queues, queue)
    }

    /// Asks for the same of all queues.
    pub(crate) fn set_all(&mut self, wanted: Coalesce) -> Result<(), Refused> {
        check(&wanted)?;
        self.queues = [wanted; QUEUES];
        Ok(())
    }

    /// Asks for `wanted` of `queue` alone, where `layout`, if there is one yet, can do that.
    ///
    /// What was asked for before is not refused: the stack sets several queues one by one, and
    /// takes all of them back if one is refused.
    pub(crate) fn set(
        &mut self,
        queue: Queue,
        wanted: Coalesce,
        layout: Option<&Layout>,
    ) -> Result<(), Refused> {
        check(&wanted)?;
        match layout {
            Some(Layout::Single(_)) => return Err(Refused::OneForAll),
            Some(layout)
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
        Ok(())
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
    wanted.rx_usecs != wanted.tx_usecs
}

/// Sets how often each vector of `layout` may interrupt: that of nothing but `OTHER` as at first.
/// `channels` are in use. Any context.
pub(crate) fn apply(nic: &Nic<'_>, layout: &Layout, settings: &Settings, channels: u32) {
    let Layout::MsiX { assignment, .. } = layout else {
        let usecs = Queue::first(channels)
            .map(|queue| settings.get(queue))
            .map(|wanted| wanted.rx_usecs.min(wanted.tx_usecs))
            .min();
        let usecs = usecs.unwrap_or(DEFAULT_USECS);
        nic.chip.set_throttle(&nic.csr, None, interval(usecs));
        return;
    };
    let usecs = |cause| match cause {
        Cause::Rx0 => Some(settings.get(Queue::Q0).rx_usecs),
        Cause::Rx1 => Some(settings.get(Queue::Q1).rx_usecs),
        Cause::Tx0 => Some(settings.get(Queue::Q0).tx_usecs),
        Cause::Tx1 => Some(settings.get(Queue::Q1).tx_usecs),
        Cause::Other => None,
    };
    for vector in assignment.count().vectors() {
        let usecs = assignment.causes(vector).filter_map(usecs).min();
        let usecs = usecs.unwrap_or(DEFAULT_USECS);
        nic.chip
            .set_throttle(&nic.csr, Some(vector), interval(usecs));
    }
}
