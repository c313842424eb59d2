# SPDX-License-Identifier: GPL-2.0
"""The field reports, in short (`make fieldtest`): the stock driver fails so, ours lives."""

from collections.abc import Callable

import pytest
from e1000e_vm import field, regs
from e1000e_vm.campaign import LIMIT, Campaign
from e1000e_vm.field import Echoes, Finding
from e1000e_vm.model import L
from e1000e_vm.vm import VM

pytestmark = [
    pytest.mark.topology(field.topology(L)),
    pytest.mark.rust,
    # Of the stock driver.
    pytest.mark.provokes("NETDEV WATCHDOG|e1000e 0000:"),
]


def aspm(vm: VM, driver: str) -> Finding:
    return field.aspm(vm, driver, seconds=4)


def mapping(vm: VM, driver: str) -> Finding:
    return field.mapping(vm, driver, blind=4)


@pytest.mark.parametrize("scenario", [aspm, mapping], ids=["aspm", "mapping"])
def test_replayed(vm: VM, scenario: Callable[[VM, str], Finding]) -> None:
    """First the failure, then how it is lived through, in the same machine."""
    c = scenario(vm, "c")
    assert c.failed, f"the stock driver was to fail as reported: {c.words}"
    ours = scenario(vm, "rust")
    assert ours.lived, ours.words


def test_echoes() -> None:
    """How long an answer was missed: in the middle, at the end, not at all."""
    times = [number / 10 for number in range(40)]
    gap = Echoes(times, [None if 1 <= when < 2 else when + 0.01 for when in times])
    assert gap.lost == gap.lost_between(0.9, 2.1) == 10
    assert gap.back(1.0) == pytest.approx(1.01)
    assert gap.gap(0.5, 3) == pytest.approx(1.1)
    assert gap.gap(2.5, 3) < field.SILENCE
    assert Echoes(times, [when + 0.01 if when < 2 else None for when in times]).back(1) is None
    assert Echoes(times, [when + 0.01 for when in times]).back(1) == 0


def test_noticed(vm: VM) -> None:
    """The campaign's witness: what the driver says, or counts, and nothing else."""
    at = field.Site(vm, "rust")
    at.load()
    at.alone()
    hurt = Campaign(at, 0)
    assert hurt.noticed(vm.sync_log(), hurt.remember(), 1.5) is None
    mark, begun = vm.sync_log(), hurt.remember()
    at.port.ask("poke", register=regs.IVAR, value=0)
    noticed = hurt.noticed(mark, begun, LIMIT)
    assert noticed is not None
    assert noticed < LIMIT
    # Said before, but counted since.
    assert hurt.noticed(vm.sync_log(), begun, 0.1) == 0.1
    at.unload()
