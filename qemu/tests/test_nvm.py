# SPDX-License-Identifier: GPL-2.0
"""Writing the NVM with `ethtool -E`."""

import re
import struct

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net
from e1000e_vm.vm import Topology

pytestmark = pytest.mark.rust

MAGIC = 0x10D38086
EECD_FLASH = 3 << 15


def whole(net: Net) -> bytes:
    """All of the NVM, which must be one that the device loads."""
    octets = bytes.fromhex(net.vm.sh("ethtool -e nic0 raw on | od -An -v -tx1"))
    assert sum(struct.unpack("<64H", octets[:128])) & 0xFFFF == 0xBABA
    return octets


def write(net: Net, offset: int, data: bytes, magic: int = MAGIC) -> int:
    """Write octets; return the status."""
    octal = "".join(f"\\0{octet:o}" for octet in data)
    return net.vm.try_sh(
        f"printf '%b' '{octal}' | ethtool -E nic0 magic {magic:#x} offset {offset} "
        f"length {len(data)}"
    )


@pytest.mark.parametrize(("offset", "length"), [(0x40, 1), (0x41, 1), (0x43, 6), (0x40, 16)])
def test_write(net: Net, offset: int, length: int) -> None:
    """What is written is there, all else is as before, the sum is right, the link stays."""
    before, changes = whole(net), net.carrier_changes()
    data = bytes(octet ^ 0xA5 for octet in before[offset : offset + length])
    with net.light():
        assert write(net, offset, data) == 0
    after = whole(net)
    assert after[:126] == before[:offset] + data + before[offset + length : 126]
    assert write(net, offset, before[offset : offset + length]) == 0
    assert whole(net) == before
    net.check_ping()
    assert net.carrier_changes() == changes


def test_checksum_word(net: Net) -> None:
    """The word that makes the sum right is not for the user to write."""
    before = whole(net)
    assert write(net, 0x7E, bytes(2)) == 0
    assert whole(net) == before


def test_refused(net: Net) -> None:
    """A wrong magic, what lies beyond the end, and a flash leave everything as it was."""
    before = whole(net)
    assert write(net, 0x40, b"\x55", MAGIC ^ 1) != 0
    assert write(net, len(before), b"\x55") != 0
    assert write(net, len(before) - 1, b"\x55\x55") != 0
    eecd = net.vm.register(0, regs.EECD)
    since = net.vm.sync_log()
    net.vm.set_register(0, regs.EECD, eecd | EECD_FLASH)
    assert write(net, 0x40, b"\x55") != 0
    assert "the NVM is a flash" in net.vm.log(since)
    net.vm.set_register(0, regs.EECD, eecd)
    assert whole(net) == before


def test_dead_device(net: Net) -> None:
    """A device that does not answer is an error at once, and loses nothing."""
    before, address = whole(net), net.vm.nics[0].address
    net.vm.sh(f"setpci -s {address} COMMAND=0:6")
    start = net.vm.uptime()
    assert write(net, 0x40, b"\x55") != 0
    assert net.vm.uptime() - start < 3
    net.vm.sh(f"setpci -s {address} COMMAND=6:6")
    net.wait_carrier(True, 40)
    net.up_again()
    assert whole(net) == before


@pytest.mark.topology(Topology(trace=("e1000e_core_write",)))
def test_ownership(net: Net) -> None:
    """Every write is one that the firmware has made room for, and that is needed."""
    before = whole(net)
    start = len(net.vm.trace.read_text())
    assert write(net, 0x40, bytes([before[0x40] ^ 1, *before[0x41:0x50]])) == 0
    written = re.findall(
        r"core_write .* (0x[0-9a-f]+),.* value: (0x[0-9a-f]+)$",
        net.vm.trace.read_text()[start:],
        re.MULTILINE,
    )
    owned, words = False, []
    for offset, value in ((int(offset, 16), int(value, 16)) for offset, value in written):
        if offset == regs.EXTCNF_CTRL:
            owned = bool(value & 1 << 5)
        elif offset == regs.EEWR:
            assert owned
            words.append(value >> 2 & 0x3FFF)
    assert words == [0x20, 0x3F]
    assert write(net, 0x40, before[0x40:0x41]) == 0
