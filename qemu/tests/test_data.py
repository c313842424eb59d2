# SPDX-License-Identifier: GPL-2.0
"""What is sent is what arrives: every byte of it, whatever the size and offloads."""

import pytest
from e1000e_vm.net import HERE, IN_PEER, PEER, PEER6, Net

GIB = 1 << 30
MIB = 1 << 20
MAX_MTU = {"rust": 9216, "c": 9212}


@pytest.mark.parametrize("how", ["write", "sendfile"])
def test_long_streams(net: Net, how: str) -> None:
    """One GiB each way at the same time. Breaks with any buffer reused too early."""
    with (
        net.vm.background(f"wire stream-receive {HERE} 5001 {GIB}") as here,
        net.vm.background(f"{IN_PEER}wire stream-receive {PEER} 5000 {GIB}") as peer,
        net.vm.background(f"{IN_PEER}wire stream-send {HERE} 5001 {GIB} --how={how}") as back,
    ):
        net.vm.sh(f"wire stream-send {PEER} 5000 {GIB} --how={how}", 900)
        back.wait(900)
        peer.wait()
        here.wait()


@pytest.mark.parametrize("mtu", [1500, 9000])
@pytest.mark.parametrize("reverse", [False, True], ids=["out", "in"])
def test_many_fragments(net: Net, reverse: bool, mtu: int) -> None:
    """Frames of many fragments of odd sizes. Breaks with a fragment's offset or length."""
    net.set_mtu(mtu)
    net.stream(4 * MIB, "pieces", reverse)


OFFLOADS = {
    "all on": "tx on sg on tso on gro on rx on",
    "TSO off": "tso off",
    "scatter-gather off": "sg off",
    "TX checksum off": "tx off",
    "RX checksum off": "rx off",
    "GRO off": "gro off",
    "all off": "tx off sg off tso off gro off rx off",
}


@pytest.mark.parametrize("words", OFFLOADS.values(), ids=OFFLOADS)
def test_offloads(net: Net, words: str) -> None:
    """Streams and datagrams over IPv4 and IPv6 with an offload on or off.

    Breaks with a wrong offset in a context descriptor: the peer checks sums in
    software when its RX checksum is off.
    """
    net.features(words)
    shown = net.vm.sh("ethtool -k nic0")
    if words.startswith("tx off"):
        assert "tcp-segmentation-offload: off" in shown
    for ipv6 in [False, True]:
        net.stream(16 * MIB, "write", ipv6=ipv6)
        net.stream(16 * MIB, "sendfile", reverse=True, ipv6=ipv6)
    with net.echo():
        net.sizes_udp(1, 1472, 13)
        net.sizes_udp(1, 1452, 13, PEER6)
        # More than a frame holds: IP fragments.
        net.sizes_udp(1473, 9000, 301)


@pytest.mark.parametrize("words", ["sg on", "sg off"])
def test_bursts(net: Net, words: str) -> None:
    """Many datagrams before the chip is told of the last, in fragments or not.

    Breaks if the place that a small one is copied to is used again too early.
    """
    net.features(words)
    with net.echo():
        for peer, header in [(PEER, 42), (PEER6, 62)]:
            net.check_ping(1, host=peer)
            sizes = [1, 17, 100, 256 - header, 257 - header, 700, 1400]
            net.vm.sh(f"wire cut-udp {peer} 7 {' '.join(map(str, sizes))}")


def test_tso_is_used(net: Net) -> None:
    """With TSO the stack hands down what the device cuts. Breaks if TSO is not offered."""
    shown = net.vm.sh("ethtool -k nic0")
    for line in [
        "tx-checksumming: on",
        "scatter-gather: on",
        "tcp-segmentation-offload: on",
        "tx-tcp6-segmentation: on",
        "generic-receive-offload: on",
        "rx-checksumming: on",
    ]:
        assert line in shown


def test_bad_checksum_is_refused(net: Net) -> None:
    """A datagram with a wrong checksum does not reach its socket.

    Breaks if every frame is marked as verified.
    """
    peer_mac = net.vm.sh("cat /sys/class/net/nic0/address")
    # A UDP datagram to port 9 with content `x` and a checksum of 0xdead.
    frame = (
        "import socket, struct\n"
        f"dst = bytes.fromhex('{peer_mac}'.replace(':', ''))\n"
        "head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 29, 1, 0, 64, 17, 0, "
        f"socket.inet_aton('{PEER}'), socket.inet_aton('{HERE}'))\n"
        "total = sum(struct.unpack('!10H', head))\n"
        "total = (total & 0xffff) + (total >> 16)\n"
        "head = head[:10] + struct.pack('!H', ~total & 0xffff) + head[12:]\n"
        "raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
        "raw.bind(('nic1', 0))\n"
        "raw.send(dst + bytes(6) + b'\\x08\\0' + head + "
        "struct.pack('!HHHH', 9, 9, 9, 0xdead) + b'x' + bytes(17))\n"
    )
    with net.vm.background(f"socat -u UDP4-RECV:9,bind={HERE} STDOUT") as receiver:
        net.vm.sh("until ss -Huln 'sport = :9' | grep -q .; do usleep 20000; done")
        before = net.vm.sh("grep ^Udp: /proc/net/snmp | tail -1").split()
        net.vm.sh(f'{IN_PEER}python3 -c "{frame}"')
        net.vm.sh(f"echo good | {IN_PEER}socat -u STDIN UDP4-SENDTO:{HERE}:9; sleep 1")
        after = net.vm.sh("grep ^Udp: /proc/net/snmp | tail -1").split()
        assert receiver.stop().stdout == "good\n"
    # Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors
    assert int(after[7]) == int(before[7]) + 1, "the bad one never came"


