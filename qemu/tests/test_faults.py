# SPDX-License-Identifier: GPL-2.0
"""Registers changed behind the driver's back: it notices, and traffic comes back.

TCP backs off when nothing comes back, so that a stopped device may never see a
full queue: each fault is tried under ping and under TCP both ways.
"""

import re
import time

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net

BOTH_LOADS = pytest.mark.parametrize("load", ["light", "heavy"])
BACK_IN = 15.0

pytestmark = pytest.mark.rust


def comes_back(net: Net, load: str) -> None:
    """Traffic of that load flows again in time."""
    if load == "heavy":
        net.wait_traffic(2000, BACK_IN)
    assert net.wait_ping(BACK_IN) < BACK_IN


def check_reset(net: Net, load: str, *changes: tuple[int, int]) -> None:
    """Registers' new values make the driver reset the device, tell of it, and go on."""
    before, since = net.counters()["resets"], net.vm.sync_log()
    with getattr(net, load)():
        for register, value in changes:
            net.vm.set_register(0, register, value)
        comes_back(net, load)
    resets = net.counters()["resets"] - before
    lines = re.findall(rf"{net.module} {net.vm.nics[0].address}.*reset.*", net.vm.log(since))
    assert 1 <= len(lines) <= resets, (resets, lines)
    net.check_ping()
    assert net.carrier()


@BOTH_LOADS
@pytest.mark.provokes("NETDEV WATCHDOG")
def test_transmitter_off(net: Net, load: str) -> None:
    """TCTL.EN cleared from outside: told, counted, cured by a reset."""
    check_reset(net, load, (regs.TCTL, net.vm.register(0, regs.TCTL) & ~regs.TCTL_EN))


@BOTH_LOADS
@pytest.mark.provokes("NETDEV WATCHDOG")
def test_transmit_hang(net: Net, load: str) -> None:
    """TX rings of no length: nothing leaves, and only that shows. A TX hang.

    Which of them is used depends on the CPU that sends. Breaks if hangs are only looked
    for while the queue is stopped.
    """
    before = net.counters()["tx_hangs"]
    check_reset(net, load, (regs.TDLEN0, 0), (regs.TDLEN1, 0))
    assert net.counters()["tx_hangs"] > before


@BOTH_LOADS
@pytest.mark.provokes("NETDEV WATCHDOG")
def test_receiver_off(net: Net, load: str) -> None:
    """RCTL.EN cleared from outside: nothing comes in until the driver looks."""
    check_reset(net, load, (regs.RCTL, net.vm.register(0, regs.RCTL) & ~regs.RCTL_EN))


@BOTH_LOADS
@pytest.mark.loses_interrupts
@pytest.mark.provokes("NETDEV WATCHDOG")
def test_device_reset(net: Net, load: str) -> None:
    """CTRL.RST from outside empties every register; the driver sets all up again."""
    with getattr(net, load)():
        net.vm.set_register(0, regs.CTRL, net.vm.register(0, regs.CTRL) | regs.CTRL_RST)
        comes_back(net, load)
    assert net.ivar().faults(net.vectors()) == []
    net.wait_carrier(True)
    net.check_ping()


@BOTH_LOADS
@pytest.mark.provokes("NETDEV WATCHDOG")
def test_interrupts_masked(net: Net, load: str) -> None:
    """All interrupts masked from outside. Breaks if only an interrupt unmasks them."""
    with getattr(net, load)():
        net.vm.set_register(0, regs.IMC, 0xFFFF_FFFF)
        comes_back(net, load)
    net.check_ping()


@pytest.mark.rust
@pytest.mark.provokes("NETDEV WATCHDOG")
def test_messages_masked(net: Net) -> None:
    """All messages masked in the MSI-X capability, with IVAR and IMS as they should be.

    Breaks if a vector is not made to prove itself: nothing else is wrong. The C driver
    stays dead.
    """
    address, before = net.vm.nics[0].address, net.counters()["interrupts_lost"]
    with net.light():
        net.vm.sh(f"setpci -s {address} CAP_MSIX+2.w=4000:4000")
        comes_back(net, "light")
    assert net.counters()["interrupts_lost"] > before
    assert net.ivar().faults(net.vectors()) == []


@BOTH_LOADS
@pytest.mark.provokes("NETDEV WATCHDOG")
def test_cut_off(net: Net, load: str) -> None:
    """The device's memory and bus mastering off for 5 s: noticed, told, and back.

    Breaks if what a dead device answers is taken for registers: the carrier would
    stay, and the counters fill with ones.
    """
    address, since = net.vm.nics[0].address, net.vm.sync_log()
    with getattr(net, load)():
        net.vm.sh(f"setpci -s {address} COMMAND=0:6")
        start = time.monotonic()
        net.wait_carrier(False, 5)
        counters = net.counters()
        assert all(value < 0x8000_0000 for value in counters.values()), counters
        time.sleep(max(0.0, start + 5 - time.monotonic()))
        lines = re.findall(
            rf"{net.module} {address}.*(?i:gone|not answer|all[- ]ones).*", net.vm.log(since)
        )
        assert len(lines) == 1, lines
        net.vm.sh(f"setpci -s {address} COMMAND=6:6")
        net.wait_carrier(True, BACK_IN)
        comes_back(net, load)
    net.check_ping()
    assert net.ivar().faults(net.vectors()) == []


def test_interrupt_storm(net: Net) -> None:
    """Causes set from outside, some thousand times. Breaks with a handler that waits."""
    with net.light():
        for _ in range(5000):
            net.vm.set_register(0, regs.ICS, 0x01F0_0004)
        assert net.wait_ping() < BACK_IN
    net.check_ping()
    assert net.carrier()
