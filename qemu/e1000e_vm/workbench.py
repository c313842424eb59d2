# SPDX-License-Identifier: GPL-2.0
"""A controller on a bench: reached by qtest alone, with no processor that runs.

What a device does is told by its registers, by the memory that it writes to, and by the
frames on its wire, whose other end is the test's. QEMU's clock stands still but for
`Bench.pass_time`; a model of our own has the host's.
"""

import contextlib
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qemu.qmp.legacy import QEMUMonitorProtocol

from . import paths
from .model import L, Model
from .qtest import Qtest

MAC = bytes.fromhex("525400123401")

# Configuration space in memory, and where the device is put: behind a root port on bus 1.
ECAM = 0xB000_0000
PORT, NIC = ECAM | 4 << 15, ECAM | 1 << 20
BARS = {0: 0xE000_0000, 1: 0xE002_0000, 3: 0xE004_0000}

# Guest memory: four rings, their buffers, and where MSI-X messages go.
RINGS, BUFFERS, MESSAGES = 0x10_0000, 0x20_0000, 0x1F_0000
BUFFER_SIZE = 0x1_0000
ENTRIES, DESCRIPTOR = 16, 16
VECTORS = 5

CTRL, STATUS, MDIC, VET = 0x0000, 0x0008, 0x0020, 0x0038
ICR, IMC, SWSM = 0x00C0, 0x00D8, 0x5B50
CTRL_SLU, CTRL_RST, CTRL_PHY_RST = 1 << 6, 1 << 26, 1 << 31


class Ring:
    """A ring of descriptors: the registers, the memory, and what was not looked at yet."""

    def __init__(self, bench: "Bench", number: int, registers: int) -> None:
        self.bench, self.registers, self.next = bench, registers, 0
        self.base = RINGS + 0x1000 * number
        self.buffers = BUFFERS + BUFFER_SIZE * ENTRIES * number

    def set_up(self) -> None:
        """Empty, with nothing given to the device."""
        self.bench.write_memory(self.base, bytes(ENTRIES * DESCRIPTOR))
        for offset, value in [
            (0x00, self.base),
            (0x04, 0),
            (0x08, ENTRIES * DESCRIPTOR),
            (0x10, 0),
            (0x18, 0),
        ]:
            self.bench.write(self.registers + offset, value)
        self.next = 0

    def buffer(self, index: int) -> int:
        """The address of a descriptor's own buffer."""
        return self.buffers + BUFFER_SIZE * (index % ENTRIES)

    def put(self, *descriptors: bytes) -> None:
        """Write descriptors and hand them to the device."""
        for descriptor in descriptors:
            self.bench.write_memory(self.base + DESCRIPTOR * self.next, descriptor)
            self.next = (self.next + 1) % ENTRIES
        self.bench.write(self.registers + 0x18, self.next)

    def get(self, index: int) -> bytes:
        """A descriptor as it is in memory."""
        return self.bench.read_memory(self.base + DESCRIPTOR * index, DESCRIPTOR)

    @property
    def head(self) -> int:
        """The descriptor that the device takes next."""
        return self.bench.read(self.registers + 0x10)


