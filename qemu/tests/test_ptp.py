# SPDX-License-Identifier: GPL-2.0
"""The device's clock, and the time stamps that it takes of frames.

QEMU's model counts TIMINCA in periods of 16 ns, as an 82576 does, not of the 82574's
40 ns: its clock goes 2.5 times as fast as the driver asks for, and jumps when its
frequency is changed. It latches no time stamps: they are put into the registers from
outside, as the device would, and into the descriptor in memory if the frame is one
received.
"""

import contextlib
import itertools
import re
import time
from collections.abc import Iterator

import pytest
from e1000e_vm import regs
from e1000e_vm.agent import GuestError
from e1000e_vm.net import IN_PEER, Net
from e1000e_vm.vm import VM, Topology

RATE = 2.5
SECOND = 1_000_000_000
INCREMENT = 40 << 18
SHIFT = 18
DEVICE_TIME = 10**18  # some day in 2001: neither the guest's time nor 1970
DESCRIPTOR_DONE, TIME_STAMPED = 1 << 0, 1 << 8
ASKED_FOR = Topology(trace=("e1000e_wrn_no_ts_support",))

NONE, ALL, SOME = 0, 1, 2
V1_L4_EVENT, V1_L4_SYNC, V1_L4_DELAY_REQ = 3, 4, 5
V2_L4_EVENT, V2_L4_SYNC, V2_L4_DELAY_REQ = 6, 7, 8
V2_L2_EVENT, V2_L2_SYNC, V2_L2_DELAY_REQ = 9, 10, 11
V2_EVENT, V2_SYNC, V2_DELAY_REQ, NTP_ALL = 12, 13, 14, 15

# What is asked for: what is set, what the one who asks is told, TSYNCRXCTL's kind, the message
FILTERS = {
    NONE: (NONE, NONE, None, 0),
    ALL: (ALL, ALL, 4, 0),
    V1_L4_EVENT: (ALL, ALL, 4, 0),
    V1_L4_SYNC: (V1_L4_SYNC, V1_L4_SYNC, 1, 0),
    V1_L4_DELAY_REQ: (V1_L4_DELAY_REQ, V1_L4_DELAY_REQ, 1, 1),
    V2_L4_EVENT: (V2_EVENT, V2_EVENT, 5, 0),
    V2_L4_SYNC: (V2_SYNC, SOME, 2, 0),
    V2_L4_DELAY_REQ: (V2_DELAY_REQ, SOME, 2, 1),
    V2_L2_EVENT: (V2_EVENT, V2_EVENT, 5, 0),
    V2_L2_SYNC: (V2_L2_SYNC, SOME, 0, 0),
    V2_L2_DELAY_REQ: (V2_L2_DELAY_REQ, SOME, 0, 1),
    V2_EVENT: (V2_EVENT, V2_EVENT, 5, 0),
    V2_SYNC: (V2_SYNC, SOME, 2, 0),
    V2_DELAY_REQ: (V2_DELAY_REQ, SOME, 2, 1),
    NTP_ALL: (ALL, ALL, 4, 0),
}


class Clock:
    """The clock of nic0."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.told = net.vm.sh("ethtool -T nic0")
        self.number = re.search(r"provider index: (\d+)", self.told)[1]

    def phc(self, words: str) -> str:
        return self.net.vm.sh(f"phc {self.number} {words}")

    def get(self) -> tuple[int, int]:
        """The clock and the guest's, in nanoseconds."""
        clock, system = self.phc("get").split()
        return int(clock), int(system)

    def rate(self, seconds: float = 2) -> float:
        """How fast the clock goes beside the guest's."""
        clock, system = self.get()
        time.sleep(seconds)
        later, now = self.get()
        return (later - clock) / (now - system)

    @contextlib.contextmanager
    def goes_on(self) -> Iterator[None]:
        """What happens meanwhile neither stops the clock nor makes it jump.

        Less than a second may be lost: the system's clock, which stands in for the
        device's over a reset, is the slower one here.
        """
        self.phc(f"set {DEVICE_TIME}")
        clock, system = self.get()
        yield
        later, now = self.get()
        passed = now - system
        assert 0.99 * passed < later - clock < RATE * 1.01 * passed, f"jump: {later - clock}"


