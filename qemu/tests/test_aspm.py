# SPDX-License-Identifier: GPL-2.0
"""ASPM is off once the driver is bound, and the driver says by which way."""

import re

import pytest
from e1000e_vm.net import Net
from e1000e_vm.vm import VM, Topology

LEAVE = "aspm=1"
POWERSAVE = Topology(cmdline="pcie_aspm.policy=powersave")
NO_CONTROL = Topology(cmdline="pcie_aspm=off")
NO_LINK = Topology(root_port=False)

# aspm_result of `ethtool -S`
NOT_APPLICABLE, BY_KERNEL, DIRECTLY, LEFT_ALONE = 0, 1, 2, 3

pytestmark = pytest.mark.rust


def l0s(net: Net) -> str:
    """The kernel's own idea of L0s on the first device's link."""
    return net.vm.sh(f"cat {net.device}/link/l0s_aspm")


def log_lines(net: Net) -> list[str]:
    """What the driver said of the first device's ASPM."""
    pattern = rf"{net.module} {net.vm.nics[0].address}.*ASPM.*"
    return re.findall(pattern, net.vm.log(net.vm.serial.read_bytes().rfind(b"loading now")))


@pytest.fixture
def fresh(vm: VM, driver: str) -> Net:
    """The pair before the driver is loaded."""
    vm.sh("echo loading now >/dev/kmsg")
    return Net(vm, driver)


def test_default(fresh: Net) -> None:
    """Off by the kernel's helper, verified, one line in the log."""
    fresh.load()
    counters = fresh.counters()
    assert counters["aspm_result"] == BY_KERNEL
    assert counters["aspm_after"] == 0
    assert len(log_lines(fresh)) == 1
    fresh.check_ping()


@pytest.mark.topology(POWERSAVE)
def test_powersave(fresh: Net) -> None:
    """L0s that the policy turned on is off. Breaks if the helper is called too early."""
    assert l0s(fresh) == "1", "the policy has no effect: nothing to test"
    fresh.load()
    assert l0s(fresh) == "0"
    counters = fresh.counters()
    assert (counters["aspm_result"], counters["aspm_after"]) == (BY_KERNEL, 0)
    assert len(log_lines(fresh)) == 1
    fresh.check_ping()


@pytest.mark.topology(POWERSAVE)
def test_leave(fresh: Net) -> None:
    """The parameter leaves the policy's L0s alone."""
    assert l0s(fresh) == "1"
    fresh.load(LEAVE)
    assert l0s(fresh) == "1"
    assert fresh.counters()["aspm_result"] == LEFT_ALONE
    fresh.check_ping()


@pytest.mark.topology(POWERSAVE)
def test_rebind(fresh: Net) -> None:
    """Off again after unbind and bind, as the device was disabled in between."""
    fresh.load()
    address = fresh.vm.nics[0].address
    fresh.vm.sh(f"cd {fresh.device}/driver && echo {address} >unbind && echo {address} >bind")
    fresh.up_again()
    assert l0s(fresh) == "0"
    assert fresh.counters()["aspm_after"] == 0


@pytest.mark.topology(NO_CONTROL)
def test_no_control(fresh: Net) -> None:
    """Where the kernel has no control, both ends' capability bits are cleared."""
    assert fresh.vm.try_sh(f"test -e {fresh.device}/link/l0s_aspm") == 1
    fresh.load()
    counters = fresh.counters()
    assert (counters["aspm_result"], counters["aspm_after"]) == (DIRECTLY, 0)
    assert len(log_lines(fresh)) == 1
    fresh.check_ping()


@pytest.mark.topology(NO_LINK)
def test_no_link(fresh: Net) -> None:
    """A device without a link has no ASPM, which is no failure."""
    fresh.load()
    assert fresh.counters()["aspm_result"] == NOT_APPLICABLE
    fresh.check_ping()
