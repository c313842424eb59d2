#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print queues, NAPIs and statistics of an interface as netdev-genl tells them, in JSON.

Without an interface: all page pools.
"""

import json
import socket
import sys

sys.path.insert(0, "/usr/share/ynl")

from pyynl.lib import YnlFamily

netdev = YnlFamily("/usr/share/ynl/specs/netdev.yaml", schema="")
if len(sys.argv) < 2:
    told = {"pools": netdev.dump("page-pool-get", {})}
else:
    index = {"ifindex": socket.if_nametoindex(sys.argv[1])}
    told = {
        "queues": netdev.dump("queue-get", index),
        "napis": netdev.dump("napi-get", index),
        "stats": netdev.dump("qstats-get", {**index, "scope": "queue"}),
        "total": netdev.dump("qstats-get", index),
    }
print(json.dumps(told))
