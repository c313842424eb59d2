// SPDX-License-Identifier: GPL-2.0

//! The interrupt vector allocation register, IVAR (82574 datasheet 10.2.4.9, offset 0x000E4).
//!
//! Each of the five causes has a nibble: bit 3 says that the entry is valid, bits 2:0 are the
//! MSI-X vector. A cause whose entry is not valid, or whose vector was not allocated, raises no
//! interrupt at all and nothing tells so. That is one of the two ways in which these ports died in
//! the field, so here such a value cannot be built:
//!
//! - a [`Vector`] is only handed out by the [`VectorCount`] it is below of;
//! - an [`Assignment`] has a [`Vector`] for each cause;
//! - an [`Ivar`] is only made from an [`Assignment`], never from a number read from the device.
//!
//! Pure logic: of `kernel` it needs only what `core` has too.

use kernel::fmt;

/// Number of interrupt causes with an entry of their own.
pub(crate) const CAUSES: usize = 5;

/// Most MSI-X vectors the device has.
pub(crate) const MAX_VECTORS: u8 = 5;

/// Bit 3 of an entry: the entry is valid.
const VALID: u32 = 0x8;

/// Bits 2:0 of an entry: the vector.
const VECTOR_MASK: u32 = 0x7;

/// Width of an entry in bits.
const ENTRY_BITS: u32 = 4;

/// Bit 31, INT_ON_ALL_WB: a transmit interrupt on every descriptor write-back, not only on those
/// that asked for a report.
///
/// Kept set as the device has always been run with it by the in-tree driver: a report that is
/// merged into the write-back of a neighbour still raises its interrupt.
const INT_ON_ALL_WB: u32 = 1 << 31;

/// Number of MSI-X vectors allocated, 1 to [`MAX_VECTORS`].
///
/// # Invariants
///
/// `1 <= self.0 <= MAX_VECTORS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VectorCount(u8);

impl VectorCount {
    /// A count of `n` vectors; `None` where the device cannot have as many, or none at all.
    pub(crate) const fn new(n: u32) -> Option<Self> {
        // INVARIANT: each arm is within the bounds.
        match n {
            1 => Some(Self(1)),
            2 => Some(Self(2)),
            3 => Some(Self(3)),
            4 => Some(Self(4)),
            5 => Some(Self(5)),
            _ => None,
        }
    }

    /// The number of vectors.
    pub(crate) const fn get(self) -> u8 {
        self.0
    }

    /// Vector `index`, if that many were allocated.
    pub(crate) const fn vector(self, index: u8) -> Option<Vector> {
        if index < self.0 {
            Some(Vector { index })
        } else {
            None
        }
    }

    /// All vectors, in order.
    pub(crate) fn vectors(self) -> impl Iterator<Item = Vector> {
        (0..self.0).map(|index| Vector { index })
    }
}

/// An MSI-X vector that was allocated.
///
/// # Invariants
///
/// `self.index` is below the [`VectorCount`] that handed it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vector {
    index: u8,
}

impl Vector {
    /// Index of the vector in the MSI-X table.
    pub(crate) const fn index(self) -> u8 {
        self.index
    }

    /// The entry of the register for this vector.
    const fn entry(self) -> u32 {
        // CAST: widens; `From` is not const.
        VALID | (self.index as u32 & VECTOR_MASK)
    }
}

/// An interrupt cause that has an entry in the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Receive queue 0.
    Rx0,
    /// Receive queue 1.
    Rx1,
    /// Transmit queue 0.
    Tx0,
    /// Transmit queue 1.
    Tx1,
    /// Everything that is not a queue's, link status change among them.
    Other,
}

impl Cause {
    /// All causes, in the order of their entries.
    pub(crate) const ALL: [Cause; CAUSES] =
        [Cause::Rx0, Cause::Rx1, Cause::Tx0, Cause::Tx1, Cause::Other];

    /// Name in the datasheet.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Cause::Rx0 => "RXQ0",
            Cause::Rx1 => "RXQ1",
            Cause::Tx0 => "TXQ0",
            Cause::Tx1 => "TXQ1",
            Cause::Other => "OTHER",
        }
    }

    /// Lowest bit of the cause's entry.
    const fn shift(self) -> u32 {
        match self {
            Cause::Rx0 => 0,
            Cause::Rx1 => ENTRY_BITS,
            Cause::Tx0 => 2 * ENTRY_BITS,
            Cause::Tx1 => 3 * ENTRY_BITS,
            Cause::Other => 4 * ENTRY_BITS,
        }
    }

    /// The cause's entry in the register value `raw`.
    const fn entry_of(self, raw: u32) -> u32 {
        (raw.wrapping_shr(self.shift())) & (VALID | VECTOR_MASK)
    }
}

/// Which vector each cause raises. Every cause has one, as the device can raise every one of
/// them, also that of a queue that is not in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    count: VectorCount,
    rx0: Vector,
    rx1: Vector,
    tx0: Vector,
    tx1: Vector,
    other: Vector,
}

