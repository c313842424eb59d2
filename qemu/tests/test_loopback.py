# SPDX-License-Identifier: GPL-2.0
"""`ethtool -K nic0 loopback on`: what is sent comes back and does not leave."""

import json
import re

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net

pytestmark = pytest.mark.rust

FRAMES = 20

# Sends broadcasts by nic0; tells how many came back whole, and how many the peer had.
SCRIPT = f"""python3 - <<'END'
import os, socket, time

def listen(device):
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    listener.bind((device, 0x88b5))
    listener.settimeout(1)
    return listener

def heard(listener):
    found = set()
    while True:
        try:
            found.add(listener.recv(2048))
        except TimeoutError:
            return len(found & frames)

sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind(("nic0", 0))
here = listen("nic0")
os.setns(os.open("/run/netns/peer", os.O_RDONLY), os.CLONE_NEWNET)
peer = listen("nic1")
head = bytes.fromhex("ffffffffffff52540012340288b5")
frames = {{head + bytes([i]) * (46 + 70 * i) for i in range({FRAMES})}}
for frame in frames:
    sender.send(frame)
    time.sleep(0.01)
print(heard(here), heard(peer))
END"""


def heard(net: Net) -> tuple[int, int]:
    """Of the frames sent, how many came back, and how many the peer had."""
    back, peer = net.vm.sh(SCRIPT, 60).split()
    return int(back), int(peer)


def switch(net: Net, words: str) -> None:
    """Switch it, and wait for the carrier."""
    net.vm.sh(f"ethtool -K nic0 loopback {words}")
    net.up_again()


def speed(net: Net) -> tuple[str, str]:
    """Speed and duplex as ethtool shows them."""
    shown = net.vm.sh("ethtool nic0")
    return re.search(r"Speed: (\S+)", shown)[1], re.search(r"Duplex: (\S+)", shown)[1]


def test_loopback(net: Net) -> None:
    """Frames come back, over whatever resets the device, and off brings back the link that was."""
    net.vm.sh("ethtool -s nic0 autoneg off speed 100 duplex full")
    net.vm.until(lambda: net.carrier() and speed(net)[0] == "100Mb/s", 20, "100 Mb/s")
    assert heard(net) == (0, FRAMES)
    switch(net, "on")
    assert speed(net) == ("1000Mb/s", "Full")
    assert heard(net) == (FRAMES, 0)
    for change in [
        "ethtool -G nic0 rx 512",
        "ip link set nic0 down; ip link set nic0 up",
        "echo 1 >/sys/class/net/nic0/device/reset",
        "ethtool -t nic0 offline",
    ]:
        net.vm.sh(change, 60)
        net.up_again()
        assert speed(net) == ("1000Mb/s", "Full"), change
        assert heard(net) == (FRAMES, 0), change
    assert net.vm.try_sh("ethtool -r nic0") != 0
    net.vm.sh("ethtool -s nic0 autoneg off speed 10 duplex full")
    assert heard(net) == (FRAMES, 0)
    for words, wanted in [("off", "10Mb/s"), ("on", "1000Mb/s"), ("off", "10Mb/s")]:
        switch(net, words)
        net.vm.until(lambda wanted=wanted: speed(net)[0] == wanted, 20, wanted)
    assert heard(net) == (0, FRAMES)
    net.vm.sh("ethtool -s nic0 autoneg on")
    net.vm.until(lambda: net.carrier() and speed(net)[0] == "1000Mb/s", 20, "1000 Mb/s")
    net.check_ping()


def test_while_down(net: Net) -> None:
    """It is switched on while the interface is down, and off again."""
    net.vm.sh("ip link set nic0 down; ethtool -K nic0 loopback on")
    net.up_again()
    assert heard(net) == (FRAMES, 0)
    net.vm.sh("ip link set nic0 down; ethtool -K nic0 loopback off")
    net.up_again()
    assert heard(net) == (0, FRAMES)
    net.check_ping()


def test_sleep(net: Net) -> None:
    """It is there again after sleep."""
    told = net.vm.last_sh(
        "ethtool -K nic0 loopback on; echo devices >/sys/power/pm_test; "
        f"echo mem >/sys/power/state; net-up rust; {SCRIPT}\n",
        90,
    )
    assert told.split() == [str(FRAMES), "0"]


def test_phy_reset(net: Net) -> None:
    """A PHY that forgets it, as after a reset of its own, is told again."""
    switch(net, "on")
    # A command of the device's own: register 0 (BMCR) as after a reset.
    net.vm.set_register(0, regs.MDIC, 1 << 26 | 1 << 21 | 0x1140)
    net.vm.until(lambda: heard(net) == (FRAMES, 0), 20, "frames come back again")


def test_refused(net: Net) -> None:
    """Firmware that needs the PHY keeps it, and is told of."""
    net.vm.set_register(0, regs.MANC, regs.MANC_KEEP_PHY_LINK_UP)
    start = net.vm.sync_log()
    assert net.vm.try_sh("ethtool -K nic0 loopback on") != 0
    assert "no loopback, as the management firmware uses the PHY" in net.vm.log(start)
    assert not json.loads(net.vm.sh("ethtool --json -k nic0"))[0]["loopback"]["active"]
    assert heard(net) == (0, FRAMES)
    net.vm.set_register(0, regs.MANC, 0)
    net.check_ping()
