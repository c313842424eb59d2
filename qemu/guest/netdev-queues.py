#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print the queues and NAPIs of an interface as netdev-genl tells them, in JSON."""

import json
import socket
import sys

sys.path.insert(0, "/usr/share/ynl")

from pyynl.lib import YnlFamily

netdev = YnlFamily("/usr/share/ynl/specs/netdev.yaml", schema="")
index = {"ifindex": socket.if_nametoindex(sys.argv[1])}
print(
    json.dumps({"queues": netdev.dump("queue-get", index), "napis": netdev.dump("napi-get", index)})
)
