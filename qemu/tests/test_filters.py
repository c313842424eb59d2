# SPDX-License-Identifier: GPL-2.0
"""Which frames nic0 takes in: its own, those it was told of, or all.

QEMU looks unicast up in the multicast table too, and a solicited-node group has
the hash of its own MAC address: so no IPv6 here.
"""

import pytest
from e1000e_vm.net import IN_PEER, Net

OTHER = "02:00:00:00:00:99"


@pytest.fixture
def deaf(net: Net) -> Net:
    """The pair with nothing that sends on its own."""
    net.vm.sh("sysctl -qw net.ipv6.conf.nic0.disable_ipv6=1")
    net.vm.sh(f"{IN_PEER}sysctl -qw net.ipv6.conf.nic1.disable_ipv6=1")
    net.check_ping()
    return net


def received(net: Net, mac: str) -> bool:
    """Whether nic0 takes in frames to that address."""
    net.vm.sh(f"ip -n peer neigh replace 10.0.0.77 lladdr {mac} nud permanent dev nic1")
    before = net.packets()[0]
    net.vm.try_sh(f"{IN_PEER}ping -q -c 30 -i 0.01 -W 0.2 10.0.0.77")
    count = net.packets()[0] - before
    # A few may be ARP's.
    assert count < 10 or count >= 30, f"{count} of 30 frames"
    return count >= 30


def test_promiscuous(deaf: Net) -> None:
    """Others' frames come in only while promiscuous."""
    assert not received(deaf, OTHER)
    deaf.vm.sh("ip link set nic0 promisc on")
    assert received(deaf, OTHER)
    deaf.vm.sh("ip link set nic0 promisc off")
    assert not received(deaf, OTHER)
    deaf.check_ping()


def test_changed_without_the_device(deaf: Net) -> None:
    """What is asked for while a reset has taken the device from the stack is done after it."""
    # By the bus it takes a second.
    deaf.vm.sh(
        f"echo bus >{deaf.device}/reset_method; echo 1 >{deaf.device}/reset & "
        "away() { ethtool -g nic0 2>&1 | grep -q 'No such device'; }\n"
        "for i in $(seq 500); do ! away || break; done\n"
        "away && ip link set nic0 promisc on && away || exit 1\n"
        f"wait; echo default >{deaf.device}/reset_method"
    )
    # Not by `ip link set up`, which tells the driver again.
    deaf.wait_carrier(True)
    assert received(deaf, OTHER)
    deaf.vm.sh("ip link set nic0 promisc off")
    assert not received(deaf, OTHER)


def test_multicast(deaf: Net) -> None:
    """A group comes in while joined. Breaks with a wrong hash."""
    for group in ["01:00:5e:01:02:03", "33:33:00:00:12:34", "01:80:c2:00:00:21"]:
        assert not received(deaf, group)
        deaf.vm.sh(f"ip maddress add {group} dev nic0")
        assert received(deaf, group)
        deaf.vm.sh(f"ip maddress del {group} dev nic0")
        assert not received(deaf, group)


def test_all_multicast(deaf: Net) -> None:
    """All groups come in under allmulticast, others' unicast does not."""
    deaf.vm.sh("ip link set nic0 allmulticast on")
    assert received(deaf, "01:00:5e:01:02:03")
    assert not received(deaf, OTHER)
    deaf.vm.sh("ip link set nic0 allmulticast off")
    assert not received(deaf, "01:00:5e:01:02:03")


def test_many_groups(deaf: Net) -> None:
    """Sixty groups: the first and the last come in, no other."""
    deaf.vm.sh(
        "for a in 0 1; do for b in $(seq 10 39); do "
        "ip maddress add 01:00:5e:00:$a:$b dev nic0 || exit 1; done; done"
    )
    assert received(deaf, "01:00:5e:00:00:10")
    assert received(deaf, "01:00:5e:00:01:39")
    assert not received(deaf, "01:00:5e:00:20:05")


def test_more_addresses(deaf: Net) -> None:
    """Unicast addresses added beside the own; more than the device has room for."""

    def address(number: int) -> str:
        return f"02:00:00:00:01:{number:02x}"

    deaf.vm.sh(f"bridge fdb add {address(0)} dev nic0")
    assert received(deaf, address(0))
    assert not received(deaf, OTHER)
    for number in range(1, 20):
        deaf.vm.sh(f"bridge fdb add {address(number)} dev nic0")
    assert all(received(deaf, address(number)) for number in [0, 10, 19])
    for number in range(20):
        deaf.vm.sh(f"bridge fdb del {address(number)} dev nic0")
    assert not received(deaf, address(0))
    assert not received(deaf, address(19))


def test_new_mac_address(deaf: Net) -> None:
    """A new address is used and the old one is not; also across down and up."""
    old = deaf.vm.sh("cat /sys/class/net/nic0/address")
    deaf.vm.sh(f"ip link set nic0 address {OTHER}")
    deaf.vm.sh("ip -n peer neigh flush dev nic1")
    deaf.check_ping()
    assert received(deaf, OTHER)
    assert not received(deaf, old)
    deaf.vm.sh("ip link set nic0 down; ip link set nic0 up")
    deaf.wait_carrier(True)
    assert received(deaf, OTHER)
    assert not received(deaf, old)
    assert deaf.vm.try_sh("ip link set nic0 address 01:00:00:00:00:01") != 0


def test_filters_survive_a_reset(deaf: Net) -> None:
    """Groups and promiscuity are there again after down and up, and a new MTU."""
    deaf.vm.sh(
        "ip maddress add 01:00:5e:01:02:03 dev nic0; bridge fdb add 02:00:00:00:01:44 dev nic0"
    )
    for change in ["ip link set nic0 down; ip link set nic0 up", "ip link set nic0 mtu 4000"]:
        deaf.vm.sh(change)
        deaf.wait_carrier(True)
        assert received(deaf, "01:00:5e:01:02:03"), change
        assert received(deaf, "02:00:00:00:01:44"), change
        assert not received(deaf, OTHER), change
