# SPDX-License-Identifier: GPL-2.0
"""Ask a host for an echo again and again: probe icmp|udp HOST INTERVAL [PORT].

It runs in the guest, sent there when it is needed. Told to end it waits for late answers and
prints, as JSON, when each request was sent and when its answer came, in seconds of the clock
that the kernel log uses.
"""

import contextlib
import json
import select
import signal
import socket
import struct
import sys
import time
from pathlib import Path

READY = Path("/tmp/probe.ready")
LATE = 0.5
ECHO = struct.Struct("!BBHHH")


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def request(kind: str, number: int) -> bytes:
    """A request that carries its number."""
    data = struct.pack("!Q", number)
    if kind == "udp":
        return data
    head = ECHO.pack(8, 0, 0, 0x4E1C, number & 0xFFFF)
    return ECHO.pack(8, 0, checksum(head + data), 0x4E1C, number & 0xFFFF) + data


def answered(kind: str, data: bytes) -> int | None:
    """The number of the request that this answers."""
    if kind == "udp":
        return struct.unpack("!Q", data)[0]
    body = data[(data[0] & 0xF) * 4 :]
    if len(body) < 16 or ECHO.unpack(body[:8])[::3] != (0, 0x4E1C):
        return None
    return struct.unpack("!Q", body[8:16])[0]


def main() -> None:
    kind, host, interval, *port = sys.argv[1:]
    protocol = (socket.SOCK_DGRAM, 0) if kind == "udp" else (socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sock = socket.socket(socket.AF_INET, *protocol)
    sock.setblocking(False)
    target = (host, int(port[0]) if port else 0)
    sent: list[float] = []
    came: dict[int, float] = {}
    end = float("inf")

    def stop(*_: object) -> None:
        nonlocal end
        end = min(end, time.monotonic() + LATE)

    signal.signal(signal.SIGTERM, stop)
    READY.touch()
    due = time.monotonic()
    while (now := time.monotonic()) < end:
        if now >= due and end == float("inf"):
            due = max(due + float(interval), now)
            sent.append(now)
            with contextlib.suppress(OSError):  # no route or no carrier just now: lost
                sock.sendto(request(kind, len(sent) - 1), target)
        if select.select([sock], [], [], max(0, min(due, end, now + 0.1) - now))[0]:
            try:
                number = answered(kind, sock.recv(2048))
            except OSError:
                continue  # an ICMP error
            if number is not None:
                came.setdefault(number, time.monotonic())
    print(json.dumps({"sent": sent, "came": [came.get(number) for number in range(len(sent))]}))


main()