@pytest.fixture
def clock(net: Net) -> Clock:
    """The clock of nic0."""
    return Clock(net)


def set_stamps(net: Net, tx: int, rx: int) -> tuple[int, int]:
    tx, rx = net.vm.sh(f"hwstamp set nic0 {tx} {rx}").split()
    return int(tx), int(rx)


def get_stamps(net: Net) -> tuple[int, int]:
    tx, rx = net.vm.sh("hwstamp get nic0").split()
    return int(tx), int(rx)


def increment(net: Net) -> int:
    return net.vm.register(0, regs.TIMINCA)


def test_told(net: Net, clock: Clock) -> None:
    """`ethtool -T` tells of stamps by the device, its filters, and a clock that is there."""
    told = set(clock.told.split())
    assert {"hardware-transmit", "hardware-receive", "hardware-raw-clock"} <= told
    assert {"off", "on", "none", "all"} <= told
    kinds = [f"ptpv2-{layer}{{}}" for layer in ["", "l2-", "l4-"]] + ["ptpv1-l4-{}"]
    assert {kind.format(of) for kind in kinds for of in ["sync", "delay-req"]} <= told
    assert "ptpv2-event" in told
    address = net.vm.sh("cat /sys/class/net/nic0/address").replace(":", "")
    assert net.vm.sh(f"cat /sys/class/ptp/ptp{clock.number}/clock_name") == address
    clocks = net.vm.sh(f"ls {net.device}/ptp").split()
    assert clocks == [f"ptp{clock.number}"]


@pytest.mark.rust
def test_starts_at_the_time_of_day(net: Net, clock: Clock) -> None:
    """At first it tells the system's time, but for its rate since."""
    assert increment(net) == 1 << 24 | INCREMENT
    clock_now, _ = clock.get()
    assert abs(clock_now / SECOND - float(net.vm.sh("date +%s"))) < 60


def test_rate(net: Net, clock: Clock) -> None:
    """The clock goes evenly, and faster or slower when told so, to the step."""
    nominal = clock.rate()
    assert nominal == pytest.approx(RATE, rel=0.01)
    for ppm in [100_000, -100_000, 400_000, 0]:
        clock.phc(f"frequency {ppm}")
        wanted = INCREMENT + INCREMENT * ppm // 1_000_000
        assert abs((increment(net) & 0xFFFFFF) - wanted) <= 1
        assert clock.rate() == pytest.approx(RATE * (1 + ppm / 1e6), rel=0.01)
    assert net.vm.try_sh(f"phc {clock.number} frequency 600001") != 0
    assert increment(net) & 0xFFFFFF == INCREMENT


def test_set_and_shift(clock: Clock) -> None:
    """The clock is set, and put forward and back."""
    clock.phc(f"set {DEVICE_TIME}")
    first, _ = clock.get()
    assert 0 <= first - DEVICE_TIME < 10 * SECOND
    for delta in [1000 * SECOND, -500 * SECOND]:
        before, system = clock.get()
        clock.phc(f"shift {delta}")
        after, now = clock.get()
        assert 0 <= after - before - delta < RATE * 1.1 * (now - system)


@pytest.mark.rust
@pytest.mark.topology(Topology(smp=1, icount="shift=0,sleep=off"))
def test_runs_over(net: Net, clock: Clock) -> None:
    """A clock that nobody has frames stamped by is looked after too, before it runs over."""
    quarter = 1 << 62
    first, _ = clock.get()
    for _ in range(3):
        # The guest's time jumps while it sleeps.
        net.vm.sh("sleep 70")
        net.vm.set_register(0, regs.TIMADJL, 0)
        net.vm.set_register(0, regs.TIMADJH, quarter >> 32)
    last, _ = clock.get()
    assert 0 <= last - first - 3 * (quarter >> SHIFT) < RATE * 300 * SECOND