impl Assignment {
    /// Spreads the causes over `count` vectors:
    ///
    /// | vectors | RXQ0 | RXQ1 | TXQ0 | TXQ1 | OTHER |
    /// |---------|------|------|------|------|-------|
    /// | 5       | 0    | 1    | 2    | 3    | 4     |
    /// | 3, 4    | 0    | 1    | 0    | 1    | 2     |
    /// | 2       | 0    | 0    | 0    | 0    | 1     |
    /// | 1       | 0    | 0    | 0    | 0    | 0     |
    pub(crate) const fn spread(count: VectorCount) -> Self {
        let (rx1, tx0, tx1, other) = match count.get() {
            MAX_VECTORS.. => (1, 2, 3, 4),
            3 | 4 => (1, 0, 1, 2),
            2 => (0, 0, 0, 1),
            _ => (0, 0, 0, 0),
        };
        // INVARIANT: Each index above is below the count of its arm; 0 is below every count.
        Self {
            count,
            rx0: Vector { index: 0 },
            rx1: Vector { index: rx1 },
            tx0: Vector { index: tx0 },
            tx1: Vector { index: tx1 },
            other: Vector { index: other },
        }
    }

    /// The vector that `cause` raises.
    pub(crate) const fn vector(&self, cause: Cause) -> Vector {
        match cause {
            Cause::Rx0 => self.rx0,
            Cause::Rx1 => self.rx1,
            Cause::Tx0 => self.tx0,
            Cause::Tx1 => self.tx1,
            Cause::Other => self.other,
        }
    }

    /// The causes that raise `vector`.
    pub(crate) fn causes(&self, vector: Vector) -> impl Iterator<Item = Cause> + '_ {
        Cause::ALL
            .into_iter()
            .filter(move |&cause| self.vector(cause) == vector)
    }

    /// The number of vectors the causes are spread over.
    pub(crate) const fn count(&self) -> VectorCount {
        self.count
    }
}

/// A value for the register.
///
/// # Invariants
///
/// Each of the five entries is valid and names a vector that was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ivar {
    raw: u32,
    count: VectorCount,
}

impl From<&Assignment> for Ivar {
    fn from(assignment: &Assignment) -> Self {
        let mut raw = INT_ON_ALL_WB;
        for cause in Cause::ALL {
            raw |= assignment.vector(cause).entry().wrapping_shl(cause.shift());
        }
        // INVARIANT: `Vector::entry` sets the valid bit, and a `Vector` was allocated.
        Self {
            raw,
            count: assignment.count(),
        }
    }
}

impl Ivar {
    /// The value to write.
    pub(crate) const fn raw(self) -> u32 {
        self.raw
    }

    /// Compares what the device returned for the register with what was written.
    ///
    /// All ones are a lost mapping like any other: that the device answers at all is found out
    /// where the register is read.
    pub(crate) const fn verify(self, read_back: u32) -> Result<(), Lost> {
        if read_back == self.raw {
            Ok(())
        } else {
            Err(Lost {
                expected: self,
                found: read_back,
            })
        }
    }

    /// The register value `raw`, as found in the device, with the vectors allocated for this
    /// value: to be printed.
    pub(crate) const fn decode(self, raw: u32) -> Decoded {
        Decoded {
            raw,
            count: self.count,
        }
    }
}

impl fmt::Display for Ivar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.decode(self.raw), f)
    }
}

/// A mapping that is not the one written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    expected: Ivar,
    found: u32,
}

impl Lost {
    /// The causes whose entry is not the one written. Empty where only bits outside the entries
    /// changed.
    pub(crate) fn causes(&self) -> impl Iterator<Item = Cause> + '_ {
        Cause::ALL
            .into_iter()
            .filter(|cause| cause.entry_of(self.found) != cause.entry_of(self.expected.raw))
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IVAR {:#010x} (", self.found)?;
        fmt::Display::fmt(&self.expected.decode(self.found), f)?;
        write!(f, ") instead of {:#010x}", self.expected.raw)?;
        let mut separator = ", lost: ";
        for cause in self.causes() {
            f.write_str(separator)?;
            f.write_str(cause.name())?;
            separator = " ";
        }
        Ok(())
    }
}

/// Some value of the register, printed like `RXQ0->0 RXQ1->invalid TXQ0->6(not allocated)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    raw: u32,
    count: VectorCount,
}

impl fmt::Display for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for cause in Cause::ALL {
            let entry = cause.entry_of(self.raw);
            write!(f, "{}{}->", separator, cause.name())?;
            if entry & VALID == 0 {
                f.write_str("invalid")?;
            } else {
                let vector = entry & VECTOR_MASK;
                write!(f, "{vector}")?;
                if vector >= u32::from(self.count.get()) {
                    f.write_str("(not allocated)")?;
                }
            }
            separator = " ";
        }
        Ok(())
    }
}
