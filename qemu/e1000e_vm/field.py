# SPDX-License-Identifier: GPL-2.0
"""The field reports, replayed on models of the devices that they are about.

Each scenario runs on one driver and tells what was seen. The machine has the boards' three
parts: the port that worked (eth0), the one that died (eth1, an 82574L) and the other end of
the wire, in network namespace peer. docs/field-reports.md has the reports.
"""

import contextlib
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import regs
from .agent import GuestError
from .model import LM, L, Model
from .net import HERE, MODULES, PEER
from .vm import VM, Topology

# The policy has the kernel switch ASPM on, as the report's BIOS did.
POWERSAVE = "pcie_aspm.policy=powersave"
# How long the wire may be idle before an 82574L with ASPM on dies, and what is left of it then.
DEATH = {"idle_ms": 300, "then_ms": 500}
# How a bond watches its ports: by their carriers, or by whether requests for the other end's
# address arrive, of which the backup hears the active port's.
MIIMON = "miimon 100"
ARP = f"arp_interval 500 arp_ip_target {PEER} arp_validate all"
# A time to detect where there is nothing to detect.
NOTHING = -1.0
# So long a driver is watched for a sign that it has noticed.
BLIND = 12
# A link that is seen later than this was found by the stack's watchdog (5 s), which resets the
# stock driver if it has a frame to send: it was not known.
LATE = 3
# A time without answers that is more than a busy host's.
SILENCE = 0.3
# How long the models take to bring a link up, in seconds; silicon takes up to four.
NEGOTIATION = 1.0
PATH = Path(__file__).with_name("probe.py")


def topology(healthy: str = LM) -> Topology:
    """The boards' machine; `healthy` is the chip of the port that worked."""
    words = ("--negotiation", f"{NEGOTIATION * 1000:.0f}")
    return Topology(nics=3, models=(healthy, L, ""), cmdline=POWERSAVE, model_words=words)


@dataclass
class Echoes:
    """What a probe found."""

    sent: list[float]
    came: list[float | None]

    @property
    def lost(self) -> int:
        """Requests without an answer."""
        return sum(came is None for came in self.came)

    def back(self, since: float) -> float | None:
        """Seconds from `since` until the last silence after it ended; None if it has not."""
        times = sorted(came for came in self.came if came)
        if not times or times[-1] < self.sent[-1] - SILENCE:
            return None
        last = since
        for before, after in itertools.pairwise(times):
            if after > since and after - before > SILENCE:
                last = after
        return last - since

    def gap(self, start: float, end: float) -> float:
        """The longest time without an answer between two times."""
        times = sorted(came for came in self.came if came and start <= came <= end)
        return max((b - a for a, b in zip([start, *times], [*times, end], strict=True)), default=0)

    def lost_between(self, start: float, end: float) -> int:
        """Requests of that time without an answer."""
        return sum(
            came is None and start <= sent <= end
            for sent, came in zip(self.sent, self.came, strict=True)
        )


@dataclass
class Finding:
    """What a scenario saw of one driver; a time that is None did not come.

    `lived`: all was as a user wants it. `failed`: it was as the report has it, and not just
    somehow not well.
    """

    lived: bool
    failed: bool
    words: str
    detect: float | None = None
    recover: float | None = None
    lost: int | None = None
    log: list[str] = field(default_factory=list)


