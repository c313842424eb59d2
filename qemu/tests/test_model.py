# SPDX-License-Identifier: GPL-2.0
"""Our own model of the devices: both drivers bind it and pass traffic; ours lives through faults.

What the faults are is told in docs/model.md.
"""

import time
from collections.abc import Iterator

import pytest
from e1000e_vm import regs
from e1000e_vm.model import LM, L, Model
from e1000e_vm.net import Net
from e1000e_vm.vm import VM, Topology

PAIR = Topology(models=(L, L))
BOARD = Topology(models=(LM, L))
THREE = Topology(models=(L, L), model_words=("--vectors", "3"))

pytestmark = pytest.mark.topology(PAIR)


def check_healthy(vm: VM) -> None:
    """No interrupt without a vector, nothing read or written where there is no memory."""
    for model in vm.models:
        status = model.status()
        assert (status["lost"], status["dma_errors"]) == (0, 0)


@pytest.mark.parametrize("which", ["c", "rust"])
def test_traffic(vm: VM, which: str) -> None:
    """The stock driver shows that the model is not made to fit ours."""
    net = Net(vm, which)
    net.load()
    assert net.interrupt_mode() == "msix"
    net.check_ping()
    assert net.iperf(2) > 1
    assert net.iperf(2, "-R") > 1
    check_healthy(vm)


@pytest.mark.parametrize("which", ["c", "rust"])
def test_jumbo(vm: VM, which: str) -> None:
    """Long frames, which the stock driver receives by packet split descriptors."""
    net = Net(vm, which)
    net.load()
    net.set_mtu(9000)
    net.wait_ping()
    net.check_ping(10, "-i 0.05 -s 8972 -M do")
    control = vm.models[0].ask("peek", register=f"{regs.RCTL:x}")["value"]
    assert control >> 10 & 3 == (1 if which == "c" else 0)
    check_healthy(vm)


@pytest.mark.topology(BOARD)
def test_board(vm: VM) -> None:
    """The stock driver takes the 82579LM at 00:19.0, with one MSI, to a link and traffic."""
    net = Net(vm, "c")
    net.load()
    assert vm.nics[0].address == "0000:00:19.0"
    assert net.interrupt_mode() == "msi"
    net.check_ping()
    assert net.iperf(2) > 1
    check_healthy(vm)


@pytest.mark.rust
@pytest.mark.topology(THREE)
def test_three_vectors(net: Net) -> None:
    """A board whose NVM gives three vectors."""
    assert net.vectors() == 3
    net.check_ping()
    check_healthy(net.vm)


# Faults


@pytest.fixture
def model(net: Net) -> Iterator[Model]:
    """The first device, under ping; its faults end with the test."""
    model = net.vm.models[0]
    net.check_ping(5)
    yield model
    if model.process.poll() is None:  # the machine is gone after a failure
        model.clear()
        model.link(True)


def back(net: Net, seconds: float = 15) -> None:
    """Traffic is back, and stays."""
    net.wait_carrier(True, seconds)
    net.wait_ping(seconds)
    net.check_ping(10)


def rises(net: Net, counter: str, seconds: float = 15) -> None:
    """A counter of the driver's says that it has noticed; it is freshly loaded."""
    net.vm.until(lambda: net.counters()[counter] > 0, seconds, counter)


@pytest.mark.rust
@pytest.mark.parametrize("value", ["0", "ffffffff", "5a5a5a5a", "800cba90"])
def test_ivar_lost(net: Net, model: Model, value: str) -> None:
    """The ESX report: the mapping is gone. It is repaired, and told."""
    model.ask("poke", register=f"{regs.IVAR:x}", value=value)
    rises(net, "ivar_repairs")
    back(net)


@pytest.mark.rust
@pytest.mark.parametrize("vector", [0, 2, 4])
def test_messages_lost(net: Net, model: Model, vector: int) -> None:
    """A vector whose MSI-X messages do not arrive is missed, and traffic is back once they do."""
    model.fault("messages", {"vector": vector, "lose": True})
    with net.light():
        rises(net, "interrupts_lost")
    assert model.status()["withheld"]
    model.clear()
    back(net, 30)


@pytest.mark.rust
@pytest.mark.provokes("NETDEV WATCHDOG")
def test_messages_never(net: Net, model: Model) -> None:
    """MSI-X that never works again: the driver finds that MSI does."""
    model.fault("messages", {"lose": True})
    net.vm.until(lambda: net.interrupt_mode() == "msi", 60, "MSI")
    back(net, 30)


@pytest.mark.rust
def test_messages_twice(net: Net, model: Model) -> None:
    """Messages that come twice do no harm."""
    model.fault("messages", {"duplicate": True})
    net.check_ping(50)


@pytest.mark.rust
@pytest.mark.parametrize(
    ("mode", "counter"), [("timeout", "timeout"), ("error", "flagged"), ("echo", "mismatch")]
)
def test_mdio(net: Net, model: Model, mode: str, counter: str) -> None:
    """Accesses of the PHY that fail are counted by their class, and not believed."""
    model.fault("mdic", {"mode": mode})
    model.ask("raise", causes="4")  # LSC: the link is looked at
    rises(net, f"phy_read_err_{counter}")
    model.clear()
    back(net)


