# SPDX-License-Identifier: GPL-2.0
"""Wake on LAN: what is set is what the device is told as it goes to sleep.

QEMU's device does not wake anybody: its registers are looked at from outside.
"""

import re
import struct
from collections.abc import Callable

import pytest
from e1000e_vm import regs
from e1000e_vm.net import PEER, Net
from e1000e_vm.vm import Topology

pytestmark = pytest.mark.rust

APM_WORD, APM = 0x24, 1 << 10
# Letters of `ethtool -s wol` and their bits in WUFC.
BITS = {"p": 1, "g": 2, "u": 4, "m": 8, "b": 16}


def shown(net: Net) -> tuple[str, str]:
    """What can wake the system, and what is to."""
    told = net.vm.sh("ethtool nic0")
    return re.search(r"Supports Wake-on: (\w+)", told)[1], re.search(r"\tWake-on: (\w+)", told)[1]


def may_wake(net: Net) -> bool:
    """Whether the kernel lets the device wake the system."""
    return net.vm.sh(f"cat {net.device}/power/wakeup") == "enabled"


def phy_register(net: Net, register: int) -> int:
    """A PHY register, read from outside while the driver does not."""
    net.vm.set_register(0, regs.MDIC, 1 << 21 | register << 16 | 2 << 26)
    return net.vm.register(0, regs.MDIC) & 0xFFFF


class Sleep:
    """One sleep of all devices, and what the registers were meanwhile."""

    def __init__(
        self, net: Net, before: str = "true", during: Callable[[], object] = lambda: None
    ) -> None:
        self.net, self.registers = net, {}
        net.vm.sh("echo devices >/sys/power/pm_test")
        net.vm.sh("echo 3 >/sys/module/suspend/parameters/pm_test_delay")
        # The log is to be seen while they sleep.
        net.vm.sh("echo N >/sys/module/printk/parameters/console_suspend")
        self.since = net.vm.sync_log()
        self.during = during
        told = net.vm.last_sh(
            f"{before}; echo mem >/sys/power/state; net-up rust; "
            f"ping -q -c 5 {PEER} | grep -o '5 received'",
            60,
            self.look,
        )
        assert told == "5 received"
        assert net.vm.register(0, regs.WUFC) == 0
        assert net.vm.register(0, regs.WUC) & regs.WUC_PME_EN == 0

    def look(self) -> None:
        self.net.vm.wait_log("suspend debug: Waiting", 30, self.since)
        for name in ["WUFC", "WUC", "RCTL", "CTRL", "RAL", "RAH"]:
            self.registers[name] = self.net.vm.register(0, getattr(regs, name))
        self.bmcr = phy_register(self.net, 0)
        self.during()


def check_armed(registers: dict[str, int], modes: str) -> None:
    """The device wakes for these modes, and takes no more frames in than that needs."""
    assert registers["WUFC"] == sum(BITS[mode] for mode in modes)
    assert registers["WUC"] & regs.WUC_PME_EN
    assert registers["CTRL"] & regs.CTRL_ADVD3WUC
    assert registers["RCTL"] & regs.RCTL_EN
    assert bool(registers["RCTL"] & regs.RCTL_MPE) == ("m" in modes)


def test_default(net: Net) -> None:
    """At first it is as the NVM says."""

    def words() -> tuple[int, ...]:
        return struct.unpack(
            "<64H", bytes.fromhex(net.vm.sh("ethtool -e nic0 raw on | od -An -v -tx1"))
        )

    for _ in range(2):
        word, checksum = words()[APM_WORD], words()[0x3F]
        supported, enabled = shown(net)
        assert supported == "pumbg"
        assert enabled == ("g" if word & APM else "d")
        assert may_wake(net) == bool(word & APM)
        # The other way round, with the sum kept.
        change = -APM if word & APM else APM
        net.unload()
        for address, value in [(APM_WORD, word + change), (0x3F, checksum - change)]:
            net.vm.set_register(0, regs.EEWR, (value & 0xFFFF) << 16 | address << 2 | 1)
        net.load()


