# SPDX-License-Identifier: GPL-2.0
"""The driver binds, says who it is, and leaves without a trace."""

import re

import pytest
from e1000e_vm.net import Net
from e1000e_vm.vm import VM


def test_bound(net: Net) -> None:
    """Both devices are bound and carry traffic. Breaks with any failing step of probe."""
    assert net.bound()
    assert net.module in net.vm.sh(f"lspci -ks {net.vm.nics[0].address}")
    net.check_ping()


def test_driver_info(net: Net) -> None:
    """`ethtool -i` names the driver and the device's PCI address."""
    info = net.vm.sh("ethtool -i nic0")
    assert f"driver: {net.module}\n" in info
    assert f"bus-info: {net.vm.nics[0].address}\n" in info


def test_mac_address(net: Net) -> None:
    """The MAC address is the NVM's, kept as the permanent one. Breaks with word order."""
    assert net.vm.sh("cat /sys/class/net/nic0/address") == "52:54:00:12:34:01"
    assert net.vm.sh("ethtool -P nic0").endswith("52:54:00:12:34:01")
    assert net.vm.sh("ip netns exec peer cat /sys/class/net/nic1/address") == "52:54:00:12:34:02"


@pytest.mark.rust
def test_messages(net: Net) -> None:
    """The kernel log has what field reports are diagnosed by."""
    net.unload()
    since = net.vm.sync_log()
    net.load()
    log = net.vm.log(since)
    device = rf"e1000e_rust {re.escape(net.vm.nics[0].address)}.*: "
    for line in [
        r"[\d.]+ Gb/s available PCIe bandwidth, limited by .* link|"
        r"[\d.]+ Gb/s available PCIe bandwidth \(.* x\d+ link\)",
        r"82574: 52:54:00:12:34:01, PHY 0x\w{8}, PBA No: \S+",
        r"ASPM",
        r"interrupts: MSI-X, 5 vectors, RXQ0->0 RXQ1->1 TXQ0->2 TXQ1->3 OTHER->4",
        r"link up, 1000 Mb/s, full duplex, flow control \S+",
    ]:
        assert re.search(device + f"({line})", log), line


def test_link_settings(net: Net) -> None:
    """ethtool shows the link that QEMU gives: 1000/full by autonegotiation."""
    shown = net.vm.sh("ethtool nic0")
    for line in ["Speed: 1000Mb/s", "Duplex: Full", "Auto-negotiation: on", "Link detected: yes"]:
        assert line in shown
    assert net.vm.sh("cat /sys/class/net/nic0/operstate") == "up"


def test_unloads(net: Net) -> None:
    """rmmod with both interfaces up leaves no interface and no vectors."""
    net.unload()
    assert net.vm.sh("ls /sys/class/net") == "lo"
    assert net.vm.sh("ip netns exec peer ls /sys/class/net") == "lo"
    assert net.vectors() == 0
    assert net.vm.try_sh(f"grep -q {net.module} /proc/iomem /proc/interrupts") == 1


def test_alias(vm: VM, driver: str) -> None:
    """The module names the PCI ids that it serves, so that udev would load it."""
    module = "/e1000e_rust.ko" if driver == "rust" else "e1000e"
    aliases = vm.sh(f"modinfo -F alias {module}")
    for device in ["10D3", "10F6"]:
        assert f"pci:v00008086d0000{device}sv*sd*bc*sc*i*" in aliases
