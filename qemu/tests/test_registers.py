# SPDX-License-Identifier: GPL-2.0
"""The 82574L by its registers alone: QEMU's e1000e and our own model, held to one list of tests.

No processor runs: the test itself is firmware, driver and link partner. Where the two
differ, `DIFFERENCES` says which is right and what decides; the other must still fail,
or its row is to go. docs/model.md has the same rows.
"""

import functools
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from e1000e_vm import paths
from e1000e_vm.workbench import ENTRIES, MAC, VECTORS, Bench, Ring

MODEL, QEMU = "this", "QEMU"


@dataclass(frozen=True)
class Difference:
    """Which of the two is right, what decides, and what is different."""

    right: str
    decided: str
    what: str


# By the name of the test. Sections are the 82574 datasheet's, or the PCI Express and the 802.3
# specification's where that is said.
DIFFERENCES = {
    "aspm_offered": Difference(
        MODEL,
        "in-tree `e1000_82574_info`, which has to switch both off",
        "L0s and L1 are offered; QEMU: L0s alone",
    ),
    "aspm_sticks": Difference(MODEL, "PCIe 7.5.3.7", "ASPM bits of Link Control; QEMU: read 0"),
    "common_clock": Difference(
        MODEL, "PCIe 7.5.3.7", "common clock bit of Link Control; QEMU: reads 0"
    ),
    "error_reporting": Difference(
        MODEL, "PCIe 7.5.3.4", "error enables of Device Control; QEMU: read 0"
    ),
    "wake_events": Difference(MODEL, "9.3.1", "PME from D0 and D3hot; QEMU: from no state"),
    "tag_type_after_reset": Difference(
        MODEL, "10.2.2.1", "`VET` after `CTRL.RST`: 0x8100; QEMU: only after power-on"
    ),
    "auto_mask_after_reset": Difference(
        MODEL, "Linux commit 0a8047ac68e5", "`IAM` after a reset: the queues; QEMU: 0"
    ),
    "transmit_delay_reads_back": Difference(
        MODEL, "10.2.6 (`TIDV`, read and write)", "`TIDV` reads back; QEMU: reads 0"
    ),
    "write_only": Difference(MODEL, "10.2.4.4", "`ICS` reads 0; QEMU: as `ICR`"),
    "packet_buffer": Difference(
        MODEL, "10.2.2 (`PBA.TXA`)", "`PBA`: transmission's share is the rest; QEMU: 0"
    ),
    "soft_reset_ends_throttling": Difference(
        MODEL, "10.2.2.1", "`CTRL.RST` clears `ITR` and `EITR`; QEMU: they still read back"
    ),
    "soft_reset_keeps_phy": Difference(
        MODEL, "10.2.2.1", "`CTRL.RST` leaves the PHY alone; QEMU: resets it"
    ),
    "phy_reset": Difference(
        MODEL, "10.2.2.1", "`CTRL.PHY_RST` resets the PHY; QEMU: only tells that it did"
    ),
    "link_up_needs_leave": Difference(
        MODEL, "10.2.2.1, 10.2.2.2", "`STATUS.LU` needs `CTRL.SLU`; QEMU: does not"
    ),
    "nvm_beyond_its_end": Difference(
        MODEL, "an EEPROM has no error", "`EERD` beyond the end: 0xffff; QEMU: `DONE` never set"
    ),
    "phy_unlisted_register": Difference(
        MODEL, "802.3 22.2.4.5", "PHY registers not in the list read 0; QEMU: `ERROR`"
    ),
    "phy_negotiated": Difference(
        MODEL, "802.3 22.2.4.2", "PHY 1.5 after the first link: complete; QEMU: not"
    ),
    "link_loss_latches": Difference(
        MODEL, "802.3 22.2.4.2", "PHY 1.2 tells of a loss that is over; QEMU: does not"
    ),
    "renegotiation_is_told": Difference(
        MODEL, "10.2.4.1", "`LSC` as negotiation begins anew; QEMU: only at its end"
    ),
    "not_asserted": Difference(
        MODEL, "10.2.4.1", "`INT_ASSERTED` only with an enabled cause; QEMU: with any"
    ),
    "causes_kept_when_not_asserted": Difference(
        MODEL,
        "10.2.4.1",
        "`ICR` is not cleared by a read if not asserted; QEMU: outside MSI-X it is",
    ),
    "auto_mask_by_read": Difference(
        MODEL, "10.2.4 (`IAM`)", "`IAME`: a read of `ICR` masks; QEMU: only with MSI-X"
    ),
    "no_auto_mask": Difference(
        MODEL,
        "Linux commit 0a8047ac68e5; by 7.4 alone QEMU would be right",
        "a message masks its causes only with `EIAME`; QEMU: by `EIAC`",
    ),
    "auto_mask_by_its_register": Difference(
        MODEL,
        "Linux commit 0a8047ac68e5; by 7.4 alone QEMU would be right",
        "a message masks its causes as far as `IAM` has them; QEMU: by `EIAC`",
    ),
    "unthrottled": Difference(
        MODEL, "10.2.4 (`EITR`)", "`EITR` 0: messages at once; QEMU: 128 us apart"
    ),
    "no_more_messages": Difference(
        MODEL, "10.2.4 (`EITR`)", "one message a cause; QEMU: another as `EITR` runs out"
    ),
    "transmit_without_link": Difference(
        MODEL, "10.2.2.1 (`SLU`)", "a frame waits for the link; QEMU: is sent"
    ),
    "transmit_pads": Difference(
        MODEL, "10.2.6.1 (`PSP`)", "a short frame is padded; QEMU: is sent as it is"
    ),
    "transmit_malformed": Difference(
        MODEL,
        "7.2: no descriptor asks for a look",
        "a frame with a bad IPv4 header is sent; QEMU: vanishes",
    ),
    "transmit_legacy_checksum": Difference(
        MODEL, "7.2.10.1 (`IC`)", "legacy descriptors put checksums in; QEMU: do not"
    ),
    "segmentation_flags": Difference(
        MODEL, "7.3.6.2.3", "FIN and PSH are in the last segment; QEMU: in none"
    ),
    "receive_check_sequence": Difference(
        MODEL,
        "10.2.5.1 (`SECRC`)",
        "the check sequence follows the frame; QEMU: 4 bytes of another descriptor",
    ),
    "receive_disabled": Difference(
        MODEL, "10.2.5.1 (`EN`)", "frames are dropped while `RCTL.EN` is clear; QEMU: wait"
    ),
    "overrun": Difference(
        MODEL,
        "10.2.7 (`MPC`), 10.2.4.1",
        "frames without a descriptor fill the packet buffer, then `MPC` and `RXO`; QEMU: wait",
    ),
    "statistics_smallest": Difference(
        MODEL, "10.2.7 (`PRC64`)", "`PRC64` with `SECRC`; QEMU: does not count"
    ),
    "clock_rate": Difference(
        MODEL, "in-tree driver: 25 MHz", "a period of `TIMINCA` is 40 ns; QEMU: 16 ns"
    ),
}


def compared(test: Callable[..., None]) -> Callable[..., None]:
    """A test of the list: the device that is known to be wrong has to fail it."""
    difference = DIFFERENCES.get(test.__name__.removeprefix("test_"))

    @functools.wraps(test)
    def run(bench: Bench, **arguments: object) -> None:
        if difference and bench.name != difference.right:
            with pytest.raises(AssertionError):
                test(bench, **arguments)
        else:
            test(bench, **arguments)

    return run


