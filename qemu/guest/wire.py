#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Content-checked traffic.

A stream is a block of random bytes over and over; its length is a prime, so
that a byte out of place is a wrong byte. Frames and datagrams each hold a
piece of it that depends on their size. Whoever receives compares every byte.
"""

import argparse
import os
import random
import socket
import struct
import sys
import time
from itertools import islice

BLOCK = random.Random(82574).randbytes(1_048_573)
DOUBLE = BLOCK + BLOCK
ETHERTYPE = 0x88B5  # IEEE 802 local experimental
MSG_ZEROCOPY = 0x4000000
SO_ZEROCOPY = 60
UDP_SEGMENT = 103
WINDOW = 16


def family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def stream_receive(args: argparse.Namespace) -> None:
    """Accept one connection and check what comes."""
    with socket.create_server((args.host, args.port), family=family(args.host)) as server:
        server.settimeout(60)
        connection, _ = server.accept()
    connection.settimeout(60)
    buffer, position = bytearray(1 << 20), 0
    while count := connection.recv_into(buffer):
        start = position % len(BLOCK)
        wanted = DOUBLE[start : start + count]
        if buffer[:count] != wanted:
            at = next(i for i in range(count) if buffer[i] != wanted[i])
            sys.exit(f"wire: byte {position + at} is {buffer[at]:#x}, not {wanted[at]:#x}")
        position += count
    if position != args.bytes:
        sys.exit(f"wire: {position} bytes came, {args.bytes} were sent")


def stream_send(args: argparse.Namespace) -> None:
    """Send a stream by write, by sendfile, or in small pieces without copy."""
    # The receiver may still be starting.
    deadline = time.monotonic() + 30
    while True:
        try:
            connection = socket.create_connection((args.host, args.port), timeout=60)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    # A blocking socket: sendfile and MSG_ERRQUEUE know nothing of time-outs.
    connection.settimeout(None)
    if args.option_bytes:
        # An option that nobody knows, and whose type says to go on then.
        option = bytes([0x1E, args.option_bytes]) + bytes(args.option_bytes)
        words = -(-(2 + len(option)) // 8)
        header = bytes([0, words - 1]) + option
        connection.setsockopt(
            socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, header.ljust(8 * words, b"\0")
        )
    with connection:
        HOW[args.how](connection, args.bytes)


def by_write(connection: socket.socket, total: int) -> None:
    view, position = memoryview(DOUBLE), 0
    while position < total:
        start = position % len(BLOCK)
        position += connection.send(view[start : start + min(len(BLOCK), total - position)])


def by_sendfile(connection: socket.socket, total: int) -> None:
    """Fragments are pages of a file, begun at odd offsets."""
    with open("/dev/shm/wire", "w+b") as file:
        file.write(DOUBLE)
        file.flush()
        position = 0
        while position < total:
            start = position % len(BLOCK)
            position += os.sendfile(
                connection.fileno(), file.fileno(), start, min(65537, total - position)
            )


def by_pieces(connection: socket.socket, total: int) -> None:
    """Many fragments to a frame, of 1 to 700 bytes, as user pages."""
    connection.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    view, position, sizes = memoryview(DOUBLE), 0, random.Random(1)
    while position < total:
        start, size = position % len(BLOCK), min(sizes.randint(1, 700), total - position)
        try:
            position += connection.send(view[start : start + size], MSG_ZEROCOPY | socket.MSG_MORE)
        except OSError as error:
            if error.errno != 105:  # ENOBUFS: too many completions not fetched
                raise
            time.sleep(0.002)
        while True:
            try:
                connection.recvmsg(0, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            except BlockingIOError:
                break


HOW = {"write": by_write, "sendfile": by_sendfile, "pieces": by_pieces}


def raw_socket(interface: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    raw.bind((interface, ETHERTYPE))
    return raw


def echo_raw(args: argparse.Namespace) -> None:
    """Send every frame of ours back as it is, addresses swapped."""
    raw = raw_socket(args.interface)
    print("ready", flush=True)
    while True:
        frame, address = raw.recvfrom(16384)
        if address[2] != socket.PACKET_OUTGOING:
            raw.send(frame[6:12] + frame[:6] + frame[12:])


def echo_udp(args: argparse.Namespace) -> None:
    """Send every datagram back as it is."""
    udp = socket.socket(family(args.host), socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    udp.bind((args.host, args.port))
    while True:
        udp.sendto(*udp.recvfrom(16384))


def content(size: int) -> bytes:
    """The contents of the frame or datagram of that size."""
    start = size * 977 % len(BLOCK)
    return DOUBLE[start : start + size]


def sizes(args: argparse.Namespace) -> None:
    """Have every size echoed, a window at a time, and compare."""
    if args.kind == "raw":
        link = raw_socket(args.interface)
        own = link.getsockname()[4]
        header = bytes.fromhex(args.peer.replace(":", "")) + own + struct.pack("!H", ETHERTYPE)
        answer = own + header[:6] + header[12:]
    else:
        link = socket.socket(family(args.peer), socket.SOCK_DGRAM)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        link.connect((args.peer, args.port))
        header = answer = b""
    link.settimeout(5)
    queue = iter(range(args.first, args.last + 1, args.step))
    while window := list(islice(queue, WINDOW)):
        due = {}
        for size in window:
            body = content(size - len(header))
            due[size] = answer + body
            link.send(header + body)
        # Frames come back in order: what is short was padded with zeros to 60.
        for size, wanted in due.items():
            try:
                frame = receive(link, args.kind)
            except TimeoutError:
                sys.exit(f"wire: nothing came back for size {size}")
            if args.kind == "raw":
                wanted = wanted.ljust(60, b"\0")
            if frame != wanted:
                at = next(
                    (i for i in range(min(len(frame), len(wanted))) if frame[i] != wanted[i]),
                    "the end",
                )
                sys.exit(f"wire: size {size} came back with {len(frame)} bytes, differs at {at}")


def cut_udp(args: argparse.Namespace) -> None:
    """Have the stack cut a buffer into datagrams, which it hands over at once, and compare."""
    link = socket.socket(family(args.peer), socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    link.connect((args.peer, args.port))
    link.settimeout(5)
    for size in args.sizes:
        link.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        body = content(min(size * 100, 65000 // size * size))
        link.send(body)
        for start in range(0, len(body), size):
            try:
                datagram = receive(link, "udp")
            except TimeoutError:
                sys.exit(f"wire: of those of {size} bytes only {start // size} came back")
            if datagram != body[start : start + size]:
                sys.exit(f"wire: of those of {size} bytes number {start // size} is another")


def receive(link: socket.socket, kind: str) -> bytes:
    while True:
        frame, address = link.recvfrom(16384)
        if kind != "raw" or address[2] != socket.PACKET_OUTGOING:
            return frame


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("stream-receive", help=stream_receive.__doc__)
    command.add_argument("host", help="own address")
    command.add_argument("port", type=int)
    command.add_argument("bytes", type=int)
    command.set_defaults(run=stream_receive)

    command = commands.add_parser("stream-send", help=stream_send.__doc__)
    command.add_argument("host")
    command.add_argument("port", type=int)
    command.add_argument("bytes", type=int)
    command.add_argument("--how", choices=HOW, default="write")
    command.add_argument(
        "--option-bytes", type=int, default=0, help="of an IPv6 hop-by-hop option (default: none)"
    )
    command.set_defaults(run=stream_send)

    command = commands.add_parser("echo-raw", help=echo_raw.__doc__)
    command.add_argument("interface")
    command.set_defaults(run=echo_raw)

    command = commands.add_parser("echo-udp", help=echo_udp.__doc__)
    command.add_argument("host", help="own address")
    command.add_argument("port", type=int)
    command.set_defaults(run=echo_udp)

    for kind in ["raw", "udp"]:
        command = commands.add_parser(f"sizes-{kind}", help=sizes.__doc__)
        if kind == "raw":
            command.add_argument("interface")
            command.add_argument("peer", help="MAC address")
        else:
            command.add_argument("peer", help="IP address")
            command.add_argument("port", type=int)
        command.add_argument("first", type=int)
        command.add_argument("last", type=int)
        command.add_argument("step", type=int)
        command.set_defaults(run=sizes, kind=kind)

    command = commands.add_parser("cut-udp", help=cut_udp.__doc__)
    command.add_argument("peer", help="IP address")
    command.add_argument("port", type=int)
    command.add_argument("sizes", type=int, nargs="+", help="of datagrams, in bytes")
    command.set_defaults(run=cut_udp)

    args = parser.parse_args()
    # One processor sends by one queue: frames stay in order.
    os.sched_setaffinity(0, {0})
    args.run(args)


if __name__ == "__main__":
    main()
