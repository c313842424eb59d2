# SPDX-License-Identifier: GPL-2.0
"""ASPM is off once the driver is bound, and the driver says by which way."""

import re

import pytest
from e1000e_vm.net import Net
from e1000e_vm.vm import VM, Topology

LEAVE = "aspm=1"
POWERSAVE = Topology(cmdline="pcie_aspm.policy=powersave")
OFF = Topology(cmdline="pcie_aspm=off")
NO_CONTROL = Topology(no_aspm_control=True)
NO_LINK = Topology(root_port=False)

# aspm_result of `ethtool -S`
NOT_APPLICABLE, BY_KERNEL, DIRECTLY, LEFT_ALONE = 0, 1, 2, 3

pytestmark = pytest.mark.rust


def l0s(net: Net) -> str:
    """The kernel's own idea of L0s on the first device's link."""
    return net.vm.sh(f"cat {net.device}/link/l0s_aspm")


def log_lines(net: Net) -> list[str]:
    """What the driver said of the first device's ASPM."""
    pattern = rf"{net.module} {net.vm.nics[0].address}.*ASPM: .*"
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
    """L0s that the policy turns on as the device is enabled is off once it is bound.

    Breaks if the helper is called too early, or if a register is believed instead:
    then L0s stays on, as with the parameter that leaves it alone, and with the C
    driver.
    """
    fresh.vm.spent = True  # once off, off for good: no other test could turn it on
    fresh.load(LEAVE)
    assert l0s(fresh) == "1", "the policy has no effect: nothing to test"
    assert fresh.counters()["aspm_result"] == LEFT_ALONE
    assert len(log_lines(fresh)) == 1
    fresh.check_ping()
    fresh.unload()

    fresh.vm.sh("echo loading now >/dev/kmsg")
    fresh.load()
    assert l0s(fresh) == "0"
    counters = fresh.counters()
    assert (counters["aspm_result"], counters["aspm_after"]) == (BY_KERNEL, 0)
    assert len(log_lines(fresh)) == 1
    fresh.check_ping()

    address = fresh.vm.nics[0].address
    fresh.vm.sh(f"cd {fresh.device}/driver && echo {address} >unbind && echo {address} >bind")
    fresh.up_again()
    assert l0s(fresh) == "0"


@pytest.mark.topology(OFF)
def test_off(fresh: Net) -> None:
    """With `pcie_aspm=off` the kernel knows no link states; the driver copes."""
    assert fresh.vm.try_sh(f"test -e {fresh.device}/link/l0s_aspm") == 1
    fresh.load()
    counters = fresh.counters()
    assert counters["aspm_result"] in [NOT_APPLICABLE, DIRECTLY]
    assert counters["aspm_after"] == 0
    assert len(log_lines(fresh)) == 1
    fresh.check_ping()


@pytest.mark.topology(NO_CONTROL)
def test_no_control(fresh: Net) -> None:
    """Where the firmware keeps control, both ends' capability bits are cleared."""
    assert "FADT indicates ASPM is unsupported" in fresh.vm.log()
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


@pytest.mark.topology(POWERSAVE)
def test_turned_on_again(net: Net) -> None:
    """ASPM that somebody switches on later is noticed within a tick, switched off and told."""
    net.vm.spent = True  # as above
    since = net.vm.sync_log()
    aspm = f"{net.device}/link/l0s_aspm"
    net.vm.sh(f"echo 1 >{aspm}; [ $(cat {aspm}) = 1 ]")
    net.vm.until(lambda: net.vm.sh(f"cat {aspm}") == "0", 5, "L0s off again")
    net.vm.wait_log("ASPM was switched on behind the driver", 5, since)
    counters = net.counters()
    assert counters["aspm_repairs"] == 1
    assert (counters["aspm_result"], counters["aspm_after"]) == (BY_KERNEL, 0)