def test_set(net: Net) -> None:
    """What is set is shown; what the chip cannot do is refused."""
    for modes in ["g", "p", "u", "m", "b", "pumbg", "d"]:
        net.vm.sh(f"ethtool -s nic0 wol {modes}")
        assert shown(net)[1] == modes
        assert may_wake(net) == (modes != "d")
    for modes in ["a", "gs", "ga"]:
        assert net.vm.try_sh(f"ethtool -s nic0 wol {modes}") != 0
        assert shown(net)[1] == "d"
    net.check_ping()


@pytest.mark.parametrize("modes", ["g", "umb"])
def test_armed(net: Net, modes: str) -> None:
    """The device is told as it goes to sleep, for the address in use, with its PHY on."""
    net.vm.sh(f"ip link set nic0 address 02:11:22:33:44:55; ethtool -s nic0 wol {modes}")
    sleep = Sleep(net)
    check_armed(sleep.registers, modes)
    assert sleep.registers["RAL"] == 0x33221102
    assert sleep.registers["RAH"] & 0xFFFF == 0x5544
    assert sleep.bmcr & regs.BMCR_PDOWN == 0


def test_not_armed(net: Net) -> None:
    """Without anything to wake for the device is off."""
    net.vm.sh("ethtool -s nic0 wol d")
    sleep = Sleep(net)
    assert sleep.registers["WUFC"] == 0
    assert sleep.registers["WUC"] & regs.WUC_PME_EN == 0
    assert sleep.registers["RCTL"] & regs.RCTL_EN == 0
    assert sleep.bmcr & regs.BMCR_PDOWN


def test_not_allowed(net: Net) -> None:
    """What the user forbids in sysfs is not done."""
    net.vm.sh(f"ethtool -s nic0 wol g; echo disabled >{net.device}/power/wakeup")
    assert Sleep(net).registers["WUFC"] == 0


def test_while_down(net: Net) -> None:
    """An interface that is down wakes the system too."""
    net.vm.sh("ethtool -s nic0 wol pg; ip link set nic0 down")
    sleep = Sleep(net)
    check_armed(sleep.registers, "g")
    assert sleep.bmcr & regs.BMCR_PDOWN == 0


def test_link(net: Net) -> None:
    """A link wakes the system that was not there before."""
    net.vm.sh("ethtool -s nic0 wol p")
    net.vm.qmp("set_link", name="nic0", up=False)
    net.wait_carrier(False, 5)
    sleep = Sleep(net, during=lambda: net.vm.qmp("set_link", name="nic0", up=True))
    check_armed(sleep.registers, "p")


@pytest.mark.topology(Topology(trace=("e1000e_core_write",)))
def test_cause(net: Net) -> None:
    """What the device has woken for is told, and cleared."""
    net.vm.sh("ethtool -s nic0 wol g")
    sleep = Sleep(net, during=lambda: net.vm.set_register(0, regs.WUS, 1 << 1))
    assert re.search(r"nic0: woke up the system: magic packet", net.vm.log(sleep.since))
    # Once by the test, and once by the driver, as written ones clear; not so in QEMU.
    written = re.findall(r"core_write .* 0x5810,.* value: 0x2$", net.vm.trace.read_text(), re.M)
    assert len(written) == 2


@pytest.mark.topology(Topology(extra=("-no-shutdown",)))
def test_shutdown(net: Net) -> None:
    """Also when the machine is switched off."""
    net.vm.sh("ethtool -s nic0 wol g")
    net.vm.spent = net.vm.mute = True
    net.vm.agent.start("poweroff -f")
    net.vm.wait_event("SHUTDOWN", 60)
    assert net.vm.register(0, regs.WUFC) == BITS["g"]
    assert net.vm.register(0, regs.WUC) & regs.WUC_PME_EN
    assert net.vm.register(0, regs.RCTL) & regs.RCTL_EN
