# SPDX-License-Identifier: GPL-2.0
"""The 82579LM, on our own model of it; its partner is the model of the 82574L."""

import re
import struct
import time
from collections.abc import Iterator

import pytest
from e1000e_vm import regs
from e1000e_vm.model import LM, L, Model, ModelError
from e1000e_vm.net import IN_PEER, MODULES, PEER, Net
from e1000e_vm.vm import VM, Topology

pytestmark = [pytest.mark.rust, pytest.mark.topology(Topology(models=(LM, L)))]

MAGIC = 0x15028086
PHY_RST = 1 << 31
# Registers of the PHY, and what is in them.
EMI_RX_CONFIG, K1 = 0x3412, 1 << 14
# Valid, with an error check, and the model's address; no gigabit.
SMBUS_ADDRESS, OEM_NO_GIGABIT = 0x0080 | 0x0200 | 0x64, 1 << 6
V2_EVENT = 12
# Registers that have another name on the 82574.
STATUS, LINK_UP = 0x0008, 1 << 1
FEXTNVM4, TIPG = 0x0024, 0x0410
FEXTNVM, SW_CONFIG, EXTCNF_SIZE = 0x0028, 1 << 27, 0x0F08
SHRA, RCTL_UPE = 0x5438, 1 << 3
FWSM, PHY_RESET_ALLOWED, ENGINE_RUNS, ENGINE_WRITES = 0x5B54, 1 << 6, 1 << 15, 1 << 24


def test_bind(net: Net) -> None:
    """One MSI, one channel, no PCIe link to tell of; traffic both ways."""
    net.check_ping()
    assert net.interrupt_mode() == "msi"
    log = net.vm.log()
    assert re.search(r"00:19\.0: ASPM: not applicable", log)
    assert re.search(r"00:19\.0: 82579: .*PHY 0x0154009", log)
    assert not re.search(r"00:19\.0: .*PCIe bandwidth", log)
    assert re.search(r"Combined:\s+1$", net.vm.sh("ethtool -l nic0"), re.MULTILINE)
    assert net.vm.try_sh("ethtool -L nic0 combined 2") != 0
    assert net.vm.try_sh("ethtool -X nic0 equal 1 hkey $(ethtool -x nic0 | tail -1)") != 0
    features = net.vm.sh("ethtool -k nic0")
    assert "rx-vlan-filter: off [fixed]" in features
    assert "receive-hashing: off [fixed]" in features
    assert net.vm.try_sh("ethtool --phy-statistics nic0") == 0
    assert net.vm.try_sh("ethtool -d nic0 raw on | wc -c") == 0


def test_restarts(net: Net) -> None:
    """Rings, down and up, unbind and bind: the PHY is reset, and the link comes back."""
    for words in ["ethtool -G nic0 rx 512", "ip link set nic0 down; ip link set nic0 up"]:
        net.vm.sh(words)
        net.wait_carrier(True, 40)
        net.wait_ping(40)
    device = f"/sys/bus/pci/devices/{net.vm.nics[0].address}"
    net.vm.sh(f"echo 1 > {device}/reset || true")
    net.unload()
    net.load()
    net.check_ping()
    assert net.counters()["tails_lost"] == 0


def test_eee(net: Net) -> None:
    """Told, switched off and on, and only what the chip can do is taken."""
    assert "EEE status: " in net.vm.sh("ethtool --show-eee nic0")
    net.vm.sh("ethtool --set-eee nic0 eee off")
    assert "EEE status: disabled" in net.vm.sh("ethtool --show-eee nic0")
    net.wait_carrier(True, 40)
    net.vm.sh("ethtool --set-eee nic0 eee on advertise 0x8")
    assert "100baseT/Full" in net.vm.sh("ethtool --show-eee nic0")
    assert net.vm.try_sh("ethtool --set-eee nic0 tx-timer 77") != 0
    assert net.vm.try_sh("ethtool --set-eee nic0 advertise 0x2") != 0
    net.wait_ping(40)


