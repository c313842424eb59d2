# SPDX-License-Identifier: GPL-2.0
"""Machines for the tests, and what every test is held to.

Tests that want the same topology one after the other share a machine; it is
thrown away when a test fails. Whatever a test is about, it fails if the kernel
log shows a warning or worse, or if the device lost an interrupt, unless the
test says that it provokes just that.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from e1000e_vm import image, paths
from e1000e_vm.net import MODULES, Net
from e1000e_vm.vm import TROUBLE, VM, QemuDiedError, Topology


def pytest_addoption(parser: pytest.Parser) -> None:
    """The driver under test."""
    parser.addoption(
        "--driver",
        choices=MODULES,
        default="rust",
        help="the module to test (default: rust); with c, tests of what only "
        "e1000e_rust has are left out",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    for line in [
        "topology(Topology): the machine that the test needs",
        "parameters(rust=words, c=words): module parameters",
        "rust: of e1000e_rust only",
        "debug: on the debug kernel only",
        "stock: on the stock kernel only",
        "provokes(pattern): kernel log lines that the test itself causes",
        "loses_interrupts: the test itself makes the device lose interrupts",
    ]:
        config.addinivalue_line("markers", line)


def topology_of(item: pytest.Item) -> Topology:
    mark = item.get_closest_marker("topology")
    return mark.args[0] if mark else Topology()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what driver or kernel cannot do; put tests of one topology together."""
    marks = [
        *(["rust"] if config.getoption("driver") == "c" else []),
        "stock" if paths.DEBUG else "debug",
    ]
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in marks)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    order = list(dict.fromkeys(topology_of(item) for item in items))
    items.sort(key=lambda item: order.index(topology_of(item)))


class Machines:
    """At most one machine, kept as long as tests want its topology."""

    def __init__(self, module: Path | None) -> None:
        self.module, self.vm = module, None
        self.logs = tempfile.TemporaryDirectory(prefix="e1000e-logs-")

    def get(self, topology: Topology) -> VM:
        """The running machine if it fits, else a new one."""
        if self.vm and (self.vm.spent or self.vm.topology != topology):
            self.discard()
        if not self.vm:
            self.logs.cleanup()
            self.logs = tempfile.TemporaryDirectory(prefix="e1000e-logs-")
            self.vm = VM(topology, Path(self.logs.name), self.module)
        return self.vm

    def discard(self) -> None:
        """Throw the machine away."""
        if self.vm:
            self.vm.close()
            self.vm = None


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest) -> str:
    """The driver under test: rust or c."""
    return request.config.getoption("driver")


@pytest.fixture(scope="session")
def machines(
    driver: str, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Machines]:
    """All machines of the session."""
    image.ensure()
    module = None
    if driver == "rust":
        # A copy: a rebuild meanwhile must not put two drivers into one result.
        module = tmp_path_factory.mktemp("module") / "e1000e_rust.ko"
        shutil.copyfile(paths.rust_module(), module)
    machines = Machines(module)
    # Not sooner: the report of a last test whose machine leaked is yet to come.
    pytestconfig.add_cleanup(lambda: machines.logs.cleanup())
    yield machines
    machines.discard()


class Watch:
    """The log and trace of a machine from the start of a test on."""

    def __init__(self, vm: VM, item: pytest.Item) -> None:
        self.vm, self.item = vm, item
        self.log_start = vm.sync_log()
        self.lost_start = len(vm.lost_interrupts())

    def faults(self) -> list[str]:
        """Lines that must not be there."""
        provoked = [mark.args[0] for mark in self.item.iter_markers("provokes")]
        lines = [
            line
            for line in self.vm.log(self.log_start).splitlines()
            if TROUBLE.search(line) and not any(re.search(p, line) for p in provoked)
        ]
        if not self.item.get_closest_marker("loses_interrupts"):
            lines += self.vm.lost_interrupts()[self.lost_start :]
        return lines

    def own_log(self) -> str:
        """The kernel log from the start of the test on."""
        text = self.vm.serial.read_bytes()[self.log_start :].decode(errors="replace")
        return text.replace("\r", "")


WATCH = pytest.StashKey[Watch]()
LAST = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Know the last test of a machine."""
    item.stash[LAST] = nextitem is None or topology_of(nextitem) != topology_of(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hold the test to its kernel log and trace; it is the test that fails."""
    watch = item.stash.get(WATCH, None)
    try:
        result = yield
    except Exception as error:
        if watch and (death := watch.vm.death(2)):
            raise QemuDiedError(death) from error
        raise
    if watch and (faults := watch.faults()):
        pytest.fail("the kernel log or QEMU's trace shows:\n" + "\n".join(faults), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    """Keep the logs of a failure, and never use its machine again."""
    report = yield
    target = paths.LOGS / re.sub(r"[^\w.-]+", "_", item.nodeid.split("/")[-1])
    if call.when == "setup":
        shutil.rmtree(target, ignore_errors=True)
    if report.failed and (machines := item.funcargs.get("machines")):
        shutil.copytree(machines.logs.name, target, dirs_exist_ok=True)
        if watch := item.stash.get(WATCH, None):
            (target / "kernel.log").write_text(watch.own_log())
        report.sections.append(("logs", str(target)))
        machines.discard()
    return report


@pytest.fixture
def vm(request: pytest.FixtureRequest, machines: Machines) -> Iterator[VM]:
    """A machine of the topology that the test is marked with; no driver is loaded."""
    vm = machines.get(topology_of(request.node))
    watch = request.node.stash[WATCH] = Watch(vm, request.node)
    yield vm
    if machines.vm is vm and not vm.mute:  # not discarded by a failure
        for module in MODULES.values():
            vm.sh(f"[ ! -d /sys/module/{module} ] || rmmod {module}")
        if paths.DEBUG and (request.node.stash[LAST] or vm.spent):
            assert not (leaks := vm.leaks()), "this machine's tests leaked:\n" + leaks
        assert not (faults := watch.faults()), "unloading the driver left:\n" + "\n".join(faults)


@pytest.fixture
def net(request: pytest.FixtureRequest, vm: VM, driver: str) -> Net:
    """The driver freshly loaded, with the parameters that the test is marked with."""
    net = Net(vm, driver)
    mark = request.node.get_closest_marker("parameters")
    net.load(mark.kwargs[driver] if mark else "")
    return net
