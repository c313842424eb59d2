# SPDX-License-Identifier: GPL-2.0
"""A device whose interface is down sleeps if the user lets it, and whoever needs it wakes it up."""

import struct
from collections.abc import Iterator

import pytest
from e1000e_vm import regs
from e1000e_vm.net import PEER, Net
from e1000e_vm.vm import Topology

pytestmark = pytest.mark.rust

# Guest seconds until a ping is answered.
BACK = 3.0
# Milliseconds until an unused device sleeps, here.
DELAY = 200
BMCR = 0
CAPABILITY_LIST, PM_CAPABILITY, PM_CONTROL, D3HOT = 0x34, 0x01, 4, 3


def phy_register(net: Net, register: int, value: int | None = None) -> int:
    """A PHY register, read or written from outside while the driver does neither."""
    operation = 2 << 26 if value is None else 1 << 26 | value
    net.vm.set_register(0, regs.MDIC, operation | 1 << 21 | register << 16)
    return net.vm.register(0, regs.MDIC) & 0xFFFF


def status(net: Net) -> str:
    """The state of the device as the power management core has it."""
    return net.vm.sh(f"cat {net.device}/power/runtime_status")


def power_state(net: Net) -> int:
    """The state of the device as its configuration space has it: 0 to 3. A look wakes nobody."""
    space = bytes.fromhex(net.vm.sh(f"od -An -v -tx1 {net.device}/config"))
    place = space[CAPABILITY_LIST]
    while space[place] != PM_CAPABILITY:
        place = space[place + 1]
    return struct.unpack_from("<H", space, place + PM_CONTROL)[0] & 3


def wait_asleep(net: Net) -> None:
    """Wait until the device sleeps."""
    net.vm.until(lambda: status(net) == "suspended", 10, "the device asleep")
    assert power_state(net) == D3HOT


def sleep(net: Net) -> None:
    """Take the interface down, and let the device sleep."""
    net.vm.sh("ip link set nic0 down")
    wait_asleep(net)


@pytest.fixture
def auto(net: Net) -> Iterator[Net]:
    """A pair whose first device may sleep. The user's choice outlives the driver."""
    net.vm.sh(
        f"cd {net.device}/power; echo {DELAY} >autosuspend_delay_ms; echo auto >control",
    )
    yield net
    if not (net.vm.spent or net.vm.death()):
        net.vm.sh(f"echo on >{net.device}/power/control")


def test_as_the_user_says(net: Net) -> None:
    """A device stays awake unless the user lets it sleep, and wakes up when he no longer does."""
    power = f"{net.device}/power"
    assert net.vm.sh(f"cat {power}/control {power}/autosuspend_delay_ms") == "on\n5000"
    net.vm.sh(f"echo {DELAY} >{power}/autosuspend_delay_ms; ip link set nic0 down; sleep 1")
    assert (status(net), power_state(net)) == ("active", 0)
    net.vm.sh(f"echo auto >{power}/control")
    wait_asleep(net)
    net.vm.sh(f"echo on >{power}/control")
    assert (status(net), power_state(net)) == ("active", 0)
    net.vm.sh("ip link set nic0 up")
    assert net.wait_ping() <= BACK


def test_up_and_down(auto: Net) -> None:
    """Twenty times: asleep while down, awake and at work once up. Being up is a use."""
    for _ in range(20):
        sleep(auto)
        auto.vm.sh("ip link set nic0 up")
        assert auto.wait_ping() <= BACK
        assert (status(auto), power_state(auto)) == ("active", 0)
        assert auto.ivar().faults(auto.vectors()) == []
    auto.vm.sh("sleep 1")
    assert status(auto) == "active"
    auto.check_ping()
    assert auto.counters()["dead_reads"] == 0


def test_never_up(auto: Net) -> None:
    """A device that was never used sleeps as well."""
    address = auto.vm.nics[0].address
    auto.vm.sh(f"cd {auto.device}/driver && echo {address} >unbind && echo {address} >bind")
    auto.vm.sh(f"echo {DELAY} >{auto.device}/power/autosuspend_delay_ms")
    wait_asleep(auto)
    auto.up_again()
    auto.check_ping()


