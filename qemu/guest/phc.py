#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Read and set a PTP hardware clock.

phc N get|samples COUNT|set NS|shift NS|frequency PPM|hold

All but the last open /dev/ptpN anew. `get` prints the clock and the system's
monotonic clock; `samples` one line for each of COUNT reads, with the system's
time before and after; `hold` reads on one open file, once for each line of its
input, until that fails, and exits with the errno. Times are nanoseconds.
"""

import ctypes
import fcntl
import os
import struct
import sys
import time

ADJ_FREQUENCY, ADJ_SETOFFSET, ADJ_NANO = 0x0002, 0x0100, 0x2000
CLOCK = struct.Struct("qII")
MOST_SAMPLES = 25
EXTENDED = struct.Struct(f"I3I{MOST_SAMPLES * 3 * CLOCK.size}s")
# _IOWR('=', 9, struct ptp_sys_offset_extended)
PTP_SYS_OFFSET_EXTENDED = 3 << 30 | EXTENDED.size << 16 | ord("=") << 8 | 9
TIMEX = struct.Struct("I4x4qi4x8qi4x5qi44x")
SECOND = 1_000_000_000


def clock_id(file: int) -> int:
    """The clock behind an open /dev/ptpN (clock_gettime(2), FD_TO_CLOCKID)."""
    return ~file << 3 | 3


def adjust(file: int, modes: int, frequency: int = 0, offset: int = 0) -> None:
    """clock_adjtime(2): the frequency in scaled ppm, the offset in nanoseconds."""
    seconds, rest = divmod(offset, SECOND)
    words = [0] * 21
    words[0], words[2], words[9], words[10] = modes, frequency, seconds, rest
    buffer = ctypes.create_string_buffer(TIMEX.pack(*words))
    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    if libc.clock_adjtime(clock_id(file), buffer) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def samples(file: int, count: int) -> None:
    """The clock between two reads of the system's, as the driver took them."""
    buffer = bytearray(EXTENDED.pack(count, time.CLOCK_MONOTONIC, 0, 0, b""))
    fcntl.ioctl(file, PTP_SYS_OFFSET_EXTENDED, buffer)
    *_, data = EXTENDED.unpack(buffer)
    times = [seconds * SECOND + rest for seconds, rest, _ in CLOCK.iter_unpack(data)]
    for i in range(count):
        before, clock, after = times[3 * i : 3 * i + 3]
        print(before, clock, after)


def hold(file: int) -> None:
    """Read on and on, on one open file."""
    print("ready", flush=True)
    for _ in sys.stdin:
        print(time.clock_gettime_ns(clock_id(file)), flush=True)


def main() -> None:
    number, command, *words = sys.argv[1:]
    value = int(words[0]) if words else 0
    try:
        file = os.open(f"/dev/ptp{number}", os.O_RDWR)
        if command == "get":
            print(time.clock_gettime_ns(clock_id(file)), time.monotonic_ns())
        elif command == "samples":
            samples(file, value)
        elif command == "set":
            time.clock_settime_ns(clock_id(file), value)
        elif command == "shift":
            adjust(file, ADJ_SETOFFSET | ADJ_NANO, offset=value)
        elif command == "frequency":
            adjust(file, ADJ_FREQUENCY, frequency=value << 16)
        elif command == "hold":
            hold(file)
        else:
            sys.exit(__doc__)
    except OSError as error:
        print(f"phc: {error}", file=sys.stderr)
        sys.exit(error.errno)


main()
