#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Do something over and over, each time with another of its allocations failing.

First the first allocation fails, then the second, and so on until there are no
more. Needs a kernel with failslab and fail_page_alloc; see
Documentation/fault-injection/fault-injection.rst, "fail-nth". Prints, in JSON,
how many allocations failed, and how often the whole failed with them.
"""

import argparse
import ctypes
import fcntl
import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
SIOCETHTOOL, ETHTOOL_SRINGPARAM, ETHTOOL_SCHANNELS = 0x8946, 0x11, 0x3D
MOST = 5000


def set_up(control: socket.socket, name: str, up: bool) -> None:
    request = bytearray(struct.pack("16sh14x", name.encode(), 0))
    fcntl.ioctl(control, SIOCGIFFLAGS, request)
    flags = struct.unpack_from("h", request, 16)[0]
    struct.pack_into("h", request, 16, flags | IFF_UP if up else flags & ~IFF_UP)
    fcntl.ioctl(control, SIOCSIFFLAGS, request)


def ethtool(control: socket.socket, name: str, *words: int) -> None:
    """An ethtool request of 32-bit words."""
    data = ctypes.create_string_buffer(struct.pack(f"{len(words)}I", *words))
    request = struct.pack("16sP16x", name.encode(), ctypes.addressof(data))
    fcntl.ioctl(control, SIOCETHTOOL, request)


@dataclass(frozen=True)
class Action:
    """What is done, and what comes after it when it worked and when it did not."""

    do: Callable[[], object]
    undo: Callable[[], object]
    recover: Callable[[], object]


def nothing() -> None:
    """There is nothing to be done."""


def action(args: argparse.Namespace) -> Action:
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if args.action == "bind":
        driver, address = Path("/sys/bus/pci/drivers") / args.driver, args.target.encode()
        bind, unbind = (os.open(driver / name, os.O_WRONLY) for name in ["bind", "unbind"])
        return Action(lambda: os.write(bind, address), lambda: os.write(unbind, address), nothing)
    name = args.target
    if args.action == "up":
        return Action(
            lambda: set_up(control, name, True), lambda: set_up(control, name, False), nothing
        )

    def down_and_up() -> None:
        # The driver would try again by itself, but later.
        set_up(control, name, False)
        set_up(control, name, True)

    if args.action == "rings":
        command, now, then = ETHTOOL_SRINGPARAM, (256, 0, 0, 256), (512, 0, 0, 512)
    else:
        command, now, then = ETHTOOL_SCHANNELS, (0, 0, 0, 2), (0, 0, 0, 1)

    def change(values: tuple[int, ...]) -> None:
        ethtool(control, name, command, 0, 0, 0, 0, *values)

    def recover() -> None:
        down_and_up()
        change(now)

    change(now)
    return Action(lambda: change(then), lambda: change(now), recover)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["bind", "up", "rings", "channels"])
    parser.add_argument("target", help="a PCI address, or an interface")
    parser.add_argument("--driver", help="to bind")
    args = parser.parse_args()
    what = action(args)

    for kind in ["failslab", "fail_page_alloc"]:
        knobs = Path("/sys/kernel/debug") / kind
        if not knobs.is_dir():
            sys.exit(f"fail-nth: this kernel has no {kind}")
        (knobs / "verbose").write_text("0")
        (knobs / "ignore-gfp-wait").write_text("N")
    Path("/sys/kernel/debug/fail_page_alloc/min-order").write_text("0")

    nth = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
    refused = 0
    for n in range(1, MOST):
        os.pwrite(nth, str(n).encode(), 0)
        try:
            what.do()
            done = True
        except OSError:
            done = False
        left = int(os.pread(nth, 16, 0))
        os.pwrite(nth, b"0", 0)
        if left:
            # Not as many allocations: nothing has failed this time.
            if not done:
                sys.exit(f"fail-nth: failed without a reason, {left} of {n} left")
            print(json.dumps({"allocations": n - left, "refused": refused}))
            return
        if done:
            what.undo()
        else:
            refused += 1
            what.recover()
    sys.exit(f"fail-nth: no end after {MOST}")


if __name__ == "__main__":
    main()