def test_samples(clock: Clock) -> None:
    """Each read lies between two of the system's clock, and later than the one before."""
    rows = [tuple(map(int, line.split())) for line in clock.phc("samples 25").splitlines()]
    assert len(rows) == 25
    for before, _, after in rows:
        assert 0 <= after - before < SECOND
    for (_, first, ended), (begun, second, _) in itertools.pairwise(rows):
        assert second > first
        assert begun >= ended


@pytest.mark.rust
@pytest.mark.parametrize(
    "words",
    [
        "ip link set nic0 down; ip link set nic0 up",
        "ip link set nic0 down; sleep 2; ip link set nic0 up",
        "ethtool -G nic0 rx 512",
        "ip link set nic0 mtu 4000; ip link set nic0 mtu 1500",
        "ethtool -t nic0 offline",
    ],
    ids=["down", "long-down", "rings", "mtu", "self-test"],
)
def test_goes_on(net: Net, clock: Clock, words: str) -> None:
    """The clock and its frequency outlive resets, which set SYSTIM and TIMINCA back."""
    clock.phc("frequency 1000")
    wanted = increment(net)
    with clock.goes_on():
        net.vm.sh(words)
        net.up_again()
    assert increment(net) == wanted
    clock.phc("frequency 0")
    assert clock.rate() == pytest.approx(RATE, rel=0.01)


@pytest.mark.rust
@pytest.mark.parametrize("link", ["up", "down"])
def test_goes_on_over_function_reset(net: Net, clock: Clock, link: str) -> None:
    """The same for a reset of the function, as in sleep, with the interface up and down."""
    net.vm.sh(f"ip link set nic0 {link}")
    with clock.goes_on():
        net.vm.sh(f"echo 1 >{net.device}/reset")
    assert clock.rate() == pytest.approx(RATE, rel=0.01)


@pytest.mark.rust
def test_while_down(net: Net, clock: Clock) -> None:
    """With the interface down the clock is read, set and tuned all the same."""
    net.vm.sh("ip link set nic0 down")
    # In this order: the model's clock jumps when its frequency is changed.
    clock.phc("frequency 100000")
    _, before = clock.get()
    clock.phc(f"set {DEVICE_TIME}")
    assert clock.rate() == pytest.approx(RATE * 1.1, rel=0.01)
    later, now = clock.get()
    assert 0 <= later - DEVICE_TIME < RATE * 1.2 * (now - before)


@pytest.mark.rust
def test_filters(net: Net) -> None:
    """Every filter: what is set, what is told, and what the device is told."""
    for rx, (kept, told, kind, message) in FILTERS.items():
        assert set_stamps(net, 1, rx) == (1, told), rx
        assert get_stamps(net) == (1, kept), rx
        # As drivers/net/hw/nic_timestamp.py of the kernel's selftests has it.
        assert kept >= rx or rx in (V1_L4_EVENT, NTP_ALL)
        control = net.vm.register(0, regs.TSYNCRXCTL)
        assert bool(control & regs.TSYNC_EN) == (kind is not None), rx
        if kind is not None:
            assert control >> 1 & 7 == kind, rx
            assert net.vm.register(0, regs.RXMTRL) == message << 24 | message << 16 | 0x88F7
            assert net.vm.register(0, regs.RXUDP) == 0x3F01
    assert net.vm.register(0, regs.TSYNCTXCTL) & regs.TSYNC_EN
    assert set_stamps(net, 0, NONE) == (0, NONE)
    assert not net.vm.register(0, regs.TSYNCTXCTL) & regs.TSYNC_EN
    for tx, rx in [(2, NONE), (3, NONE), (1, SOME), (1, 16)]:
        assert net.vm.try_sh(f"hwstamp set nic0 {tx} {rx}") != 0
    assert get_stamps(net) == (0, NONE)


