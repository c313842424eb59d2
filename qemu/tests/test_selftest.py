# SPDX-License-Identifier: GPL-2.0
"""The self-test of `ethtool -t`: what it finds, and that it harms nothing."""

import re
import time

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net
from e1000e_vm.vm import Topology

pytestmark = pytest.mark.rust

TESTS = ["Registers", "NVM checksum", "Interrupts", "Loopback", "Link"]


def run(net: Net, how: str, timeout: float = 60, first: str = "true") -> dict[str, int]:
    """Run the tests, right after a command; the verdict must be that of the results."""
    told = net.vm.agent.run(f"{first}; ethtool -t nic0 {how}", timeout, check=False).stdout
    results = {
        name: int(result)
        for name, result in re.findall(r"^(\S.*?)\s+\([\w/]+\)\s+(\d+)$", told, re.MULTILINE)
    }
    assert list(results) == TESTS, told
    assert ("FAIL" in told) == any(results.values()), told
    return results


def failed(net: Net, how: str, first: str = "true") -> list[str]:
    """The tests that fail, right after a command."""
    return [name for name, result in run(net, how, first=first).items() if result]


def test_offline(net: Net) -> None:
    """All tests pass, and the port is afterwards as it was."""
    before = net.vm.sh("ethtool -d nic0 raw on | od -An -v -tx4 -w4").split()
    for _ in range(3):
        assert failed(net, "offline") == []
        net.up_again()
        net.check_ping()
        assert net.ivar().faults(net.vectors()) == []
    # Heads, tails and addresses of rings, and MDIC, move.
    after = net.vm.sh("ethtool -d nic0 raw on | od -An -v -tx4 -w4").split()
    differ = [number for number, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert len(differ) <= 12, differ
    net.stream(1 << 20)
    net.stream(1 << 20, reverse=True)


def test_offline_under_traffic(net: Net) -> None:
    """In the middle of TCP both ways, which goes on afterwards."""
    with net.heavy():
        for _ in range(3):
            start = net.vm.uptime()
            assert failed(net, "offline") == []
            assert net.vm.uptime() - start < 5
            net.up_again()
            net.wait_traffic()


def test_online_under_traffic(net: Net) -> None:
    """The online tests take neither the link nor a frame."""
    changes, resets = net.carrier_changes(), net.counters()["resets"]
    with net.heavy():
        for _ in range(10):
            assert failed(net, "online") == []
        net.wait_traffic()
    with net.vm.background("for i in $(seq 20); do ethtool -t nic0 online; done"):
        net.check_ping(100)
    assert net.carrier_changes() == changes
    assert net.counters()["resets"] == resets


@pytest.mark.parametrize("how", ["online", "offline"])
def test_while_down(net: Net, how: str) -> None:
    """An interface that is down is tested, offline with its link, and is down again."""
    net.vm.sh("ip link set nic0 down")
    assert failed(net, how) == []
    assert "state DOWN" in net.vm.sh("ip link show nic0")
    assert net.vm.register(0, regs.RCTL) & regs.RCTL_EN == 0
    net.up_again()
    net.check_ping()


def test_single_interrupt(net: Net) -> None:
    """With one interrupt for everything it is the one that is tested."""
    net.unload()
    net.load("int_mode=0")
    for how in ["offline", "online"]:
        assert failed(net, how) == []
        net.up_again()
    net.check_ping()


def test_no_link(net: Net) -> None:
    """Without a wire the link fails, and the frames of the loopback as QEMU does it."""
    net.vm.qmp("set_link", name="nic0", up=False)
    net.wait_carrier(False, 5)
    assert failed(net, "online") == ["Link"]
    assert failed(net, "offline") == ["Loopback", "Link"]
    net.vm.sh("ip link set nic0 down")
    # For the link of an interface that is down it is waited a while if asked for, else not at all.
    start = net.vm.uptime()
    assert failed(net, "online") == []
    assert net.vm.uptime() - start < 4
    start = net.vm.uptime()
    assert failed(net, "offline") == ["Loopback", "Link"]
    assert net.vm.uptime() - start < 8
    net.vm.qmp("set_link", name="nic0", up=True)
    net.up_again()
    net.check_ping()


def test_bad_checksum(net: Net) -> None:
    """An NVM whose words do not add up any more is found, in use and not."""
    word = 0x20
    told = net.vm.sh(f"ethtool -e nic0 raw on offset {2 * word} length 2 | od -An -v -tx2")
    net.vm.set_register(0, regs.EEWR, (int(told, 16) ^ 1) << 16 | word << 2 | 1)
    assert failed(net, "online") == ["NVM checksum"]
    assert failed(net, "offline") == ["NVM checksum"]
    net.vm.set_register(0, regs.EEWR, int(told, 16) << 16 | word << 2 | 1)
    net.up_again()
    assert failed(net, "online") == []


def test_lost_interrupts(net: Net) -> None:
    """Interrupts that do not arrive are found before the health tick has mended them."""
    mask = f"setpci -s {net.vm.nics[0].address} CAP_MSIX+2.w=4000:4000"
    assert failed(net, "online", mask) == ["Interrupts"]
    net.vm.until(lambda: net.counters()["interrupts_lost"], 10, "the health tick has noticed")
    net.up_again()
    assert failed(net, "online") == []


def test_device_gone(net: Net) -> None:
    """A device that stops to answer in the middle fails its tests and nothing more.

    Everybody else still gets the RTNL, and it is used again when it is back.
    """
    address = net.vm.nics[0].address
    loop = "while :; do ethtool -t nic0 offline || true; ethtool -t nic0 online || true; done"
    with net.vm.background(loop):
        for pause in [0.1, 0.25, 0.4, 0.6, 0.8]:
            time.sleep(1 + pause)
            net.vm.sh(f"setpci -s {address} COMMAND=0:6")
            start = net.vm.uptime()
            net.vm.sh("ip link set lo mtu 65535; ip link show nic0")
            assert net.vm.uptime() - start < 10
            assert any(run(net, "offline").values())
            assert any(run(net, "online").values())
            net.vm.sh(f"setpci -s {address} COMMAND=6:6")
    net.wait_carrier(True, 40)
    net.up_again()
    net.check_ping()
    assert failed(net, "offline") == []
    net.up_again()


@pytest.mark.topology(Topology(surprise=True))
@pytest.mark.flaky(reruns=2, only_rerun="Fatal glibc error: pthread_mutex_lock")
def test_device_pulled(net: Net) -> None:
    """The device is pulled while it is tested over and over; its driver can be removed."""
    vm = net.vm
    port = vm.nics[0].port
    with vm.background("while ethtool -i nic0; do ethtool -t nic0 offline; done"):
        time.sleep(2)
        vm.sh(f"setpci -s {port} CAP_EXP+18.w=0700:0720 CAP_EXP+18.w=0020:0420")
        vm.until(lambda: vm.try_sh("test -e /sys/class/net/nic0"), 20, "nic0 is gone")
        vm.until(lambda: vm.try_sh(f"test -e {net.device}"), 20, "the device is gone")
    net.unload()
    vm.spent = True
