# SPDX-License-Identifier: GPL-2.0
"""The stock C driver beside ours, in turn on one machine.

The machine counts its processor's instructions as time, so that the figures say
what the drivers cost, and not how busy the host is.
"""

import json
from statistics import median

import pytest
from e1000e_vm import paths
from e1000e_vm.net import Net
from e1000e_vm.vm import VM, Topology

ROUNDS = 3
# Repeats of one driver differ by less, see the rounds in build/compare.json.
MARGIN = 0.05

pytestmark = [
    pytest.mark.rust,
    # What checkers cost would be measured.
    pytest.mark.stock,
    pytest.mark.topology(Topology(smp=1, icount="shift=0,sleep=off")),
    pytest.mark.timeout(1800),
]


def measure(net: Net) -> dict[str, float]:
    """Figures of one driver; the more the better, but for ping."""
    net.load()
    net.ping(50, 0.005)  # caches
    figures = {
        "ping_ms": net.ping(300, 0.005).average_ms,
        "out_mbit": net.iperf(size="48M"),
        "in_mbit": net.iperf(options="-R", size="48M"),
    }
    net.unload()
    return figures


def test_not_slower(vm: VM, capsys: pytest.CaptureFixture[str]) -> None:
    """Medians of interleaved rounds: ours is within the margin of C's, or better."""
    rounds = {"c": [], "rust": []}
    for number in range(ROUNDS):
        # Who goes first changes, so that whatever builds up favours none.
        for driver in ["c", "rust"] if number % 2 == 0 else ["rust", "c"]:
            rounds[driver].append(measure(Net(vm, driver)))
    report = {}
    for name in rounds["c"][0]:
        c, rust = (median(figures[name] for figures in rounds[driver]) for driver in ["c", "rust"])
        report[name] = {
            "c": round(c, 3),
            "rust": round(rust, 3),
            # Above 1 ours is better.
            "ratio": round(c / rust if name == "ping_ms" else rust / c, 3),
        }
    paths.BUILD.mkdir(exist_ok=True)
    (paths.BUILD / "compare.json").write_text(
        json.dumps({"medians": report, "rounds": rounds, "margin": MARGIN}, indent=1) + "\n"
    )
    with capsys.disabled():
        print("\n  median of", ROUNDS, "rounds, ratio above 1: ours is better")
        for name, figures in report.items():
            print(
                f"  {name:9} C {figures['c']:9.3f}  Rust {figures['rust']:9.3f}  "
                f"ratio {figures['ratio']:.3f}"
            )
    slower = {name: figures for name, figures in report.items() if figures["ratio"] < 1 - MARGIN}
    assert not slower