@pytest.mark.rust
@pytest.mark.parametrize(
    "words",
    [
        "ethtool -G nic0 rx 512",
        "ip link set nic0 mtu 4000; ip link set nic0 mtu 1500",
        "ip link set nic0 down; ip link set nic0 up",
    ],
    ids=["rings", "mtu", "down"],
)
def test_filters_survive(net: Net, words: str) -> None:
    """What is stamped is kept over resets."""
    set_stamps(net, 1, V2_EVENT)
    net.vm.sh(words)
    net.up_again()
    assert get_stamps(net) == (1, V2_EVENT)
    assert net.vm.register(0, regs.TSYNCRXCTL) & ~1 == regs.TSYNC_EN | 5 << 1
    assert net.vm.register(0, regs.TSYNCTXCTL) & regs.TSYNC_EN


@pytest.mark.rust
def test_filters_while_down(net: Net) -> None:
    """What is set while the interface is down is there when it comes up."""
    net.vm.sh("ip link set nic0 down")
    set_stamps(net, 1, ALL)
    net.up_again()
    assert net.vm.register(0, regs.TSYNCRXCTL) & ~1 == regs.TSYNC_EN | 4 << 1


def asked_for(vm: VM) -> int:
    """How many descriptors have asked the device for a stamp so far."""
    return vm.trace.read_text(errors="replace").count("e1000e_wrn_no_ts_support")


@pytest.mark.rust
@pytest.mark.topology(ASKED_FOR)
def test_sent_in_vain(net: Net) -> None:
    """A stamp that does not come is given up after a second; others go without meanwhile."""
    set_stamps(net, 1, NONE)
    before, seen = net.counters(), asked_for(net.vm)
    sent = net.vm.sh("hwstamp send nic0 3").split()
    assert sent == ["none"] * 3
    after = net.counters()
    assert after["tx_hwtstamp_timeouts"] - before["tx_hwtstamp_timeouts"] == 1
    assert after["tx_hwtstamp_skipped"] - before["tx_hwtstamp_skipped"] == 2
    assert asked_for(net.vm) - seen == 1
    # By now it cannot come any more: the next is stamped again, if there is something to take.
    assert net.vm.sh("hwstamp send nic0 1") == "none"
    assert asked_for(net.vm) - seen == 2
    # Frames of those who do not ask, and all while it is off, are left alone.
    net.check_ping()
    set_stamps(net, 0, NONE)
    assert net.vm.sh("hwstamp send nic0 1") == "none"
    assert asked_for(net.vm) - seen == 2
    assert net.counters()["tx_hwtstamp_skipped"] == after["tx_hwtstamp_skipped"]


def systim(vm: VM) -> int:
    """SYSTIM from outside; the read of the low half latches the high one."""
    low = vm.register(0, regs.SYSTIML)
    return vm.register(0, regs.SYSTIMH) << 32 | low


def latch(vm: VM, control: int, low: int) -> None:
    """Put SYSTIM into the stamp register at `low`, and say so in that at `control`."""
    now = systim(vm)
    vm.set_register(0, low, now & 0xFFFFFFFF)
    vm.set_register(0, low + 4, now >> 32)
    assert (vm.register(0, low + 4) << 32 | vm.register(0, low)) == now
    vm.set_register(0, control, vm.register(0, control) | regs.TSYNC_VALID)


