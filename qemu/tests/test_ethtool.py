# SPDX-License-Identifier: GPL-2.0
"""What ethtool shows and sets, also in the middle of traffic."""

import json
import re
import struct
from typing import Any

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net
from e1000e_vm.vm import VM

COUNTERS = [
    "ivar_repairs",
    "aspm_before",
    "aspm_after",
    "aspm_result",
    "tx_hangs",
    "resets",
    "irq_selfcheck_failures",
    "dead_reads",
    *(
        f"phy_{kind}_err_{name}"
        for kind in ["read", "write"]
        for name in ["ownership", "timeout", "flagged", "gone", "mismatch"]
    ),
]


@pytest.mark.rust
def test_counters(net: Net) -> None:
    """All the counters that the driver is known for, and none of them amiss."""
    counters = net.counters()
    assert set(COUNTERS) <= counters.keys()
    net.check_ping()
    amiss = {
        name: value
        for name, value in net.counters().items()
        if name in COUNTERS and value and not name.startswith(("aspm_", "resets"))
    }
    assert not amiss


@pytest.mark.rust
def test_register_dump(net: Net) -> None:
    """`ethtool -d` begins with registers as the device has them."""
    dump = net.vm.sh("ethtool -d nic0 raw on | od -An -v -tx4 -w4").split()
    words = [int(word, 16) for word in dump]
    assert len(words) >= 8
    assert net.vm.register(0, regs.IVAR) in words, "IVAR is not in the dump"
    assert net.vm.register(0, regs.RCTL) in words, "RCTL is not in the dump"
    assert net.vm.register(0, regs.TCTL) in words, "TCTL is not in the dump"
    assert struct.calcsize("I") * len(words) < 65536


def test_rings(net: Net) -> None:
    """Ring sizes are taken, shown and used, from the smallest to the largest."""
    shown = net.vm.sh("ethtool -g nic0")
    largest = int(re.search(r"RX:\s+(\d+)", shown)[1])
    assert largest == 4096
    for size in [128, 1024, 4096, 256]:
        net.vm.sh(f"ethtool -G nic0 rx {size} tx {size}")
        net.up_again()
        current = net.vm.sh("ethtool -g nic0").split("Current")[1]
        assert re.search(rf"RX:\s+{size}\n", current)
        assert re.search(rf"TX:\s+{size}\n", current)
        net.check_ping()
        net.stream(8 << 20)
        net.stream(8 << 20, reverse=True)
    for refused in ["rx 8192", "rx 32", "tx 32"]:
        assert net.vm.try_sh(f"ethtool -G nic0 {refused}") != 0
    assert net.vm.try_sh("ethtool -G nic0 rx-mini 64") != 0


def test_rings_while_down(net: Net) -> None:
    """New sizes for an interface that is down are used when it comes up."""
    net.vm.sh("ip link set nic0 down; ethtool -G nic0 rx 128 tx 128")
    net.up_again()
    assert re.search(r"RX:\s+128\n", net.vm.sh("ethtool -g nic0").split("Current")[1])
    net.check_ping()


def test_rings_under_traffic(net: Net) -> None:
    """New sizes in the middle of TCP both ways."""
    with net.heavy():
        for size in [128, 1024, 256]:
            net.vm.sh(f"ethtool -G nic0 rx {size} tx {size}")
            net.up_again()
            net.wait_traffic()


def test_message_level(net: Net) -> None:
    """The message level is kept."""
    net.vm.sh("ethtool -s nic0 msglvl 0x7")
    assert "0x00000007" in net.vm.sh("ethtool nic0")


def test_everything_under_traffic(net: Net) -> None:
    """Whatever only looks leaves TCP both ways alone."""
    changes = net.carrier_changes()
    with net.heavy():
        net.vm.sh(
            "for i in $(seq 10); do for look in -S -d -g -k -i -a ''; do "
            "ethtool $look nic0 >/dev/null 2>&1 || true; done; done",
            120,
        )
        net.wait_traffic()
    assert net.carrier_changes() == changes


def test_rx_checksum_without_a_reset(net: Net) -> None:
    """Setting RX checksums does not take the link away, as the C driver does."""
    if net.driver == "c":
        pytest.xfail("the C driver resets the device")
    changes = net.carrier_changes()
    net.vm.sh("ethtool -K nic0 rx off; ethtool -K nic0 rx on")
    net.check_ping()
    assert net.carrier_changes() == changes


def test_queues(net: Net) -> None:
    """netdev-genl tells each queue's NAPI, and an interrupt of the device for it."""
    told = json.loads(net.vm.sh("netdev-queues nic0"))
    interrupts = {int(number) for number in net.vm.sh(f"ls {net.device}/msi_irqs").split()}
    napis = {napi["id"]: napi for napi in told["napis"]}
    assert {queue["type"] for queue in told["queues"]} == {"rx", "tx"}
    for queue in told["queues"]:
        assert napis[queue["napi-id"]]["irq"] in interrupts