def test_all_frame_sizes(net: Net) -> None:
    """Every size that an MTU of 1500 allows, also those padded to 60, with zeros."""
    with net.echo():
        net.sizes_raw(14, 1514)
        net.sizes_udp(1, 1472, 3)


def test_jumbo_frame_sizes(net: Net, driver: str) -> None:
    """Every frame up to the largest. Breaks with a frame over two buffers, or too many."""
    mtu = MAX_MTU[driver]
    net.set_mtu(mtu)
    with net.echo():
        net.sizes_raw(60, mtu + 14, timeout=600)
        net.sizes_udp(1, mtu - 28, 31)


@pytest.mark.parametrize("mtu", [1492, 2026, 2030, 2034, 4078, 4082, 4096, 8192])
def test_mtu(net: Net, mtu: int) -> None:
    """The sizes about an MTU, near a buffer's end where drivers go wrong."""
    net.set_mtu(mtu)
    with net.echo():
        net.sizes_raw(max(60, mtu - 20), mtu + 14)
    net.stream(4 * MIB)
    net.stream(4 * MIB, reverse=True)


def test_smallest_mtu(net: Net) -> None:
    """The least that IPv4 needs."""
    net.set_mtu(68)
    net.check_ping(options="-M do -s 40")
    net.set_mtu(1500)
    net.check_ping()


def test_mtu_limits(net: Net, driver: str) -> None:
    """The largest MTU is taken, one more is refused, and nothing breaks."""
    mtu = MAX_MTU[driver]
    assert net.vm.try_sh(f"ip link set nic0 mtu {mtu + 1}") != 0
    net.set_mtu(mtu)
    net.check_ping(options=f"-M do -s {mtu - 28}")


@pytest.mark.rust
def test_jumbo_wakes_processors(net: Net) -> None:
    """With jumbo frames processors must wake up before the packet buffer is full."""

    def limit() -> int:
        return int(net.vm.sh("od -An -td4 -N4 /dev/cpu_dma_latency"))

    none = limit()
    net.vm.sh("ip link set nic0 mtu 9000")
    # Of 40 KiB two frames of 9022 bytes, with 16 of the chip's own each, are for sending.
    assert limit() == ((40 - 18) * 1024 - 9022) * 8 // 1000
    net.vm.sh("ip link set nic0 down")
    assert limit() == none
    net.vm.sh("ip link set nic0 up")
    assert limit() < none
    net.vm.sh("ip link set nic0 mtu 1500")
    assert limit() == none


def test_mtu_under_traffic(net: Net) -> None:
    """New MTUs in the middle of TCP both ways; it comes back each time."""
    with net.heavy():
        for mtu in [9000, 1500, 4000, 1500]:
            net.set_mtu(mtu)
            net.wait_traffic()


def test_vlan(net: Net) -> None:
    """Full frames with a VLAN tag. Breaks if four bytes more are too many."""
    net.vm.sh(
        "ip link add link nic0 name nic0.5 type vlan id 5; "
        "ip addr add 10.0.5.1/24 dev nic0.5; ip link set nic0.5 up; "
        "ip -n peer link add link nic1 name nic1.5 type vlan id 5; "
        "ip -n peer addr add 10.0.5.2/24 dev nic1.5; ip -n peer link set nic1.5 up"
    )
    net.check_ping(host="10.0.5.2")
    net.check_ping(host="10.0.5.2", options="-M do -s 1472")


def test_statistics(net: Net) -> None:
    """Counters of packets and bytes agree with what was sent."""
    before, packets = net.counters(), net.packets()
    net.check_ping(100, options="-s 1000")
    received, sent = net.packets()
    assert 100 <= sent - packets[1] <= 120
    assert 100 <= received - packets[0] <= 120
    after = net.counters()
    for name in before:
        assert after[name] - before[name] < 200_000, f"{name} makes no sense"
    assert not int(net.vm.sh("cat /sys/class/net/nic0/statistics/tx_errors"))
    assert not int(net.vm.sh("cat /sys/class/net/nic0/statistics/rx_dropped"))
