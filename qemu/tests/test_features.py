# SPDX-License-Identifier: GPL-2.0
"""What `ethtool -K` switches: VLAN tags, hashes, what is done to large frames."""

import json

import pytest
from e1000e_vm import regs
from e1000e_vm.net import IN_PEER, PEER6, Net

VLAN, VLAN_HERE, VLAN_PEER = 10, "10.1.0.1", "10.1.0.2"


def features(net: Net) -> dict[str, bool]:
    """The features of nic0 and whether they are on."""
    shown = json.loads(net.vm.sh("ethtool --json -k nic0"))[0]
    return {name: state["active"] for name, state in shown.items() if name != "ifname"}


def vlan_up(net: Net, where: str, device: str, address: str) -> None:
    """An interface in VLAN 10 at one end."""
    net.vm.sh(
        f"{where}ip link add link {device} name {device}.{VLAN} type vlan id {VLAN}; "
        f"{where}ip address add {address}/24 dev {device}.{VLAN}; "
        f"{where}ip link set {device}.{VLAN} up"
    )


@pytest.mark.parametrize("words", ["rxvlan on txvlan on", "rxvlan on txvlan off", "rxvlan off"])
def test_vlan(net: Net, words: str) -> None:
    """A VLAN carries traffic whoever takes off the tags and puts them in."""
    vlan_up(net, "", "nic0", VLAN_HERE)
    vlan_up(net, IN_PEER, "nic1", VLAN_PEER)
    net.vm.sh(f"ethtool -K nic0 {words}")
    shown = features(net)
    assert shown["rx-vlan-offload"] == ("rxvlan on" in words)
    assert shown["tx-vlan-offload"] == ("txvlan on" in words)
    if net.driver == "rust":
        tagging = net.vm.register(0, regs.CTRL) & regs.CTRL_VME != 0
        assert tagging == ("rxvlan on" in words)
    for _ in range(2):
        net.check_ping(host=VLAN_PEER)
        net.check_ping(host=VLAN_PEER, options="-s 1472 -M do")
        net.vm.sh("ethtool -G nic0 rx 512")  # a reset changes nothing
        net.up_again()


def test_vlan_segmentation(net: Net) -> None:
    """Large frames get their tag in each of the pieces they are cut into."""
    vlan_up(net, "", "nic0", VLAN_HERE)
    vlan_up(net, IN_PEER, "nic1", VLAN_PEER)
    size = 8 << 20
    for receiver, sender, target in [
        (IN_PEER, "", VLAN_PEER),
        ("", IN_PEER, VLAN_HERE),
    ]:
        with net.vm.background(f"{receiver}wire stream-receive {target} 5000 {size}") as end:
            net.vm.sh(f"{sender}wire stream-send {target} 5000 {size}", 300)
            end.wait(60)


@pytest.mark.rust
def test_vlan_filter(net: Net) -> None:
    """Frames of a VLAN that nobody asked for are dropped by the device, unless told otherwise."""
    vlan_up(net, IN_PEER, "nic1", VLAN_PEER)
    mac = net.vm.sh("cat /sys/class/net/nic0/address").replace(":", "")
    frame = f"{mac}5254001234028100{VLAN:04x}88b5".ljust(200, "0")
    send = (
        f'{IN_PEER}python3 -c "import socket; s = socket.socket(socket.AF_PACKET, '
        f"socket.SOCK_RAW); s.bind(('nic1', 0)); "
        f"[s.send(bytes.fromhex('{frame}')) for _ in range(100)]\""
    )

    def come() -> int:
        before = net.packets()[0]
        net.vm.sh(f"{send}; sleep 0.3")
        return net.packets()[0] - before

    def filtering() -> bool:
        return net.vm.register(0, regs.RCTL) & regs.RCTL_VFE != 0

    assert filtering()
    assert come() < 50
    net.vm.sh("ethtool -K nic0 rx-vlan-filter off")
    assert not filtering()
    assert come() >= 100
    net.vm.sh("ethtool -K nic0 rx-vlan-filter on")
    assert come() < 50
    vlan_up(net, "", "nic0", VLAN_HERE)
    assert come() >= 100
    net.vm.sh("ethtool -G nic0 rx 512")
    net.up_again()
    assert filtering()
    assert come() >= 100, "a reset forgot the VLAN"
    net.vm.sh(f"ip link del nic0.{VLAN}")
    assert come() < 50
    net.vm.sh("ip link set nic0 promisc on")
    assert not filtering()
    assert come() >= 100
    net.vm.sh("ip link set nic0 promisc off")
    assert filtering()


@pytest.mark.parametrize("option_bytes", [180, 240])
def test_long_headers(net: Net, option_bytes: int) -> None:
    """Large frames whose headers are longer than the chip can count are cut by the stack.

    With 180 bytes more the checksum is still within its reach, with 240 it is not.
    """
    size = 2 << 20
    with net.vm.background(f"{IN_PEER}wire stream-receive {PEER6} 5000 {size}") as end:
        net.vm.sh(f"wire stream-send {PEER6} 5000 {size} --option-bytes {option_bytes}", 60)
        end.wait(60)
    if net.driver == "rust":
        assert net.counters()["tx_dropped"] == 0


@pytest.mark.rust
def test_segmentation_at_low_speed(net: Net) -> None:
    """The chip cuts large frames at 1000 Mb/s only."""

    def cuts() -> bool:
        return features(net)["tcp-segmentation-offload"]

    assert cuts()
    net.vm.sh("ethtool -s nic0 autoneg off speed 100 duplex full")
    net.vm.until(lambda: net.carrier() and not cuts(), 20, "TSO off")
    net.stream(1 << 20)
    net.vm.sh("ethtool -s nic0 autoneg on")
    net.vm.until(lambda: net.carrier() and cuts(), 20, "TSO on again")
    net.stream(1 << 20)


@pytest.mark.rust
def test_fcs_kept(net: Net) -> None:
    """With rx-fcs frames have four bytes more."""
    receive = (
        'timeout 20 python3 -c "import socket; s = socket.socket(socket.AF_PACKET, '
        "socket.SOCK_RAW, 0x88b5); s.bind(('nic0', 0x88b5)); print('ready', flush=True); "
        'print(len(s.recv(4096)))"'
    )
    mac = net.vm.sh("cat /sys/class/net/nic0/address").replace(":", "")
    frame = f"{mac}52540012340288b5".ljust(400, "0")
    send = (
        f'{IN_PEER}python3 -c "import socket; s = socket.socket(socket.AF_PACKET, '
        f"socket.SOCK_RAW); s.bind(('nic1', 0)); s.send(bytes.fromhex('{frame}'))\""
    )
    for words, more in [("rx-fcs on", 4), ("rx-fcs off", 0)]:
        net.vm.sh(f"ethtool -K nic0 {words}")
        net.up_again()
        told = net.vm.sh(f"{receive} >/tmp/length & sleep 2; {send}; wait; tail -1 /tmp/length", 60)
        assert int(told) == 200 + more
        net.check_ping()


@pytest.mark.rust
def test_damaged_frames_kept(net: Net) -> None:
    """With rx-all the device stores damaged frames too, also after a reset."""
    for state in [True, False]:
        net.vm.sh(f"ethtool -K nic0 rx-all {'on' if state else 'off'}")
        for _ in range(2):
            net.up_again()
            assert (net.vm.register(0, regs.RCTL) & regs.RCTL_SBP != 0) == state
            net.check_ping()
            net.vm.sh("ip link set nic0 down; ip link set nic0 up")
