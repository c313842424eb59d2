# SPDX-License-Identifier: GPL-2.0
"""Coming and going: modules, bindings, interfaces and devices, under traffic."""

import pytest
from e1000e_vm.net import IN_PEER, TRAFFIC_ANEW, Net
from e1000e_vm.vm import VM, Topology, nic_properties

# What the guest may lose for good in a loop: the page allocator's lists grow a little.
LEAK_KIB = 24 * 1024
# The same of the kernel's own allocations, without traffic.
KERNEL_LEAK_KIB = 1024


def free_kib(vm: VM) -> int:
    """Memory that the guest has left."""
    vm.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
    return vm.meminfo()["MemFree"]


def kernel_kib(vm: VM) -> int:
    """Memory that the kernel holds for itself."""
    found = vm.meminfo()
    return found["SUnreclaim"] + found["VmallocUsed"] + found["Percpu"]


def test_load_and_remove(net: Net) -> None:
    """insmod and rmmod 200 times, with rings between. Breaks with anything not given back."""
    file = "/e1000e_rust.ko" if net.driver == "rust" else "$(modinfo -F filename e1000e)"
    up = f"ip link set $(ls {net.device}/net) up"
    loop = f"for i in $(seq %d); do rmmod {net.module} && insmod {file} && {up} || exit 1; done"
    net.vm.sh(loop % 10)
    free, kernel = free_kib(net.vm), kernel_kib(net.vm)
    net.vm.sh(loop % 190, 600)
    assert free - free_kib(net.vm) < LEAK_KIB
    assert kernel_kib(net.vm) - kernel < KERNEL_LEAK_KIB
    net.load()
    net.check_ping()


def test_remove_under_traffic(net: Net) -> None:
    """rmmod in the middle of TCP both ways, five times."""
    with net.heavy():
        for _ in range(5):
            net.unload()
            net.load()
            net.vm.sh(TRAFFIC_ANEW)
            net.wait_traffic()


def test_bind_under_traffic(net: Net) -> None:
    """unbind and bind 50 times in the middle of TCP both ways."""
    address = net.vm.nics[0].address
    before = free_kib(net.vm)
    with net.heavy():
        net.vm.sh(
            "packets() { cat /sys/class/net/nic0/statistics/rx_packets; }\n"
            "state() { echo bind $i; ps; ss -tnp; ip netns exec peer ss -tnp; "
            "ip -s link show nic0; ip -n peer -s link show nic1; ethtool -S nic0; "
            "grep nic /proc/interrupts; ping -c 3 -W 1 10.0.0.2; }\n"
            "for i in $(seq 50); do\n"
            f"echo {address} >{net.device}/driver/unbind || exit 1\n"
            f"echo {address} >/sys/bus/pci/drivers/{net.module}/bind || exit 1\n"
            f"net-up {net.driver} || exit 1\n"
            f"{TRAFFIC_ANEW}\n"
            "tries=600\n"
            "until [ $(packets) -gt 500 ]; do\n"
            "tries=$((tries - 1)); [ $tries != 0 ] || { state; exit 2; }; usleep 50000\n"
            "done\n"
            "done",
            900,
        )
        net.wait_traffic()
    assert before - free_kib(net.vm) < LEAK_KIB
    net.check_ping()


def test_down_and_up_under_traffic(net: Net) -> None:
    """Interface down and up 20 times in the middle of TCP both ways."""
    with net.heavy():
        net.vm.sh(
            "for i in $(seq 20); do ip link set nic0 down || exit 1; usleep 50000; "
            f"net-up {net.driver} || exit 1; ping -q -c 5 -i 0.05 10.0.0.2 >/dev/null; done",
            300,
        )
        net.vm.sh(TRAFFIC_ANEW)
        net.wait_traffic()
    net.check_ping()


def test_peer_down_and_up_under_traffic(net: Net) -> None:
    """Frames for a peer that takes none do not stop the sender for good."""
    with net.heavy():
        net.vm.sh("ip -n peer link set nic1 down; sleep 3")
        net.up_again()
        net.vm.sh(TRAFFIC_ANEW)
        net.wait_traffic()


def test_unplug_and_plug(net: Net) -> None:
    """device_del and device_add five times, with ping running."""
    vm = net.vm
    for _ in range(5):
        with net.light():
            vm.qmp("device_del", id="nic0")
            vm.wait_event("DEVICE_DELETED", 30, lambda data: data.get("device") == "nic0")
        assert vm.try_sh("test -e /sys/class/net/nic0") == 1
        vm.qmp("device_add", **nic_properties(vm.topology, 0))
        net.load()
        net.check_ping()
    vm.spent = True  # a device that was added wakes nobody: the firmware does not know it


@pytest.mark.topology(Topology(surprise=True))
# Once QEMU 11.1.3 itself died of the removal, of this and with nothing in the guest's
# log: see docs/testing.md. Nothing else is tried again.
@pytest.mark.flaky(reruns=2, only_rerun="Fatal glibc error: pthread_mutex_lock")
@pytest.mark.parametrize("load", ["light", "heavy"])
def test_surprise_removal(net: Net, load: str) -> None:
    """The device is pulled without a word: its interface goes, nothing breaks, rmmod works.

    Breaks with any loop that waits for a device that is gone, and if the memory that it had
    is not freed.
    """
    vm = net.vm
    port = vm.nics[0].port
    since = vm.sync_log()
    with getattr(net, load)():
        # Slot power off with its indicator off; QEMU then takes the device away.
        vm.sh(f"setpci -s {port} CAP_EXP+18.w=0700:0720 CAP_EXP+18.w=0020:0420")
        vm.until(lambda: vm.try_sh("test -e /sys/class/net/nic0"), 20, "nic0 is gone")
        vm.until(lambda: vm.try_sh(f"test -e {net.device}"), 20, "the device is gone")
    assert vm.sh(f"{IN_PEER}cat /sys/class/net/nic1/operstate") == "up"
    net.unload()
    assert "memory is lost" not in vm.log(since)
    vm.spent = True
