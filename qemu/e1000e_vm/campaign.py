# SPDX-License-Identifier: GPL-2.0
"""Every fault of the model, many times at seeded random moments under traffic."""

import contextlib
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import regs
from .agent import GuestError
from .field import DEATH, Site
from .net import HERE, PEER
from .vm import TROUBLE, VM

# Counters of `ethtool -S` that tell that the driver has noticed something.
NOTICED = (
    "ivar_repairs|aspm_repairs|interrupts_lost|irq_selfcheck_failures|tx_hangs|resets|dead_reads"
    "|link_unknown|phy_read_err_.*|phy_write_err_.*|rx_.*err.*|rx_.*drop.*"
)
# How they are read.
COUNTERS = f"ethtool -S eth1 | grep -E ' ({NOTICED}): '"
# A silent fault must be noticed within so many seconds.
LIMIT = 2.0
# Traffic must be back so many seconds after a fault has ended.
PATIENCE = 30
# What the machine may have less of afterwards, in KiB: caches of the kernel's own.
LEAK = 24 * 1024


@dataclass(frozen=True)
class Fault:
    """A fault: how it begins, how many seconds it lasts at most, what is wanted of the driver.

    `silent`: nothing but a driver that looks would tell; it must be noticed. `gone`: the device
    is lost with it; the carrier must go.
    """

    begin: Callable[[Site, random.Random], object]
    lasts: float = 0
    silent: bool = False
    gone: bool = False


def switch(name: str, value: object) -> Callable[[Site, random.Random], object]:
    """A fault that is the same each time."""
    return lambda at, _: at.port.fault(name, value)


def mdic(mode: str) -> Callable[[Site, random.Random], object]:
    """So many PHY accesses go wrong."""
    return lambda at, dice: at.port.fault("mdic", {"mode": mode, "count": dice.randint(1, 12)})


def descriptors(mode: str, ms: int = 0) -> Callable[[Site, random.Random], object]:
    """So many descriptors are written back wrongly."""
    return lambda at, dice: at.port.fault(
        "descriptors", {"mode": mode, "count": dice.randint(1, 20), "ms": ms}
    )


def lose_mapping(at: Site, dice: random.Random) -> None:
    """An entry of IVAR, or all of it."""
    cause = dice.choice(regs.CAUSES)
    value = dice.choice([0, 0xFFFFFFFF, 0x5A5A5A5A, at.ivar().without(cause)])
    at.port.ask("poke", register=regs.IVAR, value=value)


def die_of_aspm(at: Site, _: random.Random) -> None:
    """ASPM is switched on behind the driver until the wire was idle for a moment meanwhile."""
    at.port.fault("aspm", {"idle_ms": 1, "then_ms": DEATH["then_ms"]})
    for _ in range(50):
        at.vm.sh(f"setpci -s {at.vm.nics[1].address} CAP_EXP+10.w=0003:0003")
        if at.port.status()["death"] != "alive":
            return
    raise GuestError("ASPM was always switched off before it could kill")


FAULTS = {
    "IVAR lost": Fault(lose_mapping, silent=True),
    "all messages lost": Fault(switch("messages", {"lose": True}), 1.5, silent=True),
    "some messages lost": Fault(
        lambda at, dice: at.port.fault("messages", {"lose": True, "count": dice.randint(1, 20)})
    ),
    "messages twice": Fault(switch("messages", {"duplicate": True, "count": 200})),
    "MDIC timeout": Fault(mdic("timeout"), silent=True),
    "MDIC error": Fault(mdic("error"), silent=True),
    "MDIC stuck READY": Fault(mdic("stuck")),
    "MDIC wrong echo": Fault(mdic("echo"), silent=True),
    "MDIO semaphore kept": Fault(switch("semaphores", {"mdio": True}), 2, silent=True),
    "SWSM semaphore kept": Fault(switch("semaphores", {"swsm": True}), 1),
    "NVM checksum wrong once": Fault(switch("nvm", {"wrong": 1})),
    "NVM checksum wrong": Fault(switch("nvm", {"wrong": 0}), 1),
    "transmit hang": Fault(switch("tx_hang", True), 3, silent=True),
    "link flap": Fault(lambda at, _: at.port.link(False), 0.3),
    "PHY hang": Fault(switch("phy_hang", True), 3, silent=True),
    "descriptors late": Fault(descriptors("late", 50)),
    "descriptors out of order": Fault(descriptors("order")),
    "descriptors of 65535 bytes": Fault(descriptors("length")),
    "descriptors of 0 bytes": Fault(descriptors("empty")),
    "descriptors' reserved bits": Fault(descriptors("reserved")),
    "ASPM death": Fault(die_of_aspm, 3, silent=True, gone=True),
}


@dataclass
class Score:
    """What became of one fault."""

    times: int = 0
    noticed: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    # Ends with another kind of interrupt than MSI-X.
    degraded: int = 0

    def cells(self) -> list[str]:
        """For the table."""
        late = f"{max(self.noticed):.1f}" if self.noticed else "-"
        back = (
            f"{statistics.median(self.back):.1f} / {max(self.back):.1f}" if self.back else "never"
        )
        return [
            str(self.times),
            str(len(self.noticed)),
            late,
            back,
            str(self.degraded),
            str(len(self.bad)),
        ]