def test_ethtool(auto: Net) -> None:
    """What asks a sleeping device wakes it up, gets its answer, and lets it sleep again."""
    commands = {
        "-e nic0": "0x0000:",
        "-S nic0": "dead_reads: 0",
        "-d nic0 raw on | od -An -tx1 | grep -vq 'ff ff ff ff' && echo read": "read",
        "-t nic0 online": "The test result is PASS",
        "-t nic0 offline": "The test result is PASS",
        "nic0": "Link detected: no",
    }
    for command, answer in commands.items():
        sleep(auto)
        assert answer in auto.vm.sh(f"ethtool {command}")
    sleep(auto)
    assert auto.vm.sh("mii nic0 own 2").split()[1] == str(0x0141)
    wait_asleep(auto)
    auto.up_again()
    auto.check_ping()
    assert auto.counters()["dead_reads"] == 0


def test_left_off(auto: Net) -> None:
    """A sleeping device wakes nobody, and its PHY is off once it is awake, for an interface down.

    What the NVM may have set, and power that comes back, is put into the registers.
    """
    sleep(auto)
    auto.vm.sh(f"echo on >{auto.device}/power/control")
    auto.vm.set_register(0, regs.WUFC, 1 << 1)
    auto.vm.set_register(0, regs.WUC, regs.WUC_PME_EN)
    phy_register(auto, BMCR, 0x1140)
    auto.vm.sh(f"echo auto >{auto.device}/power/control")
    wait_asleep(auto)
    auto.vm.sh(f"echo on >{auto.device}/power/control")
    assert auto.vm.register(0, regs.WUFC) == 0
    assert auto.vm.register(0, regs.WUC) & regs.WUC_PME_EN == 0
    assert phy_register(auto, BMCR) & regs.BMCR_PDOWN


def test_settings(auto: Net) -> None:
    """What is set while it sleeps leaves it alone, and holds once it is up."""
    sleep(auto)
    auto.vm.sh(
        "ip link set nic0 address 02:11:22:33:44:55 && ip link set nic0 mtu 4000 "
        "&& ip link add link nic0 name nic0.7 type vlan id 7 && ip link set nic0 promisc on "
        "&& hwstamp set nic0 1 1"
    )
    assert status(auto) == "suspended"
    auto.vm.sh("ethtool -K nic0 rxvlan off && ethtool -G nic0 rx 512 && ethtool -L nic0 combined 1")
    wait_asleep(auto)
    auto.vm.sh("ip link set nic0 up")
    assert auto.vm.register(0, regs.RAL) == 0x33221102
    assert auto.vm.register(0, regs.TSYNCTXCTL) & regs.TSYNC_EN
    assert auto.wait_ping() <= BACK
    auto.vm.sh("ip link delete nic0.7")
    assert auto.counters()["dead_reads"] == 0


def test_clock(auto: Net) -> None:
    """The clock goes on while the device sleeps, at the pace of the system's, and is set then."""
    number = auto.vm.sh("ethtool -T nic0 | grep -o 'index: .*'").split()[1]

    def clock() -> tuple[int, int]:
        now, system = auto.vm.sh(f"phc {number} get").split()
        return int(now), int(system)

    sleep(auto)
    begun, system = clock()
    for _ in range(3):
        auto.vm.sh("usleep 300000")
        now, later = clock()
        assert now - begun == pytest.approx(later - system, rel=0.05)
    auto.vm.sh(f"phc {number} set {10**18}")
    before, system = clock()
    assert 0 <= before - 10**18 < 10**10
    assert status(auto) == "suspended"
    # Awake, QEMU's clock goes 2.5 times too fast.
    auto.vm.sh("ip link set nic0 up")
    now, later = clock()
    assert now - before == pytest.approx((later - system) * 1.75, rel=0.5)


def test_unbind(auto: Net) -> None:
    """A sleeping device is let go of, and found again, by unbind and by rmmod."""
    address = auto.vm.nics[0].address
    for _ in range(5):
        sleep(auto)
        auto.vm.sh(f"cd {auto.device}/driver && echo {address} >unbind && echo {address} >bind")
        auto.up_again()
        auto.check_ping(3)
        auto.vm.sh(f"echo {DELAY} >{auto.device}/power/autosuspend_delay_ms")
    sleep(auto)
    auto.unload()
    usage = f"cat {auto.device}/power/runtime_usage"
    assert auto.vm.sh(usage) == "0"
    auto.load()
    assert auto.vm.sh(usage) == "1"
    auto.check_ping()