def test_nvm(net: Net) -> None:
    """The flash is read, and written by way of the other bank: twice, so that both were it."""

    def whole() -> bytes:
        octets = bytes.fromhex(net.vm.sh("ethtool -e nic0 raw on | od -An -v -tx1", 120))
        assert sum(struct.unpack("<64H", octets[:128])) & 0xFFFF == 0xBABA
        return octets

    def write(octet: int) -> int:
        return net.vm.try_sh(f"ethtool -E nic0 magic {MAGIC:#x} offset 0x41 value {octet}", 120)

    before = whole()
    assert len(before) == 4096
    for octet in (before[0x41] ^ 0xA5, before[0x41]):
        assert write(octet) == 0
        after = whole()
        assert after[:126] == before[:0x41] + bytes([octet]) + before[0x42:126]
        assert after[128:] == before[128:]
    net.unload()
    net.load()
    assert whole() == before


def test_selftest(net: Net) -> None:
    """Registers, NVM, interrupt, loopback through the PHY, link."""
    result = net.vm.sh("ethtool -t nic0 offline || true", 120)
    assert "The test result is PASS" in result, result
    net.wait_ping(40)


def peek(model: Model, of: str, register: int, page: int = 0) -> int:
    """A register of the PHY's, or of the link to it, as it was last written."""
    return model.ask("peek", of=of, page=page, register=register)["value"]


def test_speeds(net: Net) -> None:
    """What the link between MAC and PHY is set to at each speed; the in-tree driver does the same.

    K1 is off at 100 and 1000 Mb/s, and has a longer beacon at 10 Mb/s. In half duplex the PHY takes
    one octet of the preamble off; at 10 Mb/s the gap between frames is longer, and the receiver is
    faster. Low power idle is for what both ends can do.
    """

    def wait(which: str, carrier: int) -> None:
        name = {"nic0": "", "nic1": "ip netns exec peer "}[which] + "cat /sys/class/net/" + which
        net.vm.until(lambda: net.vm.sh(f"{name}/carrier") == str(carrier), 20, which)

    def settled(idle: int) -> bool:
        try:
            return peek(model, "phy", 20, 772) & 0x6000 == idle
        except ModelError:  # not yet written
            return False

    model = net.vm.models[0]
    for speed, full, beacon, preamble, gap, receiver, idle in [
        (1000, True, 0, 0, 8, 1, 0x6000),
        (100, False, 0, 1, 8, 1, 0),
        (10, False, 3, 1, 0xFF, 0, 0),
        (1000, True, 3, 0, 8, 1, 0x6000),
    ]:
        for end in net.vm.models:
            end.ask("link", up=False, speed=speed, full=full)
        wait("nic0", 0)
        wait("nic1", 0)
        for end in net.vm.models:
            end.ask("link", up=True)
        wait("nic0", 1)
        wait("nic1", 1)
        told = net.vm.sh("ethtool nic0")
        assert f"Speed: {speed}Mb/s" in told
        assert f"Duplex: {'Full' if full else 'Half'}" in told
        assert net.vm.sh("ethtool -k nic0").count("tx-tcp-segmentation: on") == (speed == 1000)
        net.check_ping(5)
        found = (
            peek(model, "mac", FEXTNVM4) & 7,
            peek(model, "phy", 16, 770) >> 12 & 7,
            peek(model, "mac", TIPG) & 0x3FF,
            peek(model, "emi", EMI_RX_CONFIG),
        )
        assert found == (beacon, preamble, gap, receiver), (speed, full)
        # The first link was at 1000 Mb/s, and nothing switches it on again.
        assert peek(model, "phy", 17, 770) & K1 == 0
        net.vm.until(lambda idle=idle: settled(idle), 10, "low power idle as both ends can")


def provider(net: Net, words: str) -> str:
    """The number of an interface's clock; `words` come before ethtool's and are its namespace."""
    name = "nic1" if words else "nic0"
    told = net.vm.sh(f"{words}ethtool -T {name}")
    return re.search(r"provider index: (\d+)", told)[1]


