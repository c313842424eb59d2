# SPDX-License-Identifier: GPL-2.0
"""The kernel's own selftests: what they print, and a machine to run them on."""

import re
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import image, paths
from .agent import GuestError
from .net import MODULES
from .vm import TROUBLE, VM, Topology

PASS, XFAIL, SKIP, FAIL = "pass", "xfail", "skip", "fail"
# Exit status of a test that was skipped as a whole.
SKIPPED = 4
# Cases that no test has: its end, and what it left in the kernel log.
END, LOG = "(the whole test)", "(kernel log)"

# What tests want beside the ordinary guest's modules; the first three are for its root.
GUEST_MODULES = [
    "virtio_blk",
    "squashfs",
    "overlay",
    "configfs",
    "netconsole",
    "pppoe",
    "vrf",
    "vxlan",
    "ip_gre",
    "ip6_gre",
    "sit",
    "ip6_tunnel",
    "ipip",
    "cls_flower",
    "cls_bpf",
    "cls_fw",
    "cls_basic",
    "act_gact",
    "act_skbedit",
    "act_pedit",
    "act_police",
    "veth",
    "dummy",
    "macvlan",
]

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "NETIF": "eth0",
    "LOCAL_V4": "192.0.2.1",
    "REMOTE_V4": "192.0.2.2",
    "LOCAL_V6": "2001:db8::1",
    "REMOTE_V6": "2001:db8::2",
    "REMOTE_TYPE": "netns",
    "REMOTE_ARGS": "remote",
}


@dataclass(frozen=True)
class Case:
    """How a case ended, and what the test said about it."""

    status: str
    words: str = ""


Cases = dict[str, Case]


class FormatError(Exception):
    """A test did not print what its format asks for."""


def add(cases: Cases, name: str, case: Case) -> None:
    """Enter a case; a name that was there before gets a number."""
    number, unique = 1, name
    while unique in cases:
        number += 1
        unique = f"{name} ({number})"
    cases[unique] = case


def parse_ktap(output: str, test: str) -> Cases:
    """KTAP without subtests (Documentation/dev-tools/ktap.rst), each case under its own name.

    The kernel's own parser, kunit_parser.py, does not know XFAIL.
    """
    cases: Cases = {}
    plan = None
    said: list[str] = []
    lines = output.splitlines()
    if not any(re.fullmatch(r"K?TAP version \d+", line) for line in lines):
        raise FormatError("no KTAP")
    for line in lines:
        if found := re.fullmatch(r"1\.\.(\d+)(?: *# SKIP ?(.*))?", line):
            if plan is not None:
                raise FormatError("two plans")
            plan = int(found[1])
            if plan == 0:
                return {END: Case(SKIP, found[2] or "")}
        elif line.startswith("Bail out!"):
            raise FormatError(line)
        elif found := re.fullmatch(r"(not )?ok (\d+)(?: -)?(?: +([^#]*?))? *(?:# *(.*?) *)?", line):
            if int(found[2]) != len(cases) + 1:
                raise FormatError(f"case {len(cases) + 1} is missing before: {line}")
            directive, _, reason = (found[4] or "").partition(" ")
            directive = directive.upper()
            words = reason or next(
                (
                    word
                    for word in reversed(said)
                    if re.match(r"(Check failed|Exception\| \S)", word)
                ),
                "",
            )
            if directive == "SKIP":
                case = Case(SKIP, reason)
            elif directive == "XFAIL":
                case = Case(XFAIL, reason)
            elif directive in ("TODO", "XPASS", "TIMEOUT", "ERROR") or found[1]:
                case = Case(FAIL, words)
            else:
                case = Case(PASS)
            add(cases, (found[3] or "").removeprefix(f"{test}."), case)
            said = []
        elif re.match(r"(not )?ok\b", line):
            raise FormatError(f"no KTAP: {line}")
        elif line.startswith("# "):
            said.append(line[2:])
    if plan != len(cases):
        raise FormatError(f"{len(cases)} of {plan or 'unknown'} cases were reported")
    return cases


def parse_forwarding(output: str, _: str) -> Cases:
    """What net/forwarding/lib.sh prints."""
    status = {"OK": PASS, "FAIL": FAIL, "SKIP": SKIP, "XFAIL": XFAIL}
    cases: Cases = {}
    name = ""
    for line in output.splitlines():
        if found := re.fullmatch(r"TEST: (.*?) +\[ ?(OK|FAIL|SKIP|XFAIL) ?\]", line):
            name = re.sub(r"\s+", " ", found[1])
            # loopback.sh says so of what it cannot run, and "OK" behind it.
            if name.startswith("SKIP: "):
                return {END: Case(SKIP, name.removeprefix("SKIP: "))}
            add(cases, name, Case(status[found[2]]))
        elif line.startswith("TEST: "):
            raise FormatError(f"no result: {line}")
        elif name and line.startswith(("\t", "        ")) and not cases[name].words:
            cases[name] = Case(cases[name].status, line.strip())
    return cases


# net/netdevice.sh words a case after how it ended: the words of the good end.
GOOD_END = [
    (r"^Fail to up interface|^interface already up", "set interface up"),
    (r"^Cannot set MAC address", "set MAC address"),
    (r"^already have an IP", "set IP address"),
    (r"^interface kept up", "stop interface"),
    (r"^Failed to turn (on|off)", r"Turned \1"),
    (r"^Failed to restore", "Restore"),
    (r" to initial state \w+$", ""),
    (r" not supported$", ""),
]