@pytest.mark.rust
def test_mdio_stuck(net: Net, model: Model) -> None:
    """READY that is set too early cannot be told from the truth; it heals when it ends."""
    model.fault("mdic", {"mode": "stuck", "count": 50})
    model.ask("raise", causes="4")
    time.sleep(2)
    model.clear()
    back(net)


@pytest.mark.rust
def test_semaphore(net: Net, model: Model) -> None:
    """Firmware that does not let go of the PHY for a while."""
    model.fault("semaphores", {"mdio": True})
    model.ask("raise", causes="4")
    rises(net, "phy_read_err_ownership")
    model.clear()
    back(net)


@pytest.mark.rust
def test_semaphore_at_probe(net: Net, model: Model) -> None:
    """A semaphore that firmware never lets go of: the device is taken once it does."""
    net.unload()
    model.fault("semaphores", {"mdio": True, "swsm": True})
    net.vm.sh("insmod /e1000e_rust.ko")
    assert not net.bound()
    net.unload()
    model.clear()
    net.load()
    net.check_ping()


@pytest.mark.rust
def test_nvm_once(net: Net, model: Model) -> None:
    """A checksum that is wrong once is read again."""
    net.unload()
    model.fault("nvm", {"wrong": 1})
    net.load()
    net.check_ping()


@pytest.mark.rust
def test_nvm_always(net: Net, model: Model) -> None:
    """A checksum that stays wrong: the device is not taken, nothing else is the worse for it."""
    net.unload()
    model.fault("nvm", {"wrong": 0})
    since = net.vm.sync_log()
    net.vm.sh("insmod /e1000e_rust.ko")
    assert not net.bound()
    net.vm.wait_log("checksum", 5, since)
    net.unload()
    model.clear()
    net.load()
    net.check_ping()


@pytest.mark.rust
def test_tx_hang(net: Net, model: Model) -> None:
    """Nothing is sent any more: noticed, and the device is reset."""
    with net.light():
        model.fault("tx_hang", True)
        rises(net, "tx_hangs")
        model.clear()
    back(net)


@pytest.mark.rust
def test_link_lost_with_frames(net: Net, model: Model) -> None:
    """Frames that wait as the link goes are dropped, not kept until it is back."""
    since = net.vm.sync_log()
    model.fault("tx_hang", True)
    net.vm.try_sh("ping -q -c 5 -i 0.01 -W 0.1 10.0.0.2")
    model.link(False)
    net.vm.wait_log("drop frames that were waiting as the link went", 15, since)
    model.clear()
    model.link(True)
    back(net)


@pytest.mark.rust
def test_link_flaps(net: Net, model: Model) -> None:
    """The cable out and in, three times."""
    for _ in range(3):
        model.link(False)
        net.wait_carrier(False, 5)
        model.link(True)
        net.wait_carrier(True, 10)
    back(net)


@pytest.mark.rust
def test_phy_hang(net: Net, model: Model) -> None:
    """The PHY's signature of a hang: the device is reset, and works when the PHY does."""
    before = net.counters()["resets"]
    model.fault("phy_hang", True)
    net.vm.until(lambda: net.counters()["resets"] > before, 10, "a reset")
    model.clear()
    back(net)


@pytest.mark.rust
@pytest.mark.parametrize("mode", ["late", "order", "length", "empty", "reserved"])
def test_descriptors(net: Net, model: Model, mode: str) -> None:
    """Descriptors that are written back wrongly, 20 of them under traffic."""
    with net.light():
        model.fault("descriptors", {"mode": mode, "count": 20, "ms": 300})
        net.vm.until(
            lambda: not model.status()["faults"]["descriptors"]["mode"], 20, "20 descriptors"
        )
    back(net)
    if mode in ["length", "empty"]:
        assert net.counters()["rx_absurd_descriptors"] == 20


@pytest.mark.rust
def test_aspm_death(net: Net, model: Model) -> None:
    """The CentOS report: ASPM comes on, the idle chip dies. The carrier says so, and why.

    A power cycle and a scan of the bus bring it back.
    """
    vm = net.vm
    vm.spent = True
    model.fault("aspm", {"idle_ms": 100, "then_ms": 500})

    def dead() -> bool:
        # The driver may have switched it off again before the chip was idle for long enough.
        vm.sh(f"setpci -s {vm.nics[0].address} CAP_EXP+10.w=2:3")
        time.sleep(0.3)
        return model.status()["death"] != "alive"

    vm.until(dead, 10, "the chip's death")
    net.wait_carrier(False, 10)
    vm.until(lambda: model.status()["death"] == "gone", 10, "the bus's death")
    rises(net, "dead_reads")
    assert not net.carrier()
    model.clear()
    vm.sh(f"echo 1 >{net.device}/remove")
    model.ask("power-cycle")
    vm.sh("echo 1 >/sys/bus/pci/rescan")
    net.load()
    back(net)