class Site:
    """The machine with one driver loaded."""

    def __init__(self, vm: VM, driver: str) -> None:
        self.vm, self.driver, self.module = vm, driver, MODULES[driver]
        [self.other] = set(MODULES.values()) - {self.module}
        self.healthy, self.port = vm.models[0], vm.models[1]
        self.device = f"/sys/bus/pci/devices/{vm.nics[1].address}"
        self.vm.sh(f"cat >/tmp/probe.py <<'END'\n{PATH.read_text()}\nEND")
        self.since = vm.sync_log()

    def load(self) -> None:
        """Load the driver, name the ports as the report does, set up the other end.

        The other end is the other driver's, so that it outlives this one.
        """
        ports = [nic.address for nic in self.vm.nics]
        self.vm.sh(
            f"""set -eu
            take() {{ echo $2 >/sys/bus/pci/devices/$1/driver_override; }}
            take {ports[0]} {self.module}; take {ports[1]} {self.module}
            take {ports[2]} {self.other}
            for module in {self.other} {self.module}; do
                case $module in
                e1000e_rust) [ -d /sys/module/$module ] || insmod /e1000e_rust.ko ;;
                *) modprobe $module ;;
                esac
            done
            ip netns list | grep -qw peer || ip netns add peer
            name() {{ n=100; until ls /sys/bus/pci/devices/$1/net 2>/dev/null; do
                n=$((n - 1)); [ $n != 0 ] || exit 1; usleep 50000; done; }}
            i=0; for address in {" ".join(ports)}; do
                ip link set $(name $address) name port$i; i=$((i + 1)); done
            ip link set port2 netns peer; ip -n peer link set port2 name peer0
            ip link set port0 name eth0; ip link set port1 name eth1
            ip -n peer address add {PEER}/24 dev peer0; ip -n peer link set peer0 up
            ip -n peer link set lo up"""
        )

    def unload(self) -> None:
        """Take all faults away and remove the driver."""
        for model in filter(None, self.vm.models):
            model.clear()
            model.fault("aspm", {"idle_ms": 0})  # which revives the dead
            model.link(True)
        self.vm.sh(
            "ip link delete bond0 2>/dev/null || true\n"
            f"for module in {self.module} {self.other}; do\n"
            "[ ! -d /sys/module/$module ] || rmmod $module || exit 1\ndone",
            120,
        )

    def alone(self) -> None:
        """The port by itself, with the peer; both know each other's address for good."""
        self.vm.sh(
            f"""set -eu
            ip address replace {HERE}/24 dev eth1; ip link set eth1 up
            ip neigh replace {PEER} dev eth1 nud permanent \
                lladdr $(ip netns exec peer cat /sys/class/net/peer0/address)
            ip -n peer neigh replace {HERE} dev peer0 nud permanent \
                lladdr $(cat /sys/class/net/eth1/address)"""
        )
        self.wait_carrier("eth1", True)
        self.wait_answer(f"ip netns exec peer ping -q -c1 -W1 {HERE}")

    def bond(self, watch: str) -> None:
        """Both ports in an active-backup bond as the report's, eth0 active."""
        self.vm.sh(
            f"""set -eu
            modprobe bonding max_bonds=0
            ip link add bond0 type bond mode active-backup {watch}
            for slave in eth0 eth1; do ip link set $slave down; ip link set $slave master bond0
            done
            ip link set bond0 type bond primary eth0
            ip address add {HERE}/24 dev bond0; ip link set bond0 up"""
        )
        self.until_slave("eth0", True)
        self.until_slave("eth1", True)
        self.vm.until(lambda: self.active() == "eth0", 30, "eth0 is the active slave")
        self.wait_answer(f"ping -q -c1 -W1 {PEER}")

    def wait_answer(self, ping: str) -> None:
        """Wait for a first echo."""
        self.vm.sh(f"n=50; until {ping} >/dev/null; do n=$((n - 1)); [ $n != 0 ]; done", 90)

    # What is the case

    def carrier(self, name: str = "eth1") -> bool:
        """Whether an interface has a carrier."""
        return self.vm.sh(f"cat /sys/class/net/{name}/carrier") == "1"

    def wait_carrier(self, name: str, wanted: bool, timeout: float = 30) -> None:
        """Wait until a carrier is as wanted."""
        self.vm.until(
            lambda: self.carrier(name) == wanted, timeout, f"{name}: carrier {int(wanted)}"
        )

    def active(self) -> str:
        """The bond's active slave."""
        return self.vm.sh("cat /sys/class/net/bond0/bonding/active_slave")

    def slave_up(self, name: str) -> bool:
        """Whether the bond takes a slave for working."""
        text = self.vm.sh("cat /proc/net/bonding/bond0")
        found = re.search(rf"Slave Interface: {name}\nMII Status: (\w+)", text)
        return bool(found and found[1] == "up")

    def until_slave(self, name: str, up: bool, timeout: float = 30) -> None:
        """Wait until the bond takes a slave for working, or not."""
        self.vm.until(lambda: self.slave_up(name) == up, timeout, f"{name} up: {up}")

    def counters(self) -> dict[str, int]:
        """`ethtool -S` of the port."""
        found = re.findall(r"^\s*(\S+): (\d+)$", self.vm.sh("ethtool -S eth1"), re.MULTILINE)
        return {name: int(value) for name, value in found}

    def ivar(self) -> regs.Ivar:
        """The port's interrupt mapping."""
        return regs.Ivar(int(self.port.status()["ivar"], 16))

    def lines(self, pattern: str, since: int | None = None) -> list[tuple[float, str]]:
        """Lines of the kernel log with their times."""
        text = self.vm.log(self.since if since is None else since)
        found = re.findall(r"^\[ *(\d+\.\d+)\] (.*)$", text, re.MULTILINE)
        return [(float(when), line) for when, line in found if re.search(pattern, line)]

    def said(self, since: int, after: float) -> tuple[float | None, list[str]]:
        """When the driver first said something after `after`, and all that it said."""
        found = self.lines(rf"{self.module} \S+(: | )eth1|{self.module} .*eth1", since)
        found = [(when, line) for when, line in found if when >= after - 0.05]
        first = max(0.0, found[0][0] - after) if found else None
        return first, [line for _, line in found]

    # Traffic

    @contextlib.contextmanager
    def probe(self, words: str, peer: bool = False) -> Iterator[Callable[[], Echoes]]:
        """Ask for echoes meanwhile; what is yielded ends it and tells what was found."""
        self.vm.sh("rm -f /tmp/probe.ready")
        command = self.vm.agent.start(
            f"exec {'ip netns exec peer ' if peer else ''}python3 /tmp/probe.py {words}"
        )
        result: list[Echoes] = []

        def end() -> Echoes:
            if not result:
                self.vm.sh(f"kill -TERM {command.pid}")
                found = json.loads(command.wait(60).stdout)
                result.append(Echoes(found["sent"], found["came"]))
            return result[0]

        try:
            self.vm.until(
                lambda: not self.vm.try_sh("test -e /tmp/probe.ready"), 60, "the probe's start"
            )
            time.sleep(0.5)
            yield end
        finally:
            command.stop()


