// SPDX-License-Identifier: GPL-2.0

//! Synchronisation: the parts that mainline's `kernel::sync` lacks.

pub mod spsc;
