// SPDX-License-Identifier: GPL-2.0

//! Interrupt lines: QEMU hands an event descriptor for each vector.

use std::fs::File;
use std::io::Write;

use crate::faults::Messages;
use crate::interrupts::{Signal, VECTORS};

/// Indices of vfio's interrupts.
pub const INTX: u32 = 0;
pub const MSI: u32 = 1;
pub const MSIX: u32 = 2;

/// The unit.
#[derive(Default)]
pub struct Lines {
    files: [Vec<Option<File>>; 3],
    /// INTx was given and nobody has unmasked it since.
    masked: bool,
    /// Messages sent, and not sent as a fault has it.
    pub sent: [u64; VECTORS],
    pub withheld: u64,
}

impl Lines {
    /// Sets or clears the descriptors of vectors from `start` on.
    pub fn set(&mut self, index: u32, start: usize, count: usize, files: Vec<File>) {
        let Some(lines) = self.files.get_mut(index as usize) else {
            return;
        };
        if count == 0 {
            lines.clear();
            if index == INTX {
                self.masked = false;
            }
            return;
        }
        if lines.len() < start + count {
            lines.resize_with(start + count, || None);
        }
        let mut files = files.into_iter();
        for line in &mut lines[start..start + count] {
            *line = files.next();
        }
    }

    /// Triggers one as it is asked for.
    pub fn trigger(&mut self, index: u32, vector: usize) {
        let line = self
            .files
            .get_mut(index as usize)
            .and_then(|lines| lines.get_mut(vector));
        if let Some(Some(file)) = line {
            // An event counter takes any write until it overflows, by which time the other
            // side is dead.
            let _ = file.write_all(&1u64.to_ne_bytes());
        }
    }

    /// INTx may be given again.
    pub fn unmask(&mut self) {
        self.masked = false;
    }

    pub fn send(&mut self, signal: Signal, fault: &mut Messages) {
        if signal == Signal::Intx && std::mem::replace(&mut self.masked, true) {
            return;
        }
        let (index, vector) = match signal {
            Signal::Intx => (INTX, 0),
            Signal::Msi => (MSI, 0),
            Signal::Msix(vector) => (MSIX, vector),
        };
        let copies = match signal {
            Signal::Msix(_) => fault.copies(vector),
            _ => 1,
        };
        if copies == 0 {
            self.withheld += 1;
        }
        for _ in 0..copies {
            self.sent[vector] += 1;
            self.trigger(index, vector);
        }
    }
}
