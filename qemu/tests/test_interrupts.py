# SPDX-License-Identifier: GPL-2.0
"""No interrupt is lost: the IVAR mapping, its repair, and the other modes."""

import re
import time

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net
from e1000e_vm.vm import VM, Topology

# The driver looks every half second; the rest is for a loaded host.
TICK = 1.0
SLACK = 1.0


def fired(net: Net) -> list[int]:
    """How often each of the first device's vectors has fired."""
    counts = []
    for number in sorted(map(int, net.vm.sh(f"ls {net.device}/msi_irqs").split())):
        line = net.vm.sh(f"grep '^ *{number}:' /proc/interrupts || echo 0: 0")
        counts.append(sum(int(word) for word in line.split()[1:] if word.isdigit()))
    return counts


@pytest.mark.rust
def test_mapping(net: Net) -> None:
    """All causes have a valid entry, with a vector that was allocated.

    Breaks with a valid bit left out, or a vector beyond those allocated.
    """
    assert (net.interrupt_mode(), net.vectors()) == ("msix", 5)
    assert net.ivar().faults(5) == []
    assert regs.Ivar(net.vm.register(1, regs.IVAR)).faults(5) == []


@pytest.mark.rust
def test_self_check(net: Net) -> None:
    """Every vector has fired by the time the interface is up. Breaks without the check."""
    assert all(fired(net)), fired(net)
    assert net.counters()["irq_selfcheck_failures"] == 0


def test_traffic_interrupts(net: Net) -> None:
    """Traffic makes vectors fire."""
    before = sum(fired(net))
    net.check_ping()
    assert sum(fired(net)) > before


@pytest.mark.rust
def test_mapping_survives_resets(net: Net) -> None:
    """Down and up, a new MTU and new rings leave the mapping whole."""
    for change in [
        "ip link set nic0 down; ip link set nic0 up",
        "ip link set nic0 mtu 4000",
        "ethtool -G nic0 rx 512",
        "ip link set nic0 mtu 1500",
    ]:
        net.vm.sh(change)
        net.up_again()
        assert net.ivar().faults(net.vectors()) == [], change
    net.check_ping()
    assert net.counters()["ivar_repairs"] == 0


@pytest.mark.parametrize(
    "mode",
    [
        # The C driver's own test of MSI fails on QEMU.
        pytest.param("msi", marks=[pytest.mark.rust, pytest.mark.parameters(rust="int_mode=1")]),
        pytest.param("intx", marks=pytest.mark.parameters(rust="int_mode=0", c="IntMode=0,0")),
    ],
)
def test_forced_mode(net: Net, mode: str) -> None:
    """The mode that the parameter names is used, and carries traffic."""
    assert net.interrupt_mode() == mode
    net.check_ping()
    assert net.iperf(2) > 0
    assert net.iperf(2, "-R") > 0


@pytest.mark.rust
@pytest.mark.parameters(rust="msix_vectors=3")
def test_three_vectors(net: Net) -> None:
    """With the three vectors that some boards have every cause still has one."""
    assert (net.interrupt_mode(), net.vectors()) == ("msix", 3)
    assert net.ivar().faults(3) == []
    net.check_ping()
    assert net.iperf(2) > 0
    assert net.iperf(2, "-R") > 0


@pytest.mark.rust
@pytest.mark.parametrize("words", ["int_mode=3", "msix_vectors=4", "aspm=2"])
def test_bad_parameter(vm: VM, words: str) -> None:
    """A value that means nothing is refused with a line that says what to use."""
    since = vm.sync_log()
    vm.sh(f"insmod /e1000e_rust.ko {words}")
    vm.wait_log(words.split("=")[0] + ": use ", 10, since)
    assert vm.try_sh("test -e /sys/bus/pci/drivers/e1000e_rust/0000:*") != 0
    vm.sh("rmmod e1000e_rust")


@pytest.mark.topology(Topology(cmdline="pci=nomsi"))
def test_no_msi(net: Net) -> None:
    """Without MSI in the kernel, INTx carries traffic. Breaks without the last fallback."""
    assert net.interrupt_mode() == "intx"
    net.check_ping()
    assert net.iperf(2) > 0
    assert net.iperf(2, "-R") > 0
    net.unload()
    net.load()
    net.check_ping()


BROKEN = {
    "zeroed": lambda ivar: 0,
    "all ones": lambda ivar: 0xFFFF_FFFF,
    "garbage": lambda ivar: 0x5A5A_5A5A,
    "RXQ0 not valid": lambda ivar: ivar.without("RXQ0"),
}


@pytest.mark.rust
@pytest.mark.loses_interrupts
@pytest.mark.parametrize("load", ["light", "heavy"])
@pytest.mark.parametrize("how", BROKEN)
def test_ivar_repaired(net: Net, how: str, load: str) -> None:
    """An IVAR changed from outside is repaired within a tick; traffic goes on.

    Breaks without the read-back on the tick, and if an IVAR of ones is taken for
    a device that is gone.
    """
    good, repairs = net.ivar(), net.counters()["ivar_repairs"]
    with getattr(net, load)():
        net.vm.sh("echo injecting now >/dev/kmsg")
        since = net.vm.sync_log()
        net.vm.set_register(0, regs.IVAR, BROKEN[how](good))
        done = net.vm.wait_log(
            rf"^\[ *([\d.]+)\] {net.module} {net.vm.nics[0].address}.*IVAR.*", 20, since
        )
        begun = re.findall(r"\[ *([\d.]+)\] injecting now", net.vm.log())[-1]
        took = float(done[1]) - float(begun)
        assert took < TICK + SLACK, f"repaired after {took:.1f} s"
        assert net.ivar() == good
        if load == "heavy":
            net.wait_traffic(2000, 20)
        else:
            assert net.wait_ping() < 2
        time.sleep(TICK + 0.5)  # a second repair would show
    assert net.counters()["ivar_repairs"] == repairs + 1
    lines = re.findall(rf"{net.module} {net.vm.nics[0].address}.*IVAR.*", net.vm.log(since))
    assert len(lines) == 1, lines
    assert net.carrier()
    net.check_ping()
