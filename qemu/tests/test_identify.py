# SPDX-License-Identifier: GPL-2.0
"""`ethtool -p`: the lights of a port blink, and then show again what they showed."""

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net

pytestmark = pytest.mark.rust

# Each light's mode.
ON, OFF, MODES = 0x0E0E0E, 0x0F0F0F, 0x0F0F0F


def check_blinking(net: Net, command: str) -> None:
    """While the command runs the lights go on and off; afterwards they are as before."""
    before = net.vm.register(0, regs.LEDCTL)
    assert before & MODES not in (ON, OFF)
    seen = [before]
    with net.vm.background(command) as ethtool:
        while ethtool.poll() is None:
            if seen[-1] != (now := net.vm.register(0, regs.LEDCTL)):
                seen.append(now)
        assert ethtool.poll().status == 0
    modes = [value & MODES for value in seen]
    assert modes.count(ON) >= 3, modes
    assert modes.count(OFF) >= 3, modes
    # The polarity is the board's, and nothing blinks by itself.
    assert all(value & 0x404040 == before & 0x404040 for value in seen)
    assert all(value & 0x808080 == 0 for value in seen if value & MODES in (ON, OFF))
    assert net.vm.register(0, regs.LEDCTL) == before


def test_lights(net: Net) -> None:
    """Twice a second, under traffic, which is left alone."""
    changes = net.carrier_changes()
    with net.light():
        check_blinking(net, "ethtool -p nic0 2")
    net.check_ping()
    assert net.carrier_changes() == changes


def test_lights_while_down(net: Net) -> None:
    """Also of an interface that is down."""
    net.vm.sh("ip link set nic0 down")
    check_blinking(net, "ethtool -p nic0 2")


def test_lights_over_a_reset(net: Net) -> None:
    """A reset in between does not leave them on."""
    before = net.vm.register(0, regs.LEDCTL)
    with net.vm.background("ethtool -p nic0 3") as ethtool:
        net.vm.until(lambda: net.vm.register(0, regs.LEDCTL) & MODES == ON, 5, "lights on")
        net.vm.sh("ethtool -G nic0 rx 512")
        ethtool.wait(30)
    assert net.vm.register(0, regs.LEDCTL) == before
    net.up_again()
    net.check_ping()


def test_lights_of_a_dead_device(net: Net) -> None:
    """Without an answer it ends with an error, instead of blinking for ever."""
    address = net.vm.nics[0].address
    with net.vm.background("ethtool -p nic0") as ethtool:
        net.vm.until(lambda: net.vm.register(0, regs.LEDCTL) & MODES == ON, 5, "lights on")
        net.vm.sh(f"setpci -s {address} COMMAND=0:6")
        assert ethtool.wait(20, check=False).status != 0
        net.vm.sh(f"setpci -s {address} COMMAND=6:6")
    net.wait_carrier(True, 40)
    net.up_again()
    net.check_ping()
