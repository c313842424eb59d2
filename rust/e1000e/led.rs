// SPDX-License-Identifier: GPL-2.0

//! The lights of a port (82574 datasheet 10.2.2.9): what `ethtool -p` does with them.

use crate::regs::LEDCTL;

/// What the lights show, in the terms of the chip whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lights(pub(crate) u32);

/// `LEDn_MODE`: on.
const ON: u32 = 0xe;
/// `LEDn_MODE`: off.
const OFF: u32 = 0xf;

/// `ledctl`, as the NVM has set it, with all three lights on or off: the polarity is the board's.
pub(crate) fn all(ledctl: LEDCTL, on: bool) -> LEDCTL {
    if on {
        ledctl
            .with_const_led0_mode::<ON>()
            .with_const_led1_mode::<ON>()
            .with_const_led2_mode::<ON>()
    } else {
        ledctl
            .with_const_led0_mode::<OFF>()
            .with_const_led1_mode::<OFF>()
            .with_const_led2_mode::<OFF>()
    }
    .with_led0_blink(false)
    .with_led1_blink(false)
    .with_led2_blink(false)
}
