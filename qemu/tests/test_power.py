# SPDX-License-Identifier: GPL-2.0
"""Sleep, resets and errors of the bus: what they undo is done again."""

from collections.abc import Callable

import pytest
from e1000e_vm.net import IN_PEER, PEER, TRAFFIC_ANEW, Net
from e1000e_vm.vm import Topology

# Guest seconds until a ping is answered.
BACK = 3.0


def check_after(net: Net, what: Callable[[], object]) -> None:
    """After `what`, frames flow again in time, ASPM is off, and every cause has its vector."""
    what()
    assert net.wait_ping() <= BACK
    assert net.vm.sh(f"cat {net.device}/link/l0s_aspm") == "0"
    assert net.ivar().faults(net.vectors()) == []


LOADS = {
    "light": f"ping -q -i 0.1 {PEER}",
    "heavy": f"while :; do {IN_PEER} iperf3 -s -1; done & "
    f"while :; do iperf3 --bidir -t 3600 -c {PEER}; usleep 100000; done",
}


def script(net: Net, times: int) -> str:
    """Sleep so often; tell for each time from when to when no ping was answered, and ASPM.

    Ends with the first time that nothing comes back.
    """
    return (
        f"for i in $(seq {times}); do echo mem >/sys/power/state || echo cannot sleep; "
        "start=$(cut -d' ' -f1 /proc/uptime); tries=10; "
        f"until ping -q -c1 -W1 {PEER} >/dev/null; do "
        "[ $((tries -= 1)) -gt 0 ] || break 2; done; "
        f"echo back $start $(cut -d' ' -f1 /proc/uptime) $(cat {net.device}/link/l0s_aspm); done"
    )


def check_told(net: Net, told: str, times: int) -> None:
    """What the script has told must be good each time."""
    lines = [line.split() for line in told.splitlines()]
    assert [line[0] for line in lines] == ["back"] * times
    for _, start, end, l0s in lines:
        assert float(end) - float(start) <= BACK
        assert l0s == "0"
    assert net.ivar().faults(5 if net.driver == "rust" else 3) == []


@pytest.mark.parametrize("load", LOADS)
def test_sleep(net: Net, load: str) -> None:
    """Twenty times all devices are suspended and resumed, under traffic.

    Only the devices: the processor and the firmware have no part in it (`pm_test`).
    """
    net.vm.sh("echo devices >/sys/power/pm_test")
    net.vm.sh("echo 1 >/sys/module/suspend/parameters/pm_test_delay")
    told = net.vm.last_sh(
        f"setsid sh -c '{LOADS[load]}' >/dev/null 2>&1 & load=$!; sleep 2; "
        f"{script(net, 20)}; kill -TERM -$load",
        400,
    )
    check_told(net, told, 20)


def test_sleep_while_down(net: Net) -> None:
    """An interface that is down sleeps too, and comes up afterwards."""
    told = net.vm.last_sh(
        "echo devices >/sys/power/pm_test; ip link set nic0 down; echo mem >/sys/power/state; "
        f"net-up {net.driver}; ping -q -c 5 {PEER} | grep -o '5 received'",
        60,
    )
    assert told == "5 received"


@pytest.mark.topology(Topology(wrapped=True))
def test_suspend_to_ram(net: Net) -> None:
    """The whole machine sleeps (S3) and wakes up."""

    def wake() -> None:
        net.vm.wait_event("SUSPEND", 60)
        net.vm.qmp("system_wakeup")

    net.vm.sh("echo none >/sys/power/pm_test")
    check_told(net, net.vm.last_sh(script(net, 1), 60, wake), 1)


@pytest.mark.parametrize("load", ["light", "heavy"])
def test_function_reset(net: Net, load: str) -> None:
    """Twenty times `reset` in sysfs, under traffic."""
    with getattr(net, load)():
        for _ in range(20):
            check_after(net, lambda: net.vm.sh(f"echo 1 >{net.device}/reset"))
        net.vm.sh(TRAFFIC_ANEW)
    net.check_ping()


def test_function_reset_while_down(net: Net) -> None:
    """A reset while the interface is down does no harm."""
    net.vm.sh(f"ip link set nic0 down; echo 1 >{net.device}/reset")
    net.up_again()
    net.check_ping()


# At its default speed QEMU's port does not tell that the link is back.
@pytest.mark.topology(Topology(port_speed="2_5"))
@pytest.mark.parametrize("load", ["light", "heavy"])
@pytest.mark.parametrize(("kind", "error"), [("non-fatal", "COMP_TIME"), ("fatal", "DLP")])
def test_aer(net: Net, load: str, kind: str, error: str) -> None:
    """Errors that the port reports by AER are recovered from, under traffic."""

    def inject() -> None:
        since = net.vm.sync_log()
        assert not net.vm.hmp(f"pcie_aer_inject_error rp0 {error}").startswith("Error")
        net.vm.wait_log("AER: device recovery successful", 30, since)

    with getattr(net, load)():
        for _ in range(5):
            check_after(net, inject)
        net.vm.sh(TRAFFIC_ANEW)
    net.check_ping()
