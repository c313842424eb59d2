# SPDX-License-Identifier: GPL-2.0
"""PHY registers, and reads of them that fail."""

import errno
import re

import pytest
from e1000e_vm.net import Net

CLASSES = ["ownership", "timeout", "flagged", "gone", "mismatch"]
# QEMU's PHY flags an error when one of these is read.
UNLISTED = [11, 12, 13, 14]


def read_errors(net: Net) -> dict[str, int]:
    """The counters of failed reads by class."""
    counters = net.counters()
    return {name: counters[f"phy_read_err_{name}"] for name in CLASSES}


def test_read(net: Net) -> None:
    """SIOCGMIIREG gives the PHY's address, its ids and its link bit."""
    assert net.vm.sh("mii nic0 own 2") == f"1 {0x0141}"
    phy, low = map(int, net.vm.sh("mii nic0 own 3").split())
    assert (phy, low & 0xFFF0) == (1, 0x0CB0)
    assert int(net.vm.sh("mii nic0 1 1").split()[1]) & 0x0004


@pytest.mark.rust
def test_healthy(net: Net) -> None:
    """Nothing fails, and nothing is counted, as long as nothing is wrong."""
    net.check_ping()
    counters = net.counters()
    assert not any(
        value
        for name, value in counters.items()
        if name.startswith(("phy_read_err_", "phy_write_err_"))
    )


def test_failed_read(net: Net) -> None:
    """A failed read is EIO, and no more: the link stays. Breaks if a value is made up."""
    changes = net.carrier_changes()
    for register in UNLISTED:
        assert net.vm.try_sh(f"mii nic0 1 {register}") == errno.EIO
    net.check_ping()
    assert net.carrier_changes() == changes


@pytest.mark.rust
def test_failed_read_is_counted(net: Net) -> None:
    """MDIC's error bit is counted in its own class, logged with PHY and register."""
    before = read_errors(net)
    since = net.vm.sync_log()
    for register in UNLISTED:
        assert net.vm.try_sh(f"mii nic0 1 {register}") == errno.EIO
    after = read_errors(net)
    assert after["flagged"] - before["flagged"] >= len(UNLISTED)
    assert {
        name: after[name] - before[name] for name in CLASSES if name != "flagged"
    } == dict.fromkeys(set(CLASSES) - {"flagged"}, 0)
    log = net.vm.log(since)
    for register in UNLISTED:
        lines = [
            line
            for line in log.splitlines()
            if re.search(rf"{net.module} {net.vm.nics[0].address}.*PHY", line)
            and re.search(rf"\b(0x0*{register:x}|{register})\b", line, re.IGNORECASE)
        ]
        assert lines, f"register {register} is not in the log:\n{log}"
        assert any(re.search(r"\b(0x0*)?1\b", line) for line in lines), lines


@pytest.mark.rust
def test_failed_reads_do_not_flood(net: Net) -> None:
    """Two hundred failures are all counted, and logged at a limited rate."""
    before = read_errors(net)["flagged"]
    since = net.vm.sync_log()
    net.vm.sh(
        "python3 -c 'import runpy, sys\n"
        'sys.argv = ["mii", "nic0", "1", "11"]\n'
        "for _ in range(200):\n"
        "    try:\n"
        '        runpy.run_path("/usr/bin/mii")\n'
        "    except SystemExit:\n"
        "        pass' 2>/dev/null",
        120,
    )
    assert read_errors(net)["flagged"] - before >= 200
    lines = re.findall(rf"{net.module} {net.vm.nics[0].address}.*PHY.*", net.vm.log(since))
    assert 1 <= len(lines) <= 60, len(lines)
    assert net.carrier()


def test_link_goes_and_comes(net: Net) -> None:
    """The carrier follows the wire, five times. Breaks if LSC is lost or not looked at."""
    changes = net.carrier_changes()
    for _ in range(5):
        net.vm.qmp("set_link", name="nic0", up=False)
        net.wait_carrier(False, 5)
        net.vm.qmp("set_link", name="nic0", up=True)
        net.wait_carrier(True, 10)
    assert net.carrier_changes() == changes + 10
    net.check_ping()


def test_link_down_from_the_start(net: Net) -> None:
    """An interface that comes up without a link has no carrier until there is one."""
    net.vm.qmp("set_link", name="nic0", up=False)
    net.wait_carrier(False, 5)
    net.vm.sh("ip link set nic0 down; ip link set nic0 up; sleep 3")
    assert not net.carrier()
    net.vm.qmp("set_link", name="nic0", up=True)
    net.wait_carrier(True, 10)
    net.check_ping()


def test_renegotiation(net: Net) -> None:
    """`ethtool -r` takes the link away and brings it back."""
    net.vm.sh("ethtool -r nic0")
    net.up_again()
    net.check_ping()
