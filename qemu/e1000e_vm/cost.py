# SPDX-License-Identifier: GPL-2.0
"""What a packet costs: instructions of the guest, register accesses, interrupts.

The guest has one processor and its time is counted in instructions, so that neither
the host nor its load shows; a plugin of QEMU counts those executed, by address, so that
what the processor is idle for does not count. Each load is run twice, with few units
and with many: what it costs to begin and to end is in both and goes out.
"""

import bisect
import itertools
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import paths
from .agent import GuestError
from .image import run
from .net import IN_PEER, MODULES, PEER, Net
from .vm import VM, Topology

# What was last agreed upon, of the cases that the test suite runs; `qemu/bench --record`.
RECORDED = paths.PROJECT / "qemu/tests/bench.toml"
SHORT = ["tx-burst-1", "tx-burst-32", "rx-drop", "forward", "tcp-rr"]
SOURCE = paths.PROJECT / "qemu/plugin/count.c"
PLUGIN = paths.BUILD / "bench" / "count.so"
EVENTS = {
    "e1000e_core_read": "reads",
    "e1000e_core_write": "writes",
    "e1000e_irq_msix_notify_vec": "interrupts",
    # At the end of the least time between two, with or without a cause.
    "e1000e_irq_msix_notify_postponed_vec": "interrupts",
    "e1000e_irq_msi_notify": "interrupts",
}
TOPOLOGY = Topology(nics=3, smp=1, icount="shift=0,sleep=off")
# The LEDs: no driver touches them under traffic.
LEDCTL = 0xE00
BEGIN, END = 0xBE91, 0xE4D0

TX_RING = 1024
# Nobody has it: what is sent there is received by none.
NOBODY = "02:00:00:00:00:99"
# Is routed to the other port.
FAR_AWAY = "10.9.9.9"
MEASURES = ["instructions", "reads", "writes", "interrupts"]


@dataclass
class Cost:
    """What something costs: instructions by address, and events of the device."""

    blocks: Counter[int] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    latency_ms: float | None = None

    def __sub__(self, other: "Cost") -> "Cost":
        blocks, events = Counter(self.blocks), Counter(self.events)
        blocks.subtract(other.blocks)
        events.subtract(other.events)
        return Cost(blocks, events, self.latency_ms)

    def __truediv__(self, number: int) -> "Cost":
        blocks, events = (
            Counter({key: value / number for key, value in counter.items()})
            for counter in [self.blocks, self.events]
        )
        return Cost(blocks, events, self.latency_ms)

    def figures(self) -> dict[str, float]:
        """By measure."""
        named = {name: float(self.events[name]) for name in MEASURES}
        named["instructions"] = float(sum(self.blocks.values()))
        if self.latency_ms is not None:
            named["latency"] = self.latency_ms
        return named


class Symbols:
    """The kernel's functions by address, those of modules too."""

    def __init__(self, vm: VM) -> None:
        text = vm.sh("grep -i ' [tw] ' /proc/kallsyms", 120)
        found = sorted(
            (int(words[0], 16), words[2], words[3].strip("[]") if len(words) > 3 else "")
            for words in map(str.split, text.splitlines())
        )
        self.addresses = [address for address, _, _ in found]
        self.names = [(name, module) for _, name, module in found]

    def of(self, cost: Cost) -> Counter[tuple[str, str]]:
        """Instructions by function and module; 16 bytes that two share count for the first."""
        result = Counter()
        for address, number in cost.blocks.items():
            index = bisect.bisect_right(self.addresses, address + 15) - 1
            if index > 0 and self.addresses[index] > address:
                index -= 1 if self.addresses[index] & 15 else 0
            result[self.names[index] if address else ("user space", "")] += number
        return result


@dataclass(frozen=True)
class Load:
    """Shell scripts in the guest: what comes before, what is measured, what looks at it after."""

    run: str
    before: str = ":"
    after: str = ":"


def recorded() -> dict[str, dict[str, int]]:
    """What was last agreed upon: by case and driver, instructions per unit."""
    return tomllib.loads(RECORDED.read_text())


