# SPDX-License-Identifier: GPL-2.0
"""The guest's kernel and initramfs, made of Debian packages.

The kernel is taken out of the wrapper in which it would first unpack itself:
QEMU starts it directly (PVH), which saves seconds of every boot.
The initramfs holds everything but the driver under test, which is appended as a
second archive when a machine starts: a rebuilt driver costs no new image.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from . import paths

PROGRAMS = [
    "/usr/bin/busybox",
    "/usr/bin/dash",
    "/usr/bin/bash",
    "/usr/bin/kmod",
    "/usr/bin/lspci",
    "/usr/bin/setpci",
    "/usr/bin/ip",
    "/usr/sbin/tc",
    "/usr/sbin/bridge",
    "/usr/bin/ss",
    "/usr/sbin/ethtool",
    "/usr/bin/iperf3",
    "/usr/bin/ping",
    "/usr/bin/setsid",
    "/usr/bin/timeout",
    "/usr/bin/socat",
    "/usr/bin/tcpdump",
    "/usr/sbin/qemu-ga",
    "/usr/bin/python3.13",
]

# Opened at run time, so not found by ldd.
LIBRARIES = [
    "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    "/usr/lib/x86_64-linux-gnu/libffi.so.8",
]

DATA = ["/usr/share/misc/pci.ids", "/usr/lib/python3/dist-packages/yaml"]

PYTHON_LIBRARY = Path("/usr/lib/python3.13")
PYTHON_OMIT = {
    "test",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "lib2to3",
    "__pycache__",
    "config-3.13-x86_64-linux-gnu",
    "asyncio",
    "pydoc_data",
    "unittest",
    "dbm",
    "sqlite3",
    "curses",
    "wsgiref",
    "venv",
    "xmlrpc",
    "multiprocessing",
    "concurrent",
}

KMOD_NAMES = ["modprobe", "insmod", "rmmod", "lsmod", "modinfo", "depmod"]

MODULES = [
    "e1000e",
    "bonding",
    "veth",
    "dummy",
    "8021q",
    "bridge",
    "macvlan",
    "netconsole",
    "pktgen",
    "sch_fq",
    "sch_etf",
    "sch_mqprio",
    "sch_netem",
    "sch_prio",
    "sch_tbf",
    "sch_ingress",
    "cls_matchall",
    "cls_u32",
    "act_gact",
    "act_mirred",
    "aer_inject",
]

PACKAGES = [
    "busybox-static",
    "dash",
    "bash",
    "kmod",
    "pciutils",
    "iproute2",
    "ethtool",
    "iperf3",
    "iputils-ping",
    "coreutils",
    "util-linux",
    "socat",
    "tcpdump",
    "qemu-guest-agent",
    "python3-minimal",
    "python3-yaml",
    "libffi8",
    "libgcc-s1",
    "libc6",
]


class ImageError(Exception):
    """The image cannot be made; the text says what to do."""


def run(*command: str | Path) -> str:
    """Run a host program; its failure is an ImageError with its own words."""
    try:
        return subprocess.run(command, check=True, text=True, capture_output=True).stdout
    except FileNotFoundError as error:
        raise ImageError(
            f"{command[0]} is not installed: run this through scripts/enter"
        ) from error
    except subprocess.CalledProcessError as error:
        words = " ".join(map(str, command))
        raise ImageError(f"`{words}` failed:\n{error.stderr}") from error


def libraries_of(programs: Iterable[str]) -> set[str]:
    """The shared libraries that the programs are linked with."""
    found: set[str] = set()
    for program in programs:
        result = subprocess.run(["ldd", program], text=True, capture_output=True, check=False)
        if "not found" in result.stdout:
            raise ImageError(f"{program} lacks a library:\n{result.stdout}")
        found.update(re.findall(r"(?:=> )?(/\S+) \(0x", result.stdout))
    return found


class Stage:
    """A directory tree that becomes the archive."""

    def __init__(self, top: Path) -> None:
        self.top = top
        for directory in ["bin", "sbin", "lib", "lib64"]:
            (top / "usr" / directory).mkdir(parents=True)
            (top / directory).symlink_to(f"usr/{directory}")
        for directory in ["dev", "proc", "sys", "run", "tmp", "root", "etc", "var"]:
            (top / directory).mkdir()
        (top / "var/run").symlink_to("/run")

    def file(self, source: Path | str, target: str | None = None) -> None:
        """Copy one file or tree, by default to the place it came from."""
        source = Path(source)
        if not source.exists():
            raise ImageError(
                f"{source} does not exist: add its package to scripts/packages "
                "and run `make setup` again"
            )
        destination = self.top / (target or str(source)).lstrip("/")
        destination.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, destination, dirs_exist_ok=True)
        else:
            shutil.copy(source, destination)

    def link(self, name: str, target: str) -> None:
        """Make a symbolic link, unless a file of that name is there."""
        path = self.top / name
        if not path.exists() and not path.is_symlink():
            path.symlink_to(target)


def add_python(stage: Stage) -> None:
    """Python with what small scripts import, compiled only: half of the size."""
    target = stage.top / "usr/lib/python3.13"
    shutil.copytree(
        PYTHON_LIBRARY,
        target,
        symlinks=False,
        ignore=lambda _, names: PYTHON_OMIT.intersection(names),
    )
    stage.link("usr/bin/python3", "python3.13")
    run(
        sys.executable,
        "-m",
        "compileall",
        "-q",
        "-b",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        stage.top,
        target,
        stage.top / "usr/lib/python3/dist-packages",
    )
    for path in [*target.rglob("*.py"), *stage.top.glob("usr/lib/python3/**/*.py")]:
        path.unlink()


def add_modules(stage: Stage, wanted: Iterable[str]) -> None:
    """The kernel's own modules with all they depend on, uncompressed."""
    source = paths.modules()
    by_name = {
        path.name.split(".ko")[0].replace("-", "_"): path
        for path in (source / "kernel").rglob("*.ko*")
    }
    queue, done = list(wanted), set()
    while queue:
        name = queue.pop().replace("-", "_")
        if name in done:
            continue
        done.add(name)
        if name not in by_name:
            raise ImageError(f"the kernel has no module {name}")
        target = stage.top / "usr/lib/modules" / source.name / f"{name}.ko"
        target.parent.mkdir(parents=True, exist_ok=True)
        if by_name[name].suffix == ".xz":
            with target.open("wb") as out:
                subprocess.run(["xz", "-dc", by_name[name]], check=True, stdout=out)
        else:
            shutil.copy(by_name[name], target)
        queue += [
            word for word in run("modinfo", "-F", "depends", target).strip().split(",") if word
        ]
    for index in ["modules.builtin", "modules.order"]:
        (stage.top / "usr/lib/modules" / source.name / index).touch()
    run("depmod", "-b", stage.top, source.name)


