# SPDX-License-Identifier: GPL-2.0
"""Memory that cannot be had: every allocation fails once, and everything unwinds."""

import json

import pytest
from e1000e_vm.net import Net

pytestmark = [
    pytest.mark.rust,
    pytest.mark.debug,
    # One that fails is kmemleak's own.
    pytest.mark.provokes("kmemleak: Cannot allocate a scan area"),
]


def sweep(net: Net, words: str) -> None:
    """Let each allocation fail in turn; not all are needed, such as those for messages."""
    told = json.loads(net.vm.sh(f"fail-nth {words}", 1200))
    print(words, told)
    assert told["refused"] > 10, told


@pytest.mark.provokes(r"e1000e_rust.*(no memory|no rings|no queues|ENOMEM)")
def test_probe(net: Net) -> None:
    """A probe that fails leaves nothing, and says why; the next one works.

    The device stays enabled: else its INTx is routed each time, by ACPICA, which goes on
    with memory that it has freed when an allocation fails there (KASAN, 7.3.4).
    """
    address = net.vm.nics[0].address
    net.vm.sh(
        f"echo {address} >/sys/bus/pci/drivers/e1000e_rust/unbind; echo 1 >{net.device}/enable"
    )
    net.vm.spent = True
    sweep(net, f"bind {address} --driver e1000e_rust")
    net.up_again()
    net.check_ping()


def test_open(net: Net) -> None:
    """An interface that cannot be brought up is down, and can be brought up later."""
    net.vm.sh("ip link set nic0 down")
    sweep(net, "up nic0")
    net.up_again()
    net.check_ping()


@pytest.mark.parametrize("what", ["rings", "channels"])
def test_change(net: Net, what: str) -> None:
    """A change that fails leaves things as they were, or has them so again soon."""
    sweep(net, f"{what} nic0")
    net.wait_carrier(True, 60)
    assert net.wait_ping() < 30
    net.check_ping()
