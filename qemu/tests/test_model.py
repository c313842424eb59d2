# SPDX-License-Identifier: GPL-2.0
"""Our own model of the devices: both drivers bind it and pass traffic."""

import pytest
from e1000e_vm.model import L
from e1000e_vm.net import Net
from e1000e_vm.vm import VM, Topology

PAIR = Topology(models=(L, L))

pytestmark = pytest.mark.topology(PAIR)


@pytest.mark.parametrize("which", ["c", "rust"])
def test_traffic(vm: VM, which: str) -> None:
    """The stock driver shows that the model is not made to fit ours."""
    net = Net(vm, which)
    net.load()
    assert net.interrupt_mode() == "msix"
    net.check_ping()
    assert net.iperf(2) > 1
    assert net.iperf(2, "-R") > 1
    for model in vm.models:
        status = model.status()
        assert status["lost"] == 0
        assert status["dma_errors"] == 0