class Campaign:
    """The port with traffic on it, hurt again and again."""

    def __init__(self, at: Site, seed: int) -> None:
        self.at, self.vm, self.seed = at, at.vm, seed
        self.scores: dict[str, Score] = {}

    def remember(self) -> float:
        """Notes the counters for `noticed`; returns the guest's time."""
        return float(self.vm.sh(f"{COUNTERS} >/tmp/before; cut -d' ' -f1 /proc/uptime"))

    def noticed(self, mark: int, begun: float, seconds: float) -> float | None:
        """Seconds until the driver said something, or those if it has only counted something.

        None if it has done neither.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            said, _ = self.at.said(mark, begun)
            if said is not None:
                return said
            time.sleep(0.05)
        unchanged = self.vm.try_sh(f"{COUNTERS} | cmp -s /tmp/before -") == 0
        return None if unchanged else seconds

    def once(self, name: str, dice: random.Random) -> None:
        """One injection."""
        at, fault, score = self.at, FAULTS[name], self.scores.setdefault(name, Score())
        score.times += 1
        told = len(score.bad)
        mark = self.vm.sync_log()
        time.sleep(0.1 + dice.random() / 2)
        begun = self.remember()
        fault.begin(at, dice)
        end = time.monotonic() + dice.uniform(0, fault.lasts)
        noticed = self.noticed(mark, begun, LIMIT if fault.silent else 0.2)
        time.sleep(max(0.0, end - time.monotonic()))
        if fault.gone:
            self.vm.until(lambda: at.port.status()["death"] == "gone", 10, "the device is gone")
            with contextlib.suppress(GuestError):
                at.wait_carrier("eth1", False, 5)
            if at.carrier():
                score.bad.append("the carrier is on while the device is gone")
        if noticed is not None:
            score.noticed.append(noticed)
            if fault.silent and noticed > LIMIT:
                score.bad.append(f"noticed after {noticed:.1f} s only")
        elif fault.silent:
            score.bad.append(f"not noticed within {LIMIT} s")
        at.port.clear()
        if fault.gone:
            at.port.fault("aspm", {"idle_ms": 0})  # which revives it
        at.port.link(True)
        ended = time.monotonic()
        try:
            at.wait_answer(f"ip netns exec peer ping -q -c1 -W1 {HERE}")
            at.wait_answer(f"ping -q -c1 -W1 {PEER}")
            score.back.append(time.monotonic() - ended)
            if score.back[-1] > PATIENCE or not at.carrier():
                score.bad.append(f"back after {score.back[-1]:.0f} s")
        except GuestError as error:
            score.bad.append(f"traffic is not back: {error}")
            self.vm.sh("ip link set eth1 down; ip link set eth1 up")
            at.wait_carrier("eth1", True)
        trouble = [line for line in self.vm.log(mark).splitlines() if TROUBLE.search(line)]
        score.bad += trouble
        if (mode := self.mode()) != "msix":
            # It lives, but by less than it could: told, and mended for the next fault.
            score.degraded += 1
            self.vm.sh("ip link set eth1 down; ip link set eth1 up")
            at.wait_carrier("eth1", True)
            if self.mode() != "msix":
                score.bad.append(f"left with {mode}")
        for line in score.bad[told:]:
            print(f"{name}, {score.times}: {line}", flush=True)

    def mode(self) -> str:
        """How the port interrupts."""
        modes = self.vm.sh(f"cat {self.at.device}/msi_irqs/* 2>/dev/null || echo intx").split()
        return modes[0]

    def run(self, times: int, names: list[str], until: float = float("inf")) -> None:
        """All of them in turn, in an order that the seed decides; stops at `until`."""
        for number in range(times):
            dice = random.Random(f"{self.seed} {number}")
            for name in dice.sample(names, len(names)):
                if time.monotonic() > until:
                    return
                self.once(name, dice)
            print(f"campaign: {number + 1} of {times} times", file=sys.stderr, flush=True)


def campaign(
    vm: VM, times: int, seed: int, names: list[str], until: float = float("inf")
) -> tuple[dict[str, Score], list[str]]:
    """Runs it on our driver; returns what became of each fault, and what is wrong as a whole."""
    at = Site(vm, "rust")
    # Once before, so that what the kernel keeps for the next time is there.
    at.load()
    at.alone()
    at.unload()
    free = vm.meminfo()["MemAvailable"]
    at.load()
    at.alone()
    campaign = Campaign(at, seed)
    wrong = []
    with (
        vm.background(f"ping -q -i 0.05 {PEER}"),
        vm.background(f"ip netns exec peer ping -q -i 0.05 {HERE}"),
    ):
        try:
            campaign.run(times, names, until)
        except GuestError as error:
            wrong.append(f"ended early: {error}")
    mark = vm.sync_log()
    at.unload()
    less = free - vm.meminfo()["MemAvailable"]
    if less > LEAK:
        wrong.append(f"{less} KiB less memory than before")
    wrong += [line for line in vm.log(mark).splitlines() if TROUBLE.search(line)]
    return campaign.scores, wrong
