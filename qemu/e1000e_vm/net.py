# SPDX-License-Identifier: GPL-2.0
"""Two interfaces of one driver in a guest, wired to each other, and their traffic."""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from . import regs
from .agent import GuestError
from .vm import VM

MODULES = {"rust": "e1000e_rust", "c": "e1000e"}
HERE, PEER = "10.0.0.1", "10.0.0.2"
HERE6, PEER6 = "fd00::1", "fd00::2"
# aspm_result of `ethtool -S`
ASPM_RESULTS = ["not applicable", "off by the PCI core", "cleared directly", "left alone", "failed"]
IN_PEER = "ip netns exec peer "
# Connections from before a break would wait too long before they try again. iperf3 is not
# asked to end: 3.18 may wait for ever for a lock of its own when that comes as it starts.
TRAFFIC_ANEW = "killall -KILL iperf3 || true"


@dataclass(frozen=True)
class Ping:
    """What ping found."""

    sent: int
    received: int
    average_ms: float | None


class Net:
    """The pair: nic0 here (10.0.0.1), nic1 in network namespace peer (10.0.0.2)."""

    def __init__(self, vm: VM, driver: str) -> None:
        self.vm, self.driver, self.module = vm, driver, MODULES[driver]
        self.device = f"/sys/bus/pci/devices/{vm.nics[0].address}"

    # Driver

    def load(self, parameters: str = "") -> None:
        """Load the module, configure both ends and wait for their carriers."""
        self.vm.sh(f"net-up {self.driver} {parameters}")

    def unload(self) -> None:
        """Remove the module, if it is there."""
        self.vm.sh(f"[ ! -d /sys/module/{self.module} ] || rmmod {self.module}")

    def bound(self) -> bool:
        """Whether the driver is bound to the first device."""
        return self.vm.try_sh(f"readlink {self.device}/driver | grep -q '/{self.module}$'") == 0

    def vectors(self) -> int:
        """Interrupt vectors that the first device has been given."""
        return int(self.vm.sh(f"ls {self.device}/msi_irqs 2>/dev/null | wc -l"))

    def interrupt_mode(self) -> str:
        """How the first device interrupts: msix, msi or intx."""
        modes = set(self.vm.sh(f"cat {self.device}/msi_irqs/* 2>/dev/null || true").split())
        return modes.pop() if modes else "intx"

    def ivar(self) -> regs.Ivar:
        """The interrupt mapping as the first device has it, seen from outside."""
        return regs.Ivar(self.vm.register(0, regs.IVAR))

    # State

    def counters(self) -> dict[str, int]:
        """`ethtool -S` of nic0."""
        found = re.findall(r"^\s*(\S+): (\d+)$", self.vm.sh("ethtool -S nic0"), re.MULTILINE)
        return {name: int(value) for name, value in found}

    def carrier(self) -> bool:
        """Whether nic0 has a carrier."""
        return self.vm.sh("cat /sys/class/net/nic0/carrier") == "1"

    def wait_carrier(self, wanted: bool, timeout: float = 20) -> None:
        """Wait until nic0's carrier is as wanted."""
        self.vm.until(
            lambda: self.carrier() == wanted, timeout, f"carrier {'on' if wanted else 'off'}"
        )

    def carrier_changes(self) -> int:
        """How often nic0's carrier has changed."""
        return int(self.vm.sh("cat /sys/class/net/nic0/carrier_changes"))

    def packets(self) -> tuple[int, int]:
        """Packets that nic0 has received and sent."""
        received, sent = self.vm.sh(
            "cd /sys/class/net/nic0/statistics; cat rx_packets tx_packets"
        ).split()
        return int(received), int(sent)

    # Traffic

    def ping(
        self, count: int = 20, interval: float = 0.02, options: str = "", host: str = PEER
    ) -> Ping:
        """Ping the peer."""
        result = self.vm.agent.run(
            f"ping -q -c {count} -i {interval} -W 1 {options} {host}",
            count * (interval + 1) + 30,
            check=False,
        )
        numbers = re.search(r"(\d+) packets transmitted, (\d+) received", result.stdout)
        if not numbers:
            raise GuestError(f"ping said: {result.stdout}{result.stderr}")
        average = re.search(r"= [\d.]+/([\d.]+)/", result.stdout)
        return Ping(int(numbers[1]), int(numbers[2]), float(average[1]) if average else None)

    def check_ping(self, count: int = 20, options: str = "", host: str = PEER) -> None:
        """Every echo must come back."""
        ping = self.ping(count, options=options, host=host)
        assert ping.received == ping.sent == count, f"{ping.sent - ping.received} pings lost"

    def wait_ping(self, timeout: float = 30, host: str = PEER) -> float:
        """Wait for a first echo; return the time it took, in guest seconds."""
        script = (
            f"start=$(cut -d' ' -f1 /proc/uptime); until ping -q -c1 -W1 {host} >/dev/null; "
            "do :; done; echo $start $(cut -d' ' -f1 /proc/uptime)"
        )
        start, end = self.vm.sh(script, timeout).split()
        return float(end) - float(start)

    def iperf(self, seconds: float = 3, options: str = "", size: str = "") -> float:
        """TCP throughput to the peer as its receiver saw it, in Mbit/s; -R turns it round.

        For so many seconds, or until `size` bytes are through.
        """
        end = f"-n {size}" if size else f"-t {seconds}"
        server = f"{IN_PEER} iperf3 -s -1 -p 5202"
        with self.vm.background(server):
            self._listening(5202)
            report = json.loads(
                self.vm.sh(f"iperf3 -J -c {PEER} -p 5202 {end} {options}", seconds + 200)
            )
        return report["end"]["sum_received"]["bits_per_second"] / 1e6

    def _listening(self, port: int) -> None:
        self.vm.sh(
            f"until {IN_PEER} ss -Hltn 'sport = :{port}' | grep -q .; do usleep 20000; done", 20
        )

    @contextlib.contextmanager
    def heavy(self) -> Iterator[None]:
        """TCP both ways at full speed, begun anew whenever it breaks."""
        with (
            self.vm.background(f"{IN_PEER} sh -c 'while :; do iperf3 -s -1; done'"),
            self.vm.background(
                f"while :; do iperf3 --bidir -t 3600 -c {PEER}; usleep 100000; done"
            ),
        ):
            self.wait_traffic()
            yield

    @contextlib.contextmanager
    def light(self) -> Iterator[None]:
        """Some ten pings a second."""
        with self.vm.background(f"ping -q -i 0.1 {PEER}"):
            yield

    def wait_traffic(self, packets: int = 500, timeout: float = 60) -> float:
        """Wait until nic0 has received and sent that many packets more."""
        start, begun = self.packets(), time.monotonic()

        def flows() -> bool:
            return all(
                now - then >= packets for now, then in zip(self.packets(), start, strict=True)
            )

        self.vm.until(flows, timeout, f"{packets} packets each way")
        return time.monotonic() - begun

    def stream(
        self,
        size: int,
        how: str = "write",
        reverse: bool = False,
        ipv6: bool = False,
        timeout: float = 900,
    ) -> None:
        """Send a stream and have every byte checked; `reverse` sends to nic0."""
        here, peer = (HERE6, PEER6) if ipv6 else (HERE, PEER)
        target, port = (here, 5001) if reverse else (peer, 5000)
        receiver, sender = ("", IN_PEER) if reverse else (IN_PEER, "")
        with self.vm.background(f"{receiver}wire stream-receive {target} {port} {size}") as end:
            self.vm.sh(f"{sender}wire stream-send {target} {port} {size} --how={how}", timeout)
            end.wait(60)

    @contextlib.contextmanager
    def echo(self) -> Iterator[None]:
        """A peer that sends frames and datagrams back."""
        with (
            self.vm.background(f"{IN_PEER}wire echo-raw nic1"),
            self.vm.background(f"{IN_PEER}wire echo-udp {PEER} 7"),
            self.vm.background(f"{IN_PEER}wire echo-udp {PEER6} 7"),
        ):
            self._bound_echo()
            yield

    def _bound_echo(self) -> None:
        self.vm.sh(
            f"until [ $({IN_PEER} ss -Huan 'sport = :7' | wc -l) = 2 ] && "
            f"{IN_PEER} ss -H0 | grep -q :nic1; do usleep 50000; done",
            30,
        )

    def sizes_raw(self, first: int, last: int, step: int = 1, timeout: float = 300) -> None:
        """Frames of those sizes, there and back, every byte checked."""
        self.vm.sh(
            f"wire sizes-raw nic0 $({IN_PEER} cat /sys/class/net/nic1/address) "
            f"{first} {last} {step}",
            timeout,
        )

    def sizes_udp(
        self, first: int, last: int, step: int = 1, host: str = PEER, timeout: float = 300
    ) -> None:
        """Datagrams of those sizes, there and back, every byte checked."""
        # Large frames that wait for the neighbour would push each other out of its queue.
        self.check_ping(1, host=host)
        self.vm.sh(f"wire sizes-udp {host} 7 {first} {last} {step}", timeout)

    def set_mtu(self, mtu: int) -> None:
        """Set the MTU of both ends, and wait until they have a carrier."""
        self.vm.sh(f"ip link set nic0 mtu {mtu}; ip -n peer link set nic1 mtu {mtu}")
        self.up_again()

    def features(self, words: str) -> None:
        """`ethtool -K` on both ends, which must take it, and carriers again."""
        self.vm.sh(f"ethtool -K nic0 {words}; {IN_PEER} ethtool -K nic1 {words}")
        self.up_again()

    def up_again(self) -> None:
        """Wait for both carriers, after what may have reset the devices."""
        self.vm.sh(f"net-up {self.driver}")
