# SPDX-License-Identifier: GPL-2.0
"""The witnesses see what they are there to see."""

from pathlib import Path

import pytest
from conftest import Watch
from e1000e_vm import regs
from e1000e_vm.net import Net
from e1000e_vm.vm import TROUBLE, VM, QemuDiedError, Topology


@pytest.mark.parametrize(
    "line",
    [
        "[    1.0] WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 foo+0x1/0x2",
        "[    1.0] BUG: unable to handle page fault for address: ffff",
        "[    1.0] Oops: general protection fault, probably for non-canonical address",
        "[    1.0] DMA-API: e1000e_rust 0000:01:00.0: device driver failed to check map error",
        "[    1.0] INFO: task kworker/0:1:7 blocked for more than 120 seconds.",
        "[    1.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        "[    1.0] WARNING: possible circular locking dependency detected",
        '[    1.0] irq 16: nobody cared (try booting with the "irqpoll" option)',
    ],
)
def test_trouble_is_known(line: str) -> None:
    """Each kind of trouble is told from the rest of a kernel log."""
    assert TROUBLE.search(line)


@pytest.mark.provokes("BUG: not really")
def test_trouble_is_found(vm: VM, request: pytest.FixtureRequest) -> None:
    """A line of trouble in a guest's log is found, one from before the test is not."""
    vm.sh("echo 'BUG: not really, before' >/dev/kmsg")

    class Unmarked:
        def iter_markers(self, _: str) -> list[pytest.Mark]:
            return []

        def get_closest_marker(self, _: str) -> None:
            return None

    watch = Watch(vm, Unmarked())
    assert watch.faults() == []
    vm.sh("echo 'BUG: not really, now' >/dev/kmsg")
    assert [line.split("] ")[1] for line in watch.faults()] == ["BUG: not really, now"]


@pytest.mark.loses_interrupts
def test_lost_interrupts_are_found(net: Net) -> None:
    """With an empty IVAR the device loses interrupts, and the trace tells of it."""
    before = len(net.vm.lost_interrupts())
    net.vm.set_register(0, regs.IVAR, 0)
    net.ping(3)
    assert len(net.vm.lost_interrupts()) > before


@pytest.mark.parametrize(
    ("value", "vectors", "faults"),
    [
        (0x000C_BA98, 5, []),
        (0x0008_8888, 1, []),
        (0x0000_0000, 5, [f"{cause} is not valid" for cause in regs.CAUSES]),
        (0x000C_BA90, 5, ["RXQ0 is not valid"]),
        (0x000C_BA98, 4, ["OTHER goes to vector 4 of 4"]),
        (0x800A_0908, 3, ["RXQ1 is not valid", "TXQ1 is not valid"]),
    ],
)
def test_ivar_is_judged(value: int, vectors: int, faults: list[str]) -> None:
    """Missing valid bits and vectors that were not allocated are found."""
    assert regs.Ivar(value).faults(vectors) == faults


def test_streams_are_checked(net: Net) -> None:
    """A stream that is cut short is found by its receiver."""
    with net.vm.background("ip netns exec peer wire stream-receive 10.0.0.2 5000 1000001") as end:
        net.vm.sh("wire stream-send 10.0.0.2 5000 1000000")
        assert end.wait(check=False).status == 1


def test_death_of_the_emulator_is_a_failure(tmp_path: Path) -> None:
    """QEMU's end is told with its last words, and the machine can still be closed."""
    with VM(Topology(), tmp_path, None) as vm:
        vm.process.kill()
        with pytest.raises(QemuDiedError, match="QEMU ended with status -9"):
            vm.until(lambda: None, 20, "QEMU's death")
