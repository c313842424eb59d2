# SPDX-License-Identifier: GPL-2.0
"""What the stack builds on an interface, and the other ways in which it polls one."""

import pytest
from e1000e_vm.net import IN_PEER, PEER, Net


def test_bridge(net: Net) -> None:
    """A port of a bridge receives frames for others: the interface becomes promiscuous."""
    net.vm.sh(
        "ip link add br0 type bridge; ip addr flush dev nic0; ip link set nic0 master br0; "
        "ip link add veth0 type veth peer name veth1; ip link set veth0 master br0; "
        "ip netns add inside; ip link set veth1 netns inside; "
        "ip -n inside addr add 10.0.0.3/24 dev veth1; ip -n inside link set veth1 up; "
        "ip link set veth0 up; ip link set br0 up"
    )
    try:
        net.vm.until(
            lambda: net.vm.try_sh(f"ip netns exec inside ping -q -c1 -W1 {PEER}") == 0,
            20,
            "a ping through the bridge",
        )
        size = 8 << 20
        with net.vm.background(f"{IN_PEER}wire stream-receive {PEER} 5000 {size}") as end:
            net.vm.sh(f"ip netns exec inside wire stream-send {PEER} 5000 {size}", 300)
            end.wait(60)
    finally:
        net.vm.sh("ip link del br0; ip netns del inside; ip link del veth0 2>/dev/null || true")


def test_macvlan(net: Net) -> None:
    """Interfaces with addresses of their own: more than the device has registers for.

    Without IPv6: it has a multicast address for each that ends like it, and QEMU looks up
    unicast addresses in the multicast table as well.
    """
    ipv6_off = "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6"
    try:
        for number in range(1, 18):
            net.vm.sh(
                f"ip netns add mv{number}; ip netns exec mv{number} sh -c '{ipv6_off}'; "
                f"ip link add mv{number} link nic0 type macvlan mode private; "
                f"ip link set mv{number} netns mv{number}; "
                f"ip -n mv{number} addr add 10.0.0.{100 + number}/24 dev mv{number}; "
                f"ip -n mv{number} link set mv{number} up"
            )
        for number in [1, 14, 15, 17]:
            net.vm.sh(f"ip netns exec mv{number} ping -q -c 3 -i 0.1 -W 1 {PEER}")
    finally:
        net.vm.sh("for n in $(seq 17); do ip netns del mv$n 2>/dev/null || true; done")
    net.check_ping()


def test_netconsole(net: Net) -> None:
    """The kernel log leaves by netpoll, also in the middle of traffic."""
    # All lines at once may have to wait in the listener's socket while TCP has the processors.
    room = 8 << 20
    net.vm.sh(f"sysctl -qw net.core.rmem_max={room}")
    mac = net.vm.sh(f"{IN_PEER}cat /sys/class/net/nic1/address")
    listener = f"{IN_PEER}socat -u UDP4-RECV:6666,rcvbuf={room} CREATE:/tmp/console"
    with net.vm.background(listener), net.heavy():
        net.vm.sh(f"modprobe netconsole netconsole=6665@10.0.0.1/nic0,6666@{PEER}/{mac}")
        try:
            net.vm.sh(
                "for i in $(seq 200); do echo netconsole line $i >/dev/kmsg; done; "
                "for i in $(seq 50); do grep -q 'line 200$' /tmp/console && break; "
                "usleep 100000; done"
            )
            told = net.vm.sh("cat /tmp/console")
        finally:
            net.vm.sh("rmmod netconsole")
    lost = [number for number in range(1, 201) if f"netconsole line {number}\n" not in told + "\n"]
    assert len(lost) < 20, f"{len(lost)} of 200 lines did not arrive"


@pytest.mark.parametrize("load", ["light", "heavy"])
def test_threaded(net: Net, load: str) -> None:
    """NAPI in kernel threads, switched on and off in the middle of traffic."""
    with getattr(net, load)():
        for state in [1, 0, 1]:
            net.vm.sh(f"echo {state} >/sys/class/net/nic0/threaded")
            if load == "heavy":
                net.wait_traffic(500, 30)
            else:
                assert net.wait_ping() < 1
    assert "napi/nic0" in net.vm.sh("ps -ef || ps")
    net.check_ping()


def test_busy_poll(net: Net) -> None:
    """Sockets that poll the device themselves."""
    net.vm.sh("sysctl -qw net.core.busy_poll=50 net.core.busy_read=50")
    try:
        net.check_ping()
        net.stream(8 << 20)
        net.stream(8 << 20, reverse=True)
        with net.echo():
            net.sizes_udp(64, 1400, 53)
    finally:
        net.vm.sh("sysctl -qw net.core.busy_poll=0 net.core.busy_read=0")