def test_clock(net: Net) -> None:
    """The clock, of 96 MHz, goes as fast as the guest's."""

    def get() -> tuple[int, int]:
        clock, system = net.vm.sh(f"phc {provider(net, '')} get").split()
        return int(clock), int(system)

    clock, system = get()
    time.sleep(2)
    later, now = get()
    assert (later - clock) / (now - system) == pytest.approx(1, abs=0.015)


def test_stamps(net: Net) -> None:
    """Frames are stamped where they leave and where they come in, by clocks that go alike."""
    ends = {"nic0": "", "nic1": IN_PEER}
    for name, words in ends.items():
        assert net.vm.sh(f"{words}hwstamp set {name} 1 {V2_EVENT}") == f"1 {V2_EVENT}"
    for sender, receiver in [("nic0", "nic1"), ("nic1", "nic0")]:
        sent, received = net.vm.sh(
            f"{ends[receiver]}hwstamp receive {receiver} 3 >/tmp/stamps & "
            "until grep -q ready /tmp/stamps; do usleep 20000; done; "
            f"{ends[sender]}hwstamp send {sender} 3 200 | xargs; wait; xargs </tmp/stamps"
        ).splitlines()
        sent, received = sent.split(), received.split()[1:]
        assert len(sent) == len(received) == 3
        assert "none" not in [*sent, *received]
        apart = [int(come) - int(gone) for gone, come in zip(sent, received, strict=True)]
        assert max(apart) - min(apart) < 50_000_000, apart
        assert int(sent[2]) - int(sent[0]) > 300_000_000


def test_lights(net: Net) -> None:
    """They are the PHY's."""
    net.vm.sh("ethtool -p nic0 1")
    net.check_ping()


def test_firmware_keeps_phy(net: Net) -> None:
    """Where the management engine forbids it the PHY is not reset, and the link stays."""
    fwsm = net.vm.register(0, FWSM)
    assert fwsm & PHY_RESET_ALLOWED
    changes = net.carrier_changes()
    net.vm.models[0].ask("poke", register=FWSM, value=fwsm & ~PHY_RESET_ALLOWED)
    try:
        net.vm.sh("ethtool -G nic0 rx 512", 120)
        net.wait_ping(40)
        assert net.carrier_changes() == changes
        assert net.vm.register(0, STATUS) & LINK_UP
    finally:
        net.vm.models[0].ask("poke", register=FWSM, value=fwsm)


def test_engine(net: Net) -> None:
    """Beside a running management engine: writes wait for it, but not for ever."""
    model, fwsm = net.vm.models[0], net.vm.register(0, FWSM)
    assert fwsm & PHY_RESET_ALLOWED
    net.unload()
    try:
        model.ask("poke", register=FWSM, value=fwsm | ENGINE_RUNS)
        net.load()
        net.check_ping()
        assert (net.counters()["firmware_waits_lost"], net.counters()["tails_lost"]) == (0, 0)
        with net.light():
            for _ in range(5):
                model.ask("poke", register=FWSM, value=fwsm | ENGINE_RUNS | ENGINE_WRITES)
                time.sleep(0.05)
                model.ask("poke", register=FWSM, value=fwsm | ENGINE_RUNS)
        net.check_ping()
        assert net.counters()["tails_lost"] == 0
    finally:
        net.unload()
        model.ask("poke", register=FWSM, value=fwsm)


def test_jumbo(net: Net) -> None:
    """Long frames; their FCS is always taken off."""
    net.vm.sh("ip link set nic0 mtu 9000; ip -n peer link set nic1 mtu 9000", 120)
    net.wait_carrier(True, 40)
    net.wait_ping(40)
    net.check_ping(options="-M do -s 8972")
    assert net.vm.try_sh("ip link set nic0 mtu 9005") != 0
    assert net.vm.try_sh("ethtool -K nic0 rx-fcs on; ethtool -k nic0 | grep -q 'rx-fcs: on'") != 0
    net.vm.sh("ip link set nic0 mtu 1500; ip -n peer link set nic1 mtu 1500", 120)
    # It had been asked for.
    assert "rx-fcs: on" in net.vm.sh("ethtool -k nic0")
    assert net.vm.try_sh("ip link set nic0 mtu 9000") != 0
    net.vm.sh("ethtool -K nic0 rx-fcs off")
    net.wait_ping(40)


