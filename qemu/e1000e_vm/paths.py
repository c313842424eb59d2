# SPDX-License-Identifier: GPL-2.0
"""Where things are: the project, its build results and the cache."""

import functools
import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# Another directory holds the broken modules of qemu/mutants, and what their tests log.
BUILD = Path(os.environ.get("E1000E_RUST_BUILD") or PROJECT / "build")
LOGS = BUILD / "test-logs"
GUEST_SOURCES = PROJECT / "qemu" / "guest"


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


def stock_modules() -> Path:
    """The stock kernel's directory: vmlinuz and kernel/."""
    release = versions()["KERNELRELEASE"]
    return need(cache() / "stock/usr/lib/modules" / release, "run `make setup` again")


def guest_kernel() -> Path:
    """The stock kernel as the guest starts it; `image.ensure` makes it."""
    return cache() / "guest/vmlinux"


def guest_image() -> Path:
    """The guest's initramfs, less the driver; `image.ensure` makes it."""
    return cache() / "guest/initramfs.img"


def rust_module() -> Path:
    """The driver under test."""
    return need(BUILD / "e1000e_rust.ko", "run `make module` first")