@contextlib.contextmanager
def site(vm: VM, driver: str) -> Iterator[Site]:
    """The driver loaded, and unloaded at the end whatever happens."""
    site = Site(vm, driver)
    site.load()
    try:
        yield site
    finally:
        with contextlib.suppress(GuestError):
            site.unload()


def wait(seconds: float) -> None:
    """Let time pass in the guest; its clock is the host's."""
    time.sleep(seconds)


# CentOS: the backup port of a bond dies of ASPM


def aspm(vm: VM, driver: str, seconds: float = 8) -> Finding:
    """ASPM is enabled by policy, the backup is idle, then the active port's cable is pulled.

    Provoked with the stock driver by the kernel's policy alone: its probe asks for ASPM to be
    off before it enables the device, finds Link Control saying so already and leaves it at
    that; enabling the device is when the policy switches it on.
    """
    with site(vm, driver) as at:
        at.bond("arp_interval 1000 arp_ip_target " + PEER)
        mark = vm.sync_log()
        states = at.port.status()["aspm"]
        at.port.fault("aspm", DEATH)
        wait(seconds)
        death = at.port.status()["death"]
        # What a tool that reads the PHY, as mii-tool does, leaves in the log.
        vm.try_sh("mii eth1 own 1")
        down = at.lines(r"slave eth1\): link status definitely down", mark)
        report = at.lines("Error reading PHY register", mark)
        carrier, arp = at.carrier(), at.slave_up("eth1")
        # The same with the bond watching the carrier: does it know which slave is dead?
        vm.sh("ip link set bond0 type bond arp_interval 0; ip link set bond0 type bond miimon 100")
        wait(1)
        mii = at.slave_up("eth1")
        with at.probe(f"icmp {PEER} 0.1") as probe:
            pulled = vm.uptime()
            at.healthy.link(False)
            wait(seconds)
            echoes = probe()
        back = echoes.back(pulled)
        at.healthy.link(True)
        lived = death == "alive" and carrier and arp and mii and back is not None
        failed = death == "gone" and carrier and mii and bool(report) and back is None
        words = f"ASPM {states:#x}; eth1 {death}, carrier {int(carrier)}"
        words += f", ARP monitor {'up' if arp else 'down'}, miimon {'up' if mii else 'down'}"
        words += f", after failover {echoes.lost} of {len(echoes.sent)} pings lost"
        detect = NOTHING if lived else None
        log = [line for _, line in [*down[:1], *report[:1]]]
        return Finding(lived, failed, words, detect, back, echoes.lost, log)


