# SPDX-License-Identifier: GPL-2.0
"""A virtual machine with e1000e devices that are wired to each other."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qemu.qmp import QMPError
from qemu.qmp.legacy import QEMUMonitorProtocol

from . import image, paths
from .agent import Agent, Command, GuestError
from .model import LM, Model
from .qtest import Qtest

AGENT_PORT = "org.qemu.guest_agent.0"

# An interrupt that the device could not deliver.
LOST_INTERRUPT = ["e1000e_wrn_msix_invalid", "e1000e_wrn_msix_vec_wrong"]

# What no kernel log may have.
TROUBLE = re.compile(
    r"WARNING|BUG|Oops|panic|Call Trace|general protection|double fault|UBSAN|KASAN|KFENCE|KCSAN"
    r"|lockdep|circular locking|inconsistent lock|possible recursive|suspicious RCU"
    r"|DMA-API|DMAR: .*fault|blocked for more than|rcu.*(stall|starved)|soft lockup|hard LOCKUP"
    r"|NETDEV WATCHDOG|refcount_t|bad page|Bad page|scheduling while atomic|sleeping function"
    r"|kmemleak|unregister_netdevice: waiting|page_pool.*(stalled|leak)|nobody cared"
    r"|Disabling IRQ|list_(add|del) corruption|use-after-free|segfault|Out of memory"
)


class QemuDiedError(GuestError):
    """QEMU has ended of itself; the text has its last words."""


@dataclass(frozen=True)
class Topology:
    """What a machine is made of.

    `nics` devices share one hub; each sits behind a root port of its own, or on
    the root complex, where it has no link, if `root_port` is off. With
    `surprise` the guest handles hot-plug of the ports itself, so that a device
    can be pulled without warning. With `port_speed` the ports have that speed, as
    QEMU names it, rather than their own. With `no_aspm_control` the firmware's tables
    tell the kernel to keep its hands off ASPM. With `icount`, words for QEMU's option
    of that name, the guest's clock counts instructions of its processors, which take
    turns, so that what it measures does not depend on how busy the host is. With
    `wrapped` the kernel unpacks itself, as the
    firmware would start it: S3 does not come back otherwise. `models` names, for each
    device, the chip that our own model of it is (docs/model.md), or "" for QEMU's;
    `model_words` are more arguments for all models.
    """

    nics: int = 2
    root_port: bool = True
    surprise: bool = False
    port_speed: str = ""
    cmdline: str = ""
    smp: int = 2
    extra: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()
    no_aspm_control: bool = False
    icount: str = ""
    wrapped: bool = False
    models: tuple[str, ...] = ()
    model_words: tuple[str, ...] = ()

    def chip(self, number: int) -> str:
        """The chip that a device is a model of, or "" if it is QEMU's own."""
        return self.models[number] if number < len(self.models) else ""

    def behind_port(self, number: int) -> bool:
        """Whether a device has a root port; an 82579 is part of the chipset."""
        return self.root_port and self.chip(number) != LM

    def direct(self) -> bool:
        """Whether the devices are two models that send to each other without QEMU."""
        return self.nics == 2 and all(self.chip(number) for number in range(2))

    def place(self, number: int) -> str:
        """The PCI address of a device on the root complex, or of its root port."""
        return "0000:00:19.0" if self.chip(number) == LM else f"0000:00:{number + 4:02x}.0"


@dataclass(frozen=True)
class Nic:
    """An e1000e device: its QEMU id, PCI address in the guest and root port's."""

    id: str
    address: str
    port: str | None