def test_removed(auto: Net) -> None:
    """A sleeping device that is pulled out is let go of."""
    auto.vm.spent = True
    sleep(auto)
    auto.vm.sh(f"echo 1 >{auto.device}/remove; ! test -e {auto.device}")


def test_function_reset(auto: Net) -> None:
    """`reset` in sysfs while it sleeps does no harm, and it sleeps again."""
    for _ in range(3):
        sleep(auto)
        auto.vm.sh(f"echo 1 >{auto.device}/reset")
        wait_asleep(auto)
        auto.vm.sh("ip link set nic0 up")
        assert auto.wait_ping() <= BACK


# At its default speed QEMU's port does not tell that the link is back.
@pytest.mark.topology(Topology(port_speed="2_5"))
@pytest.mark.parametrize("error", ["COMP_TIME", "DLP"])
def test_aer(auto: Net, error: str) -> None:
    """An error of the bus while it sleeps is recovered from, and it sleeps again."""
    sleep(auto)
    since = auto.vm.sync_log()
    assert not auto.vm.hmp(f"pcie_aer_inject_error rp0 {error}").startswith("Error")
    auto.vm.wait_log("AER: device recovery successful", 30, since)
    wait_asleep(auto)
    auto.vm.sh("ip link set nic0 up")
    assert auto.wait_ping() <= BACK


def test_system_sleep(auto: Net) -> None:
    """As the system goes to sleep it is told what to wake for, and sleeps on afterwards."""
    auto.vm.sh("ethtool -s nic0 wol g; echo devices >/sys/power/pm_test")
    auto.vm.sh("echo 3 >/sys/module/suspend/parameters/pm_test_delay")
    auto.vm.sh("echo N >/sys/module/printk/parameters/console_suspend")
    sleep(auto)
    since = auto.vm.sync_log()
    armed = []

    def look() -> None:
        auto.vm.wait_log("suspend debug: Waiting", 30, since)
        armed.extend([auto.vm.register(0, regs.WUFC), auto.vm.register(0, regs.WUC)])

    told = auto.vm.last_sh(
        "echo mem >/sys/power/state; sleep 2; "
        f"cat {auto.device}/power/runtime_status; net-up rust; "
        f"ping -q -c 5 {PEER} | grep -o '5 received'",
        60,
        look,
    )
    assert armed[0] == 1 << 1
    assert armed[1] & regs.WUC_PME_EN
    assert told.split("\n") == ["suspended", "5 received"]


@pytest.mark.topology(Topology(wrapped=True))
def test_suspend_to_ram(auto: Net) -> None:
    """The whole machine sleeps (S3) and wakes up with a device that was asleep before."""

    def wake() -> None:
        auto.vm.wait_event("SUSPEND", 60)
        auto.vm.qmp("system_wakeup")

    auto.vm.sh("echo none >/sys/power/pm_test")
    sleep(auto)
    told = auto.vm.last_sh(
        "echo mem >/sys/power/state; sleep 2; "
        f"cat {auto.device}/power/runtime_status; net-up rust; "
        f"ping -q -c 5 {PEER} | grep -o '5 received'",
        60,
        wake,
    )
    assert told.split("\n") == ["suspended", "5 received"]


@pytest.mark.topology(Topology(cmdline="pcie_aspm.policy=powersave"))
def test_aspm(auto: Net) -> None:
    """ASPM stays off although the core configures the link anew with each change of power."""
    auto.vm.spent = True  # once off, off for good: no other test could turn it on
    l0s = f"cat {auto.device}/link/l0s_aspm"
    for _ in range(5):
        sleep(auto)
        auto.vm.sh("ethtool -e nic0 >/dev/null")
        assert auto.vm.sh(l0s) == "0"
        wait_asleep(auto)
        auto.vm.sh("ip link set nic0 up")
        assert auto.vm.sh(l0s) == "0"
        assert auto.wait_ping() <= BACK
    assert auto.counters()["aspm_repairs"] == 0
