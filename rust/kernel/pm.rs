// SPDX-License-Identifier: GPL-2.0

//! Power management.

pub mod qos;
pub mod runtime;