def command_line(topology: Topology, initrd: Path, run: Path) -> list[str]:
    """QEMU's command line, less what a shell or the harness needs on top."""
    kernel = (
        "console=ttyS0 ignore_loglevel no_timer_check iomem=relaxed net.ifnames=0 "
        f"panic=-1 rdinit=/init {topology.cmdline}"
    )
    memory = "2G" if paths.DEBUG else "1G"
    words = [
        "qemu-system-x86_64",
        "-nodefaults",
        "-no-user-config",
        "-machine",
        "q35,memory-backend=memory" if any(topology.models) else "q35",
        "-accel",
        "tcg,thread=single" if topology.icount else "tcg,thread=multi",
        "-cpu",
        "max",
        "-smp",
        str(topology.smp),
        "-m",
        memory,
        "-display",
        "none",
        "-no-reboot",
        "-kernel",
        str(paths.modules() / "vmlinuz" if topology.wrapped else paths.guest_kernel()),
        "-initrd",
        str(initrd),
        "-append",
        kernel.strip(),
        "-qmp",
        f"unix:{run}/qmp,server=on,wait=off",
        "-qtest",
        f"unix:{run}/qtest,server=on,wait=off",
        "-qtest-log",
        "none",
    ]
    if paths.DEBUG:
        # A device that writes where it was not asked to is told of by the kernel.
        words += ["-device", "intel-iommu,intremap=on"]
    if topology.icount:
        words += ["-icount", topology.icount]
    if topology.surprise:
        words += ["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"]
    if any(topology.models):
        # The models reach the guest's memory by themselves.
        words += ["-object", f"memory-backend-memfd,id=memory,size={memory},share=on"]
    for number in range(topology.nics):
        if not topology.chip(number):
            words += ["-netdev", f"hubport,id=hub{number},hubid=0"]
        elif not topology.direct():
            here, there = Model.wire(run, number)
            words += [
                "-netdev",
                f"dgram,id=wire{number},local.type=unix,local.path={there},"
                f"remote.type=unix,remote.path={here}",
                "-netdev",
                f"hubport,id=hub{number},hubid=0,netdev=wire{number}",
            ]
        if topology.behind_port(number):
            words += [
                "-device",
                f"pcie-root-port,id=rp{number},bus=pcie.0,addr={number + 4:#x},"
                f"chassis={number + 1},slot={number + 1}"
                + (f",x-speed={topology.port_speed}" if topology.port_speed else ""),
            ]
        words += ["-device", json.dumps(nic_properties(topology, number, run))]
    return words + list(topology.extra)


def nic_properties(topology: Topology, number: int, run: Path | None = None) -> dict[str, Any]:
    """Properties of a device, for -device and device_add; `run` is for models."""
    place = (
        {"bus": f"rp{number}"}
        if topology.behind_port(number)
        else {"bus": "pcie.0", "addr": topology.place(number).partition(":00:")[2][:2]}
    )
    if topology.chip(number):
        device = {
            "driver": "vfio-user-pci",
            "id": f"nic{number}",
            "socket": {"type": "unix", "path": f"{run}/model{number}"},
        }
    else:
        device = {
            "driver": "e1000e",
            "id": f"nic{number}",
            "netdev": f"hub{number}",
            "mac": mac(number),
        }
    return {**device, **place}


def mac(number: int) -> str:
    """The station address of a device."""
    return f"52:54:00:12:34:{number + 1:02x}"


def archive_of(name: str, content: bytes) -> bytes:
    """An archive of one file, to be put before or after the guest image."""
    with tempfile.TemporaryDirectory() as stage:
        path = Path(stage) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        directories = [str(parent) for parent in Path(name).parents][-2::-1]
        return subprocess.run(
            ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"],
            cwd=stage,
            input="\n".join([*directories, name]).encode(),
            check=True,
            capture_output=True,
        ).stdout


def make_initrd(
    target: Path, module: Path | None, fadt: bytes | None = None, more: Path | None = None
) -> None:
    """The guest image, with an ACPI table in front, another archive and the driver behind."""
    image.ensure()
    with target.open("wb") as out:
        if fadt:
            out.write(archive_of("kernel/firmware/acpi/facp.aml", fadt))
        with paths.guest_image().open("rb") as guest:
            shutil.copyfileobj(guest, out, 1 << 20)
        if more:
            out.write(more.read_bytes())
        if module:
            out.write(archive_of("e1000e_rust.ko", module.read_bytes()))


def fadt_without_aspm(topology: Topology) -> bytes:
    """The machine's own FADT, with the bit set that says that ASPM is not the kernel's."""
    with (
        tempfile.TemporaryDirectory() as logs,
        VM(replace(topology, no_aspm_control=False), Path(logs), None) as vm,
    ):
        table = bytearray.fromhex(vm.sh("od -An -v -tx1 /sys/firmware/acpi/tables/FACP"))
    table[109] |= 1 << 4  # IAPC_BOOT_ARCH, PCIe ASPM Controls
    table[24] += 1  # a higher OEM revision replaces the original
    table[9] = 0
    table[9] = -sum(table) & 0xFF
    return bytes(table)


