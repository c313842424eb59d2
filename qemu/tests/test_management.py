# SPDX-License-Identifier: GPL-2.0
"""A port that is shared with a BMC keeps it.

QEMU's device has no firmware, and no BMC is there: what they would set is put into the
registers and the NVM. Its reset empties all of them but the NVM.
"""

import contextlib
from collections.abc import Iterator

import pytest
from e1000e_vm import regs
from e1000e_vm.net import Net

pytestmark = pytest.mark.rust

INIT_CONTROL_2, CHECKSUM = 0x0F, 0x3F
NONE, PASS_THROUGH, HOST_ONLY = 0, 2, 3
BMCR = 0
# What a BMC could have set: no bit that keeps the driver from the PHY.
SETTINGS = {
    regs.MANC: regs.MANC_RCV_TCO_EN | 1 << 13 | 1,
    regs.MFVAL: 0x00030001,
    regs.MFUTP: 0x0298026F,
    regs.MFUTP + 8: 0x00000050,
    regs.MANC2H: 0x81,
    regs.MDEF: 0x00000001,
    regs.MDEF + 4: regs.MDEF_PORT_623,
    regs.MDEF + 28: 0x00000080,
}
# The last receive address is the BMC's.
BMC_ADDRESS = {regs.RAL + 15 * 8: 0x44332202, regs.RAH + 15 * 8: 1 << 31 | 0x6655}


def driver_loaded(net: Net) -> bool:
    """Whether the firmware has been told that there is a driver."""
    return bool(net.vm.register(0, regs.CTRL_EXT) & regs.CTRL_EXT_DRV_LOAD)


def phy_is_on(net: Net) -> bool:
    """Whether the PHY is on, as it says while the driver leaves it alone."""
    net.vm.set_register(0, regs.MDIC, 2 << 26 | 1 << 21 | BMCR << 16)
    return not net.vm.register(0, regs.MDIC) & regs.BMCR_PDOWN


def set_all(net: Net, registers: dict[int, int]) -> None:
    for offset, value in registers.items():
        net.vm.set_register(0, offset, value)


def get_all(net: Net, registers: dict[int, int]) -> dict[int, int]:
    return {offset: net.vm.register(0, offset) for offset in registers}


@contextlib.contextmanager
def board(net: Net, mode: int) -> Iterator[None]:
    """A board with this kind of manageability, by its NVM; the driver is loaded anew."""

    def write(mode: int) -> int:
        words = "ethtool -e nic0 raw on offset {} length 2 | od -An -v -tx2"
        old, total = (
            int(net.vm.sh(words.format(2 * word)), 16) for word in [INIT_CONTROL_2, CHECKSUM]
        )
        new = old & ~(3 << 13) | mode << 13
        net.unload()
        for address, value in [(INIT_CONTROL_2, new), (CHECKSUM, total - new + old)]:
            net.vm.set_register(0, regs.EEWR, (value & 0xFFFF) << 16 | address << 2 | 1)
        net.load()
        return old >> 13 & 3

    old = write(mode)
    yield
    write(old)


def test_driver_loaded(net: Net) -> None:
    """The firmware knows of the driver while there is one, whatever becomes of the interface."""
    assert driver_loaded(net)
    for words in [
        "ethtool -G nic0 rx 512",
        "ip link set nic0 down",
        "ethtool -t nic0 offline || true",
        f"echo 1 >{net.device}/reset",
        "ip link set nic0 up",
        f"echo 1 >{net.device}/reset",
    ]:
        net.vm.sh(words)
        assert driver_loaded(net), words
    net.up_again()
    net.unload()
    assert not driver_loaded(net)
    net.load()
    net.vm.sh("ip link set nic0 down")
    net.unload()
    assert not driver_loaded(net)


def test_driver_asleep(net: Net) -> None:
    """In sleep the device is the firmware's, and the driver's again afterwards."""
    net.vm.sh("ethtool -s nic0 wol d; echo devices >/sys/power/pm_test")
    net.vm.sh("echo 3 >/sys/module/suspend/parameters/pm_test_delay")
    net.vm.sh("echo N >/sys/module/printk/parameters/console_suspend")
    since = net.vm.sync_log()
    asleep = []

    def look() -> None:
        net.vm.wait_log("suspend debug: Waiting", 30, since)
        asleep.append(driver_loaded(net))

    net.vm.last_sh("echo mem >/sys/power/state; net-up rust", 60, look)
    assert asleep == [False]
    assert driver_loaded(net)


