#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Read or write a PHY register by ioctl: mii INTERFACE PHY REGISTER [VALUE].

PHY `own` is the one that the driver names by SIOCGMIIPHY. Prints the PHY's
address and the value; exits with the errno of a failure.
"""

import fcntl
import socket
import struct
import sys

SIOCGMIIPHY, SIOCGMIIREG, SIOCSMIIREG = 0x8947, 0x8948, 0x8949


def mii(interface: str, request: int, phy: int, register: int, value: int) -> tuple[int, int]:
    """One ioctl; returns the PHY's address and the value."""
    data = struct.pack("16s4H8x", interface.encode(), phy, register, value, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        reply = fcntl.ioctl(any_socket, request, data)
    _, phy, _, _, value = struct.unpack("16s4H8x", reply)
    return phy, value


def main() -> None:
    interface, phy, register, *value = sys.argv[1:]
    try:
        if phy == "own":
            phy, _ = mii(interface, SIOCGMIIPHY, 0, 0, 0)
        if value:
            mii(interface, SIOCSMIIREG, int(phy), int(register, 0), int(value[0], 0))
            return
        print(*mii(interface, SIOCGMIIREG, int(phy), int(register, 0), 0))
    except OSError as error:
        print(f"mii: {error}", file=sys.stderr)
        sys.exit(error.errno)


main()