def forced(vm: VM, driver: str, watch: str = MIIMON) -> Finding:
    """The platform switches ASPM on behind the driver, and the port dies before it can tell.

    As reported, the stock driver's carrier stays up: a bond that watches carriers does not know,
    one that has an ARP monitor does.
    """
    enable = f"setpci -s {vm.nics[1].address} CAP_EXP+10.w=0003:0003"

    def dead() -> bool:
        # Once more if the driver was faster.
        vm.sh(enable)
        time.sleep(0.4)
        return at.port.status()["death"] != "alive"

    with site(vm, driver) as at:
        at.bond(watch)
        at.port.fault("aspm", DEATH)
        mark, begun = vm.sync_log(), vm.uptime()
        vm.until(dead, 10, "the port dies")
        wait(6)
        first, said = at.said(mark, begun)
        carrier, up = at.carrier(), at.slave_up("eth1")
        # The platform resets it: it answers again, as after power on. The driver must do the rest.
        at.port.fault("aspm", {"idle_ms": 0})
        at.port.ask("poke", register=regs.CTRL, value=regs.CTRL_RST)
        reset, back = vm.uptime(), None
        if carrier:
            wait(5)
        else:
            with contextlib.suppress(GuestError):
                at.wait_carrier("eth1", True, 15)
                at.until_slave("eth1", True, 5)
                back = vm.uptime() - reset
        with at.probe(f"icmp {PEER} 0.1") as probe:
            at.healthy.link(False)
            wait(6)
            echoes = probe()
        at.healthy.link(True)
        answers = echoes.came[-1] is not None
        lived = not carrier and not up and back is not None and answers
        # The stack's watchdog may find it at last.
        lost = echoes.lost > len(echoes.sent) / 2
        failed = carrier and up == (watch == MIIMON) and lost
        monitor = "miimon" if watch == MIIMON else "ARP monitor"
        words = f"eth1 dead: carrier {int(carrier)}, {monitor} {'up' if up else 'down'}"
        words += f"; reset, and after failover {echoes.lost} of {len(echoes.sent)} pings lost"
        return Finding(lived, failed, words, first, back, echoes.lost, said[:4])


def forced_arp(vm: VM, driver: str) -> Finding:
    """The same under an ARP monitor that hears requests and answers only."""
    return forced(vm, driver, ARP)


# ESX: the interrupt mapping is lost


def mapping(vm: VM, driver: str, blind: float = BLIND) -> Finding:
    """IVAR reads all-ones in operation; then OTHER alone is lost and the link pulled."""
    with site(vm, driver) as at:
        at.alone()
        with at.probe(f"icmp {HERE} 0.05", peer=True) as probe:
            mark, begun = vm.sync_log(), vm.uptime()
            at.port.ask("poke", register=regs.IVAR, value=0xFFFFFFFF)
            wait(blind)
            echoes = probe()
        first, said = at.said(mark, begun)
        back = echoes.back(begun)
        lost = echoes.lost_between(begun - 0.1, float("inf"))
        if back is None:
            vm.sh("ip link set eth1 down; ip link set eth1 up")
            at.wait_carrier("eth1", True)
        # OTHER alone, and the cable pulled at once, before anybody can look.
        pulled = vm.uptime()
        at.port.ask("poke", register=regs.IVAR, value=at.ivar().without("OTHER"))
        at.port.link(False)
        seen = None
        with contextlib.suppress(GuestError):
            at.wait_carrier("eth1", False, blind)
            seen = vm.uptime() - pulled
        at.port.link(True)
        noticed = False
        if seen is not None:
            with contextlib.suppress(GuestError):
                at.wait_carrier("eth1", True, 10)
                at.wait_answer(f"ip netns exec peer ping -q -c1 -W1 {HERE}")
                noticed = True
        repairs = at.counters().get("ivar_repairs", 0)
        lived = back is not None and noticed and repairs >= 2
        failed = back is None and not said and (seen is None or seen > LATE)
        words = "traffic back" if back is not None else f"no traffic in {blind:.0f} s"
        words += ", log silent" if not said else ""
        words += (
            f"; link pulled: seen after {seen:.1f} s"
            if seen is not None
            else f"; link pulled: carrier still 1 after {blind:.0f} s"
        )
        words += f"; {repairs} repairs" if driver == "rust" else ""
        return Finding(lived, failed, words, first, back, lost, said[:2])