def test_owned_flag(net: Net) -> None:
    """Where the engine has the PHY it is waited for, and nobody fails."""
    model = net.vm.models[0]
    before = net.counters()
    model.fault("semaphores", {"mdio": True})
    with net.vm.background("ethtool nic0") as ethtool:
        time.sleep(0.3)
        model.fault("semaphores", {"mdio": False})
        assert ethtool.wait(30).status == 0
    after = net.counters()
    assert after["phy_read_err_ownership"] == before["phy_read_err_ownership"]
    net.check_ping()


# The management engine at work, as the model plays it


@pytest.fixture
def unbound(vm: VM) -> Iterator[Model]:
    """The 82579's model, as no driver is loaded; none is afterwards, nor any fault on."""

    def alone() -> None:
        for which in MODULES:
            Net(vm, which).unload()
        vm.models[0].clear()

    alone()
    yield vm.models[0]
    if vm.models[0].process.poll() is None:  # the machine is gone after a failure
        alone()


@pytest.mark.parametrize("which", ["c", "rust"])
def test_engine_at_work(vm: VM, unbound: Model, which: str) -> None:
    """It takes the flag 20 times a second, and registers for most of that: both are waited for.

    Between a look at the register that says so and a write there is time for it to begin, though
    not often.
    """
    net = Net(vm, which)
    unbound.fault("me", {"every_ms": 50, "hold_ms": 25, "busy_ms": 20})
    net.load()
    before = unbound.status()["me"]
    with vm.background("while :; do ethtool nic0; mii nic0 own 1; done >/dev/null 2>&1"):
        assert net.iperf(3) > 0.1
        net.check_ping()
    assert net.carrier()
    after = unbound.status()["me"]
    taken, disturbed = (after[key] - before[key] for key in ["taken", "disturbed"])
    assert taken > 20
    assert 2 * disturbed <= taken
    if which == "rust":
        found = net.counters()
        lost = [name for name, count in found.items() if count and name.startswith("phy_")]
        assert not lost
        assert (found["firmware_waits_lost"], found["tails_lost"]) == (0, 0)


@pytest.mark.parametrize("ring", ["rx", "tx"])
def test_lost_tail(vm: VM, unbound: Model, ring: str) -> None:
    """A write of a tail that the engine's own has spoiled is noticed, told and mended."""
    net = Net(vm, "rust")
    unbound.fault("me", {"every_ms": 100, "hold_ms": 1, "busy_ms": 1})
    net.load()
    before, since = net.counters(), vm.sync_log()
    with net.light():
        unbound.fault("tails", {"ring": ring, "count": 1})
        vm.until(lambda: net.counters()["resets"] > before["resets"], 10, "a reset")
    vm.wait_log(r"nic0: .*tail register", 5, since)
    assert net.counters()["tails_lost"] == before["tails_lost"] + 1
    net.wait_carrier(True, 40)
    net.wait_ping(40)
    net.check_ping()


def test_shared_addresses(vm: VM, unbound: Model) -> None:
    """More addresses go where the engine's are not; where it keeps those, too, all frames come."""
    net = Net(vm, "rust")
    unbound.fault("me", {"every_ms": 100, "hold_ms": 10, "busy_ms": 1})
    net.load()

    def words(register: int, count: int) -> list[int]:
        return [peek(unbound, "mac", register + 4 * i) for i in range(count)]

    def wait_all(wanted: bool) -> None:
        vm.until(
            lambda: bool(peek(unbound, "mac", regs.RCTL) & RCTL_UPE) == wanted,
            10,
            f"frames for others {'taken' if wanted else 'left'}",
        )

    engines = [0x33221102, 0x80005544]
    for i, word in enumerate(engines):
        unbound.ask("poke", register=regs.RAL + 8 + 4 * i, value=word)
    vm.sh("ip link add link nic0 name more address 02:00:00:00:00:77 type macvlan")
    vm.sh("ip link set more up")
    shared = [0x00000002, 0x80007700]
    for change in ["true", "ip link set nic0 down; ip link set nic0 up"]:
        vm.sh(change)
        net.wait_carrier(True, 40)
        vm.until(lambda: words(SHRA, 4) == [*shared, 0, 0], 10, "the shared addresses")
        assert words(regs.RAL + 8, 4) == [*engines, 0, 0]
    wait_all(False)
    unbound.fault("me", {"every_ms": 100, "hold_ms": 10, "busy_ms": 1, "locks_addresses": True})
    vm.sh("ip link set more address 02:00:00:00:00:78")
    wait_all(True)
    assert words(SHRA, 4) == [*shared, 0, 0]
    vm.sh("ip link del more")
    wait_all(False)
    net.check_ping()


