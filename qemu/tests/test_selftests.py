# SPDX-License-Identifier: GPL-2.0
"""What the kernel's selftests print is understood, and nothing bad passes for good."""

import pytest
from e1000e_vm.selftests import (
    END,
    FAIL,
    PASS,
    SKIP,
    SKIPPED,
    XFAIL,
    Selftest,
    judge,
    parse_forwarding,
    parse_netdevice,
)

PING = Selftest("drivers/net/ping.py")
GOOD = """# Interface: eth0, driver: e1000e
TAP version 13
1..4
ok 1 ping.v4
ok 2 ping.v6 # SKIP no address
# Check failed 1 != 2
not ok 3 ping.tcp
ok 4 ping.xdp # XFAIL only on netdevsim
# Totals: pass:1 fail:1 xfail:1 xpass:0 skip:1 error:0
"""


def statuses(test: Selftest, output: str, status: int = 0, errors: str = "") -> dict[str, str]:
    return {name: case.status for name, case in judge(test, output, errors, status).items()}


def test_ktap() -> None:
    """Each case under its own name, with what was said about it."""
    cases = judge(PING, GOOD, "", 1)
    assert {name: (case.status, case.words) for name, case in cases.items()} == {
        "v4": (PASS, ""),
        "v6": (SKIP, "no address"),
        "tcp": (FAIL, "Check failed 1 != 2"),
        "xdp": (XFAIL, "only on netdevsim"),
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TAP version 13\n", ""),
        ("1..4\n", ""),
        ("1..4\n", "1..5\n"),
        ("1..4\n", "1..3\n"),
        ("1..4\n", "1..4\n1..4\n"),
        ("ok 2 ping.v6 # SKIP no address\n", ""),
        ("ok 2 ping.v6 # SKIP no address\n", "Bail out! no memory\n"),
        ("ok 2 ping.v6", "ok 3 ping.v6"),
        ("ok 1 ping.v4", "ok ping.v4"),
        ("ok 1 ping.v4", "ok 01ping.v4"),
        (GOOD, ""),
    ],
)
def test_broken_ktap(old: str, new: str) -> None:
    """A test that crashed or left something out has failed as a whole."""
    assert old in GOOD
    assert statuses(PING, GOOD.replace(old, new, 1)) == {END: FAIL}


def test_end() -> None:
    """What the status says counts, too."""
    good = "TAP version 13\n1..1\nok 1 ping.v4\n"
    assert statuses(PING, good) == {"v4": PASS}
    assert statuses(PING, good, 1) == {"v4": PASS, END: FAIL}
    assert statuses(PING, good, 124) == {"v4": PASS, END: FAIL}
    assert statuses(PING, GOOD, 1).keys() == {"v4", "v6", "tcp", "xdp"}
    assert statuses(PING, GOOD, 124)[END] == FAIL
    assert statuses(PING, "TAP version 13\n1..2\nok 1 ping.v4\n", 124) == {END: FAIL}
    assert statuses(PING, "", SKIPPED, "SKIP: no jq") == {END: SKIP}
    assert statuses(PING, "TAP version 13\n1..0 # SKIP no jq\n") == {END: SKIP}


def test_forwarding() -> None:
    """The words of net/forwarding/lib.sh."""
    test = Selftest("drivers/net/hw/ethtool.sh", "here", parse_forwarding)
    output = (
        "TEST: force speed 100 on both ends                                  [ OK ]\n"
        "TEST: force speed 10 (half)                                         [FAIL]\n"
        "        error in configuration\n"
        "TEST: loopback                                                      [SKIP]\n"
    )
    assert statuses(test, output, 1) == {
        "force speed 100 on both ends": PASS,
        "force speed 10 (half)": FAIL,
        "loopback": SKIP,
    }
    assert judge(test, output, "", 1)["force speed 10 (half)"].words == "error in configuration"
    assert statuses(test, "TEST: force speed 100\n") == {END: FAIL}
    assert statuses(test, "") == {END: FAIL}
    skipped = "TEST: SKIP: dev eth0 does not support loopback feature    [ OK ]\n"
    assert statuses(test, skipped, SKIPPED) == {END: SKIP}


def test_netdevice() -> None:
    """A case of net/netdevice.sh has the same name however it ended."""
    test = Selftest("net/netdevice.sh", "down", parse_netdevice)
    good = "PASS: eth0: set interface up\nPASS: eth0: Turned off feature: tx-checksum\n"
    bad = "FAIL: eth0: Fail to up interface\nFAIL: eth0: Failed to turn off feature: tx-checksum\n"
    assert set(statuses(test, good).values()) == {PASS}
    assert statuses(test, bad) == dict.fromkeys(statuses(test, good), FAIL)
    assert statuses(test, "PASS: eth0: Turned on feature: a\n" * 2).keys() == {
        "eth0: Turned on feature: a",
        "eth0: Turned on feature: a (2)",
    }
