# SPDX-License-Identifier: GPL-2.0
"""Commands in the guest, through qemu-guest-agent."""

import base64
import time
from dataclasses import dataclass
from typing import Any

from qemu.qmp.legacy import QEMUMonitorProtocol

from . import paths


class GuestError(AssertionError):
    """A command in the guest failed, or did not end in time."""


@dataclass(frozen=True)
class Result:
    """What a command in the guest left."""

    status: int
    stdout: str
    stderr: str


class Command:
    """A shell script that runs in the guest."""

    def __init__(self, agent: "Agent", script: str) -> None:
        self.agent, self.script = agent, script
        # Leader of its own group, so that all it starts can be ended with it.
        reply = agent.call(
            "guest-exec", path="setsid", arg=["/bin/sh", "-c", script], **{"capture-output": True}
        )
        self.pid: int = reply["pid"]
        self.result: Result | None = None

    def poll(self) -> Result | None:
        """The result, or None while the command runs."""
        if self.result is None:
            reply = self.agent.call("guest-exec-status", pid=self.pid)
            if reply["exited"]:
                output, errors = (
                    base64.b64decode(reply.get(key, "")).decode(errors="replace")
                    for key in ["out-data", "err-data"]
                )
                status = reply.get("exitcode", 128 + reply.get("signal", 0))
                self.result = Result(status, output, errors)
        return self.result

    def wait(self, timeout: float = 60, check: bool = True) -> Result:
        """Wait for the end; a failure is a GuestError unless `check` is off."""
        timeout *= paths.PATIENCE
        deadline = time.monotonic() + timeout
        pause = 0.002
        while (result := self.poll()) is None:
            if time.monotonic() > deadline:
                self.stop()
                raise GuestError(f"guest: not done in {timeout} s: {self.script}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)
        if check and result.status:
            raise GuestError(
                f"guest: status {result.status}: {self.script}\n{result.stdout}{result.stderr}"
            )
        return result

    def stop(self) -> Result:
        """End the command and all it started; how it ended does not matter."""
        if self.poll() is None:
            self.agent.run(
                f"kill -TERM -{self.pid}; usleep 100000; kill -KILL -{self.pid}", check=False
            )
        deadline = time.monotonic() + 10
        while (result := self.poll()) is None:
            if time.monotonic() > deadline:
                raise GuestError(f"guest: cannot be killed: {self.script}")
            time.sleep(0.05)
        return result


class Agent:
    """The connection to the guest agent."""

    def __init__(self, socket_path: str) -> None:
        self.protocol = QEMUMonitorProtocol(socket_path, nickname="agent")
        self.protocol.settimeout(30)
        self.protocol.connect(negotiate=False)
        self.call("guest-ping")

    def call(self, command: str, **arguments: Any) -> Any:
        """One command of the agent's own."""
        return self.protocol.cmd(command, **arguments)

    def start(self, script: str) -> Command:
        """Start a shell script and leave it running."""
        return Command(self, script)

    def run(self, script: str, timeout: float = 60, check: bool = True) -> Result:
        """Run a shell script to its end."""
        return self.start(script).wait(timeout, check)

    def close(self) -> None:
        """Close the connection."""
        self.protocol.close()