@pytest.mark.rust
@pytest.mark.topology(ASKED_FOR)
def test_sent(net: Net, clock: Clock) -> None:
    """The stamp that the device takes goes to the one who sent the frame."""
    set_stamps(net, 1, NONE)
    clock.phc(f"set {DEVICE_TIME}")
    counters = net.counters()
    for _ in range(3):
        seen = asked_for(net.vm)
        before, _ = clock.get()
        with net.vm.background("hwstamp send nic0 1") as sender:
            net.vm.until(lambda seen=seen: asked_for(net.vm) > seen, 5, "a frame to be stamped")
            latch(net.vm, regs.TSYNCTXCTL, regs.TXSTMPL)
            stamp = int(sender.wait(10).stdout)
        after, _ = clock.get()
        assert before < stamp < after
    unchanged = net.counters()
    for name in ["tx_hwtstamp_timeouts", "tx_hwtstamp_skipped"]:
        assert unchanged[name] == counters[name]


@pytest.mark.rust
@pytest.mark.topology(ASKED_FOR)
def test_sent_late(net: Net, clock: Clock) -> None:
    """A stamp that comes when it has been given up goes to nobody, nor to the next frame."""
    set_stamps(net, 1, NONE)
    clock.phc(f"set {DEVICE_TIME}")
    before, seen = net.counters(), asked_for(net.vm)

    def skipped() -> int:
        return net.counters()["tx_hwtstamp_skipped"] - before["tx_hwtstamp_skipped"]

    # The second while the first has just been given up, after a second.
    with net.vm.background("hwstamp send nic0 2 1500") as sender:
        net.vm.until(lambda: skipped() or asked_for(net.vm) - seen == 2, 10, "the second frame")
        latch(net.vm, regs.TSYNCTXCTL, regs.TXSTMPL)
        assert sender.wait(20).stdout.split() == ["none"] * 2
    assert (asked_for(net.vm) - seen, skipped()) == (1, 1)
    after = net.counters()
    assert after["tx_hwtstamp_timeouts"] - before["tx_hwtstamp_timeouts"] == 1
    # It was cleared, and the next is stamped.
    assert not net.vm.register(0, regs.TSYNCTXCTL) & regs.TSYNC_VALID
    earliest, _ = clock.get()
    with net.vm.background("hwstamp send nic0 1") as sender:
        net.vm.until(lambda: asked_for(net.vm) - seen == 2, 5, "a frame to be stamped")
        latch(net.vm, regs.TSYNCTXCTL, regs.TXSTMPL)
        assert int(sender.wait(10).stdout) > earliest


def descriptor(vm: VM, place: int) -> int:
    """Where nic0's receive descriptor at `place` is: guest memory, as there is no IOMMU."""
    base = vm.register(0, regs.RDBAH) << 32 | vm.register(0, regs.RDBAL)
    return base + 16 * place


def stamp_next_frame(vm: VM) -> None:
    """Mark a frame that comes to nic0 as stamped before the driver sees it.

    Without interrupts it waits in memory until the driver's next look, twice a second. The
    driver may be faster nevertheless: then the frame comes without a stamp.
    """
    vm.set_register(0, regs.IMC, 0xFFFFFFFF)
    head = vm.register(0, regs.RDH)
    vm.until(lambda: vm.register(0, regs.RDH) != head, 10, "a frame")
    vm.qmp("stop")
    try:
        status = descriptor(vm, head) + 8
        if vm.qtest.readl(status) & DESCRIPTOR_DONE:
            vm.qtest.writel(status, vm.qtest.readl(status) | TIME_STAMPED)
            latch(vm, regs.TSYNCRXCTL, regs.RXSTMPL)
    finally:
        vm.qmp("cont")


