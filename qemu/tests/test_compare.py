# SPDX-License-Identifier: GPL-2.0
"""The stock C driver beside ours, in turn on one machine."""

import json
from statistics import median

import pytest
from e1000e_vm import paths
from e1000e_vm.net import Net
from e1000e_vm.vm import VM

ROUNDS = 5
# Repeats of one driver differ by as much under emulation on a shared host.
MARGIN = 0.15

pytestmark = pytest.mark.rust


def measure(net: Net) -> dict[str, float]:
    """Figures of one driver; the more the better, but for ping."""
    net.load()
    net.ping(50, 0.005)  # caches
    figures = {
        "ping_ms": net.ping(300, 0.005).average_ms,
        "out_mbit": net.iperf(4),
        "in_mbit": net.iperf(4, "-R"),
    }
    net.unload()
    return figures


def test_not_slower(vm: VM, capsys: pytest.CaptureFixture[str]) -> None:
    """Medians of interleaved rounds: ours is within the margin of C's, or better."""
    rounds = {"c": [], "rust": []}
    for number in range(ROUNDS):
        # Who goes first changes, so that a drift of the host favours none.
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
