# SPDX-License-Identifier: GPL-2.0
"""Where things are: the project, its build results and the cache.

They depend on the kernel that the guests run: Debian's own, or with
E1000E_RUST_KERNEL=debug the one of qemu/debug.config.
"""

import functools
import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# Another directory holds the broken modules of qemu/mutants, and what their tests log.
BUILD = Path(os.environ.get("E1000E_RUST_BUILD") or PROJECT / "build")
LOGS = BUILD / "test-logs"
GUEST_SOURCES = PROJECT / "qemu" / "guest"
DEBUG = os.environ.get("E1000E_RUST_KERNEL") == "debug"
# How much slower guests are than those that the tests' time limits are made for.
PATIENCE = 8 if DEBUG else 1


class MissingError(Exception):
    """Something that the set-up or the build makes is not there."""


def need(path: Path, remedy: str) -> Path:
    """Return `path` if it exists; else say what to do."""
    if not path.exists():
        raise MissingError(f"{path} does not exist: {remedy}")
    return path


def cache() -> Path:
    """The cache directory, as scripts/ lays it out."""
    if named := os.environ.get("E1000E_RUST_CACHE"):
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "e1000e_rust"


@functools.cache
def versions() -> dict[str, str]:
    """What the set-up pinned, such as KERNELRELEASE."""
    text = need(cache() / "versions", "run `make setup` first").read_text()
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {key: value.strip("\"'") for key, _, value in (line.partition("=") for line in lines)}


def release() -> str:
    """The kernel's release, as `uname -r` tells it."""
    if DEBUG:
        text = need(cache() / "debug/include/config/kernel.release", "run `make test-debug`")
        return text.read_text().strip()
    return versions()["KERNELRELEASE"]


def modules() -> Path:
    """The kernel's own modules, below kernel/."""
    where = "debug/modules/lib/modules" if DEBUG else "stock/usr/lib/modules"
    return need(cache() / where / release(), "run `make setup` again")


def guest() -> Path:
    """What the guests start from; `image.ensure` makes it."""
    return cache() / ("guest-debug" if DEBUG else "guest")


def guest_kernel() -> Path:
    """The kernel as QEMU starts it."""
    return guest() / "vmlinux"


def guest_image() -> Path:
    """The guest's initramfs, less the driver."""
    return guest() / "initramfs.img"


def model() -> Path:
    """The model of the devices, as a program."""
    return need(PROJECT / "build/model/release/e1000e-model", "run `make model` first")


def rust_module() -> Path:
    """The driver under test."""
    name = "debug/e1000e_rust.ko" if DEBUG else "e1000e_rust.ko"
    return need(BUILD / name, "run `make module` first")