class VM:
    """A running machine. Use as a context manager.

    `logs` is where the serial console (`serial.log`), which carries the kernel
    log, QEMU's own words (`qemu.log`) and its traces (`trace.log`) go. `more` is an
    archive that is unpacked over the guest image.
    """

    def __init__(
        self, topology: Topology, logs: Path, module: Path | None, more: Path | None = None
    ) -> None:
        self.topology, self.logs = topology, logs
        logs.mkdir(parents=True, exist_ok=True)
        self.serial, self.trace = logs / "serial.log", logs / "trace.log"
        self.marks = itertools.count(1)
        # Whether a test left it as no other test can use it.
        self.spent = False
        # Whether the agent is out of reach.
        self.mute = False
        self.cleanup = contextlib.ExitStack()
        self.run_dir = Path(
            self.cleanup.enter_context(tempfile.TemporaryDirectory(prefix="e1000e-vm-"))
        )
        try:
            self._start(module, more)
        except BaseException:
            self.close()
            raise

    def _start(self, module: Path | None, more: Path | None) -> None:
        run, started = self.run_dir, time.monotonic()
        initrd = run / "initrd"
        make_initrd(
            initrd,
            module,
            fadt_without_aspm(self.topology) if self.topology.no_aspm_control else None,
            more,
        )
        words = command_line(self.topology, initrd, run)
        words += [
            "-serial",
            f"file:{self.serial}",
            "-device",
            "virtio-serial-pci,bus=pcie.0,addr=0x3",
            "-chardev",
            f"socket,id=ga,path={run}/ga,server=on,wait=off",
            "-device",
            f"virtserialport,chardev=ga,id=ga,name={AGENT_PORT}",
            "-D",
            str(self.trace),
        ]
        for event in [*LOST_INTERRUPT, *self.topology.trace]:
            words += ["-trace", event]
        self.trace.touch()
        self.models = [self._start_model(number) for number in range(self.topology.nics)]
        log = self.cleanup.enter_context((self.logs / "qemu.log").open("w"))
        print(*words, file=log, flush=True)
        self.process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.cleanup.callback(self._kill)
        self.until(
            lambda: (run / "qmp").exists() and (run / "qtest").exists(), 20, "QEMU's sockets"
        )
        self.monitor = QEMUMonitorProtocol(str(run / "qmp"), nickname="monitor")
        self.monitor.settimeout(30)
        self.monitor.connect()
        self.cleanup.callback(self._hang_up, self.monitor)
        self.qtest = Qtest(str(run / "qtest"))
        self.cleanup.callback(self.qtest.close)
        self.wait_event("VSERPORT_CHANGE", 120, lambda data: data["open"])
        self.agent = Agent(str(run / "ga"))
        self.cleanup.callback(self._hang_up, self.agent)
        initrd.unlink()
        self.boot_seconds = time.monotonic() - started
        self.nics = self._find_nics()
        self.find_bars()

    def _start_model(self, number: int) -> Model | None:
        """The model of a device, if it is one; it must listen before QEMU begins."""
        if not (chip := self.topology.chip(number)):
            return None
        here, there = Model.wire(self.run_dir, number)
        if self.topology.direct():
            there, _ = Model.wire(self.run_dir, 1 - number)
        words = ["--chip", chip, "--mac", mac(number), "--net", f"{here},{there}"]
        words += self.topology.model_words
        model = Model(self.run_dir, number, words, self.logs)
        self.cleanup.callback(model.close)
        return model

    @staticmethod
    def _hang_up(connection: QEMUMonitorProtocol | Agent) -> None:
        # A connection that QEMU's death has ended says so once more when it is closed.
        with contextlib.suppress(EOFError, OSError, QMPError):
            connection.close()

    def death(self, patience: float = 0) -> str | None:
        """QEMU's last words, if it has ended of itself or does within `patience` seconds."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return None
        words = (self.logs / "qemu.log").read_text(errors="replace").splitlines()[1:]
        return "\n".join([f"QEMU ended with status {self.process.returncode}:", *words[-10:]])

    def _kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def close(self) -> None:
        """Kill the machine; what it logged stays."""
        self.cleanup.close()

    def __enter__(self) -> "VM":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Time

    def until(self, condition: Callable[[], Any], timeout: float, what: str) -> Any:
        """Wait for a condition, and return its value."""
        timeout *= paths.PATIENCE
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            if death := self.death():
                raise QemuDiedError(death)
            if time.monotonic() > deadline:
                raise GuestError(f"not in {timeout} s: {what}")
            time.sleep(0.05)
        return value

    def uptime(self) -> float:
        """The guest's clock, which its kernel log uses too (to some 10 ms)."""
        return float(self.sh("cat /proc/uptime").split()[0])

    # QEMU's monitor

    def qmp(self, command: str, **arguments: Any) -> Any:
        """One QMP command."""
        return self.monitor.cmd(command, **arguments)

    def hmp(self, line: str) -> str:
        """One command of the human monitor."""
        return self.qmp("human-monitor-command", **{"command-line": line})

    def wait_event(
        self, name: str, timeout: float, wanted: Callable[[dict[str, Any]], Any] = lambda _: True
    ) -> dict[str, Any]:
        """Wait for a QMP event; others are dropped."""
        timeout *= paths.PATIENCE
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self.monitor.pull_event(wait=left)
            except TimeoutError:
                break
            if event and event["event"] == name and wanted(event.get("data", {})):
                return event.get("data", {})
        raise GuestError(f"no event {name} in {timeout} s: see {self.serial}")

    # The guest

    def sh(self, script: str, timeout: float = 60) -> str:
        """Run a shell script in the guest, which must succeed; return its output."""
        return self.agent.run(script, timeout).stdout.strip()

    def try_sh(self, script: str, timeout: float = 60) -> int:
        """Run a shell script in the guest; return its status."""
        return self.agent.run(script, timeout, check=False).status

    @contextlib.contextmanager
    def background(self, script: str) -> Iterator[Command]:
        """Run a shell script beside what happens in the context."""
        command = self.agent.start(script)
        try:
            yield command
        finally:
            command.stop()

    def last_sh(
        self, script: str, timeout: float, meanwhile: Callable[[], object] = lambda: None
    ) -> str:
        """Run a script that suspends the machine, which must succeed; return its output.

        The agent's virtio port does not survive that: it is the last thing that the
        guest is asked for. `meanwhile` runs on this side.
        """
        since = self.sync_log()
        self.spent = self.mute = True
        self.agent.start(
            f"( {script} ) 2>&1 | while read -r line; do "
            'echo "e1000e_vm: says: $line" >/dev/kmsg; done; '
            'echo "e1000e_vm: says no more." >/dev/kmsg'
        )
        meanwhile()
        self.wait_log(r"e1000e_vm: says no more\.", timeout, since)
        said = self.serial.read_bytes()[since:].decode(errors="replace").replace("\r", "")
        return "\n".join(re.findall(r"e1000e_vm: says: (.*)", said))

    # The kernel log

    def sync_log(self) -> int:
        """Wait until the kernel log so far is in the file; return its size."""
        if self.mute:
            time.sleep(1)
            return self.serial.stat().st_size
        mark = f"e1000e_vm: mark {next(self.marks)}."
        self.sh(f"echo '{mark}' >/dev/kmsg")
        self.until(lambda: mark.encode() in self.serial.read_bytes(), 20, "the kernel log's end")
        return self.serial.stat().st_size

    def log(self, since: int = 0) -> str:
        """The kernel log, whole, from an offset that `sync_log` gave."""
        self.sync_log()
        text = self.serial.read_bytes()[since:].decode(errors="replace").replace("\r", "")
        return re.sub(r"(?m)^.*e1000e_vm: .*\n", "", text)

    def wait_log(self, pattern: str, timeout: float, since: int = 0) -> re.Match[str]:
        """Wait for a line of the kernel log."""

        def search() -> re.Match[str] | None:
            text = self.serial.read_bytes()[since:].decode(errors="replace")
            return re.search(pattern, text, re.MULTILINE)

        return self.until(search, timeout, f"a line like {pattern!r} in the kernel log")

    def meminfo(self) -> dict[str, int]:
        """/proc/meminfo, in KiB."""
        lines = [line.split() for line in self.sh("cat /proc/meminfo").splitlines()]
        return {words[0].rstrip(":"): int(words[1]) for words in lines}

    def leaks(self) -> str:
        """What kmemleak finds, on the debug kernel; it leaves out what is younger than 5 s."""
        scan = "echo scan >/sys/kernel/debug/kmemleak"
        return self.sh(f"sleep 6; {scan}; sleep 1; {scan}; cat /sys/kernel/debug/kmemleak", 120)

    # Devices

    def _find_nics(self) -> list[Nic]:
        """The devices in the order of their QEMU ids."""
        found = {}
        for line in self.sh(
            "for d in $(grep -l 0x020000 /sys/bus/pci/devices/*/class); do "
            "readlink -f ${d%/class}; done"
        ).splitlines():
            port, address = line.split("/")[-2:]
            port = port if port.count(":") == 2 else ""
            found[port or address] = (address, port or None)
        places = [self.topology.place(number) for number in range(self.topology.nics)]
        if sorted(found) != sorted(places):
            raise GuestError(f"devices wanted at {places}, the guest sees {found}")
        return [Nic(f"nic{number}", *found[place]) for number, place in enumerate(places)]

    def find_bars(self) -> None:
        """Learn where the devices' registers are; again after one was plugged in."""
        self.bars = [
            int(self.sh(f"sed -n 1p /sys/bus/pci/devices/{nic.address}/resource").split()[0], 16)
            for nic in self.nics
        ]

    def register(self, number: int, offset: int) -> int:
        """Read a register of a device's BAR 0 from outside the guest."""
        return self.qtest.readl(self.bars[number] + offset)

    def set_register(self, number: int, offset: int, value: int) -> None:
        """Write a register of a device's BAR 0 behind the driver's back."""
        self.qtest.writel(self.bars[number] + offset, value)

    def lost_interrupts(self) -> list[str]:
        """Lines of the trace that tell of an interrupt not delivered."""
        return [
            line
            for line in self.trace.read_text(errors="replace").splitlines()
            if any(name in line for name in LOST_INTERRUPT)
        ]
