# SPDX-License-Identifier: GPL-2.0
"""Registers behind the driver's back, through QEMU's qtest socket."""

import socket


class Qtest:
    """A line-based client of the qtest protocol."""

    def __init__(self, socket_path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(socket_path)
        self.lines = self.socket.makefile("rw", encoding="ascii")

    def command(self, words: str) -> str:
        """Send one command; return what follows its OK."""
        self.lines.write(words + "\n")
        self.lines.flush()
        while (line := self.lines.readline()).startswith("IRQ "):
            pass
        status, _, value = line.strip().partition(" ")
        if status != "OK":
            raise RuntimeError(f"qtest: {words}: {line.strip() or 'closed'}")
        return value

    def readl(self, address: int) -> int:
        """Read 32 bits of guest-physical memory."""
        return int(self.command(f"readl {address:#x}"), 16)

    def writel(self, address: int, value: int) -> None:
        """Write 32 bits of guest-physical memory."""
        self.command(f"writel {address:#x} {value:#x}")

    def close(self) -> None:
        """Close the connection."""
        self.lines.close()
        self.socket.close()
