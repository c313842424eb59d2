# SPDX-License-Identifier: GPL-2.0
"""The short form of `make bench`: nothing gets dearer unnoticed."""

from dataclasses import replace
from pathlib import Path

import pytest
from e1000e_vm import paths
from e1000e_vm.cost import CASES, Bench, recorded
from e1000e_vm.vm import TROUBLE

MARGIN = 0.03

pytestmark = [pytest.mark.rust, pytest.mark.stock, pytest.mark.timeout(1800)]


def test_not_dearer(tmp_path: Path) -> None:
    """Instructions per unit are at most 3 % more than those that were last agreed upon.

    The C driver is counted in the same machine: what a new kernel costs both is not held
    against this one.
    """
    then = recorded()
    found = {}
    with Bench(tmp_path, paths.rust_module()) as bench:
        since = bench.vm.sync_log()
        for driver in ["c", "rust"]:
            bench.load(driver)
            for case in CASES:
                if case.name in then:
                    short = replace(case, few=case.few // 2, many=case.many // 2)
                    figures = case.measure(bench, short).figures()
                    found.setdefault(case.name, {})[driver] = figures["instructions"]
            bench.unload()
        assert not TROUBLE.search(bench.vm.log(since))
    assert found.keys() == then.keys()
    dearer = {}
    for name, now in found.items():
        old = then[name]
        limit = old["rust"] * now["c"] / old["c"] * (1 + MARGIN)
        if now["rust"] > limit:
            dearer[name] = f"{now['rust']:.0f} instructions, {limit:.0f} at most"
    assert not dearer