def ensure_plugin() -> None:
    """Have PLUGIN made of today's SOURCE."""
    PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    if not PLUGIN.exists() or PLUGIN.stat().st_mtime < SOURCE.stat().st_mtime:
        fresh = PLUGIN.with_suffix(".tmp")
        run("gcc", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-o", fresh, SOURCE)
        fresh.replace(PLUGIN)


class Bench:
    """A machine, and one driver at a time in it.

    The floor is the same load without a driver: dummies in the place of ports for what
    pktgen sends, a veth pair for what talks to the peer.
    """

    def __init__(self, logs: Path, module: Path | None) -> None:
        ensure_plugin()
        self.counts = logs / "counts"
        extra = ("-plugin", f"{PLUGIN},out={self.counts}")
        self.vm = VM(replace(TOPOLOGY, extra=extra), logs, module)
        self.numbers = itertools.count(1)
        self.driver = ""
        self.vm.sh("modprobe pktgen")

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        self.vm.close()

    # Driver

    def load(self, driver: str) -> None:
        """Load a driver, or `floor`."""
        vm = self.vm
        self.driver = driver
        if driver == "floor":
            self.port, self.other = "dummy0", "dummy1"
            vm.sh(
                "modprobe dummy numdummies=2; ip address add 10.2.0.1/24 dev dummy0; "
                "ip link set dummy0 up; ip netns list | grep -qw peer || ip netns add peer; "
                "ip link add nic0 type veth peer name nic1 netns peer; "
                "ip address add 10.0.0.1/24 dev nic0; "
                f"{IN_PEER}ip address add 10.0.0.2/24 dev nic1; "
                f"ip link set nic0 up; {IN_PEER}ip link set nic1 up; {IN_PEER}ip link set lo up"
            )
        else:
            self.port, self.other = "nic0", "nic2"
            Net(vm, driver).load()
            # A ring that is not full before QEMU's next interrupt, after 128 us: pktgen spins then.
            vm.sh(
                f"for name in $(ls /sys/bus/pci/devices/{vm.nics[2].address}/net); do "
                f"ip link set $name name nic2; done; ethtool -G nic0 tx {TX_RING}"
            )
            Net(vm, driver).up_again()
        vm.sh(
            f"ip link set {self.other} up; ip address add 10.1.0.1/24 dev {self.other}; "
            f"ip route add {FAR_AWAY} via 10.1.0.2 dev {self.other}; "
            f"ip neighbour replace 10.1.0.2 lladdr {NOBODY} dev {self.other}; "
            # With more, how many fresh pages are zeroed depends on who runs ahead of whom.
            f"for where in '' '{IN_PEER}'; do "
            "$where sysctl -qw net.ipv4.tcp_rmem='4096 131072 262144' "
            "net.ipv4.tcp_wmem='4096 131072 262144'; done; "
            "echo 1 >/proc/sys/net/ipv4/ip_forward; "
            "for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done; sleep 5"
        )

    def unload(self) -> None:
        """Remove it."""
        if self.driver == "floor":
            self.vm.sh("rmmod dummy; ip link del nic0")
        else:
            self.vm.sh(f"rmmod {MODULES[self.driver]}")

    def bind_to_link(self) -> float:
        """Milliseconds from binding the first port, and bringing it up, to its carrier."""
        vm, module = self.vm, MODULES[self.driver]
        nic = vm.nics[0].address
        bus = f"/sys/bus/pci/drivers/{module}"
        clock = "sed -n 's/^now at \\([0-9]*\\).*/\\1/p' /proc/timer_list"
        start, end = map(
            int,
            vm.sh(
                f"echo {nic} >{bus}/unbind; sleep 1; {clock}; echo {nic} >{bus}/bind; "
                f"name=$(ls /sys/bus/pci/devices/{nic}/net); ip link set $name up; "
                "until grep -qs 1 /sys/class/net/$name/carrier; do usleep 1000; done; "
                f"{clock}; ip link set $name down"
            ).split(),
        )
        return (end - start) / 1e6

    # Measuring

    def cost(self, load: Load) -> tuple[Cost, str]:
        """What a load costs the guest, and what its scripts print."""
        vm, number = self.vm, next(self.numbers)
        self.counts.unlink(missing_ok=True)
        done = f"e1000e_vm: bench {number} "
        lights = f"devmem {vm.bars[0] + LEDCTL:#x} 32" if self.driver != "floor" else ": "
        if self.driver != "floor":
            for event in EVENTS:
                vm.qmp("trace-event-set-state", name=event, enable=True)
        start = vm.trace.stat().st_size
        # The agent is left alone meanwhile: it would be measured, too.
        command = vm.agent.start(
            f"({load.before}; usleep 300000; {lights} {BEGIN}; bench mark from; {load.run}; "
            f"bench mark to; {lights} {END}; {load.after}); status=$?; "
            f"echo '{done}'$status. >/dev/kmsg; exit $status"
        )
        vm.wait_log(re.escape(done), 600)
        for event in EVENTS:
            vm.qmp("trace-event-set-state", name=event, enable=False)
        printed = command.wait(60).stdout
        with vm.trace.open() as trace:
            trace.seek(start)
            events = self._events(trace.read()) if self.driver != "floor" else Counter()
        lines = map(str.split, self.counts.read_text().splitlines())
        blocks = Counter({int(address, 16): int(number) for address, number in lines})
        return Cost(blocks, events), printed

    @staticmethod
    def _events(trace: str) -> Counter[str]:
        """Events between the marks."""
        between = re.search(
            rf"register 0xe00, .* 0x{BEGIN:x}\n(.*)^[^\n]*register 0xe00, .* 0x{END:x}\n",
            trace,
            re.DOTALL | re.MULTILINE | re.IGNORECASE,
        )
        if not between:
            raise GuestError(f"no marks in the trace:\n{trace[-2000:]}")
        names = (line.split(maxsplit=1)[0] for line in between[1].splitlines())
        return Counter(EVENTS[name] for name in names if name in EVENTS)

    def each(
        self,
        load: Callable[[int], Load],
        case: "Case",
        count: Callable[[str], int] | None = None,
    ) -> tuple[Cost, str]:
        """What one unit costs, if need be as counted from what is printed; the latter of many."""
        first, before = self.cost(load(case.few))
        second, printed = self.cost(load(case.many))
        units = count(printed) - count(before) if count else case.many - case.few
        return (second - first) / units, printed

    def packets(self, interface: str, kind: str) -> int:
        """Packets that an interface has counted: tx_packets, rx_packets."""
        return int(self.vm.sh(f"cat /sys/class/net/{interface}/statistics/{kind}"))


@dataclass(frozen=True)
class Case:
    """A load, its units, and with which of them it is run."""

    name: str
    unit: str
    few: int
    many: int
    measure: Callable[[Bench, "Case"], Cost]
    floor: bool = True


def pktgen(bench: Bench, case: Case, interface: str, **settings: str | int) -> Cost:
    """Frames of 60 bytes (without FCS) that an interface sends."""
    where = IN_PEER if interface == "nic1" else ""
    settings = {"pkt_size": 60, "dst_mac": NOBODY, "dst": "10.0.0.1", **settings}
    orders = "; ".join(f"echo {name} {value} >{interface}" for name, value in settings.items())

    def load(count: int) -> Load:
        return Load(
            before=f"{where}sh -ec 'cd /proc/net/pktgen; echo rem_device_all >kpktgend_0; "
            f"echo add_device {interface} >kpktgend_0; {orders}; echo count {count} >{interface}'",
            run=f"{where}sh -c 'echo start >/proc/net/pktgen/pgctrl'",
            after=f"{where}cat /proc/net/pktgen/{interface}",
        )

    def sofar(printed: str) -> int:
        # More than asked for, by a part of a burst, if the ring was full.
        found = re.search(r"pkts-sofar: (\d+) .*Result: OK", printed, re.DOTALL)
        if not found:
            raise GuestError(f"pktgen: {printed}")
        return int(found[1])

    return bench.each(load, case, sofar)[0]


def sent(burst: int) -> Callable[[Bench, Case], Cost]:
    """Frames that the port sends, so many before the device is told."""
    return lambda bench, case: pktgen(bench, case, bench.port, burst=burst)


def received(bench: Bench, case: Case, destination: str, interface: str, kind: str) -> Cost:
    """Frames for the port, less what sending them costs; all must be counted there."""
    mac = bench.vm.sh(f"cat /sys/class/net/{bench.port}/address")
    before = bench.packets(interface, kind)
    # Without a driver they come out of nothing.
    sender, settings, other = (
        (
            bench.port,
            {"xmit_mode": "netif_receive", "src_min": "10.2.0.2", "src_max": "10.2.0.2"},
            bench.other,
        )
        if bench.driver == "floor"
        else ("nic1", {}, "nic1")
    )
    cost = pktgen(bench, case, sender, dst_mac=mac, dst=destination, **settings)
    counted = bench.packets(interface, kind) - before - case.few - case.many
    # What pktgen makes the stack receive is not counted by a dummy.
    if not 0 <= counted < 100 and (bench.driver, kind) != ("floor", "rx_packets"):
        raise GuestError(f"{case.name}: {counted} packets too many in {kind} of {interface}")
    return cost - pktgen(bench, case, other)


def dropped(bench: Bench, case: Case) -> Cost:
    """Frames that the stack drops as soon as it sees them."""
    bench.vm.sh(
        f"tc qdisc add dev {bench.port} clsact; "
        f"tc filter add dev {bench.port} ingress matchall action drop"
    )
    try:
        return received(bench, case, "10.0.0.1", bench.port, "rx_packets")
    finally:
        bench.vm.sh(f"tc qdisc del dev {bench.port} clsact")


def forwarded(bench: Bench, case: Case) -> Cost:
    """Frames that the stack routes to the other port."""
    return received(bench, case, FAR_AWAY, bench.other, "tx_packets")


def talked(bench: Bench, case: Case, request: str) -> Cost:
    """What `bench REQUEST ADDRESS N` does; see qemu/guest/bench.rs."""
    with bench.vm.background(f"{IN_PEER}bench serve"):
        bench.vm.sh(f"until bench {request} {PEER} {case.few}; do usleep 100000; done", 60)
        return bench.each(lambda n: Load(f"bench {request} {PEER} {n}"), case)[0]


def stream(mtu: int, tso: bool, reverse: bool) -> Callable[[Bench, Case], Cost]:
    """TCP, both ends of it."""

    def measure(bench: Bench, case: Case) -> Cost:
        net = Net(bench.vm, bench.driver)
        net.set_mtu(mtu)
        net.features(f"tso {'on' if tso else 'off'}")
        try:
            return talked(bench, case, "fetch" if reverse else "send")
        finally:
            net.set_mtu(1500)
            net.features("tso on")

    return measure


def asked(bench: Bench, case: Case) -> Cost:
    """A byte there and a byte back over TCP, one after the other."""
    return talked(bench, case, "ask")


def echoed(bench: Bench, case: Case) -> Cost:
    """Echoes one after the other, and how long one takes."""
    bench.vm.sh(f"ping -q -f -c 100 {PEER}")
    cost, printed = bench.each(lambda n: Load(f"ping -q -f -c {n} {PEER}"), case)
    average = re.search(r"= [\d.]+/([\d.]+)/", printed)
    if not average or f"{case.many} received" not in printed:
        raise GuestError(f"ping: {printed}")
    cost.latency_ms = float(average[1])
    return cost


CASES = [
    Case("tx-burst-1", "packet", 4000, 24000, sent(1)),
    Case("tx-burst-32", "packet", 6400, 70400, sent(32)),
    Case("rx-drop", "packet", 4000, 36000, dropped),
    Case("forward", "packet", 4000, 24000, forwarded),
    *(
        Case(
            f"tcp-{'in' if reverse else 'out'}-{mtu}{'' if tso else '-no-tso'}",
            "KiB",
            2 << 10,
            10 << 10,
            stream(mtu, tso, reverse),
            floor=False,
        )
        for mtu in [1500, 9000]
        for reverse in [False, True]
        for tso in [True, False]
    ),
    Case("tcp-rr", "transaction", 200, 1200, asked),
    Case("ping", "echo", 200, 1200, echoed),
]
