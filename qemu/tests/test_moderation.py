# SPDX-License-Identifier: GPL-2.0
"""How often the vectors may interrupt, set for each queue or found by the kernel."""

import json
import re
import time
from collections.abc import Container

import pytest
from e1000e_vm import regs
from e1000e_vm.net import PEER, Net

pytestmark = pytest.mark.rust

# At first; the vector of other causes has the time of reception.
RX, TX, UNIT_NS = 50, 200, 256


def units(*usecs: int) -> list[int]:
    """Microseconds as the chip counts them."""
    return [value * 1000 // UNIT_NS for value in usecs]


def in_chip(net: Net, vectors: int = 5) -> list[int]:
    """The least time between two interrupts of each vector, or of the only interrupt (0)."""
    if not vectors:
        return [net.vm.register(0, regs.ITR)]
    return [net.vm.register(0, regs.EITR + 4 * vector) for vector in range(vectors)]


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
    assert shown_usecs(net) == [(RX, TX)] * 2
    assert not set_queues(net, 1, "rx-usecs 20 tx-usecs 100")
    assert not set_queues(net, 2, "rx-usecs 150")
    wanted = units(20, 150, 100, TX, RX)
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
        assert shown_usecs(net) == [(20, 100), (150, TX)], change
        net.wait_ping()
        net.check_ping()
    assert "Numerical result out of range" in set_queues(net, 3, "rx-usecs 16777")
    assert in_chip(net) == wanted
    net.vm.sh("ethtool -L nic0 combined 1")
    for mask in [2, 3]:
        assert "Invalid argument" in set_queues(net, mask, "rx-usecs 30")
    assert in_chip(net) == wanted
    net.vm.sh("ethtool -L nic0 combined 2; ethtool -C nic0 rx-usecs 70 tx-usecs 80")
    assert in_chip(net) == units(70, 70, 80, 80, RX)
    net.vm.sh("ip link set nic0 down")
    assert not set_queues(net, 2, "tx-usecs 300")
    net.up_again()
    assert in_chip(net) == units(70, 70, 80, 300, RX)


@pytest.mark.parameters(rust="msix_vectors=3")
def test_shared_vectors(net: Net) -> None:
    """Where a vector serves both directions, they have the same or are set together."""
    assert net.vectors() == 3
    assert not set_queues(net, 1, "rx-usecs 20 tx-usecs 20")
    assert in_chip(net, 3) == units(20, RX, RX)
    start = net.vm.sync_log()
    assert "Invalid argument" in set_queues(net, 3, "rx-usecs 30")
    net.vm.sync_log()
    assert "queue 0: one vector serves both directions" in net.vm.log(start)
    assert in_chip(net, 3) == units(20, RX, RX)
    net.vm.sh("ethtool -C nic0 rx-usecs 40 tx-usecs 60")
    assert in_chip(net, 3) == units(40, 40, RX)
    assert not set_queues(net, 2, "rx-usecs 90 tx-usecs 90")
    # The first queue is taken, the second refused, the first set back.
    assert "Invalid argument" in set_queues(net, 3, "tx-usecs 40")
    assert shown_usecs(net) == [(40, 60), (90, 90)]
    assert in_chip(net, 3) == units(40, 90, RX)
    net.check_ping()


@pytest.mark.parametrize("mode", [1, 0], ids=["msi", "intx"])
def test_one_interrupt(net: Net, mode: int) -> None:
    """One interrupt for all queues cannot be set for one of them."""
    net.unload()
    net.load(f"int_mode={mode}")
    assert in_chip(net, 0) == units(RX)
    for mask in [1, 2, 3]:
        assert "not supported" in set_queues(net, mask, "rx-usecs 20 tx-usecs 20")
    assert in_chip(net, 0) == units(RX)
    assert shown_usecs(net) == [(RX, TX)] * 2


# What the kernel's library chooses from, in microseconds, and where it begins.
RX_PROFILES, TX_PROFILES, BEGIN = [1, 8, 64, 128, 256], [1, 8, 32, 64, 128], 8


def adaptive(net: Net) -> tuple[bool, bool]:
    """Whether reception and transmission are adaptive, as ethtool tells it."""
    told = json.loads(net.vm.sh("ethtool --json -c nic0"))[0]
    return told["adaptive-rx"], told["adaptive-tx"]


def wait_for(net: Net, vector: int | None, wanted: Container[int], what: str) -> None:
    """Wait until the time of a vector, or of the only interrupt, is one of these."""
    register = regs.ITR if vector is None else regs.EITR + 4 * vector
    net.vm.until(lambda: net.vm.register(0, register) in wanted, 120, what)


def test_adaptive(net: Net) -> None:
    """The kernel's decisions arrive in the chip: under load, with less load, and no longer."""
    net.vm.sh("ethtool -L nic0 combined 1")
    net.vm.sh("ethtool -C nic0 adaptive-rx on adaptive-tx on")
    assert adaptive(net) == (True, True)
    begin = units(BEGIN, BEGIN, BEGIN, BEGIN, RX)
    assert in_chip(net) == begin
    time.sleep(2)
    assert in_chip(net) == begin, "it changes without traffic"
    with net.heavy():
        wait_for(net, 0, units(*RX_PROFILES[2:]), "long times for reception under load")
        wait_for(net, 2, units(*TX_PROFILES[2:]), "long times for transmission under load")
        longest_rx = longest_tx = 0
        for _ in range(50):
            rx0, rx1, tx0, tx1, other = in_chip(net)
            assert rx0 in units(*RX_PROFILES)
            assert tx0 in units(*TX_PROFILES)
            assert (rx1, tx1, other) == (begin[1], begin[3], begin[4])
            longest_rx, longest_tx = max(longest_rx, rx0), max(longest_tx, tx0)
    # The library may stay where it is for as long as the traffic is the same.
    pings = "; ".join(f"ping -q -c 100 -i 0.002 -s {size} {PEER}" for size in (56, 1000))
    with net.vm.background(f"while :; do {pings}; done"):
        for vector, longest, what in [
            (0, longest_rx, "reception"),
            (2, longest_tx, "transmission"),
        ]:
            wait_for(net, vector, range(longest), f"shorter times for {what} with pings")
        # A time that is set meanwhile counts once it is asked for.
        net.vm.sh("ethtool -C nic0 rx-usecs 100")
        assert adaptive(net) == (True, True)
        assert in_chip(net)[0] in units(*RX_PROFILES)
        net.vm.sh("ethtool -C nic0 adaptive-rx off adaptive-tx off")
        for _ in range(50):
            assert in_chip(net) == units(100, 100, TX, TX, RX)
    net.check_ping()


def test_adaptive_queue(net: Net) -> None:
    """One queue is adaptive and the other is not, over down and up, and resets."""
    assert not set_queues(net, 2, "adaptive-rx on rx-usecs 30")
    told = shown(net)
    assert [told[queue]["RX"] for queue in [0, 1]] == ["off", "on"]
    fixed = units(RX, TX, TX, RX)
    with net.heavy():
        for change in ["ip link set nic0 down; ip link set nic0 up", "ethtool -G nic0 rx 512"] * 3:
            rx0, rx1, *others = in_chip(net)
            assert [rx0, *others] == fixed
            assert rx1 in units(*RX_PROFILES)
            net.vm.sh(change)
            net.up_again()
            net.wait_traffic()
        net.unload()


@pytest.mark.parameters(rust="int_mode=0")
def test_adaptive_one_interrupt(net: Net) -> None:
    """With one interrupt for all the shortest time counts."""
    net.vm.sh("ethtool -C nic0 adaptive-rx on tx-usecs 60")
    assert in_chip(net, 0) == units(BEGIN), "not that for reception, which is shorter"
    net.vm.sh("ethtool -L nic0 combined 1")
    with net.heavy():
        wait_for(net, None, units(60), "the fixed time for transmission")
    net.vm.sh("ethtool -C nic0 adaptive-rx off")
    assert in_chip(net, 0) == units(RX)
