# SPDX-License-Identifier: GPL-2.0
"""What ethtool shows and sets, also in the middle of traffic."""

import json
import re
import struct

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net

COUNTERS = [
    "ivar_repairs",
    "aspm_before",
    "aspm_after",
    "aspm_result",
    "tx_hangs",
    "resets",
    "irq_selfcheck_failures",
    "dead_reads",
    *(
        f"phy_{kind}_err_{name}"
        for kind in ["read", "write"]
        for name in ["ownership", "timeout", "flagged", "gone", "mismatch"]
    ),
]


@pytest.mark.rust
def test_counters(net: Net) -> None:
    """All the counters that the driver is known for, and none of them amiss."""
    counters = net.counters()
    assert set(COUNTERS) <= counters.keys()
    net.check_ping()
    amiss = {
        name: value
        for name, value in net.counters().items()
        if name in COUNTERS and value and not name.startswith(("aspm_", "resets"))
    }
    assert not amiss


@pytest.mark.rust
def test_register_dump(net: Net) -> None:
    """`ethtool -d` begins with registers as the device has them."""
    dump = net.vm.sh("ethtool -d nic0 raw on | od -An -v -tx4 -w4").split()
    words = [int(word, 16) for word in dump]
    assert len(words) >= 8
    assert net.vm.register(0, regs.IVAR) in words, "IVAR is not in the dump"
    assert net.vm.register(0, regs.RCTL) in words, "RCTL is not in the dump"
    assert net.vm.register(0, regs.TCTL) in words, "TCTL is not in the dump"
    assert struct.calcsize("I") * len(words) < 65536


def test_rings(net: Net) -> None:
    """Ring sizes are taken, shown and used, from the smallest to the largest."""
    shown = net.vm.sh("ethtool -g nic0")
    largest = int(re.search(r"RX:\s+(\d+)", shown)[1])
    assert largest == 4096
    for size in [128, 1024, 4096, 256]:
        net.vm.sh(f"ethtool -G nic0 rx {size} tx {size}")
        net.up_again()
        current = net.vm.sh("ethtool -g nic0").split("Current")[1]
        assert re.search(rf"RX:\s+{size}\n", current)
        assert re.search(rf"TX:\s+{size}\n", current)
        net.check_ping()
        net.stream(8 << 20)
        net.stream(8 << 20, reverse=True)
    assert net.vm.try_sh("ethtool -G nic0 rx 8192") != 0
    assert net.vm.try_sh("ethtool -G nic0 rx-mini 64") != 0


def test_rings_while_down(net: Net) -> None:
    """New sizes for an interface that is down are used when it comes up."""
    net.vm.sh("ip link set nic0 down; ethtool -G nic0 rx 128 tx 128")
    net.up_again()
    assert re.search(r"RX:\s+128\n", net.vm.sh("ethtool -g nic0").split("Current")[1])
    net.check_ping()


def test_rings_under_traffic(net: Net) -> None:
    """New sizes in the middle of TCP both ways."""
    with net.heavy():
        for size in [128, 1024, 256]:
            net.vm.sh(f"ethtool -G nic0 rx {size} tx {size}")
            net.up_again()
            net.wait_traffic()


def test_message_level(net: Net) -> None:
    """The message level is kept."""
    net.vm.sh("ethtool -s nic0 msglvl 0x7")
    assert "0x00000007" in net.vm.sh("ethtool nic0")


def test_everything_under_traffic(net: Net) -> None:
    """Whatever only looks leaves TCP both ways alone."""
    changes = net.carrier_changes()
    with net.heavy():
        net.vm.sh(
            "for i in $(seq 10); do for look in -S -d -g -k -i -a ''; do "
            "ethtool $look nic0 >/dev/null 2>&1 || true; done; done",
            120,
        )
        net.wait_traffic()
    assert net.carrier_changes() == changes


def test_rx_checksum_without_a_reset(net: Net) -> None:
    """Setting RX checksums does not take the link away, as the C driver does."""
    if net.driver == "c":
        pytest.xfail("the C driver resets the device")
    changes = net.carrier_changes()
    net.vm.sh("ethtool -K nic0 rx off; ethtool -K nic0 rx on")
    net.check_ping()
    assert net.carrier_changes() == changes


def test_queues(net: Net) -> None:
    """netdev-genl tells each queue's NAPI, and an interrupt of the device for it."""
    told = json.loads(net.vm.sh("netdev-queues nic0"))
    interrupts = {int(number) for number in net.vm.sh(f"ls {net.device}/msi_irqs").split()}
    napis = {napi["id"]: napi for napi in told["napis"]}
    assert {queue["type"] for queue in told["queues"]} == {"rx", "tx"}
    for queue in told["queues"]:
        assert napis[queue["napi-id"]]["irq"] in interrupts