def test_configuration(vm: VM, unbound: Model) -> None:
    """What the NVM has for the PHY is written to it by the driver, where hardware does not."""
    net = Net(vm, "rust")
    register = 24, 769
    pairs = [(FEXTNVM, SW_CONFIG), (regs.EXTCNF_CTRL, 0x40 << 16), (EXTCNF_SIZE, 2 << 16)]
    try:
        for place, value in pairs:
            unbound.ask("poke", register=place, value=value)
        net.load()
        assert peek(unbound, "phy", *register) == 0x1234
        assert peek(unbound, "phy", 26, 768) == SMBUS_ADDRESS
        net.check_ping()
    finally:
        net.unload()
        for place, _ in pairs:
            unbound.ask("poke", register=place, value=0)


@pytest.mark.parametrize("which", ["c", "rust"])
def test_slow_mdio(vm: VM, unbound: Model, which: str) -> None:
    """A PHY that is heard in slow mode only, and comes out of its reset in the other."""
    unbound.fault("slow_mdio", True)
    ctrl = vm.register(0, regs.CTRL)
    unbound.ask("poke", register=regs.CTRL, value=ctrl | PHY_RST)
    unbound.ask("poke", register=regs.CTRL, value=ctrl)
    net = Net(vm, which)
    net.load()
    net.check_ping()


def test_sleep(net: Net) -> None:
    """Asleep it is armed, not at gigabit, and has its address on the management bus; then back.

    Only the devices sleep (`pm_test`). The registers are looked at meanwhile.
    """
    vm, model, found = net.vm, net.vm.models[0], {}
    vm.sh("echo devices >/sys/power/pm_test; ethtool -s nic0 wol g")
    vm.sh("echo 3 >/sys/module/suspend/parameters/pm_test_delay")
    vm.sh("echo N >/sys/module/printk/parameters/console_suspend")
    model.ask("poke", register=FEXTNVM, value=SW_CONFIG)
    since = vm.sync_log()

    def look() -> None:
        vm.wait_log("suspend debug: Waiting", 30, since)
        found["WUFC"] = peek(model, "mac", regs.WUFC)
        found["WUC"] = peek(model, "mac", regs.WUC) & regs.WUC_PME_EN
        found["SMB"] = peek(model, "phy", 26, 768)
        found["OEM"] = peek(model, "phy", 25, 768)
        found["down"] = peek(model, "phy", 0) & regs.BMCR_PDOWN
        time.sleep(1.5)
        found["link"] = model.status()["link"]

    told = vm.last_sh(
        f"echo mem >/sys/power/state; net-up rust; ping -q -c 5 {PEER} | grep -o '5 received'; "
        "ethtool nic0 | grep -o '1000Mb/s'",
        60,
        look,
    )
    assert told.split("\n") == ["5 received", "1000Mb/s"]
    assert found == {
        "WUFC": 2,
        "WUC": regs.WUC_PME_EN,
        "SMB": SMBUS_ADDRESS,
        "OEM": OEM_NO_GIGABIT,
        "down": 0,
        "link": {"speed": 100, "full": True},
    }
    assert (peek(model, "mac", regs.WUFC), peek(model, "mac", regs.WUC)) == (0, 0)
