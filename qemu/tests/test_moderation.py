# SPDX-License-Identifier: GPL-2.0
"""How often the vectors may interrupt, set for each queue or found by the kernel."""

import re

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net

pytestmark = pytest.mark.rust

DEFAULT, UNIT_NS = 50, 256


def units(*usecs: int) -> list[int]:
    """Microseconds as the chip counts them."""
    return [value * 1000 // UNIT_NS for value in usecs]


def in_chip(net: Net) -> list[int]:
    """The least time between two interrupts of each vector, or of the only interrupt."""
    if net.interrupt_mode() != "msix":
        return [net.vm.register(0, regs.ITR)]
    return [net.vm.register(0, regs.EITR + 4 * vector) for vector in range(net.vectors())]


def set_queues(net: Net, mask: int, words: str) -> str:
    """Set these queues; return what ethtool says against it, while its status is 0 always."""
    return net.vm.agent.run(
        f"ethtool --per-queue nic0 queue_mask {mask:#x} --coalesce {words}", check=False
    ).stderr


def shown(net: Net, mask: int = 3) -> dict[int, dict[str, str]]:
    """What ethtool tells of these queues."""
    text = net.vm.sh(f"ethtool --per-queue nic0 queue_mask {mask:#x} --show-coalesce")
    _, *parts = re.split(r"^Queue: (\d+)$", text, flags=re.M)
    queues = zip(parts[::2], parts[1::2], strict=True)
    return {int(queue): dict(re.findall(r"([\w-]+): +(\S+)", part)) for queue, part in queues}


def shown_usecs(net: Net) -> list[tuple[int, int]]:
    """Receive and transmit times of the queues in use, as ethtool tells them."""
    return [(int(told["rx-usecs"]), int(told["tx-usecs"])) for told in shown(net).values()]


def test_queues(net: Net) -> None:
    """Each queue has its own times, over whatever resets the device."""
    assert shown_usecs(net) == [(DEFAULT, DEFAULT)] * 2
    assert not set_queues(net, 1, "rx-usecs 20 tx-usecs 100")
    assert not set_queues(net, 2, "rx-usecs 200")
    wanted = units(20, 200, 100, DEFAULT, DEFAULT)
    for change in [
        "true",
        "ethtool -G nic0 rx 512",
        "ip link set nic0 down; ip link set nic0 up",
        "echo 1 >/sys/class/net/nic0/device/reset",
        "ethtool -L nic0 combined 1; ethtool -L nic0 combined 2",
    ]:
        net.vm.sh(change)
        net.up_again()
        assert in_chip(net) == wanted, change
        assert shown_usecs(net) == [(20, 100), (200, DEFAULT)], change
        net.check_ping()
    assert "Numerical result out of range" in set_queues(net, 3, "rx-usecs 16777")
    assert in_chip(net) == wanted
    net.vm.sh("ethtool -L nic0 combined 1")
    for mask in [2, 3]:
        assert "Invalid argument" in set_queues(net, mask, "rx-usecs 30")
    assert in_chip(net) == wanted
    net.vm.sh("ethtool -L nic0 combined 2; ethtool -C nic0 rx-usecs 70 tx-usecs 80")
    assert in_chip(net) == units(70, 70, 80, 80, DEFAULT)
    net.vm.sh("ip link set nic0 down")
    assert not set_queues(net, 2, "tx-usecs 300")
    net.up_again()
    assert in_chip(net) == units(70, 70, 80, 300, DEFAULT)


@pytest.mark.parameters(rust="msix_vectors=3")
def test_shared_vectors(net: Net) -> None:
    """Where a vector serves both directions, they have the same or are set together."""
    assert net.vectors() == 3
    assert not set_queues(net, 1, "rx-usecs 20 tx-usecs 20")
    assert in_chip(net) == units(20, DEFAULT, DEFAULT)
    start = net.vm.sync_log()
    assert "Invalid argument" in set_queues(net, 3, "rx-usecs 30")
    net.vm.sync_log()
    assert "queue 0: one vector serves both directions" in net.vm.log(start)
    assert in_chip(net) == units(20, DEFAULT, DEFAULT)
    net.vm.sh("ethtool -C nic0 rx-usecs 40 tx-usecs 60")
    assert in_chip(net) == units(40, 40, DEFAULT)
    assert not set_queues(net, 2, "rx-usecs 90 tx-usecs 90")
    # The first queue is taken, the second refused, the first set back.
    assert "Invalid argument" in set_queues(net, 3, "tx-usecs 40")
    assert shown_usecs(net) == [(40, 60), (90, 90)]
    assert in_chip(net) == units(40, 90, DEFAULT)
    net.check_ping()


@pytest.mark.parametrize("mode", [1, 0], ids=["msi", "intx"])
def test_one_interrupt(net: Net, mode: int) -> None:
    """One interrupt for all queues cannot be set for one of them."""
    net.unload()
    net.load(f"int_mode={mode}")
    assert in_chip(net) == units(DEFAULT)
    for mask in [1, 2, 3]:
        assert "not supported" in set_queues(net, mask, "rx-usecs 20 tx-usecs 20")
    assert in_chip(net) == units(DEFAULT)
    assert shown_usecs(net) == [(DEFAULT, DEFAULT)] * 2