def selftest(vm: VM, driver: str, rounds: int = 3) -> Finding:
    """`ethtool -t` with the mapping lost meanwhile: it must return, and traffic with it."""
    with site(vm, driver) as at:
        at.alone()
        longest, stuck, back, lost = 0.0, [], 0.0, 0
        for number in range(rounds):
            for mode in ["online", "offline"]:
                with at.probe(f"icmp {HERE} 0.05", peer=True) as probe:
                    begun = vm.uptime()
                    test = vm.agent.start(f"ethtool -t eth1 {mode}")
                    time.sleep(0.15 * number)
                    value = [0xFFFFFFFF, 0, 0x5A5A5A5A][number % 3]
                    at.port.ask("poke", register=regs.IVAR, value=value)
                    try:
                        test.wait(60, check=False)
                        longest = max(longest, vm.uptime() - begun)
                    except GuestError:
                        stuck.append(mode)
                    wait(4)
                    echoes = probe()
                again = echoes.back(begun)
                lost += echoes.lost
                back = None if back is None or again is None else max(back, again)
                if again is None:
                    vm.sh("ip link set eth1 down; ip link set eth1 up")
                    at.wait_carrier("eth1", True)
        # That it locks the machine is ESX's; here it is the traffic that stays away.
        lived = not stuck and back is not None
        failed = bool(stuck) or back is None
        words = f"returned {2 * rounds - len(stuck)} of {2 * rounds} times"
        words += f", after {longest:.1f} s at most"
        words += "" if back is not None else "; traffic did not come back"
        return Finding(lived, failed, words, NOTHING, back, lost)


# ESX: the port is shared with a management controller


def management(vm: VM, driver: str) -> Finding:
    """The management controller is asked all the time while the host resets, downs and goes."""
    port: Model = vm.models[1]
    port.ask("bmc", on=True)
    try:
        at = Site(vm, driver)
        at.load()
        at.alone()
        steps = [
            ("MTU", "ip link set eth1 mtu 1400"),
            ("rings", "ethtool -G eth1 rx 512"),
            ("down", "ip link set eth1 down"),
            ("up", "ip link set eth1 up"),
            ("rmmod", f"rmmod {at.module}"),
        ]
        gaps: dict[str, float] = {}
        with at.probe(f"udp {HERE} 0.05 623", peer=True) as probe:
            times = []
            for name, script in steps:
                begun = vm.uptime()
                vm.sh(script, 120)
                wait(2.5)
                times.append((name, begun, vm.uptime()))
            echoes = probe()
        for name, begun, end in times:
            gaps[name] = echoes.gap(begun, end)
        lost = echoes.lost_between(times[0][1], times[-1][2])
        # Coming up again is not among what the report's users did to a port in use.
        worst = max(gap for name, gap in gaps.items() if name != "up")
        words = "longest silence: " + ", ".join(f"{k} {v:.2f} s" for k, v in gaps.items())
        cut_off = [name for name in ["MTU", "rings", "down"] if gaps[name] >= 0.8 * NEGOTIATION]
        return Finding(worst < NEGOTIATION / 2, len(cut_off) == 3, words, NOTHING, worst, lost)
    finally:
        with contextlib.suppress(GuestError):
            Site(vm, driver).unload()
        port.ask("bmc", on=False)


SCENARIOS: dict[str, tuple[str, Callable[[VM, str], Finding]]] = {
    "aspm": ("CentOS: ASPM by policy, idle backup", aspm),
    "forced": ("CentOS: ASPM forced on behind the driver", forced),
    "forced-arp": ("CentOS: the same, watched by ARP", forced_arp),
    "mapping": ("ESX: IVAR lost, OTHER dead, link pulled", mapping),
    "selftest": ("ESX: ethtool -t while IVAR is lost", selftest),
    "management": ("ESX: port shared with a BMC", management),
}