def test_settings_kept(net: Net) -> None:
    """What the BMC has set survives every reset."""
    set_all(net, SETTINGS)
    for words in [
        "ethtool -G nic0 rx 512",
        "ip link set nic0 down",
        "ip link set nic0 up",
        "ethtool -t nic0 offline || true",
        f"echo 1 >{net.device}/reset",
    ]:
        net.vm.sh(words)
        assert get_all(net, SETTINGS) == SETTINGS, words
    net.unload()
    assert get_all(net, SETTINGS) == SETTINGS
    net.load()
    assert get_all(net, SETTINGS) == SETTINGS
    net.check_ping()


def test_address_kept(net: Net) -> None:
    """However many addresses the host wants, the last receive address is left alone."""
    set_all(net, BMC_ADDRESS)
    for number in range(20):
        net.vm.sh(
            f"ip link add link nic0 name v{number} address 02:00:00:00:01:{number:02x} "
            "type macvlan mode bridge; "
            f"ip link set v{number} up"
        )
    assert net.vm.register(0, regs.RAH + 14 * 8) >> 31, "the others are not all in use"
    assert get_all(net, BMC_ADDRESS) == BMC_ADDRESS
    net.vm.sh("for i in $(seq 0 19); do ip link delete v$i; done")
    assert get_all(net, BMC_ADDRESS) == BMC_ADDRESS
    net.check_ping()


@pytest.mark.parametrize("mode", [NONE, PASS_THROUGH, HOST_ONLY])
def test_phy_kept(net: Net, mode: int) -> None:
    """The PHY is off while the interface is down, but not on a board with a BMC."""
    with board(net, mode):
        net.vm.sh("ip link set nic0 down")
        assert phy_is_on(net) == (mode != NONE)
        net.vm.sh(f"echo 1 >{net.device}/reset; ethtool -t nic0 online || true")
        assert phy_is_on(net) == (mode != NONE)
        net.up_again()
        net.check_ping()


def test_phy_not_reset(net: Net) -> None:
    """Where the firmware forbids it the PHY is neither switched off nor set up anew."""
    net.vm.set_register(0, regs.MANC, regs.MANC_KEEP_PHY)
    net.vm.sh("ip link set nic0 down")
    assert phy_is_on(net)
    changed = net.vm.sync_log()
    net.vm.sh("ip link set nic0 up")
    net.vm.wait_log("the management firmware keeps the link as it is", 5, changed)
    net.up_again()
    net.check_ping()
    net.vm.set_register(0, regs.MANC, 0)


def ipmi_filters(net: Net) -> tuple[list[int], int, bool]:
    """The decision filters, those whose frames the host gets too, and whether it gets any."""
    return (
        [net.vm.register(0, regs.MDEF + 4 * i) for i in range(8)],
        net.vm.register(0, regs.MANC2H),
        bool(net.vm.register(0, regs.MANC) & regs.MANC_EN_MNG2HOST),
    )


def test_shared_with_host(net: Net) -> None:
    """What goes to a BMC by the ports of IPMI goes to the host too, if frames pass through."""
    both = regs.MDEF_PORT_623 | regs.MDEF_PORT_664

    def up(filters: list[int], manc: int = regs.MANC_RCV_TCO_EN) -> tuple[list[int], int, bool]:
        net.vm.sh("ip link set nic0 down")
        set_all(net, {regs.MDEF + 4 * i: value for i, value in enumerate(filters)})
        set_all(net, {regs.MANC2H: 0, regs.MANC: manc, regs.FACTPS: 0})
        net.vm.sh("ip link set nic0 up")
        return ipmi_filters(net)

    with board(net, PASS_THROUGH):
        # A filter is made in the first free place,
        assert up([1, 2, 0, 0, 0, 0, 0, 0]) == ([1, 2, both, 0, 0, 0, 0, 0], 1 << 2, True)
        # unless there is one, or one for each port;
        there = [0, 0, 0, both, 0, 0, 0, 0]
        assert up(there) == (there, 1 << 3, True)
        there = [1, regs.MDEF_PORT_623, 0, 0, 0, 0, 0, regs.MDEF_PORT_664]
        assert up(there) == (there, 1 << 1 | 1 << 7, True)
        # where there is no place it is told.
        since = net.vm.sync_log()
        assert up([1] * 8) == ([1] * 8, 0, True)
        net.vm.wait_log("no decision filter left for the ports of IPMI", 5, since)
        # Without a BMC that receives nothing is touched.
        assert up([0] * 8, manc=0) == ([0] * 8, 0, False)
        net.up_again()
        net.check_ping()
    assert up([0] * 8) == ([0] * 8, 0, False)
    net.vm.set_register(0, regs.MANC, 0)