@pytest.mark.rust
@pytest.mark.topology(Topology(cmdline="intel_iommu=off"))
def test_received(net: Net, clock: Clock) -> None:
    """The stamp of a frame received comes with it, and frames without one come without."""
    set_stamps(net, 0, V2_EVENT)
    clock.phc(f"set {DEVICE_TIME}")
    with net.vm.background("exec hwstamp receive nic0 1000 >/tmp/stamps"):
        net.vm.until(lambda: net.vm.try_sh("grep -q ready /tmp/stamps") == 0, 20, "the receiver")

        def received() -> list[str]:
            return net.vm.sh("cat /tmp/stamps").split()[1:]

        net.vm.sh(f"{IN_PEER}hwstamp plain nic1 3")
        net.vm.until(lambda: len(received()) == 3, 10, "frames without a stamp")
        assert received() == ["none"] * 3

        def stamps() -> list[int]:
            return [int(stamp) for stamp in received() if stamp != "none"]

        before, _ = clock.get()
        with net.vm.background(f"exec {IN_PEER}hwstamp plain nic1 600 200"):
            for _ in range(30):
                seen = len(stamps())
                stamp_next_frame(net.vm)
                # One at a time: the model does not drop a stamp as it is read.
                with contextlib.suppress(GuestError):
                    net.vm.until(lambda seen=seen: len(stamps()) > seen, 2, "the frame")
                if len(stamps()) == 3:
                    break
        after, _ = clock.get()
    assert len(found := stamps()) == 3, "no frames came with their stamps"
    assert before < found[0]
    assert found == sorted(set(found))
    assert found[-1] < after


@pytest.mark.rust
def test_forgotten(net: Net) -> None:
    """A stamp that nobody fetches is cleared, to let others in."""
    set_stamps(net, 0, V2_EVENT)
    latch(net.vm, regs.TSYNCRXCTL, regs.RXSTMPL)
    net.vm.until(lambda: net.counters()["rx_hwtstamp_cleared"], 10, "a stamp cleared")
    net.check_ping()


HOLD = """
rm -f /tmp/go; mkfifo /tmp/go
phc {number} hold </tmp/go >/tmp/times & holder=$!
exec 3>/tmp/go
echo >&3
until [ "$(wc -l </tmp/times)" = 2 ]; do usleep 20000; done
{remove}
echo >&3
wait $holder || echo $?
"""
ENODEV = "19"


@pytest.mark.rust
@pytest.mark.parametrize("how", ["unload", "unbind", "remove"])
def test_held(net: Net, clock: Clock, how: str) -> None:
    """The driver goes while the clock is open: who has it open is told so, and no more."""
    remove = {
        "unload": f"rmmod {net.module}",
        "unbind": f"echo {net.vm.nics[0].address} >{net.device}/driver/unbind",
        "remove": f"echo 1 >{net.device}/remove",
    }
    for _ in range(3):
        script = HOLD.format(number=clock.number, remove=remove[how])
        assert net.vm.sh(script) == ENODEV
        net.vm.sh("echo 1 >/sys/bus/pci/rescan")
        net.unload()
        net.load()
        clock = Clock(net)
    # What was removed once wakes nobody: the firmware does not know it again.
    net.vm.spent = how == "remove"


@pytest.mark.rust
def test_read_beside_reload(net: Net) -> None:
    """Somebody reads all clocks on and on while the driver comes and goes."""
    reader = "while :; do for c in /dev/ptp*; do phc ${c#/dev/ptp} samples 25; done; done"
    with net.vm.background(f"({reader}) >/dev/null 2>&1"):
        for _ in range(5):
            net.unload()
            net.load()
    net.check_ping()
    assert Clock(net).rate() == pytest.approx(RATE, rel=0.01)


@pytest.mark.rust
def test_cut_off(net: Net, clock: Clock) -> None:
    """A device that does not answer has no time to tell; it goes on when it does."""
    address = net.vm.nics[0].address
    with clock.goes_on():
        net.vm.sh(f"setpci -s {address} COMMAND=0:6")
        for words in ["get", "samples 1", "frequency 1", f"set {DEVICE_TIME}", "shift 1"]:
            result = net.vm.agent.run(f"phc {clock.number} {words}", check=False)
            assert str(result.status) == ENODEV, words
        net.wait_carrier(False, 5)
        net.vm.sh(f"setpci -s {address} COMMAND=6:6")
        net.wait_carrier(True)
    assert clock.rate() == pytest.approx(RATE, rel=0.01)