@pytest.mark.rust
def test_standard_statistics(net: Net) -> None:
    """The standard groups count frames by kind and length, agree with each other, at once."""

    def groups() -> dict[str, Any]:
        return json.loads(net.vm.sh("ethtool --json -S nic0 --all-groups"))[0]

    before = groups()
    for _ in range(10):
        earlier = groups()["eth-mac"]
        net.check_ping(5, "-s 500")
        after = groups()
        mac = after["eth-mac"]
        for name in ["FramesTransmittedOK", "FramesReceivedOK"]:
            assert mac[name] - earlier[name] >= 5
        for name in ["OctetsTransmittedOK", "OctetsReceivedOK"]:
            # 500 bytes and 8, 20, 14, 4 of headers and FCS
            assert mac[name] - earlier[name] >= 5 * 546
    assert mac["FrameCheckSequenceErrors"] == mac["LateCollisions"] == 0
    assert after["eth-ctrl"].keys() >= {"MACControlFramesReceived", "UnsupportedOpcodesReceived"}
    for name, frames in [("rx", "FramesReceivedOK"), ("tx", "FramesTransmittedOK")]:
        bins = {bin["low"]: bin["val"] for bin in after["rmon"][f"{name}-pktsNtoM"]}
        was = {bin["low"]: bin["val"] for bin in before["rmon"][f"{name}-pktsNtoM"]}
        assert list(bins) == [0, 65, 128, 256, 512, 1024]
        assert bins[512] - was[512] >= 50
        # QEMU puts what it has not padded to 64 bytes, such as ARP, into no bin.
        assert bins[512] <= sum(bins.values()) <= mac[frames]
    names = set(net.counters())
    assert not names & {"rx_packets", "tx_packets", "rx_crc_errors", "rx_64_bytes"}


@pytest.mark.rust
def test_pause(net: Net) -> None:
    """Flow control is negotiated at first, can be forced and switched off, and is counted."""

    def shown() -> dict[str, Any]:
        return json.loads(net.vm.sh("ethtool --json -I -a nic0"))[0]

    def in_chip() -> tuple[bool, bool]:
        value = net.vm.register(0, regs.CTRL)
        return bool(value & regs.CTRL_RFCE), bool(value & regs.CTRL_TFCE)

    first = shown()
    assert (first["autonegotiate"], first["rx"], first["tx"]) == (True, True, True)
    assert set(first["statistics"]) == {"tx_pause_frames", "rx_pause_frames"}
    assert in_chip() == (True, True)
    for words, wanted in [
        ("autoneg off rx off tx off", (False, False)),
        ("autoneg off rx on tx off", (True, False)),
        ("autoneg off rx off tx on", (False, True)),
        ("autoneg on rx on tx on", (True, True)),
    ]:
        net.vm.sh(f"ethtool -A nic0 {words}")
        net.vm.until(lambda wanted=wanted: in_chip() == wanted, 10, words)
        now = shown()
        assert (now["rx"], now["tx"]) == wanted
        assert now["autonegotiate"] == ("autoneg on" in words)
        net.up_again()
        net.check_ping()
    net.vm.sh("ethtool -s nic0 autoneg off speed 100 duplex full")
    assert net.vm.try_sh("ethtool -A nic0 autoneg on rx on tx off") != 0
    assert shown()["rx"] is True and shown()["tx"] is True
    net.vm.sh("ethtool -s nic0 autoneg on")
    net.up_again()


@pytest.mark.rust
@pytest.mark.parametrize("mode", [2, 0])
def test_coalesce(vm: VM, driver: str, mode: int) -> None:
    """Interrupt moderation is shown, set in the chip and kept over a reset."""
    net = Net(vm, driver)
    net.load(f"int_mode={mode}")

    def in_chip() -> list[int]:
        """The least time between two interrupts of the vectors, in units of 256 ns."""
        if mode == 0:
            return [net.vm.register(0, regs.ITR)]
        return [net.vm.register(0, regs.EITR + 4 * vector) for vector in range(5)]

    shown = json.loads(net.vm.sh("ethtool --json -c nic0"))[0]
    assert (shown["rx-usecs"], shown["tx-usecs"]) == (50, 200)
    assert in_chip() == ([195] if mode == 0 else [195, 195, 781, 781, 195])
    net.vm.sh("ethtool -C nic0 rx-usecs 100 tx-usecs 1000")
    wanted = [390] if mode == 0 else [390, 390, 3906, 3906, 195]
    assert in_chip() == wanted
    net.check_ping()
    net.vm.sh("ethtool -G nic0 rx 512")
    net.up_again()
    assert in_chip() == wanted
    told = net.vm.agent.run("ethtool -C nic0 rx-usecs 16777", check=False)
    assert told.status != 0
    assert "16776 at most" in told.stderr + told.stdout
    assert net.vm.try_sh("ethtool -C nic0 rx-frames 5") != 0
    net.vm.sh("ethtool -C nic0 rx-usecs 0 tx-usecs 16776")
    assert in_chip() == ([0] if mode == 0 else [0, 0, 65531, 65531, 195])
    net.check_ping()


@pytest.mark.rust
def test_no_eee(vm: VM) -> None:
    """The chip has no energy-efficient Ethernet: both drivers say the same."""
    told = {}
    for driver in ["c", "rust"]:
        net = Net(vm, driver)
        net.load()
        told[driver] = [
            vm.agent.run(f"LC_ALL=C ethtool {words}", check=False)
            for words in ["--show-eee nic0", "--set-eee nic0 eee on", "--set-eee nic0 tx-lpi off"]
        ]
        net.unload()
    assert told["rust"] == told["c"]
    for answer in told["rust"]:
        assert answer.status != 0
        assert "Operation not supported" in answer.stderr


def test_eeprom(net: Net) -> None:
    """The NVM is read octet by octet: it begins with the address, and its words add up."""
    whole = bytes.fromhex(net.vm.sh("ethtool -e nic0 raw on | od -An -v -tx1"))
    assert whole[:6].hex(":") == net.vm.sh("cat /sys/class/net/nic0/address")
    assert sum(struct.unpack("<64H", whole[:128])) & 0xFFFF == 0xBABA
    part = bytes.fromhex(net.vm.sh("ethtool -e nic0 raw on offset 3 length 6 | od -An -v -tx1"))
    assert part == whole[3:9]
    assert net.vm.try_sh(f"ethtool -e nic0 raw on offset {len(whole)} length 1") != 0
    net.check_ping()
