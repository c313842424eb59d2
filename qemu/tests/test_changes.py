# SPDX-License-Identifier: GPL-2.0
"""Everything that can be changed, changed over and over under traffic."""

import json
import random
import re
from itertools import pairwise

import pytest
from e1000e_vm.net import IN_PEER, PEER, Net
from e1000e_vm.vm import Topology

CHANGES = 500
# Most seconds between two answers to a ping ten times a second.
STALL = 1.0

FEATURES = ["rx", "tx", "sg", "tso", "gro", "rxhash", "rxvlan", "txvlan", "rx-vlan-filter"]


def change(dice: random.Random) -> str:
    """A command that changes something of nic0."""
    address = f"02:00:00:00:{dice.randrange(256):02x}:{dice.randrange(256):02x}"
    return dice.choice(
        [
            f"ethtool -G nic0 rx {2 ** dice.randint(7, 12)} tx {2 ** dice.randint(7, 12)}",
            f"ethtool -L nic0 combined {dice.randint(1, 2)}",
            f"ip link set nic0 mtu {dice.choice([1500, 1600, 2500, 4000, 9000])}",
            f"ethtool -K nic0 {dice.choice(FEATURES)} {dice.choice(['on', 'off'])}",
            f"ip link set nic0 address {address}",
            f"ethtool -C nic0 rx-usecs {dice.randrange(200)} tx-usecs {dice.randrange(200)}",
            f"ethtool -X nic0 {dice.choice(['equal 1', 'default'])}",
        ]
    )


# Its time is that of the guest's processor, so that a busy host is not taken for a stall.
@pytest.mark.rust
@pytest.mark.topology(Topology(smp=1, icount="shift=0,sleep=off"))
@pytest.mark.timeout(1800)
def test_random_changes(net: Net) -> None:
    """Five hundred changes in random order: no lost link, no stall, no page kept."""
    dice = random.Random(82574)
    net.vm.sh("ip -n peer link set nic1 mtu 9000; sysctl -qw net.ipv4.conf.nic0.arp_notify=1")
    net.up_again()
    # Refused is what the rest forbids; that each change works is tested elsewhere.
    script = "\n".join(
        f"{change(dice)} 2>/dev/null || refused=$((refused + 1))" for _ in range(CHANGES)
    )
    changes = net.carrier_changes()
    with (
        net.vm.background(f"{IN_PEER}sh -c 'while :; do iperf3 -s -1; done'"),
        net.vm.background(f"while :; do iperf3 --bidir -b 20M -t 3600 -c {PEER}; done"),
        net.vm.background(f"ping -D -i 0.1 -W 1 {PEER} >/tmp/pings"),
    ):
        net.wait_traffic()
        refused = int(net.vm.sh(f"refused=0\n{script}\necho $refused", 1500).splitlines()[-1])
        net.wait_traffic()
    assert refused < CHANGES / 2
    assert net.carrier_changes() == changes, "the link was lost"
    pings = net.vm.sh("cat /tmp/pings")
    answers = [float(t) for t in re.findall(r"^\[([\d.]+)\].*bytes from", pings, re.MULTILINE)]
    assert len(answers) > CHANGES / 10
    stalls = [later - earlier for earlier, later in pairwise(answers) if later - earlier > STALL]
    assert not stalls, f"{len(stalls)} stalls in {len(answers)} pings, up to {max(stalls):.1f} s"
    net.check_ping()
    assert net.ivar().faults(net.vectors()) == []
    counters = net.counters()
    assert counters["interrupts_lost"] == counters["ivar_repairs"] == counters["tx_hangs"] == 0
    net.unload()
    pools = json.loads(net.vm.sh("netdev-queues"))["pools"]
    assert pools == [], "page pools that are still there"
