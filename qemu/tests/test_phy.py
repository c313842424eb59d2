# SPDX-License-Identifier: GPL-2.0
"""PHY registers, and reads of them that fail."""

import errno
import json
import re

import pytest
from e1000e_vm import regs
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


@pytest.mark.rust
def test_crossover(net: Net) -> None:
    """How the pairs are crossed is set in the PHY, kept, and shown."""

    def in_phy() -> int:
        """Bits 6:5 of copper control, page 0: straight 0, crossed 1, automatic 3."""
        net.vm.set_register(0, regs.MDIC, 1 << 21 | 22 << 16 | 1 << 26)
        net.vm.set_register(0, regs.MDIC, 1 << 21 | 16 << 16 | 2 << 26)
        return net.vm.register(0, regs.MDIC) >> 5 & 3

    assert "MDI-X: off (auto)" in net.vm.sh("ethtool nic0")
    for words, bits, told in [
        ("mdix on", 1, "on (forced)"),
        ("mdix off", 0, "off (forced)"),
        ("mdix auto", 3, "off (auto)"),
        ("mdix on autoneg off speed 100 duplex full", 1, "on (forced)"),
        ("mdix auto", 0, "off (auto)"),
        ("autoneg on", 3, "off (auto)"),
    ]:
        net.vm.sh(f"ethtool -s nic0 {words}")
        net.up_again()
        assert in_phy() == bits, words
        assert f"MDI-X: {told}" in net.vm.sh("ethtool nic0"), words
        net.check_ping()


@pytest.mark.rust
def test_forced_without_a_link(net: Net) -> None:
    """A speed can be forced while there is no link, though no duplex is known then."""
    net.vm.qmp("set_link", name="nic0", up=False)
    net.wait_carrier(False, 5)
    for speed in [10, 100]:
        net.vm.sh(f"ethtool -s nic0 speed {speed} autoneg off")
        net.vm.qmp("set_link", name="nic0", up=True)
        net.up_again()
        told = net.vm.sh("ethtool nic0")
        assert f"Speed: {speed}Mb/s" in told
        assert "Duplex: Full" in told
        net.check_ping()
        net.vm.qmp("set_link", name="nic0", up=False)
        net.wait_carrier(False, 5)
    assert net.vm.try_sh("ethtool -s nic0 speed 1000 duplex half autoneg off") != 0
    net.vm.sh("ethtool -s nic0 speed 1000 duplex full autoneg off")
    told = json.loads(net.vm.sh("ethtool --json nic0"))[0]
    assert told["auto-negotiation"], "1000BASE-T must be negotiated"
    assert told["advertised-link-modes"] == ["1000baseT/Full"]
    net.vm.sh("ethtool -s nic0 autoneg on advertise 0x2f")
    net.vm.qmp("set_link", name="nic0", up=True)
    net.up_again()
    assert "Speed: 1000Mb/s" in net.vm.sh("ethtool nic0")


@pytest.mark.rust
def test_link_of_a_dead_device(net: Net) -> None:
    """A device that does not answer has no link, at once and not with the next tick."""
    address = net.vm.nics[0].address
    assert "Link detected: yes" in net.vm.sh("ethtool nic0")
    for _ in range(3):
        told = net.vm.sh(f"setpci -s {address} COMMAND=0:6; ethtool nic0")
        assert "Link detected: no" in told
        net.vm.sh(f"setpci -s {address} COMMAND=6:6")
        net.wait_carrier(True, 40)
    net.up_again()
    net.check_ping()


@pytest.mark.rust
def test_phy_statistics(net: Net) -> None:
    """The PHY's error counts; a read that fails is none of them. QEMU's PHY has no errors."""
    shown = re.compile(r"^\s+(\w+): (\d+)$", re.MULTILINE)
    wanted = [("phy_idle_errors", "0"), ("phy_receive_errors", "0")]
    assert shown.findall(net.vm.sh("ethtool --phy-statistics nic0")) == wanted
    address = net.vm.nics[0].address
    net.vm.sh(f"setpci -s {address} COMMAND=0:6")
    assert shown.findall(net.vm.sh("ethtool --phy-statistics nic0")) == wanted
    net.vm.sh(f"setpci -s {address} COMMAND=6:6")
    net.wait_carrier(True, 40)
    net.vm.sh("ip link set nic0 down")
    assert shown.findall(net.vm.sh("ethtool --phy-statistics nic0")) == wanted
    net.up_again()


def test_no_eee(net: Net) -> None:
    """The chip has no Energy Efficient Ethernet, and nobody says it has."""
    told = net.vm.agent.run("ethtool --show-eee nic0", check=False)
    assert told.status != 0
    assert "not supported" in told.stdout + told.stderr