def archive(top: Path, image: Path) -> None:
    """Pack `top` as an uncompressed archive, which the kernel unpacks fastest."""
    names = sorted(str(path.relative_to(top)) for path in top.rglob("*"))
    with image.open("wb") as out:
        subprocess.run(
            ["cpio", "--quiet", "--null", "-o", "-H", "newc", "-R", "0:0"],
            cwd=top,
            input="\0".join(names).encode() + b"\0",
            stdout=out,
            check=True,
        )
        out.write(b"\0" * (-out.tell() % 4))


def build(image: Path) -> None:
    """Make the image at `image`."""
    with tempfile.TemporaryDirectory(prefix="e1000e-guest-") as scratch:
        stage = Stage(Path(scratch) / "stage")
        for path in {*PROGRAMS, *LIBRARIES, *libraries_of([*PROGRAMS, *LIBRARIES])}:
            stage.file(path)
        for path in DATA:
            stage.file(path)
        for name in KMOD_NAMES:
            stage.link(f"usr/sbin/{name}", "/usr/bin/kmod")
        add_python(stage)
        ynl = paths.need(paths.cache() / "source/tools/net/ynl/pyynl", "run `make setup` again")
        specs = paths.cache() / "source/Documentation/netlink/specs"
        stage.file(ynl, "usr/share/ynl/pyynl")
        stage.file(specs / "netdev.yaml", "usr/share/ynl/specs/netdev.yaml")
        for source in sorted(paths.GUEST_SOURCES.iterdir()):
            target = {"init": "init", "motd": "etc/motd"}.get(source.name, f"usr/bin/{source.stem}")
            if source.suffix == ".rs":
                run(
                    "rustc",
                    "-O",
                    "-Cpanic=abort",
                    "-Cstrip=symbols",
                    "-o",
                    stage.top / target,
                    source,
                )
            else:
                stage.file(source, target)
        (stage.top / "etc/passwd").write_text(
            "root:x:0:0:root:/root:/bin/sh\ntcpdump:x:100:100::/:/bin/false\n"
        )
        (stage.top / "etc/group").write_text("root:x:0:\n")
        (stage.top / "etc/hosts").write_text("127.0.0.1 localhost\n")
        # Not busybox's shell, which would prefer its own ip and ping to the real.
        stage.link("usr/bin/sh", "dash")
        for name in run("busybox", "--list").split():
            stage.link(f"usr/bin/{name}", "/usr/bin/busybox")
        add_modules(stage, MODULES)
        archive(stage.top, image)


def stamp() -> str:
    """A hash of all that the image is made of."""
    digest = hashlib.sha256(paths.release().encode())
    for path in [Path(__file__), *sorted(paths.GUEST_SOURCES.iterdir())]:
        mode = path.stat().st_mode & 0o777
        digest.update(f"{path.name} {mode:o}\0".encode() + path.read_bytes())
    digest.update(run("dpkg-query", "-W", *PACKAGES).encode())
    return digest.hexdigest()


def unwrap_kernel(target: Path) -> None:
    """Take the kernel out of its self-extracting image."""
    script = paths.need(paths.cache() / "source/scripts/extract-vmlinux", "run `make setup` again")
    with target.open("wb") as out:
        done = subprocess.run(
            ["sh", script, paths.modules() / "vmlinuz"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode:
        raise ImageError(f"the kernel cannot be unpacked:\n{done.stderr}")


def ensure() -> None:
    """Have `paths.guest_kernel()` and `paths.guest_image()` made of today's inputs."""
    guest = paths.guest()
    guest.mkdir(parents=True, exist_ok=True)
    kernel, image, stamped = paths.guest_kernel(), paths.guest_image(), guest / "stamp"
    with (guest / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = stamp()
        if stamped.exists() and stamped.read_text() == wanted:
            return
        print("guest image: building", file=sys.stderr, flush=True)
        stamped.unlink(missing_ok=True)
        fresh = guest / "fresh.tmp"
        unwrap_kernel(fresh)
        os.replace(fresh, kernel)
        build(fresh)
        os.replace(fresh, image)
        stamped.write_text(wanted)
        print(f"guest image: {image.stat().st_size >> 20} MiB", file=sys.stderr, flush=True)
