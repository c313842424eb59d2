// SPDX-License-Identifier: GPL-2.0

//! Direct memory access: the parts that mainline's `kernel::dma` lacks.

pub mod copies;
pub mod streaming;
