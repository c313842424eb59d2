# SPDX-License-Identifier: GPL-2.0
"""Virtual machines with e1000e devices, to run and to break the driver in."""