class Bench:
    """QEMU's own e1000e, or our model of the 82574L. Use as a context manager."""

    def __init__(self, name: str, logs: Path, model: bool) -> None:
        self.name = name
        self.cleanup = contextlib.ExitStack()
        self.run = Path(
            self.cleanup.enter_context(tempfile.TemporaryDirectory(prefix="e1000e-bench-"))
        )
        try:
            self._start(logs, model)
        except BaseException:
            self.close()
            raise

    def _start(self, logs: Path, model: bool) -> None:
        run = self.run
        here, there = run / "wire", run / "test"
        self.wire = self.cleanup.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.wire.bind(str(there))
        self.here = str(here)
        self.model = None
        if model:
            words = ["--chip", L, "--mac", MAC.hex(":"), "--net", f"{here},{there}"]
            self.model = Model(run, 0, [*words, "--negotiation", "2"], logs)
            self.cleanup.callback(self.model.close)
        device: dict[str, Any] = {"bus": "rp0", "id": "nic0"}
        if model:
            device |= {"driver": "vfio-user-pci"}
            device |= {"socket": {"type": "unix", "path": str(self.model.socket)}}
        else:
            device |= {"driver": "e1000e", "netdev": "wire", "mac": MAC.hex(":")}
        words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"]
        words += ["-accel", "qtest", "-machine", "q35,memory-backend=memory", "-m", "64M"]
        words += ["-object", "memory-backend-memfd,id=memory,size=64M,share=on"]
        words += ["-qtest", f"unix:{run}/qtest,server=on,wait=off", "-qtest-log", "none"]
        words += ["-qmp", f"unix:{run}/qmp,server=on,wait=off"]
        if not model:
            words += [
                "-netdev",
                f"dgram,id=wire,local.type=unix,local.path={here},"
                f"remote.type=unix,remote.path={there}",
            ]
        words += ["-device", "pcie-root-port,id=rp0,bus=pcie.0,addr=4,chassis=1,slot=1"]
        words += ["-device", json.dumps(device)]
        log = self.cleanup.enter_context((logs / f"bench-{self.name}.log").open("w"))
        print(*words, file=log, flush=True)
        self.process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.cleanup.callback(self._kill)
        self.until(lambda: (run / "qmp").exists() and (run / "qtest").exists(), "QEMU", 20)
        self.monitor = QEMUMonitorProtocol(str(run / "qmp"), nickname="monitor")
        self.monitor.settimeout(30)
        self.monitor.connect()
        self.cleanup.callback(self.monitor.close)
        self.qtest = Qtest(str(run / "qtest"))
        self.cleanup.callback(self.qtest.close)
        self.plug()

    def _kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def close(self) -> None:
        """End it."""
        self.cleanup.close()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Time

    def pass_time(self, seconds: float) -> None:
        """Let the device's clock run."""
        self.qtest.command(f"clock_step {int(seconds * 1e9)}")
        time.sleep(seconds)

    def until(self, condition: Callable[[], Any], what: str, timeout: float = 2) -> Any:
        """Wait for what the device does by itself; that it does not is an assertion's failure."""
        deadline = time.monotonic() + timeout * paths.PATIENCE
        while not (value := condition()):
            assert time.monotonic() < deadline, f"not in {timeout} s: {what}"
            time.sleep(0.001)
        return value

    # Configuration space and memory

    def plug(self) -> None:
        """Give the device its addresses, as firmware does."""
        self.qtest.command("outl 0xcf8 0x80000060")
        self.qtest.command(f"outl 0xcfc {ECAM | 1:#x}")  # PCIEXBAR
        self.qtest.writel(PORT + 0x18, 0x0001_0100)  # bus 1
        self.qtest.writel(PORT + 0x20, 0xE00F_E000)  # its window
        self.qtest.writel(PORT + 0x04, 0x0007)
        for number, address in BARS.items():
            self.config_write(0x10 + 4 * number, address)
        self.config_write(0x04, 0x0406)  # memory, bus master, no INTx

    def config(self, offset: int) -> int:
        """32 bits of the device's configuration space."""
        return self.qtest.readl(NIC + offset)

    def config_write(self, offset: int, value: int) -> None:
        """Write 32 bits of the device's configuration space."""
        self.qtest.writel(NIC + offset, value)

    def capability(self, wanted: int) -> int:
        """The offset of a capability, 0 if there is none."""
        at = self.config(0x34) & 0xFC
        while at and self.config(at) & 0xFF != wanted:
            at = self.config(at) >> 8 & 0xFC
        return at

    def read(self, register: int) -> int:
        """A register of BAR 0."""
        return self.qtest.readl(BARS[0] + register)

    def write(self, register: int, value: int) -> None:
        """Write a register of BAR 0."""
        self.qtest.writel(BARS[0] + register, value)

    def change(self, register: int, on: int = 0, off: int = 0) -> None:
        """Set and clear bits of a register."""
        self.write(register, self.read(register) & ~off | on)

    def read_memory(self, address: int, size: int) -> bytes:
        """The guest's memory."""
        return bytes.fromhex(self.qtest.command(f"read {address:#x} {size:#x}")[2:])

    def write_memory(self, address: int, data: bytes) -> None:
        """Write the guest's memory."""
        if data:
            self.qtest.command(f"write {address:#x} {len(data):#x} 0x{data.hex()}")

    # State

    def renew(self) -> None:
        """MAC and PHY as resets leave them, with a link; no MSI, nothing on the wire."""
        self.link(True)
        self.config_write(0x04, 0x0406)  # memory, bus master, no INTx
        for capability in [0x05, 0x11]:
            at = self.capability(capability)
            self.config_write(at, self.config(at) & ~0xC001_0000)
        self.write(IMC, 0xFFFF_FFFF)
        self.reset()
        self.reset_phy()
        self.raise_link()
        self.write(VET, 0x8100)
        self.write(STATUS, 0)
        self.read(SWSM)
        self.write(SWSM, 0)
        self.read(ICR)
        self.frames()
        self.messages()

    def reset(self) -> None:
        """CTRL.RST."""
        self.write(CTRL, self.read(CTRL) | CTRL_RST)
        self.pass_time(0.001)

    def reset_phy(self) -> None:
        """CTRL.PHY_RST."""
        control = self.read(CTRL)
        self.write(CTRL, control | CTRL_PHY_RST)
        self.pass_time(0.001)
        self.write(CTRL, control)

    def raise_link(self) -> None:
        """Let the MAC follow the PHY, and wait for the link."""
        self.write(CTRL, self.read(CTRL) | CTRL_SLU)
        self.qtest.command("clock_step 600000000")
        self.until(lambda: self.read(STATUS) & 2, "the link")

    def link(self, up: bool) -> None:
        """Plug the cable in, or pull it."""
        self.read(STATUS)
        if self.model:
            self.model.link(up)
        else:
            self.monitor.cmd("set_link", name="wire", up=up)

    # The wire

    def send(self, frame: bytes) -> None:
        """A frame to the device, which has taken what was written to its registers."""
        self.read(STATUS)
        self.wire.sendto(frame, self.here)

    def frames(self, count: int = 0) -> list[bytes]:
        """Frames from the device: so many, or what there is."""
        got: list[bytes] = []
        self.wire.settimeout(1 * paths.PATIENCE if count else 0.005)
        with contextlib.suppress(TimeoutError, BlockingIOError):
            while not count or len(got) < count:
                got.append(self.wire.recv(0x20000))
        assert len(got) >= count, f"{len(got)} frames instead of {count}"
        return got

    # The PHY

    def phy_access(self, operation: int, number: int, data: int = 0) -> int | None:
        """One access by MDIC; what it has at the end, or nothing if that is an error."""
        self.write(MDIC, operation << 26 | 1 << 21 | number << 16 | data)
        self.until(lambda: self.read(MDIC) & 1 << 28, "MDIC.READY")
        value = self.read(MDIC)
        return None if value & 1 << 30 else value & 0xFFFF

    def phy_read(self, number: int) -> int | None:
        """A register of the PHY, or nothing if it was not answered."""
        return self.phy_access(2, number)

    def phy_write(self, number: int, value: int) -> bool:
        """Write one; whether it was answered."""
        return self.phy_access(1, number, value) is not None

    # Interrupts

    def set_up_messages(self) -> None:
        """MSI-X on, each vector's message a word of memory."""
        at = self.capability(0x11)
        self.config_write(at, self.config(at) & ~0xC000_0000)
        for vector in range(VECTORS):
            entry = BARS[3] + 16 * vector
            for offset, value in enumerate([MESSAGES + 4 * vector, 0, 1 + vector, 0]):
                self.qtest.writel(entry + 4 * offset, value)
        self.config_write(at, self.config(at) | 1 << 31)
        self.messages()

    def mask_vector(self, vector: int, masked: bool) -> None:
        """Mask a vector in the table."""
        self.qtest.writel(BARS[3] + 16 * vector + 12, int(masked))

    def set_up_msi(self) -> None:
        """MSI on, its message as that of vector 0."""
        at = self.capability(0x05)
        for offset, value in [(4, MESSAGES), (8, 0), (12, 1)]:
            self.config_write(at + offset, value)
        self.config_write(at, self.config(at) | 1 << 16)
        self.messages()

    def messages(self) -> set[int]:
        """Vectors whose messages have come since the last call."""
        raw = self.read_memory(MESSAGES, 4 * VECTORS)
        come = {vector for vector in range(VECTORS) if raw[4 * vector]}
        for vector in come:  # the others may come just now
            self.qtest.writel(MESSAGES + 4 * vector, 0)
        return come
