# SPDX-License-Identifier: GPL-2.0
"""Two queues each way: how frames are spread over them, and what is counted of each."""

import ipaddress
import json
import re
import time
from typing import Any

import pytest
from e1000e_vm import regs
from e1000e_vm.net import HERE, HERE6, IN_PEER, PEER, PEER6, Net

pytestmark = pytest.mark.rust

TABLE_LEN, KEY_LEN = 128, 40
# The key that the specification of RSS gives for verification.
KEY = bytes.fromhex(
    "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"
)


def toeplitz(data: bytes) -> int:
    """The hash of `data` with KEY."""
    key, result = int.from_bytes(KEY), 0
    for i in range(len(data) * 8):
        if data[i // 8] >> 7 - i % 8 & 1:
            result ^= key >> KEY_LEN * 8 - 32 - i & 0xFFFF_FFFF
    return result


def test_toeplitz() -> None:
    """The reference agrees with the specification's example (66.9.149.187:2794, TCP)."""
    addresses = [ipaddress.ip_address(a).packed for a in ["66.9.149.187", "161.142.100.80"]]
    assert toeplitz(
        b"".join(addresses) + bytes([2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255])
    ) == (0x51CCC178)


# A key by which neighbouring ports are told apart.
SPREADING_KEY = bytes.fromhex("6d5a" * 20)


def set_key(net: Net, key: bytes = KEY) -> None:
    net.vm.sh(f"ethtool -X nic0 hkey {key.hex(':')}")


def queues(net: Net) -> dict[str, Any]:
    """What netdev-genl tells of nic0."""
    return json.loads(net.vm.sh("netdev-queues nic0"))


def queue_interrupt(net: Net, number: int) -> int:
    """The interrupt of a receive queue of nic0."""
    told = queues(net)
    ids = [q["napi-id"] for q in told["queues"] if (q["type"], q["id"]) == ("rx", number)]
    return next(napi["irq"] for napi in told["napis"] if [napi["id"]] == ids)


def queue_packets(net: Net) -> dict[tuple[str, int], int]:
    """Packets of each queue of nic0."""
    return {
        (stats["queue-type"], stats["queue-id"]): stats[f"{stats['queue-type']}-packets"]
        for stats in queues(net)["stats"]
    }


def interrupts(net: Net, vectors: str) -> list[list[int]]:
    """Of each of these vectors, the interrupts on each processor."""
    lines = re.findall(
        rf"^ *\d+: ([\d ]+) .*nic0-[{vectors}]$", net.vm.sh("cat /proc/interrupts"), re.M
    )
    assert len(lines) == len(vectors)
    return [[int(number) for number in line.split()] for line in lines]


@pytest.mark.parametrize(
    ("kind", "options", "vectors"), [("rx", "-R", "01"), ("tx", "", "23")], ids=["rx", "tx"]
)
def test_spread(net: Net, kind: str, options: str, vectors: str) -> None:
    """Eight TCP flows use both queues and both processors.

    Flows come in by the hash of their ports, and go out by the processor that sends.
    """
    set_key(net, SPREADING_KEY)
    for queue in [0, 1]:
        irq = queue_interrupt(net, queue)
        assert net.vm.sh(f"cat /proc/irq/{irq}/affinity_hint") == f"{1 << queue}"
        assert net.vm.sh(f"cat /sys/class/net/nic0/queues/tx-{queue}/xps_cpus") == f"{1 << queue}"
    packets, irqs = queue_packets(net), interrupts(net, vectors)
    net.iperf(4, f"{options} -P 8 --cport 40000")
    for queue in [0, 1]:
        grown = queue_packets(net)[kind, queue] - packets[kind, queue]
        assert grown > 500, f"{kind} queue {queue} had {grown} packets"
        own = interrupts(net, vectors)[queue][queue] - irqs[queue][queue]
        assert own > 50, f"queue {queue} had {own} interrupts on processor {queue}"


def test_hash(net: Net) -> None:
    """The hash is delivered with each frame, right, and has chosen the queue."""
    set_key(net)
    trace = "/sys/kernel/tracing"
    net.vm.sh(
        f"mountpoint -q {trace} || mount -t tracefs none {trace}; cd {trace}; "
        "echo 'name == \"nic0\"' >events/net/napi_gro_receive_entry/filter; echo >trace; "
        "echo 1 >events/net/napi_gro_receive_entry/enable"
    )
    wanted = set()
    for here, peer in [(HERE, PEER), (HERE6, PEER6)]:
        addresses = b"".join(ipaddress.ip_address(a).packed for a in [peer, here])
        for port in range(40000, 40006):
            ports = port.to_bytes(2) + (9).to_bytes(2)
            for kind, data in [("STREAM", addresses + ports), ("DGRAM", addresses)]:
                value = toeplitz(data)
                wanted.add((value, int(kind == "STREAM"), value % TABLE_LEN % 2 + 1))
                net.vm.sh(
                    f'{IN_PEER}python3 -c "import socket; '
                    f"s = socket.socket(socket.AF_INET{'6' * (':' in here)}, socket.SOCK_{kind}); "
                    f"s.bind(('{peer}', {port})); s.connect_ex(('{here}', 9)); "
                    f"s.type == socket.SOCK_DGRAM and s.send(b'x')\""
                )
    text = net.vm.sh(f"cat {trace}/trace; echo 0 >{trace}/events/net/napi_gro_receive_entry/enable")
    found = {
        (int(value, 16), int(ports), int(queue))
        for queue, value, ports in re.findall(
            r"queue_mapping=(\d+) .* hash=0x([0-9a-f]+) l4_hash=(\d)", text
        )
    }
    assert wanted <= found, wanted - found
    assert {queue for _, _, queue in wanted} == {1, 2}, "not both queues were tried"

    net.vm.sh(f"ethtool -K nic0 rxhash off; echo >{trace}/trace")
    net.vm.sh(f"echo 1 >{trace}/events/net/napi_gro_receive_entry/enable")
    net.check_ping()
    text = net.vm.sh(f"cat {trace}/trace; echo 0 >{trace}/events/net/napi_gro_receive_entry/enable")
    assert set(re.findall(r" hash=0x([0-9a-f]+)", text)) == {"00000000"}


def table(net: Net) -> list[int]:
    """The indirection table that the device has."""
    words = [net.vm.register(0, regs.RETA + 4 * i) for i in range(TABLE_LEN // 4)]
    return [octet >> 7 for word in words for octet in word.to_bytes(4, "little")]


def key(net: Net) -> bytes:
    """The key that the device has."""
    words = [net.vm.register(0, regs.RSSRK + 4 * i) for i in range(KEY_LEN // 4)]
    return b"".join(word.to_bytes(4, "little") for word in words)


def test_rss_settings(net: Net) -> None:
    """Key, table and hashed fields reach the device, and are kept over a reset."""
    assert table(net) == [0, 1] * 64
    set_key(net)
    net.vm.sh("ethtool -X nic0 weight 3 1")
    assert key(net) == KEY
    assert table(net) == [0] * 96 + [1] * 32
    net.vm.sh("ethtool -N nic0 rx-flow-hash tcp4 sd")
    assert net.vm.register(0, regs.MRQC) == regs.MRQC_RSS & ~regs.MRQC_TCP_IPV4
    net.vm.sh("ethtool -G nic0 rx 512")
    net.up_again()
    assert key(net) == KEY
    assert table(net) == [0] * 96 + [1] * 32
    assert net.vm.register(0, regs.MRQC) == regs.MRQC_RSS & ~regs.MRQC_TCP_IPV4
    shown = net.vm.sh("ethtool -n nic0 rx-flow-hash tcp4")
    assert "L4 bytes" not in shown
    assert "IP SA" in shown
    net.vm.sh("ethtool -N nic0 rx-flow-hash tcp4 sdfn; ethtool -X nic0 default")
    assert table(net) == [0, 1] * 64
    assert net.vm.register(0, regs.MRQC) == regs.MRQC_RSS
    for bad in [
        "-N nic0 rx-flow-hash udp4 sdfn",
        "-N nic0 rx-flow-hash tcp4 s",
        "-X nic0 hfunc xor",
    ]:
        assert net.vm.try_sh(f"ethtool {bad}") != 0, bad
    net.check_ping()


def test_channels(net: Net) -> None:
    """One channel or two, also while the interface is down; traffic and counters go on."""
    for count in [1, 2, 1, 2]:
        changes = net.carrier_changes()
        net.vm.sh(f"ethtool -L nic0 combined {count}")
        assert net.carrier_changes() == changes, "the link was lost"
        assert f"Combined:\t{count}" in net.vm.sh("ethtool -l nic0").split("Current")[1]
        assert len(queues(net)["queues"]) == 2 * count
        assert net.ivar().faults(net.vectors()) == []
        assert set(table(net)) == set(range(count))
        net.check_ping()
        net.stream(4 << 20)
        net.stream(4 << 20, reverse=True)
    net.vm.sh("ip link set nic0 down; ethtool -L nic0 combined 1")
    net.up_again()
    assert len(queues(net)["queues"]) == 2
    net.vm.sh("ethtool -L nic0 combined 2; ethtool -X nic0 equal 2")
    for bad in ["0", "1", "3"]:  # 1: the table that was set names queue 1
        assert net.vm.try_sh(f"ethtool -L nic0 combined {bad}") != 0, bad
    net.check_ping()


@pytest.mark.parametrize("load", ["light", "heavy"])
def test_channels_under_traffic(net: Net, load: str) -> None:
    """The number of channels is changed ten times in the middle of traffic."""
    with getattr(net, load)():
        for count in [1, 2] * 5:
            net.vm.sh(f"ethtool -L nic0 combined {count}")
            if load == "heavy":
                net.wait_traffic(200, 20)
            else:
                assert net.wait_ping() < 1
    net.check_ping()
    assert net.counters()["interrupts_lost"] == 0


def test_queue_statistics(net: Net) -> None:
    """What the queues have counted is what the interface has, also after a queue is gone."""

    def total(kind: str) -> int:
        stats = json.loads(net.vm.sh("netdev-queues nic0"))["total"]
        return sum(entry.get(kind, 0) for entry in stats)

    net.iperf(2, "-P 4")
    large, cut = total("tx-hw-gso-packets"), total("tx-hw-gso-wire-packets")
    assert 100 < large < cut / 2 < total("tx-packets") / 2
    for count in [2, 1]:
        net.vm.sh(f"ethtool -L nic0 combined {count}")
        net.check_ping()
        time.sleep(0.5)
        received, sent = net.packets()
        assert 0 <= total("rx-packets") - received < 20
        assert 0 <= total("tx-packets") - sent < 20


def vectors(net: Net) -> list[str]:
    """The interrupts of nic0: receive queues 0 and 1, transmit queues 0 and 1, others."""
    found = re.findall(r"^ *(\d+): .*nic0-\d$", net.vm.sh("cat /proc/interrupts"), re.M)
    assert len(found) == 5
    return found


def processors(net: Net, name: str = "smp_affinity") -> list[str]:
    """Of each vector, the processors that may handle it, or those that do."""
    return [net.vm.sh(f"cat /proc/irq/{irq}/{name}") for irq in vectors(net)]


def test_affinity_kept(net: Net) -> None:
    """Who handles an interrupt is the user's choice, also after the interface was down."""
    assert processors(net) == ["1", "2", "1", "2", "3"]
    for change in [
        "ip link set nic0 down; ip link set nic0 up",
        "ethtool -L nic0 combined 1; ethtool -L nic0 combined 2",
        "ethtool -t nic0 offline",
    ]:
        for chosen in [["2", "1", "2", "1", "1"], ["1", "1", "1", "2", "2"]]:
            for irq, cpus in zip(vectors(net), chosen, strict=True):
                net.vm.sh(f"echo {cpus} >/proc/irq/{irq}/smp_affinity")
            # An interrupt moves when it is raised next.
            net.vm.until(
                lambda chosen=chosen: processors(net, "effective_affinity") == chosen,
                10,
                "the interrupts have moved",
            )
            net.vm.sh(change, 60)
            assert processors(net) == chosen, change
    net.wait_carrier(True)
    net.check_ping()
