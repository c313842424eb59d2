# SPDX-License-Identifier: GPL-2.0
"""Our own model of a device, a program beside QEMU, and how it is made to fail.

docs/model.md has the control protocol.
"""

import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from . import paths

# Chips that there is a model of.
L, LM = "82574L", "82579LM"


class ModelError(Exception):
    """The model is gone, or does not take what it was told."""


class Model:
    """A running model. QEMU may connect once this is made."""

    def __init__(self, run: Path, number: int, words: list[str], logs: Path) -> None:
        self.socket, self.control = run / f"model{number}", run / f"control{number}"
        self.log = logs / f"model{number}.log"
        words = [
            str(paths.model()),
            "--socket",
            str(self.socket),
            "--control",
            str(self.control),
            *words,
        ]
        with self.log.open("w") as log:
            print(*words, file=log, flush=True)
            self.process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise ModelError(self.log.read_text(errors="replace"))
            time.sleep(0.01)

    @staticmethod
    def wire(run: Path, number: int) -> tuple[Path, Path]:
        """The sockets of a model's wire: its own, and QEMU's end."""
        return run / f"wire{number}", run / f"hub{number}"

    def ask(self, cmd: str, **arguments: Any) -> dict[str, Any]:
        """One request of the control protocol; returns the answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.control))
            connection.sendall(json.dumps({"cmd": cmd, **arguments}).encode() + b"\n")
            answer = json.loads(connection.makefile("r").readline())
        if not answer["ok"]:
            raise ModelError(f"{cmd} {arguments}: {answer['error']}")
        return answer

    def status(self) -> dict[str, Any]:
        """How the device is."""
        return self.ask("status")

    def fault(self, name: str, value: Any) -> None:
        """Switch a fault on, or off."""
        self.ask("fault", name=name, value=value)

    def clear(self) -> None:
        """Switch all faults off."""
        self.ask("clear")

    def link(self, up: bool) -> None:
        """Plug the cable in, or pull it."""
        self.ask("link", up=up)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(30)