def parse_netdevice(output: str, _: str) -> Cases:
    """What net/netdevice.sh prints."""
    cases: Cases = {}
    for line in output.splitlines():
        if found := re.fullmatch(r"(PASS|FAIL|SKIP|XFAIL): (\w+): (.*)", line):
            name = found[3]
            for pattern, words in GOOD_END:
                name = re.sub(pattern, words, name)
            status = found[1].lower()
            add(cases, f"{found[2]}: {name}", Case(status, "" if status == PASS else found[3]))
    return cases


@dataclass(frozen=True)
class Selftest:
    """A test: its path, where it wants the ports, what it prints, guest seconds it may take.

    With `tries` cases that fail may pass in a later run: for those that depend on time
    to the microsecond.
    """

    path: str
    ports: str = "remote"
    parse: Callable[[str, str], Cases] = parse_ktap
    arguments: str = ""
    timeout: int = 900
    tries: int = 1

    @property
    def name(self) -> str:
        """The name that the test puts before that of a case."""
        return Path(self.path).stem


def judge(test: Selftest, output: str, errors: str, status: int) -> Cases:
    """The cases of a test from what it left; a test that did not end well has a failed one."""
    last = next((line for line in reversed(errors.splitlines()) if line.strip()), "")
    try:
        cases = test.parse(output, test.name)
    except FormatError as error:
        cases = {}
        if status != SKIPPED:
            return {END: Case(FAIL, f"{error}; status {status}; {last}")}
    if status == SKIPPED and not cases:
        words = re.findall(r"SKIP:? (.*)", output + errors)
        return {END: Case(SKIP, words[-1] if words else last)}
    if status in (124, 137):
        cases[END] = Case(FAIL, f"not done in {test.timeout} s")
    elif not cases:
        cases[END] = Case(FAIL, f"no case; status {status}; {last}")
    elif status not in (0, SKIPPED) and not any(case.status == FAIL for case in cases.values()):
        cases[END] = Case(FAIL, f"status {status}; {last}")
    return cases


class Machine:
    """A machine with one of the drivers, on which tests are run one after the other."""

    def __init__(self, driver: str, module: Path, logs: Path) -> None:
        disk = paths.need(
            paths.cache() / "selftests/guest.squashfs", "run `scripts/setup selftests`"
        )
        # Tests have time-outs of their own: time must not pass faster than work is done.
        topology = Topology(
            smp=4,
            icount="shift=1",
            extra=(
                "-blockdev",
                f"driver=file,filename={disk},node-name=root,read-only=on,locking=off",
                "-device",
                "virtio-blk-pci,drive=root,bus=pcie.0,addr=0x2",
            ),
        )
        with tempfile.TemporaryDirectory(prefix="e1000e-selftests-") as scratch:
            stage = image.Stage(Path(scratch) / "stage")
            image.add_modules(stage, [*image.MODULES, *GUEST_MODULES])
            stage.file(Path(__file__).with_name("selftests-guest"), "usr/bin/selftests-guest")
            more = Path(scratch) / "archive"
            image.archive(stage.top, more)
            self.vm = VM(topology, logs, module, more)
        try:
            self.vm.sh("selftests-guest root", 300)
            self.file = (
                "/e1000e_rust.ko"
                if driver == "rust"
                else self.vm.sh(f"modinfo -F filename {MODULES[driver]}")
            )
        except BaseException:
            self.vm.close()
            raise

    def run(self, test: Selftest, log: Path) -> Cases:
        """Run a test on fresh interfaces, as often as it may be tried; what it says goes to `log`.

        What the kernel log shows in any run stays.
        """
        cases = self.run_once(test, log)
        for number in range(2, test.tries + 1):
            failed = [name for name, case in cases.items() if case.status == FAIL and name != LOG]
            if not failed:
                break
            again = self.run_once(test, log.with_suffix(f".{number}.log"))
            if again.keys() - {LOG} != cases.keys() - {LOG}:
                break
            cases |= {
                name: Case(PASS, f"at try {number}")
                for name in failed
                if again[name].status == PASS
            }
            if LOG in again:
                cases[LOG] = again[LOG]
        return cases

    def run_once(self, test: Selftest, log: Path) -> Cases:
        """Run a test once."""
        since = self.vm.sync_log()
        self.vm.sh(f"selftests-guest ports {self.file} {test.ports}", 300)
        directory, name = test.path.rsplit("/", 1)
        words = " ".join(f"{key}={value}" for key, value in ENVIRONMENT.items())
        script = (
            f"cd /selftests/{directory} && exec >/tmp/output 2>/tmp/errors </dev/null && "
            f"exec timeout -k 20 {test.timeout} ./{name} {test.arguments}"
        )
        status = self.vm.agent.run(
            f"exec env -i {words} chroot /guest /bin/sh -c {shlex.quote(script)}",
            test.timeout * 10,
            check=False,
        ).status
        output, errors = (
            self.vm.agent.run(f"cat /guest/tmp/{name}").stdout for name in ["output", "errors"]
        )
        log.write_text(f"{output}\n== stderr\n{errors}\n== status {status}\n")
        cases = judge(test, output, errors, status)
        kernel = self.vm.log(since)
        with log.open("a") as file:
            file.write(f"== kernel log\n{kernel}")
        if trouble := [line for line in kernel.splitlines() if TROUBLE.search(line)]:
            cases[LOG] = Case(FAIL, trouble[0])
        return cases

    def close(self) -> None:
        """Kill the machine."""
        self.vm.close()


__all__ = ["Case", "Cases", "GuestError", "Machine", "Selftest"]