@pytest.fixture(scope="module", params=[QEMU, MODEL])
def device(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """Each of the two, once for all tests."""
    with Bench(request.param, tmp_path_factory.mktemp("bench"), request.param == MODEL) as bench:
        yield bench


@pytest.fixture
def bench(device: Bench) -> Bench:
    """The device as it is after a reset, its link up, without messages."""
    device.renew()
    return device


# Registers, by the datasheet's names: not those of the driver nor of the model.

CTRL, STATUS, EECD, EERD, CTRL_EXT, MDIC = 0x0000, 0x0008, 0x0010, 0x0014, 0x0018, 0x0020
FCAL, FCAH, FCT, VET, FCTTV = 0x0028, 0x002C, 0x0030, 0x0038, 0x0170
ICR, ITR, ICS, IMS, IMC, EIAC, IAM, IVAR = 0xC0, 0xC4, 0xC8, 0xD0, 0xD8, 0xDC, 0xE0, 0xE4
EITR = [0xE8 + 4 * number for number in range(5)]
RSRPD = 0x2C00
RCTL, TCTL, TIPG = 0x0100, 0x0400, 0x0410
LEDCTL, EXTCNF_CTRL, POEMB, PBA, PBS, EEWR = 0x0E00, 0x0F00, 0x0F10, 0x1000, 0x1008, 0x102C
FCRTL, FCRTH, PSRCTL, RDTR, RADV = 0x2160, 0x2168, 0x2170, 0x2820, 0x282C
RDBAL, RXDCTL = [0x2800, 0x2900], [0x2828, 0x2928]
TDBAL, TXDCTL, TARC = [0x3800, 0x3900], [0x3828, 0x3928], [0x3840, 0x3940]
TIDV, TADV = 0x3820, 0x382C
RXCSUM, RFCTL, MTA, RAL, RAH, VFTA = 0x5000, 0x5008, 0x5200, 0x5400, 0x5404, 0x5600
MRQC, RETA, RSSRK, WUC, WUFC = 0x5818, 0x5C00, 0x5C80, 0x5800, 0x5808
SWSM, FWSM = 0x5B50, 0x5B54
SYSTIML, SYSTIMH, TIMINCA = 0xB600, 0xB604, 0xB608

CTRL_RESET, CTRL_SLU, CTRL_VME = 1 << 26, 1 << 6, 1 << 30
TXDW, LSC, RXDMT0, RXO, RXT0, MDAC = 1 << 0, 1 << 2, 1 << 4, 1 << 6, 1 << 7, 1 << 9
RXQ0, RXQ1, TXQ0, TXQ1, OTHER, INT_ASSERTED = (1 << bit for bit in [20, 21, 22, 23, 24, 31])
QUEUES = RXQ0 | RXQ1 | TXQ0 | TXQ1
ACK, SRPD = 1 << 17, 1 << 16
EIAME, IAME = 1 << 24, 1 << 27
ACK_DIS = 1 << 12

# What a frame is made of.

STATION, OTHER_STATION = MAC, bytes.fromhex("525400654321")
BROADCAST, GROUP = b"\xff" * 6, bytes.fromhex("01005e010203")
ADDRESSES = bytes([10, 0, 0, 1, 10, 0, 0, 2])
ADDRESSES6 = bytes.fromhex("fd00" + 13 * "00" + "01" + "fd00" + 13 * "00" + "02")


def ones_sum(data: bytes, start: int = 0) -> int:
    """The one's complement sum of the internet checksum, folded."""
    data += bytes(len(data) % 2)
    total = start + sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ethernet(payload: bytes, destination: bytes = STATION, kind: int = 0x88B5) -> bytes:
    """A frame without its check sequence, no shorter than a frame may be."""
    return (destination + OTHER_STATION + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def ethernet_ip(datagram: bytes) -> bytes:
    """A frame with a datagram of IPv4."""
    return ethernet(datagram, kind=0x0800)


def ipv4(payload: bytes, protocol: int, addresses: bytes = ADDRESSES, total: int = 0) -> bytes:
    """A datagram with a right header checksum; `total` is its length if it is to be another."""
    header = struct.pack(">BBHHHBBH", 0x45, 0, total or 20 + len(payload), 7, 0, 64, protocol, 0)
    checksum = 0xFFFF ^ ones_sum(header + addresses)
    return header[:10] + struct.pack(">H", checksum) + addresses + payload


def udp(payload: bytes, checksum: int | None = None) -> bytes:
    """A UDP datagram over IPv4, its checksum right if none is given."""
    length = 8 + len(payload)
    header = struct.pack(">HHH", 4000, 5000, length)
    if checksum is None:
        pseudo = ones_sum(ADDRESSES, 17 + length)
        checksum = 0xFFFF ^ ones_sum(header + b"\0\0" + payload, pseudo)
    return header + struct.pack(">H", checksum) + payload


def tcp(payload: bytes, flags: int = 0x18, checksum: int | None = None) -> bytes:
    """A TCP segment over IPv4, its checksum right if none is given."""
    header = struct.pack(">HHIIBBH", 4000, 5000, 1000, 1, 0x50, flags, 0x4000)
    if checksum is None:
        pseudo = ones_sum(ADDRESSES, 6 + 20 + len(payload))
        checksum = 0xFFFF ^ ones_sum(header + bytes(4) + payload, pseudo)
    return header + struct.pack(">HH", checksum, 0) + payload


def crc32(data: bytes) -> bytes:
    """The frame check sequence as it is in memory."""
    return struct.pack("<I", zlib.crc32(data))


# Rings.

DEXT, RS, IFCS, EOP, IC, TSE, VLE, IDE = (1 << bit for bit in [29, 27, 25, 24, 26, 26, 30, 31])
DATA = 1 << 20  # an extended data descriptor
RCTL_EN, UPE, MPE, LPE, BAM, VFE, SECRC = (1 << bit for bit in [1, 3, 4, 5, 15, 18, 26])
DD, RX_EOP, IXSM, VP, TCPCS, IPCS = (1 << bit for bit in [0, 1, 2, 3, 5, 6])


class Transmitter:
    """A transmit queue."""

    def __init__(self, bench: Bench, number: int = 0) -> None:
        self.bench, self.ring = bench, Ring(bench, number, TDBAL[number])
        self.ring.set_up()
        bench.write(TCTL, 0x0003_F0FA)

    def descriptor(self, data: bytes, low: int, high: int = 0, back: int = 0) -> bytes:
        """What points to data, which it puts in the buffer of the descriptor after `back` more."""
        address = self.ring.buffer(self.ring.next + back)
        self.bench.write_memory(address, data)
        return struct.pack("<QII", address, low | len(data), high)

    def send(self, *descriptors: bytes) -> int:
        """Hand descriptors over; the number of the last."""
        self.ring.put(*descriptors)
        return (self.ring.next - 1) % ENTRIES

    def frame(self, frame: bytes, command: int = EOP | IFCS | RS, high: int = 0) -> int:
        """A frame by a legacy descriptor; its number."""
        return self.send(self.descriptor(frame, command, high))

    def done(self, number: int) -> bool:
        """Whether a descriptor was written back."""
        return bool(self.ring.get(number)[12] & 1)

    def wait(self, number: int) -> None:
        """Wait until it is."""
        self.bench.until(lambda: self.done(number), "a descriptor written back")

    def offload(self, data: bytes, *, tcp: bool, v4: bool = True, mss: int = 0) -> None:
        """A frame whose checksums, and segments if there is a size for them, are the device's."""
        start = 14 + (20 if v4 else 40)
        end = start + (20 if tcp else 8)
        low = 14 | ((14 + 10) << 8 | (start - 1) << 16 if v4 else 0)
        low |= start << 32 | (start + (16 if tcp else 6)) << 40
        command = DEXT | (1 << 24 if tcp else 0) | (1 << 25 if v4 else 0)
        high = command | (TSE | len(data) - end if mss else 0)
        high |= end << 40 | mss << 48 if mss else 0
        context = struct.pack("<QQ", low, high)
        command = DEXT | DATA | EOP | IFCS | RS | (TSE if mss else 0)
        sums = 2 << 8 | (1 << 8 if v4 else 0)
        self.wait(self.send(context, self.descriptor(data, command, sums, 1)))


@dataclass(frozen=True)
class Received:
    """A receive descriptor as it was written back, and what it points to."""

    raw: bytes
    data: bytes
    extended: bool

    @property
    def status(self) -> int:
        """Status, and from bit 24 on errors, in both formats."""
        if self.extended:
            return struct.unpack_from("<I", self.raw, 8)[0]
        return self.raw[12] | self.raw[13] << 24

    @property
    def vlan(self) -> int:
        """The tag that was stripped."""
        return struct.unpack_from("<H", self.raw, 14)[0]

    @property
    def hash(self) -> tuple[int, int, int]:
        """The RSS hash, what it was made of, and the queue."""
        queue, value = struct.unpack_from("<II", self.raw)
        return value, queue & 0xF, queue >> 8 & 0x1F


class Receiver:
    """A receive queue with all but one of its descriptors given to the device."""

    def __init__(
        self,
        bench: Bench,
        control: int = BAM | SECRC,
        number: int = 0,
        *,
        extended: bool = False,
        given: int = ENTRIES - 1,
    ) -> None:
        self.bench, self.extended, self.taken = bench, extended, 0
        self.ring = Ring(bench, 2 + number, RDBAL[number])
        if extended:
            bench.change(RFCTL, on=1 << 15)
        self.ring.set_up()
        bench.write(RCTL, RCTL_EN | control)
        self.give(given)

    def give(self, count: int) -> None:
        """Hand descriptors to the device."""
        numbers = range(self.ring.next, self.ring.next + count)
        self.ring.put(*(struct.pack("<QQ", self.ring.buffer(number), 0) for number in numbers))

    def done(self) -> bool:
        """Whether the next descriptor was written back."""
        return bool(self.ring.get(self.taken)[8 if self.extended else 12] & DD)

    def next(self) -> Received:
        """The next descriptor, once it is written back."""
        self.bench.until(self.done, "a frame received")
        raw = self.ring.get(self.taken)
        length = struct.unpack_from("<H", raw, 12 if self.extended else 8)[0]
        data = self.bench.read_memory(self.ring.buffer(self.taken), length) if length else b""
        self.taken = (self.taken + 1) % ENTRIES
        return Received(raw, data, self.extended)

    def gets(self, frame: bytes) -> bool:
        """Whether a frame from the wire is let in, by one that follows and always is."""
        last = ethernet(b"last", BROADCAST)
        self.bench.send(frame)
        self.bench.send(last)
        got = self.next().data
        if got == last:
            return False
        assert got == frame
        assert self.next().data == last
        return True


# Configuration space (datasheet 9; PCI Express 7.5).


@compared
def test_identity(bench: Bench) -> None:
    """What a driver binds by, which cannot be written."""
    bench.config_write(0, 0)
    assert bench.config(0) == 0x10D3_8086
    assert bench.config(8) >> 8 == 0x020000


@compared
def test_base_addresses(bench: Bench) -> None:
    """Registers and MSI-X table take as much room as they say."""
    for number, size in [(0, 128 * 1024), (3, 16 * 1024)]:
        at = 0x10 + 4 * number
        before = bench.config(at)
        bench.config_write(at, 0xFFFF_FFFF)
        mask = bench.config(at)
        bench.config_write(at, before)
        assert (mask & ~0xF) == 0x1_0000_0000 - size
        assert mask & 0xF == 0  # memory, 32 bits, not prefetchable


@compared
def test_capabilities(bench: Bench) -> None:
    """Power management, MSI with 64-bit addresses, an endpoint, MSI-X with its tables in BAR 3."""
    assert bench.capability(0x01)
    assert bench.config(bench.capability(0x05)) >> 16 & 1 << 7
    assert bench.config(bench.capability(0x10)) >> 20 & 0xF == 0
    msix = bench.capability(0x11)
    assert bench.config(msix) >> 16 & 0x7FF == VECTORS - 1
    assert [bench.config(msix + 4), bench.config(msix + 8)] == [0x0003, 0x2003]


@compared
def test_link_capabilities(bench: Bench) -> None:
    """One lane at 2.5 GT/s, which is what there is."""
    express = bench.capability(0x10)
    assert bench.config(express + 0x0C) & 0x3FF == 0x011
    assert bench.config(express + 0x10) >> 16 & 0x3FF == 0x011


@compared
def test_aspm_offered(bench: Bench) -> None:
    """L0s and L1."""
    assert bench.config(bench.capability(0x10) + 0x0C) >> 10 & 3 == 3


@compared
def test_aspm_sticks(bench: Bench) -> None:
    """Link Control keeps what is written to its ASPM bits."""
    at = bench.capability(0x10) + 0x10
    seen = []
    for bits in [1, 2, 3, 0]:
        bench.config_write(at, bits)
        seen.append(bench.config(at) & 3)
    assert seen == [1, 2, 3, 0]


@compared
def test_common_clock(bench: Bench) -> None:
    """Link Control keeps its bit for a common clock."""
    at = bench.capability(0x10) + 0x10
    bench.config_write(at, 0x40)
    kept = bench.config(at) & 0x40
    bench.config_write(at, 0)
    assert kept


@compared
def test_error_reporting(bench: Bench) -> None:
    """Device Control keeps which errors are to be reported."""
    at = bench.capability(0x10) + 0x08
    before = bench.config(at) & 0xFFFF
    bench.config_write(at, before | 0xF)
    kept = bench.config(at) & 0xF
    bench.config_write(at, before)
    assert kept == 0xF


@compared
def test_wake_events(bench: Bench) -> None:
    """PME can be signalled from D0 and D3hot."""
    assert bench.config(bench.capability(0x01)) >> 16 & 0x4800 == 0x4800


@compared
def test_serial_number(bench: Bench) -> None:
    """The station address, with ones in its middle."""
    assert bench.config(0x140) & 0xFFFF == 3
    serial = struct.pack(">II", bench.config(0x148), bench.config(0x144))
    assert serial == MAC[:3] + b"\xff\xff" + MAC[3:]


# General registers (10.2.2), and what all have in common.

RESET = {
    "CTRL": (CTRL, 0xFC00_1B81, 0x0000_0201),
    "STATUS": (STATUS, 0xFFFF_FFFF, 0x0008_0283),
    "EECD": (EECD, 0x0000_0300, 0x0000_0300),
    "CTRL_EXT": (CTRL_EXT, 0xFFFF_FFFF, 0),
    "LEDCTL": (LEDCTL, 0xFFFF_FFFF, 0x0006_8302),
    "POEMB": (POEMB, 0x4E, 0x0C),
    "PBA": (PBA, 0xFFFF_FFFF, 0x0014_0014),
    "PBS": (PBS, 0xFFFF_FFFF, 0x28),
    "ICR": (ICR, 0xFFFF_FFFF, 0),
    "ITR": (ITR, 0xFFFF_FFFF, 0),
    "IMS": (IMS, 0xFFFF_FFFF, 0),
    "EIAC": (EIAC, 0xFFFF_FFFF, 0),
    "IVAR": (IVAR, 0xFFFF_FFFF, 0),
    **{f"EITR{number}": (EITR[number], 0xFFFF_FFFF, 0) for number in range(VECTORS)},
    "RCTL": (RCTL, 0xFFFF_FFFF, 0),
    "TCTL": (TCTL, 0x0000_0002, 0),
    "TIPG": (TIPG, 0xFFFF_FFFF, 0x0060_2008),
    "PSRCTL": (PSRCTL, 0xFFFF_FFFF, 0x0004_0402),
    "RDTR": (RDTR, 0xFFFF_FFFF, 0),
    "RADV": (RADV, 0xFFFF_FFFF, 0),
    "RXDCTL": (RXDCTL[0], 0xFFFF_FFFF, 0x0001_0000),
    "TXDCTL": (TXDCTL[0], 0xFFFF_FFFF, 0),
    "TARC": (TARC[0], 0xFFFF_FFFF, 0x403),
    "RXCSUM": (RXCSUM, 0xFFFF_FFFF, 0x300),
    "RFCTL": (RFCTL, 0xFFFF_FFFF, 0),
    "MRQC": (MRQC, 0xFFFF_FFFF, 0),
    "WUC": (WUC, 0xE, 0),
    "WUFC": (WUFC, 0xFFFF_FFFF, 0),
    "FWSM": (FWSM, 0x8000_000E, 0),
    "SYSTIML": (SYSTIML, 0xFFFF_FFFF, 0),
    "TIMINCA": (TIMINCA, 0xFFFF_FFFF, 0),
}


@compared
def test_reset_values(bench: Bench) -> None:
    """What a driver finds after CTRL.RST, as far as it matters to one."""
    found = {name: bench.read(register) & mask for name, (register, mask, _) in RESET.items()}
    assert found == {name: value for name, (_, _, value) in RESET.items()}


@compared
def test_tag_type_after_reset(bench: Bench) -> None:
    """VET has the same value as after power-on."""
    bench.reset()
    assert bench.read(VET) == 0x8100


@compared
def test_auto_mask_after_reset(bench: Bench) -> None:
    """IAM has the queues: vectors mask themselves although it is never written."""
    assert bench.read(IAM) & QUEUES == QUEUES


STORED = {
    "FCAL": (FCAL, 0xFFFF_FFFF),
    "FCAH": (FCAH, 0xFFFF),
    "FCT": (FCT, 0xFFFF),
    "VET": (VET, 0xFFFF),
    "FCTTV": (FCTTV, 0xFFFF),
    "LEDCTL": (LEDCTL, 0x008F_8FAF),
    "ITR": (ITR, 0xFFFF),
    "EIAC": (EIAC, 0x01F0_0000),
    "IAM": (IAM, 0x01F7_02FF),
    "IVAR": (IVAR, 0x800F_FFFF),
    **{f"EITR{number}": (EITR[number], 0xFFFF) for number in range(VECTORS)},
    "TIPG": (TIPG, 0x3FFF_FFFF),
    "FCRTL": (FCRTL, 0x8000_FFF8),
    "FCRTH": (FCRTH, 0xFFF8),
    **{f"RDBAL{queue}": (RDBAL[queue], 0xFFFF_FFF0) for queue in range(2)},
    **{f"RDBAH{queue}": (RDBAL[queue] + 4, 0xFFFF_FFFF) for queue in range(2)},
    **{f"RDLEN{queue}": (RDBAL[queue] + 8, 0x000F_FF80) for queue in range(2)},
    **{f"RDH{queue}": (RDBAL[queue] + 0x10, 0xFFFF) for queue in range(2)},
    **{f"RDT{queue}": (RDBAL[queue] + 0x18, 0xFFFF) for queue in range(2)},
    "RDTR": (RDTR, 0xFFFF),
    "RADV": (RADV, 0xFFFF),
    "RXDCTL": (RXDCTL[0], 0x013F_3F3F),
    **{f"TDBAL{queue}": (TDBAL[queue], 0xFFFF_FFF0) for queue in range(2)},
    **{f"TDBAH{queue}": (TDBAL[queue] + 4, 0xFFFF_FFFF) for queue in range(2)},
    **{f"TDLEN{queue}": (TDBAL[queue] + 8, 0x000F_FF80) for queue in range(2)},
    **{f"TDH{queue}": (TDBAL[queue] + 0x10, 0xFFFF) for queue in range(2)},
    **{f"TDT{queue}": (TDBAL[queue] + 0x18, 0xFFFF) for queue in range(2)},
    "TXDCTL": (TXDCTL[0], 0x017F_3F3F),
    "TARC": (TARC[0], 0x7800_047F),
    "TADV": (TADV, 0xFFFF),
    "RXCSUM": (RXCSUM, 0x33FF),
    "RFCTL": (RFCTL, 0x0003_9000),
    "MTA0": (MTA, 0xFFFF_FFFF),
    "MTA127": (MTA + 4 * 127, 0xFFFF_FFFF),
    "RAL15": (RAL + 8 * 15, 0xFFFF_FFFF),
    "RAH15": (RAH + 8 * 15, 0x8000_FFFF),
    "VFTA0": (VFTA, 0xFFFF_FFFF),
    "VFTA127": (VFTA + 4 * 127, 0xFFFF_FFFF),
    "MRQC": (MRQC, 0x001F_0003),
    "RETA0": (RETA, 0x8080_8080),
    "RETA31": (RETA + 4 * 31, 0x8080_8080),
    "RSSRK0": (RSSRK, 0xFFFF_FFFF),
    "RSSRK9": (RSSRK + 4 * 9, 0xFFFF_FFFF),
    "WUFC": (WUFC, 0x0000_00FF),
    "TIMINCA": (TIMINCA, 0xFFFF_FFFF),
}


@compared
@pytest.mark.parametrize("pattern", [0xFFFF_FFFF, 0x5A5A_5A5A, 0xA5A5_A5A5, 0])
def test_stored(bench: Bench, pattern: int) -> None:
    """Bits that can be written read back, after all registers have been written."""
    for register, mask in STORED.values():
        bench.write(register, pattern & mask)
    found = {name: bench.read(register) & mask for name, (register, mask) in STORED.items()}
    assert found == {name: pattern & mask for name, (_, mask) in STORED.items()}


@compared
def test_transmit_delay_reads_back(bench: Bench) -> None:
    """TIDV, too."""
    bench.write(TIDV, 0x5A5A)
    assert bench.read(TIDV) == 0x5A5A


@compared
def test_read_only(bench: Bench) -> None:
    """STATUS's link, the NVM's presence and FWSM are not for a write to change."""
    for register, mask in [(STATUS, 0x0008_02C3), (EECD, 0x100), (FWSM, 0xFFFF_FFFF)]:
        before = bench.read(register) & mask
        for value in [0, 0xFFFF_FFFF & ~(1 << 26)]:
            bench.write(register, value)
            assert bench.read(register) & mask == before


@compared
def test_write_only(bench: Bench) -> None:
    """ICS and IMC read 0."""
    bench.write(ICS, LSC)
    bench.write(IMC, LSC)
    assert (bench.read(ICS), bench.read(IMC)) == (0, 0)


@compared
def test_packet_buffer(bench: Bench) -> None:
    """PBA: what reception does not get is transmission's, of 40 KiB."""
    bench.write(PBA, 32)
    assert bench.read(PBA) == 8 << 16 | 32


@compared
def test_soft_reset(bench: Bench) -> None:
    """CTRL.RST ends by itself; receiver, transmitter, rings and interrupts are off."""
    Receiver(bench)
    Transmitter(bench)
    bench.write(IMS, LSC)
    bench.write(IVAR, 0x0008_0008)
    bench.reset()
    assert bench.read(CTRL) & CTRL_RESET == 0
    for register in [RCTL, IMS, ICR, IVAR, RDBAL[0], RDBAL[0] + 8, TDBAL[0] + 8]:
        assert bench.read(register) == 0, hex(register)
    assert bench.read(TCTL) & 2 == 0


@compared
def test_soft_reset_ends_throttling(bench: Bench) -> None:
    """ITR and EITR are 0 again."""
    for register in [ITR, EITR[1]]:
        bench.write(register, 100)
    bench.reset()
    assert (bench.read(ITR), bench.read(EITR[1])) == (0, 0)


@compared
def test_soft_reset_reads_the_address(bench: Bench) -> None:
    """The station address is the NVM's again."""
    bench.write(RAL, 0)
    bench.write(RAH, 0)
    bench.reset()
    assert struct.pack("<II", bench.read(RAL), bench.read(RAH)) == MAC + b"\x00\x80"


@compared
def test_soft_reset_keeps_packet_buffer(bench: Bench) -> None:
    """PBA takes effect with the reset: it is kept."""
    bench.write(PBA, 30)
    bench.reset()
    assert bench.read(PBA) & 0xFFFF == 30


@compared
def test_soft_reset_keeps_phy(bench: Bench) -> None:
    """CTRL.RST is the MAC's: what the PHY was told stays."""
    assert bench.phy_write(4, 0x0101)
    bench.reset()
    assert bench.phy_read(4) == 0x0101


@compared
def test_soft_reset_keeps_configuration(bench: Bench) -> None:
    """The configuration space is left alone."""
    before = [bench.config(offset) for offset in range(0, 0x100, 4)]
    bench.reset()
    assert [bench.config(offset) for offset in range(0, 0x100, 4)] == before


@compared
def test_phy_reset(bench: Bench) -> None:
    """CTRL.PHY_RST brings the PHY's own values back."""
    own = bench.phy_read(4)
    assert bench.phy_write(4, 0x0101)
    bench.reset_phy()
    assert bench.phy_read(4) == own


@compared
def test_phy_reset_is_told(bench: Bench) -> None:
    """STATUS.PHYRA tells of it until a 0 is written."""
    assert bench.read(STATUS) & 1 << 10 == 0
    bench.reset_phy()
    assert bench.read(STATUS) & 1 << 10
    bench.write(STATUS, 1 << 10)
    assert bench.read(STATUS) & 1 << 10
    bench.write(STATUS, 0)
    assert bench.read(STATUS) & 1 << 10 == 0


@compared
def test_master_disable(bench: Bench) -> None:
    """CTRL's GIO master disable, answered in STATUS."""
    assert bench.read(STATUS) & 1 << 19
    bench.change(CTRL, on=1 << 2)
    assert bench.read(STATUS) & 1 << 19 == 0
    bench.change(CTRL, off=1 << 2)
    assert bench.read(STATUS) & 1 << 19


@compared
@pytest.mark.parametrize(("speed", "full"), [(0, 0), (1, 1), (1, 0), (2, 1)])
def test_forced_speed(bench: Bench, speed: int, full: int) -> None:
    """Forced speed and duplex show in STATUS."""
    bench.change(CTRL, on=speed << 8 | full | 1 << 11 | 1 << 12, off=0x301)
    assert bench.read(STATUS) & 0xC1 == speed << 6 | full


@compared
def test_link_up_needs_leave(bench: Bench) -> None:
    """Without CTRL.SLU the MAC does not follow the PHY."""
    bench.change(CTRL, off=CTRL_SLU)
    assert bench.read(STATUS) & 2 == 0


@compared
def test_lights(bench: Bench) -> None:
    """A light on and off."""
    for mode in [14, 15]:
        bench.change(LEDCTL, on=mode, off=0xF)
        assert bench.read(LEDCTL) & 0xF == mode


# NVM (10.2.2.3, 10.2.2.4), PHY (10.2.2.7), semaphores.


def nvm_read(bench: Bench, word: int) -> int:
    """A word by EERD."""
    bench.write(EERD, word << 2 | 1)
    bench.until(lambda: bench.read(EERD) & 2, "EERD.DONE", 0.2)
    return bench.read(EERD) >> 16


@compared
def test_nvm_checksum(bench: Bench) -> None:
    """64 words that add up to 0xBABA, the address first."""
    words = [nvm_read(bench, word) for word in range(64)]
    assert sum(words) & 0xFFFF == 0xBABA
    assert struct.pack("<3H", *words[:3]) == MAC


@compared
def test_nvm_address_echoed(bench: Bench) -> None:
    """EERD keeps the address that it was asked for."""
    nvm_read(bench, 0x3F)
    assert bench.read(EERD) >> 2 & 0x3FFF == 0x3F


@compared
def test_nvm_beyond_its_end(bench: Bench) -> None:
    """A read ends all the same."""
    assert nvm_read(bench, 0x400) == 0xFFFF


@compared
def test_nvm_write(bench: Bench) -> None:
    """EEWR writes a word."""
    before = nvm_read(bench, 0x20)
    try:
        for value in [before ^ 0x5A5A, before]:
            bench.write(EEWR, value << 16 | 0x20 << 2 | 1)
            bench.until(lambda: bench.read(EEWR) & 2, "EEWR.DONE", 0.2)
            assert nvm_read(bench, 0x20) == value
    finally:
        bench.write(EEWR, before << 16 | 0x20 << 2 | 1)


@compared
def test_phy_identity(bench: Bench) -> None:
    """MDIC reads the PHY's identity."""
    assert (bench.phy_read(2), bench.phy_read(3)) == (0x0141, 0x0CB1)


@compared
def test_phy_echo(bench: Bench) -> None:
    """A finished access has what was asked for, READY and no ERROR."""
    bench.phy_read(2)
    assert bench.read(MDIC) == 1 << 28 | 2 << 26 | 1 << 21 | 2 << 16 | 0x0141


@compared
def test_phy_write(bench: Bench) -> None:
    """What is written reads back."""
    for value in [0x0101, 0x0DE1]:
        assert bench.phy_write(4, value)
        assert bench.phy_read(4) == value


@compared
def test_phy_other_address(bench: Bench) -> None:
    """Nobody answers at another address: ERROR."""
    bench.write(MDIC, 2 << 26 | 2 << 21 | 2 << 16)
    bench.until(lambda: bench.read(MDIC) & 1 << 28, "MDIC.READY")
    assert bench.read(MDIC) & 1 << 30


@compared
def test_phy_unlisted_register(bench: Bench) -> None:
    """A register that the PHY's list lacks is answered, too."""
    assert bench.phy_read(11) is not None


@compared
def test_phy_access_interrupts(bench: Bench) -> None:
    """MDIC's I bit raises MDAC at the end."""
    bench.read(ICR)
    bench.write(MDIC, 1 << 29 | 2 << 26 | 1 << 21 | 2 << 16)
    bench.until(lambda: bench.read(MDIC) & 1 << 28, "MDIC.READY")
    assert bench.read(ICR) & MDAC


@compared
def test_phy_pages(bench: Bench) -> None:
    """Register 22 chooses the page; page 0 is as it was."""
    own = bench.phy_read(16)
    assert bench.phy_write(22, 2)
    other = bench.phy_read(16)
    assert bench.phy_write(22, 0)
    assert bench.phy_read(16) == own
    assert other != own


@compared
def test_phy_link(bench: Bench) -> None:
    """The PHY's own word on the link: up, 1000BASE-T full duplex, both receivers fine."""
    bench.phy_read(1)
    assert bench.phy_read(1) & 4
    assert bench.phy_read(17) & 0xEC00 == 0xAC00
    assert bench.phy_read(10) & 0x3800 == 0x3800


@compared
def test_phy_negotiated(bench: Bench) -> None:
    """A link that came by negotiation: its end is told."""
    bench.phy_read(1)
    assert bench.phy_read(1) & 0x24 == 0x24


@compared
def test_software_semaphore(bench: Bench) -> None:
    """SWSM.SMBI: who reads 0 has it."""
    bench.write(SWSM, 0)
    assert [bench.read(SWSM) & 1 for _ in range(2)] == [0, 1]
    bench.write(SWSM, 0)
    assert bench.read(SWSM) & 1 == 0


@compared
def test_firmware_semaphore(bench: Bench) -> None:
    """SWSM.SWESMBI is granted when nobody has it."""
    bench.write(SWSM, 2)
    assert bench.read(SWSM) & 2
    bench.write(SWSM, 0)
    assert bench.read(SWSM) & 2 == 0


@compared
def test_mdio_ownership(bench: Bench) -> None:
    """EXTCNF_CTRL bit 5 is granted when nobody has it."""
    bench.change(EXTCNF_CTRL, on=1 << 5)
    assert bench.read(EXTCNF_CTRL) & 1 << 5
    bench.change(EXTCNF_CTRL, off=1 << 5)
    assert bench.read(EXTCNF_CTRL) & 1 << 5 == 0


# The link.


@compared
def test_cable(bench: Bench) -> None:
    """A cable pulled and plugged in: STATUS, the PHY, and LSC each time."""
    bench.phy_read(1)
    bench.link(False)
    bench.until(lambda: not bench.read(STATUS) & 2, "the link's loss")
    assert bench.read(ICR) & LSC
    assert bench.phy_read(1) & 4 == 0
    bench.link(True)
    bench.raise_link()
    assert bench.read(ICR) & LSC
    bench.phy_read(1)
    assert bench.phy_read(1) & 4


@compared
def test_link_loss_latches(bench: Bench) -> None:
    """The PHY's link bit tells of a loss that is over."""
    bench.link(False)
    bench.until(lambda: not bench.read(STATUS) & 2, "the link's loss")
    bench.link(True)
    bench.raise_link()
    assert bench.phy_read(1) & 4 == 0


@compared
def test_renegotiation_is_told(bench: Bench) -> None:
    """Negotiating anew loses the link, with LSC."""
    bench.read(ICR)
    assert bench.phy_write(0, 0x1340)
    assert bench.read(ICR) & LSC


@compared
def test_renegotiation_ends(bench: Bench) -> None:
    """And brings it back; by then there has been LSC."""
    bench.read(ICR)
    assert bench.phy_write(0, 0x1340)
    bench.raise_link()
    assert bench.read(ICR) & LSC


@compared
def test_causes_cleared_by_read(bench: Bench) -> None:
    """ICR: a read clears while nothing is enabled; ICS sets."""
    bench.write(ICS, TXDW | RXT0)
    assert bench.read(ICR) & ~INT_ASSERTED == TXDW | RXT0
    assert bench.read(ICR) == 0


@compared
def test_not_asserted(bench: Bench) -> None:
    """ICR.INT_ASSERTED is clear while nothing that is set is enabled."""
    bench.write(ICS, TXDW)
    assert bench.read(ICR) & INT_ASSERTED == 0


@compared
def test_causes_cleared_by_read_when_asserted(bench: Bench) -> None:
    """An interrupt that is asserted is acknowledged, with what is not enabled."""
    bench.write(IMS, LSC)
    bench.write(ICS, LSC | TXDW)
    assert bench.read(ICR) & (INT_ASSERTED | LSC | TXDW) == INT_ASSERTED | LSC | TXDW
    assert bench.read(ICR) & (LSC | TXDW) == 0


@compared
def test_causes_kept_when_not_asserted(bench: Bench) -> None:
    """Something is enabled, but nothing that is set: a read has no side effect."""
    bench.write(IMS, LSC)
    bench.write(ICS, TXDW)
    assert [bench.read(ICR) & TXDW for _ in range(2)] == [TXDW, TXDW]


@compared
def test_causes_cleared_by_write(bench: Bench) -> None:
    """ICR: written ones clear, zeros do not."""
    bench.write(IMS, LSC)
    bench.write(ICS, TXDW | RXT0 | LSC)
    bench.write(ICR, TXDW)
    assert bench.read(ICR) & (TXDW | RXT0 | LSC) == RXT0 | LSC


@compared
def test_masks(bench: Bench) -> None:
    """IMS sets, IMC clears, neither anything else."""
    bench.write(IMS, LSC | RXT0)
    bench.write(IMS, TXDW)
    assert bench.read(IMS) == LSC | RXT0 | TXDW
    bench.write(IMC, RXT0)
    assert bench.read(IMS) == LSC | TXDW


@compared
def test_auto_mask_by_read(bench: Bench) -> None:
    """CTRL_EXT.IAME: a read that acknowledges masks what IAM says."""
    bench.change(CTRL_EXT, on=IAME)
    bench.write(IAM, LSC)
    bench.write(IMS, LSC | TXDW)
    bench.write(ICS, LSC)
    bench.read(ICR)
    assert bench.read(IMS) == TXDW


@compared
def test_no_auto_mask_by_read(bench: Bench) -> None:
    """And without it nothing."""
    bench.write(IAM, LSC)
    bench.write(IMS, LSC | TXDW)
    bench.write(ICS, LSC)
    bench.read(ICR)
    assert bench.read(IMS) == LSC | TXDW


@compared
def test_msi(bench: Bench) -> None:
    """MSI: a message for what is enabled, the next one after ICR was read."""
    bench.set_up_msi()
    bench.write(ICS, TXDW)
    bench.pass_time(0.005)
    assert bench.messages() == set()
    bench.read(ICR)
    for _ in range(2):
        bench.write(IMS, TXDW)
        bench.write(ICS, TXDW)
        bench.until(bench.messages, "a message")
        bench.pass_time(0.001)
        bench.messages()
        bench.read(ICR)


# IVAR's entries in its order, and what goes by each.
CAUSES = {"RXQ0": RXQ0, "RXQ1": RXQ1, "TXQ0": TXQ0, "TXQ1": TXQ1, "OTHER": OTHER}


def each_its_vector(bench: Bench, vectors: list[int]) -> None:
    """MSI-X with so many vectors for the causes in their order, all enabled."""
    bench.set_up_messages()
    bench.write(IVAR, sum((8 | vector) << 4 * entry for entry, vector in enumerate(vectors)))
    bench.write(EIAC, QUEUES)
    bench.change(CTRL_EXT, on=EIAME)
    bench.write(IMS, QUEUES | OTHER | LSC)


@compared
@pytest.mark.parametrize("vectors", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [0, 0, 0, 0, 1]])
@pytest.mark.parametrize("cause", CAUSES)
def test_vector(bench: Bench, cause: str, vectors: list[int]) -> None:
    """A cause's message is that of the vector that its entry of IVAR has."""
    each_its_vector(bench, vectors)
    bench.write(ICS, CAUSES[cause])
    assert bench.until(bench.messages, "a message") == {vectors[list(CAUSES).index(cause)]}


@compared
@pytest.mark.parametrize("cause", [LSC, RXO, MDAC, 1 << 16, 1 << 17, 1 << 18])
def test_other_causes(bench: Bench, cause: int) -> None:
    """LSC, RXO, MDAC, SRPD, ACK and MNG raise OTHER."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    bench.write(ICS, cause)
    assert bench.until(bench.messages, "a message") == {4}
    assert bench.read(ICR) & (cause | OTHER) == cause | OTHER


@compared
@pytest.mark.parametrize("entry", range(5))
def test_vector_not_valid(bench: Bench, entry: int) -> None:
    """An entry without its valid bit loses the interrupt; a vector that is not there, too."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    for value in [0, 8 | 7]:
        bench.change(IVAR, on=value << 4 * entry, off=0xF << 4 * entry)
        bench.write(ICS, list(CAUSES.values())[entry])
        bench.pass_time(0.003)
        assert bench.messages() == set()


@compared
def test_vector_masked_by_cause(bench: Bench) -> None:
    """A cause that is not in IMS has no message; ICR has it."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    bench.write(IMC, RXQ0)
    bench.write(ICS, RXQ0)
    bench.pass_time(0.003)
    assert bench.messages() == set()
    assert bench.read(ICR) & RXQ0


@compared
def test_vector_pending(bench: Bench) -> None:
    """A vector that is masked in the table waits, and comes once it is not."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    bench.mask_vector(2, True)
    bench.write(ICS, TXQ0)
    bench.pass_time(0.005)
    assert bench.messages() == set()
    bench.mask_vector(2, False)
    assert bench.until(bench.messages, "a message") == {2}


@compared
def test_auto_clear(bench: Bench) -> None:
    """EIAC: a queue's cause is cleared by its own message, OTHER is not."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    for cause in [RXQ0, OTHER]:
        bench.write(ICS, cause)
        bench.until(bench.messages, "a message")
    assert bench.read(ICR) & (RXQ0 | OTHER) == OTHER


@compared
def test_auto_mask(bench: Bench) -> None:
    """CTRL_EXT.EIAME: a queue's cause is masked by its own message, until IMS has it again."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    bench.write(ICS, RXQ0)
    bench.until(bench.messages, "a message")
    assert bench.read(IMS) & QUEUES == QUEUES & ~RXQ0
    bench.pass_time(0.001)
    bench.messages()
    bench.write(ICS, RXQ0)
    bench.pass_time(0.003)
    assert bench.messages() == set()
    bench.write(IMS, RXQ0)
    assert bench.until(bench.messages, "a message") == {0}


@compared
def test_no_auto_mask(bench: Bench) -> None:
    """Without CTRL_EXT.EIAME nothing is masked by a message."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    bench.change(CTRL_EXT, off=EIAME)
    bench.write(ICS, RXQ0)
    bench.until(bench.messages, "a message")
    assert bench.read(IMS) & RXQ0


@compared
def test_auto_mask_by_its_register(bench: Bench) -> None:
    """A cause that IAM lacks is not masked by its message."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    bench.write(IAM, QUEUES & ~RXQ0)
    bench.write(ICS, RXQ0)
    bench.until(bench.messages, "a message")
    assert bench.read(IMS) & RXQ0


@compared
def test_unthrottled(bench: Bench) -> None:
    """EITR 0: one message comes right after the other."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    for _ in range(2):
        bench.write(IMS, RXQ0)
        bench.write(ICS, RXQ0)
        assert bench.until(bench.messages, "a message", 0.5) == {0}


@compared
def test_no_more_messages(bench: Bench) -> None:
    """A cause has one message, not another when the time of EITR is over."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    bench.write(EITR[0], 1000)
    bench.write(ICS, RXQ0)
    bench.until(bench.messages, "a message")
    bench.pass_time(0.01)
    assert bench.messages() == set()


@compared
def test_throttled(bench: Bench) -> None:
    """EITR: the second message waits for 256 ns times its value."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    bench.write(EITR[0], 0xFFFF)
    begun = time.monotonic()
    bench.write(ICS, RXQ0)
    assert bench.until(bench.messages, "a message") == {0}
    bench.write(IMS, RXQ0)
    bench.write(ICS, RXQ0)
    if bench.messages():
        # On a busy host, where the time was over by then.
        assert time.monotonic() - begun > 0xFFFF * 256e-9
        return
    bench.pass_time(0.02)
    assert bench.until(bench.messages, "a message") == {0}


# Transmission (10.2.6, 7.2).


@compared
def test_transmit(bench: Bench) -> None:
    """A frame by a legacy descriptor: on the wire as it is, DD, the head moved, TXDW."""
    queue = Transmitter(bench)
    frame = ethernet(bytes(range(256)), OTHER_STATION)
    bench.read(ICR)
    queue.wait(queue.frame(frame))
    assert bench.frames(1) == [frame]
    assert queue.ring.head == 1
    bench.until(lambda: bench.read(ICR) & TXDW, "TXDW")


@compared
def test_transmit_without_report(bench: Bench) -> None:
    """Without RS nothing is written back."""
    queue = Transmitter(bench)
    number = queue.frame(ethernet(b"1"), EOP | IFCS)
    bench.frames(1)
    assert not queue.done(number)


@compared
def test_transmit_in_parts(bench: Bench) -> None:
    """A frame of three descriptors, of which the last reports."""
    queue = Transmitter(bench)
    frame = ethernet(bytes(range(200)))
    parts = [frame[:14], frame[14:61], frame[61:]]
    number = queue.send(
        queue.descriptor(parts[0], IFCS),
        queue.descriptor(parts[1], IFCS, back=1),
        queue.descriptor(parts[2], IFCS | EOP | RS, back=2),
    )
    queue.wait(number)
    assert bench.frames(1) == [frame]
    assert not queue.done(0)


@compared
def test_transmit_wraps(bench: Bench) -> None:
    """Descriptors beyond the ring's end are at its start."""
    queue = Transmitter(bench)
    for number in range(ENTRIES + 3):
        frame = ethernet(bytes([number]) * 50)
        queue.wait(queue.frame(frame))
        assert bench.frames(1) == [frame]
        assert queue.ring.head == (number + 1) % ENTRIES


@compared
def test_transmit_second_queue(bench: Bench) -> None:
    """The second queue sends, too."""
    queue = Transmitter(bench, 1)
    frame = ethernet(b"second")
    queue.wait(queue.frame(frame))
    assert bench.frames(1) == [frame]


@compared
@pytest.mark.parametrize("number", range(2))
def test_transmit_cause(bench: Bench, number: int) -> None:
    """With MSI-X a queue has a cause of its own."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    queue = Transmitter(bench, number)
    queue.wait(queue.frame(ethernet(b"1")))
    assert bench.until(bench.messages, "a message") == {2 + number}


@compared
def test_transmit_disabled(bench: Bench) -> None:
    """TCTL.EN clear: nothing is sent until it is set."""
    queue = Transmitter(bench)
    bench.change(TCTL, off=2)
    number = queue.frame(ethernet(b"1"))
    assert bench.frames() == []
    bench.change(TCTL, on=2)
    queue.wait(number)
    bench.frames(1)


@compared
def test_transmit_queue_disabled(bench: Bench) -> None:
    """TARC's enable bit clear: the queue sends nothing."""
    queue = Transmitter(bench)
    bench.change(TARC[0], off=1 << 10)
    queue.frame(ethernet(b"1"))
    assert bench.frames() == []


@compared
def test_transmit_without_link(bench: Bench) -> None:
    """A frame waits for the link."""
    queue = Transmitter(bench)
    bench.link(False)
    bench.until(lambda: not bench.read(STATUS) & 2, "the link's loss")
    number = queue.frame(ethernet(b"1"))
    bench.pass_time(0.005)
    assert not queue.done(number)


@compared
def test_transmit_pads(bench: Bench) -> None:
    """TCTL.PSP: a short frame is padded with zeros."""
    queue = Transmitter(bench)
    queue.frame(ethernet(b"short")[:20])
    assert bench.frames(1) == [ethernet(b"short")]


@compared
def test_transmit_malformed(bench: Bench) -> None:
    """What is in a frame is not the device's to judge: one with a bad IPv4 header is sent."""
    frame = ethernet_ip(b"\0" * 46)
    Transmitter(bench).frame(frame)
    assert bench.frames(1) == [frame]


@compared
def test_transmit_legacy_checksum(bench: Bench) -> None:
    """IC: the sum from CSS to the end, put at CSO."""
    queue = Transmitter(bench)
    datagram = udp(bytes(range(99)), checksum=0)
    pseudo = ones_sum(ADDRESSES, 17 + len(datagram))
    datagram = datagram[:6] + struct.pack(">H", pseudo) + datagram[8:]
    frame = ethernet_ip(ipv4(datagram, 17))
    queue.frame(frame, EOP | IFCS | RS | IC | (34 + 6) << 16, 34 << 8)
    assert bench.frames(1) == [ethernet_ip(ipv4(udp(bytes(range(99))), 17))]


def without_sums(frame: bytes, protocol: int, length: int) -> bytes:
    """IPv4 with TCP or UDP as a driver hands it over: the header's sum 0, that of the pseudo
    header with its length in place of the other."""
    at = 34 + {6: 16, 17: 6}[protocol]
    pseudo = struct.pack(">H", ones_sum(frame[26:34], protocol + length))
    return frame[:24] + b"\0\0" + frame[26:at] + pseudo + frame[at + 2 :]


@compared
@pytest.mark.parametrize("protocol", [6, 17])
@pytest.mark.parametrize("size", [33, 100, 1400])
def test_transmit_checksums(bench: Bench, protocol: int, size: int) -> None:
    """Context and data descriptors: both checksums are put in."""
    payload = bytes(index * 7 & 0xFF for index in range(size))
    segment = tcp(payload) if protocol == 6 else udp(payload)
    frame = (STATION + OTHER_STATION + b"\x08\0" + ipv4(segment, protocol)).ljust(60, b"\0")
    bare = without_sums(frame[: 34 + len(segment)], protocol, len(segment))
    Transmitter(bench).offload(bare, tcp=protocol == 6)
    assert bench.frames(1) == [frame]


@compared
def test_transmit_checksum_of_zero(bench: Bench) -> None:
    """A UDP checksum that is 0 is sent as 0xffff."""
    fill = 0xFFFF ^ ones_sum(udp(b"\0\0", checksum=0), ones_sum(ADDRESSES, 17 + 10))
    datagram = udp(struct.pack(">H", fill), checksum=0)
    bare = without_sums(ethernet_ip(ipv4(datagram, 17))[:44], 17, 10)
    Transmitter(bench).offload(bare, tcp=False)
    assert bench.frames(1)[0][40:42] == b"\xff\xff"


def segments_of(frames: list[bytes], size: int, payload: bytes) -> None:
    """Frames are the TCP segments that a payload is to be cut into."""
    assert [len(frame) for frame in frames] == [
        54 + len(payload[start : start + size]) for start in range(0, len(payload), size)
    ]
    for number, frame in enumerate(frames):
        total, identification = struct.unpack_from(">HH", frame, 16)
        assert (total, identification) == (len(frame) - 14, 7 + number)
        assert ones_sum(frame[14:34]) == 0xFFFF
        assert ones_sum(frame[34:], ones_sum(frame[26:34], 6 + len(frame) - 34)) == 0xFFFF
        assert struct.unpack_from(">I", frame, 38)[0] == 1000 + number * size
        assert frame[54:] == payload[number * size : (number + 1) * size]


@compared
@pytest.mark.parametrize(
    ("length", "size"), [(3000, 1000), (2500, 1460), (9000, 1448), (500, 1000)]
)
def test_segmentation(bench: Bench, length: int, size: int) -> None:
    """TSO over IPv4: lengths, identification, sequence numbers and sums of each part."""
    payload = bytes(index * 11 & 0xFF for index in range(length))
    frame = STATION + OTHER_STATION + b"\x08\0" + ipv4(tcp(payload, 0x19), 6)
    bare = without_sums(frame, 6, 0)
    bare = bare[:16] + b"\0\0" + bare[18:]
    Transmitter(bench).offload(bare, tcp=True, mss=size)
    segments_of(bench.frames(-(-length // size)), size, payload)


@compared
def test_segmentation_flags(bench: Bench) -> None:
    """FIN and PSH are for the last part."""
    frame = STATION + OTHER_STATION + b"\x08\0" + ipv4(tcp(bytes(2500), 0x19), 6)
    Transmitter(bench).offload(without_sums(frame, 6, 0), tcp=True, mss=1000)
    assert [part[47] for part in bench.frames(3)] == [0x10, 0x10, 0x19]


@compared
def test_segmentation_ipv6(bench: Bench) -> None:
    """TSO over IPv6."""
    payload = bytes(index * 13 & 0xFF for index in range(2500))
    header = struct.pack(">IHBB", 6 << 28, 0, 6, 64) + ADDRESSES6
    segment = tcp(payload, 0x19, checksum=ones_sum(ADDRESSES6, 6))
    frame = STATION + OTHER_STATION + b"\x86\xdd" + header + segment
    Transmitter(bench).offload(frame, tcp=True, v4=False, mss=1000)
    frames = bench.frames(3)
    assert [len(frame) for frame in frames] == [1074, 1074, 574]
    for number, frame in enumerate(frames):
        assert struct.unpack_from(">H", frame, 18)[0] == len(frame) - 54
        pseudo = ones_sum(ADDRESSES6, 6 + len(frame) - 54)
        assert ones_sum(frame[54:], pseudo) == 0xFFFF
        assert struct.unpack_from(">I", frame, 58)[0] == 1000 + number * 1000
        assert frame[74:] == payload[number * 1000 : (number + 1) * 1000]


@compared
def test_transmit_tag(bench: Bench) -> None:
    """VLE with CTRL.VME: the tag is put in."""
    bench.change(CTRL, on=CTRL_VME)
    frame = ethernet(bytes(80))
    Transmitter(bench).frame(frame, EOP | IFCS | RS | VLE, 0x2345 << 16)
    assert bench.frames(1) == [frame[:12] + b"\x81\x00\x23\x45" + frame[12:]]


@compared
def test_transmit_tag_needs_leave(bench: Bench) -> None:
    """Without CTRL.VME it is not."""
    frame = ethernet(bytes(80))
    Transmitter(bench).frame(frame, EOP | IFCS | RS | VLE, 0x2345 << 16)
    assert bench.frames(1) == [frame]


# Reception (10.2.5, 7.1).


@compared
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("size", [60, 61, 999, 1514])
def test_receive(bench: Bench, extended: bool, size: int) -> None:
    """A frame in memory as it was on the wire, its length, DD and EOP, the head moved."""
    queue = Receiver(bench, extended=extended)
    frame = ethernet(bytes(index & 0xFF for index in range(size - 14)))
    bench.send(frame)
    got = queue.next()
    assert got.data == frame
    assert got.status & (DD | RX_EOP | 0xFF00_0000) == DD | RX_EOP
    assert queue.ring.head == 1


@compared
def test_receive_cause(bench: Bench) -> None:
    """RXT0 with each frame, RXDMT0 when half of the descriptors are used."""
    queue = Receiver(bench)
    bench.read(ICR)
    for number in range(ENTRIES // 2):
        bench.send(ethernet(bytes([number])))
        queue.next()
        seen = bench.until(lambda: bench.read(ICR), "a cause")
        assert seen & (RXT0 | RXDMT0) == RXT0 | (RXDMT0 if number == ENTRIES // 2 - 2 else 0)


@compared
@pytest.mark.parametrize("number", range(2))
def test_receive_vector(bench: Bench, number: int) -> None:
    """With MSI-X a queue has a cause of its own; RETA chooses the queue."""
    each_its_vector(bench, [0, 1, 2, 3, 4])
    queues = [Receiver(bench, number=queue, extended=True) for queue in range(2)]
    bench.change(RFCTL, on=ACK_DIS)
    bench.change(RXCSUM, on=1 << 13)
    for register in range(32):
        bench.write(RETA + 4 * register, number * 0x8080_8080)
    bench.write(MRQC, 0x0003_0001)
    bench.send(ethernet_ip(ipv4(tcp(b"data"), 6)))
    queues[number].next()
    assert bench.until(bench.messages, "a message") == {number}
    assert not queues[1 - number].done()


@compared
def test_receive_acknowledgment(bench: Bench) -> None:
    """ACK with an acknowledgment of TCP: RFCTL can leave out those with data, or all."""
    queue = Receiver(bench)
    for control, data, noticed in [
        (0, b"", True),
        (0, b"data", True),
        (1 << 13, b"", True),
        (1 << 13, b"data", False),
        (1 << 12, b"", False),
    ]:
        bench.write(RFCTL, control)
        bench.read(ICR)
        bench.send(ethernet_ip(ipv4(tcp(data), 6)))
        queue.next()
        seen = bench.until(lambda: bench.read(ICR), "a cause")
        assert bool(seen & ACK) == noticed


@compared
def test_receive_small(bench: Bench) -> None:
    """SRPD with a frame that is no longer than RSRPD says."""
    queue = Receiver(bench)
    for size, limit in [(64, 0), (64, 128), (200, 128)]:
        bench.write(RSRPD, limit)
        bench.read(ICR)
        bench.send(ethernet(bytes(size - 14)))
        queue.next()
        seen = bench.until(lambda: bench.read(ICR), "a cause")
        assert bool(seen & SRPD) == (size <= limit)


@compared
def test_receive_wraps(bench: Bench) -> None:
    """Descriptors beyond the ring's end are at its start."""
    queue = Receiver(bench)
    for number in range(2 * ENTRIES + 3):
        frame = ethernet(bytes([number]) * 50)
        bench.send(frame)
        assert queue.next().data == frame
        queue.give(1)


@compared
def test_receive_check_sequence(bench: Bench) -> None:
    """Without RCTL.SECRC the frame check sequence follows the frame, in the same buffer."""
    queue = Receiver(bench, BAM)
    frame = ethernet(bytes(range(100)))
    bench.send(frame)
    got = queue.next()
    assert got.data == frame + crc32(frame)
    assert got.status & RX_EOP


@compared
@pytest.mark.parametrize(
    ("control", "size"),
    [(0, 2048), (1 << 16, 1024), (2 << 16, 512), (3 << 16, 256), (1 << 25 | 3 << 16, 4096)],
)
def test_receive_in_parts(bench: Bench, control: int, size: int) -> None:
    """A frame longer than a buffer (RCTL.BSIZE, BSEX) takes more, of which the last has EOP."""
    queue = Receiver(bench, BAM | SECRC | LPE | control)
    frame = ethernet(bytes(index * 3 & 0xFF for index in range(size + 100)))
    bench.send(frame)
    first, second = queue.next(), queue.next()
    assert (len(first.data), first.status & RX_EOP, second.status & RX_EOP) == (size, 0, RX_EOP)
    assert first.data + second.data == frame


@compared
def test_receive_jumbo(bench: Bench) -> None:
    """RCTL.LPE lets 9018 bytes in."""
    queue = Receiver(bench, BAM | SECRC | LPE | 1 << 25 | 1 << 16)
    frame = ethernet(bytes(index * 3 & 0xFF for index in range(9000)))
    bench.send(frame)
    assert queue.next().data == frame


@compared
@pytest.mark.parametrize(("size", "let_in"), [(1518, True), (1519, False), (1523, False)])
def test_receive_long(bench: Bench, size: int, let_in: bool) -> None:
    """Without RCTL.LPE a frame of more than 1522 bytes with its check sequence is dropped."""
    queue = Receiver(bench)
    assert queue.gets(ethernet(bytes(size - 14))) == let_in


@compared
def test_receive_disabled(bench: Bench) -> None:
    """RCTL.EN clear: a frame is dropped, not kept."""
    queue = Receiver(bench)
    bench.change(RCTL, off=RCTL_EN)
    bench.send(ethernet(b"1"))
    bench.pass_time(0.01)
    bench.change(RCTL, on=RCTL_EN)
    bench.send(ethernet(b"2"))
    assert queue.next().data == ethernet(b"2")


def split(bench: Bench, frame: bytes) -> tuple[int, list[bytes]]:
    """A frame received by packet split, of buffers of 256, 1024, 2048 and 0 bytes.

    Returns the header's status, and what is in each buffer of each descriptor.
    """
    bench.write(RFCTL, 1 << 15)
    bench.write(PSRCTL, 2 << 16 | 1 << 8 | 2)
    ring = Ring(bench, 2, RDBAL[0])
    ring.set_up()
    bench.write(RCTL, RCTL_EN | BAM | SECRC | LPE | 1 << 10)
    # Of 32 bytes each, while head and tail count 16.
    for number in range(0, ENTRIES, 2):
        pointers = [ring.buffers + 0x4000 * (2 * number + index) for index in range(4)]
        bench.write_memory(ring.base + 16 * number, struct.pack("<4Q", *pointers))
    bench.write(RDBAL[0] + 0x18, ENTRIES - 2)
    bench.send(frame)
    header, parts = 0, []
    for number in range(0, ENTRIES, 2):
        at = ring.base + 16 * number
        bench.until(lambda at=at: bench.read_memory(at + 8, 1)[0] & DD, "a frame received")
        raw = bench.read_memory(at, 32)
        status, first, _, told, *others = struct.unpack_from("<IHHH3H", raw, 8)
        header = header or told
        for index, length in enumerate([first, *others]):
            address = ring.buffers + 0x4000 * (2 * number + index)
            parts.append(bench.read_memory(address, length) if length else b"")
        if status & RX_EOP:
            return header, parts
    raise AssertionError("no end")


@compared
def test_packet_split(bench: Bench) -> None:
    """Packet split descriptors: the headers in the first buffer, the data in the others."""
    for segment, protocol, headers in [(tcp(bytes(1400)), 6, 54), (udp(bytes(1400)), 17, 42)]:
        frame = ethernet_ip(ipv4(segment, protocol))
        header, parts = split(bench, frame)
        assert header == 1 << 15 | headers
        data = frame[headers:]
        assert parts == [frame[:headers], data[:1024], data[1024:], b""]


@compared
def test_packet_split_long(bench: Bench) -> None:
    """A frame that takes two descriptors has headers in the first alone."""
    frame = ethernet_ip(ipv4(tcp(bytes(index & 0xFF for index in range(4000))), 6))
    header, parts = split(bench, frame)
    assert header == 1 << 15 | 54
    assert [len(part) for part in parts] == [54, 1024, 2048, 0, 0, 928, 0, 0]
    assert b"".join(parts) == frame


@compared
def test_packet_split_without_headers(bench: Bench) -> None:
    """A frame that is not IP is not split, but is there."""
    frame = ethernet(bytes(index & 0xFF for index in range(1000)))
    header, parts = split(bench, frame)
    assert header & 1 << 15 == 0
    assert b"".join(parts) == frame


@compared
def test_overrun(bench: Bench) -> None:
    """Frames that find no descriptor fill the packet buffer; what is more is counted, with RXO."""
    bench.write(PBA, 2)
    bench.reset()
    bench.raise_link()
    queue = Receiver(bench, given=2)
    try:
        for _ in range(8):
            bench.send(ethernet(bytes(1000)))
        queue.next()
        bench.until(lambda: bench.read(ICR) & RXO, "RXO", 0.5)
        assert bench.read(0x4010)
    finally:
        queue.give(12)  # nothing is left for the next test
        bench.pass_time(0.01)
        bench.write(PBA, 20)


# Filters (7.1.1).


@compared
def test_filter_station(bench: Bench) -> None:
    """The station address is let in, another is not."""
    queue = Receiver(bench)
    assert queue.gets(ethernet(b"", STATION))
    assert not queue.gets(ethernet(b"", OTHER_STATION))


@compared
def test_filter_more_addresses(bench: Bench) -> None:
    """Each of the other addresses, while it is valid."""
    queue = Receiver(bench)
    low, high = struct.unpack("<IH", OTHER_STATION)
    for number in [1, 15]:
        bench.write(RAL + 8 * number, low)
        bench.write(RAH + 8 * number, high)
        assert not queue.gets(ethernet(b"", OTHER_STATION))
        bench.write(RAH + 8 * number, high | 1 << 31)
        assert queue.gets(ethernet(b"", OTHER_STATION))
        bench.write(RAH + 8 * number, 0)


@compared
def test_filter_unicast_promiscuous(bench: Bench) -> None:
    """RCTL.UPE lets every unicast address in, no group."""
    queue = Receiver(bench, BAM | SECRC | UPE)
    assert queue.gets(ethernet(b"", OTHER_STATION))
    assert not queue.gets(ethernet(b"", GROUP))


@compared
def test_filter_multicast_promiscuous(bench: Bench) -> None:
    """RCTL.MPE lets every group in, no other station."""
    queue = Receiver(bench, BAM | SECRC | MPE)
    assert queue.gets(ethernet(b"", GROUP))
    assert not queue.gets(ethernet(b"", OTHER_STATION))


@compared
@pytest.mark.parametrize("offset", range(4))
def test_filter_multicast_table(bench: Bench, offset: int) -> None:
    """MTA: 12 bits of the address, chosen by RCTL.MO, are the hash."""
    queue = Receiver(bench, BAM | SECRC | offset << 12)
    hashed = struct.unpack("<H", GROUP[4:])[0] >> [4, 3, 2, 0][offset] & 0xFFF
    assert not queue.gets(ethernet(b"", GROUP))
    bench.write(MTA + 4 * (hashed >> 5), 1 << (hashed & 31))
    assert queue.gets(ethernet(b"", GROUP))
    bench.write(MTA + 4 * (hashed >> 5), ~(1 << (hashed & 31)) & 0xFFFF_FFFF)
    assert not queue.gets(ethernet(b"", GROUP))


@compared
def test_filter_broadcast(bench: Bench) -> None:
    """Broadcasts only with RCTL.BAM."""
    queue = Receiver(bench, SECRC)
    bench.send(ethernet(b"", BROADCAST))
    bench.send(ethernet(b"last"))
    assert queue.next().data == ethernet(b"last")


@compared
def test_filter_tags(bench: Bench) -> None:
    """RCTL.VFE: a tagged frame needs its bit in VFTA; one without a tag does not."""
    queue = Receiver(bench, BAM | SECRC | VFE)
    tagged = ethernet(struct.pack(">HH", 0x2123, 0x0800) + bytes(60), kind=0x8100)
    assert not queue.gets(tagged)
    bench.write(VFTA + 4 * (0x123 >> 5), 1 << (0x123 & 31))
    assert queue.gets(tagged)
    bench.write(VFTA + 4 * (0x123 >> 5), 0)
    bench.change(RCTL, off=VFE)
    assert queue.gets(tagged)


# What is told of a frame.


@compared
@pytest.mark.parametrize("extended", [False, True])
def test_tag_stripped(bench: Bench, extended: bool) -> None:
    """CTRL.VME: the tag is taken off and told."""
    bench.change(CTRL, on=CTRL_VME)
    queue = Receiver(bench, extended=extended)
    frame = ethernet(bytes(range(100)))
    bench.send(frame[:12] + b"\x81\x00\x23\x45" + frame[12:])
    got = queue.next()
    assert (got.data, got.vlan, got.status & VP) == (frame, 0x2345, VP)


@compared
def test_tag_not_stripped(bench: Bench) -> None:
    """Without it the tag stays."""
    queue = Receiver(bench)
    frame = ethernet(struct.pack(">HH", 0x2345, 0x0800) + bytes(60), kind=0x8100)
    bench.send(frame)
    got = queue.next()
    assert (got.data, got.status & VP) == (frame, 0)


@compared
@pytest.mark.parametrize("extended", [False, True])
def test_checksums_good(bench: Bench, extended: bool) -> None:
    """Checksums that are right: looked at, no error."""
    queue = Receiver(bench, extended=extended)
    for frame in [ipv4(tcp(b"data"), 6), ipv4(udp(b"data"), 17)]:
        bench.send(ethernet_ip(frame))
        got = queue.next()
        assert got.status & (IXSM | IPCS | TCPCS | 3 << 29) == IPCS | TCPCS


@compared
@pytest.mark.parametrize("extended", [False, True])
@pytest.mark.parametrize("protocol", [6, 17])
def test_checksum_bad(bench: Bench, extended: bool, protocol: int) -> None:
    """One of TCP or UDP that is wrong is told, and the frame is let in."""
    queue = Receiver(bench, extended=extended)
    segment = tcp(b"data", checksum=0x1234) if protocol == 6 else udp(b"data", checksum=0x1234)
    bench.send(ethernet_ip(ipv4(segment, protocol)))
    assert queue.next().status & (IPCS | TCPCS | 3 << 29) == IPCS | TCPCS | 1 << 29


@compared
def test_header_checksum_bad(bench: Bench) -> None:
    """One of IPv4 that is wrong, too."""
    queue = Receiver(bench, extended=True)
    frame = bytearray(ethernet_ip(ipv4(tcp(b"data"), 6)))
    frame[24] ^= 0xFF
    bench.send(bytes(frame))
    assert queue.next().status & (IPCS | 1 << 30) == IPCS | 1 << 30


@compared
def test_checksum_absent(bench: Bench) -> None:
    """UDP without a checksum is not said to have been looked at."""
    queue = Receiver(bench, extended=True)
    bench.send(ethernet_ip(ipv4(udp(b"data", checksum=0), 17)))
    assert queue.next().status & (TCPCS | 1 << 29) == 0


@compared
def test_checksums_off(bench: Bench) -> None:
    """RXCSUM without both: nothing is said of the sums."""
    bench.write(RXCSUM, 0)
    queue = Receiver(bench)
    bench.send(ethernet_ip(ipv4(tcp(b"data", checksum=0x1234), 6)))
    assert queue.next().status & (IPCS | TCPCS | 3 << 29) == 0


# Microsoft's verification suite for RSS.
KEY = bytes.fromhex(
    "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"
)
HASHES = {
    "66.9.149.187:2794 161.142.100.80:1766": (0x51CC_C178, 0x323E_8FC2),
    "199.92.111.2:14230 65.69.140.83:4739": (0xC626_B0EA, 0xD718_262A),
    "24.19.198.95:12898 12.22.207.184:38024": (0x5C2B_394A, 0xD2D0_A5DE),
}


@compared
@pytest.mark.parametrize("protocol", [6, 17])
@pytest.mark.parametrize("flow", HASHES)
def test_hash(bench: Bench, flow: str, protocol: int) -> None:
    """RSS: the published hashes, over ports with TCP, over addresses alone without; the queue."""
    (source, source_port), (target, target_port) = (end.split(":") for end in flow.split())
    addresses = bytes(int(byte) for byte in f"{source}.{target}".split("."))
    ports = struct.pack(">HH", int(source_port), int(target_port))
    segment = ports + (tcp(b"") if protocol == 6 else udp(b""))[4:]
    queues = [Receiver(bench, number=queue, extended=True) for queue in range(2)]
    bench.change(RXCSUM, on=1 << 13)
    for word in range(10):
        bench.write(RSSRK + 4 * word, struct.unpack_from("<I", KEY, 4 * word)[0])
    for register in range(32):
        bench.write(RETA + 4 * register, 0x8000_8000)  # odd hashes to queue 1
    bench.write(MRQC, 0x0003_0001)
    bench.send(ethernet_ip(ipv4(segment, protocol, addresses)))
    value = HASHES[flow][0 if protocol == 6 else 1]
    got = queues[value & 1].next()
    assert got.hash == (value, 1 if protocol == 6 else 2, value & 1)


# Loops.


@compared
def test_mac_loopback(bench: Bench) -> None:
    """RCTL.LBM: what is sent comes back, and does not leave."""
    queue, sender = Receiver(bench, BAM | SECRC | 1 << 6), Transmitter(bench)
    frame = ethernet(bytes(range(100)))
    sender.wait(sender.frame(frame))
    assert queue.next().data == frame
    assert bench.frames() == []


@compared
def test_phy_loopback(bench: Bench) -> None:
    """The PHY's loop, its speed forced."""
    assert bench.phy_write(0, 0x4140)
    bench.change(CTRL, on=CTRL_SLU | 2 << 8 | 1 | 1 << 11 | 1 << 12, off=0x300)
    bench.raise_link()
    queue, sender = Receiver(bench), Transmitter(bench)
    frame = ethernet(bytes(range(100)))
    sender.wait(sender.frame(frame))
    assert queue.next().data == frame
    assert bench.frames() == []


# Statistics (10.2.7).

SIZES = [60, 123, 251, 507, 1019, 1514]


def counted(bench: Bench, first: int) -> list[int]:
    """Six counters in a row."""
    return [bench.read(first + 4 * number) for number in range(6)]


def wide(bench: Bench, low: int) -> int:
    """A counter of 64 bits."""
    value = bench.read(low)
    return value | bench.read(low + 4) << 32


FRAMES = [ethernet(bytes(size - 14)) for size in SIZES]
FRAMES += [ethernet(b"", BROADCAST)] * 2 + [ethernet(b"", GROUP)] * 3
OCTETS = sum(len(frame) + 4 for frame in FRAMES)


def receive_all(bench: Bench, control: int) -> None:
    """Have all frames received."""
    queue = Receiver(bench, BAM | MPE | control)
    for frame in FRAMES:
        bench.send(frame)
        queue.next()


@compared
def test_statistics_received(bench: Bench) -> None:
    """Frames received, by kind (GPRC, BPRC, MPRC, TPR) and the larger by size; a read clears."""
    registers = [0x4074, 0x4078, 0x407C, 0x40D0, *range(0x4060, 0x4074, 4)]
    receive_all(bench, SECRC)
    assert [bench.read(register) for register in registers] == [11, 2, 3, 11, 1, 1, 1, 1, 1]
    assert [bench.read(register) for register in registers] == [0] * 9


@compared
def test_statistics_smallest(bench: Bench) -> None:
    """PRC64: frames of 64 bytes with the check sequence, which is stripped."""
    receive_all(bench, SECRC)
    assert bench.read(0x405C) == 6


@compared
def test_statistics_octets(bench: Bench) -> None:
    """GORC and TOR have the check sequence, which is stripped; a read of the high half clears."""
    receive_all(bench, SECRC)
    assert (wide(bench, 0x4088), wide(bench, 0x40C0)) == (OCTETS, OCTETS)
    assert (wide(bench, 0x4088), wide(bench, 0x40C0)) == (0, 0)


@compared
def test_statistics_sent(bench: Bench) -> None:
    """Frames sent, likewise."""
    sender = Transmitter(bench)
    for frame in FRAMES:
        sender.wait(sender.frame(frame))
    assert counted(bench, 0x40D8) == [6, 1, 1, 1, 1, 1]
    assert [bench.read(register) for register in [0x4080, 0x40F4, 0x40F0, 0x40D4]] == [11, 2, 3, 11]
    assert (wide(bench, 0x4090), wide(bench, 0x40C8)) == (OCTETS, OCTETS)
    assert [*counted(bench, 0x40D8), bench.read(0x4080), wide(bench, 0x4090)] == [0] * 8


@compared
def test_statistics_oversized(bench: Bench) -> None:
    """A frame too long is counted as such (ROC)."""
    queue = Receiver(bench)
    assert not queue.gets(ethernet(bytes(1600)))
    assert bench.read(0x40AC) == 1


@compared
def test_statistics_segmented(bench: Bench) -> None:
    """A segmentation context is counted (TSCTC)."""
    payload = bytes(2000)
    frame = STATION + OTHER_STATION + b"\x08\0" + ipv4(tcp(payload), 6)
    Transmitter(bench).offload(without_sums(frame, 6, 0), tcp=True, mss=1000)
    bench.frames(2)
    assert bench.read(0x40F8) == 1


# The clock (10.2.10).


@compared
def test_clock(bench: Bench) -> None:
    """SYSTIM grows by TIMINCA's value, and not at all with a period of 0."""
    bench.write(TIMINCA, 0)
    bench.write(SYSTIML, 0)
    bench.write(SYSTIMH, 0)
    first = bench.read(SYSTIML)
    bench.pass_time(0.002)
    assert bench.read(SYSTIML) == first
    bench.write(TIMINCA, 1 << 24 | 1)
    seen = []
    for _ in range(3):
        seen.append(bench.read(SYSTIML))
        bench.pass_time(0.002)
    assert first <= seen[0] < seen[1] < seen[2]


@compared
def test_clock_rate(bench: Bench) -> None:
    """A period is 40 ns."""
    bench.write(TIMINCA, 1 << 24 | 1)
    started, first = time.monotonic(), bench.read(SYSTIML)
    bench.pass_time(0.05)
    passed, grown = time.monotonic() - started, bench.read(SYSTIML) - first
    assert 0.04 < grown * 40e-9 < max(0.06, 1.5 * passed)


# The table.


def test_differences_are_told() -> None:
    """docs/model.md has each row of the table."""
    text = (paths.PROJECT / "docs" / "model.md").read_text()
    for name, difference in DIFFERENCES.items():
        row = f"| `{name}` | {difference.what} | {difference.right} | {difference.decided} |"
        assert row in text, row
    for name in DIFFERENCES:
        assert f"test_{name}" in globals(), f"there is no test of {name}"
