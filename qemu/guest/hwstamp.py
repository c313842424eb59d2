#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Time stamps of frames, by the device's clock.

hwstamp set INTERFACE TX FILTER      numbers of enum hwtstamp_tx_types and
                                     hwtstamp_rx_filters; prints what is set
hwstamp get INTERFACE                prints both
hwstamp send INTERFACE COUNT [PAUSE] sends PTP Sync messages, so many milliseconds
                                     apart, and prints the stamp of each, or
                                     `none` after 3 s
hwstamp plain INTERFACE COUNT [PAUSE] sends them without asking for stamps
hwstamp receive INTERFACE COUNT      prints `ready`, then the stamp of each PTP
                                     message, or `none`
"""

import ctypes
import fcntl
import select
import socket
import struct
import sys
import time

SIOCSHWTSTAMP, SIOCGHWTSTAMP = 0x89B0, 0x89B1
SO_TIMESTAMPING = 37
TX_HARDWARE, RX_HARDWARE, RAW_HARDWARE = 1 << 0, 1 << 2, 1 << 6
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_MULTICAST = 263, 1, 0
ETH_P_1588 = 0x88F7
GROUP = bytes.fromhex("011b19000000")  # IEEE 1588-2008 annex F
# Sync, version 2, and the rest of its 44 bytes
SYNC = struct.pack("!BBH40x", 0, 2, 44)
SECOND = 1_000_000_000


def config(interface: str, request: int, tx: int = 0, rx: int = 0) -> tuple[int, int]:
    """Get or set what is stamped; return what the kernel answers."""
    data = (ctypes.c_int * 3)(0, tx, rx)
    ifreq = struct.pack("16sP16x", interface.encode(), ctypes.addressof(data))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, request, ifreq)
    return data[1], data[2]


def stamp(control: list[tuple[int, int, bytes]]) -> str:
    """The device's stamp among the control messages."""
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING):
            *_, seconds, rest = struct.unpack("6q", data[:48])
            if seconds or rest:
                return str(seconds * SECOND + rest)
    return "none"


def link(interface: str, flags: int) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, flags)
    raw.bind((interface, ETH_P_1588))
    return raw


def send(interface: str, flags: int, count: int, pause: int = 0) -> None:
    raw = link(interface, flags)
    source = raw.getsockname()[4]
    for number in range(count):
        if number:
            time.sleep(pause / 1000)
        raw.send(GROUP + source + struct.pack("!H", ETH_P_1588) + SYNC)
    if not flags:
        return
    errors = select.poll()
    errors.register(raw, select.POLLPRI)
    for _ in range(count):
        if not errors.poll(3000):
            print("none", flush=True)
            continue
        _, control, _, _ = raw.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
        print(stamp(control), flush=True)


def receive(interface: str, count: int) -> None:
    raw = link(interface, RX_HARDWARE | RAW_HARDWARE)
    member = struct.pack("iHH8s", socket.if_nametoindex(interface), PACKET_MR_MULTICAST, 6, GROUP)
    raw.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, member)
    print("ready", flush=True)
    while count:
        _, control, _, address = raw.recvmsg(2048, 512)
        if address[2] != socket.PACKET_OUTGOING:
            print(stamp(control), flush=True)
            count -= 1


def main() -> None:
    command, interface, *numbers = sys.argv[1:]
    numbers = [int(number) for number in numbers]
    try:
        if command == "set":
            print(*config(interface, SIOCSHWTSTAMP, *numbers))
        elif command == "get":
            print(*config(interface, SIOCGHWTSTAMP))
        elif command == "send":
            send(interface, TX_HARDWARE | RAW_HARDWARE, *numbers)
        elif command == "plain":
            send(interface, 0, *numbers)
        elif command == "receive":
            receive(interface, *numbers)
        else:
            sys.exit(__doc__)
    except OSError as error:
        print(f"hwstamp: {error}", file=sys.stderr)
        sys.exit(error.errno)


main()
