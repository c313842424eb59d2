# SPDX-License-Identifier: GPL-2.0
"""Two devices in an active-backup bond, a third as the peer."""

import pytest
from e1000e_vm.net import PEER, Net
from e1000e_vm.vm import VM, Topology

pytestmark = pytest.mark.topology(Topology(nics=3))

UP = """
set -eu
modprobe bonding max_bonds=0
ip netns list | grep -qw peer || ip netns add peer
ip link add bond0 type bond mode active-backup miimon 100
name() { ls /sys/bus/pci/devices/$1/net; }
ip link set $(name {2}) netns peer name nic2
ip -n peer addr add 10.0.0.2/24 dev nic2
ip -n peer link set nic2 up
for slave in {0} {1}; do
    ip link set $(name $slave) down
    ip link set $(name $slave) master bond0
done
ip addr add 10.0.0.1/24 dev bond0
ip link set bond0 up
tries=200
until ping -q -c1 -W1 10.0.0.2 >/dev/null; do
    tries=$((tries - 1)); [ $tries != 0 ] || exit 1; usleep 50000
done
tries=200
until [ $(grep -c '^MII Status: up' /proc/net/bonding/bond0) = 3 ]; do
    tries=$((tries - 1)); [ $tries != 0 ] || exit 1; usleep 50000
done
"""


@pytest.fixture
def bond(vm: VM, driver: str) -> Net:
    """A bond of the first two devices, both with a carrier."""
    net = Net(vm, driver)
    vm.sh("insmod /e1000e_rust.ko" if driver == "rust" else "modprobe e1000e")
    script = UP
    for number, nic in enumerate(vm.nics):
        script = script.replace(f"{{{number}}}", nic.address)
    vm.sh(script)
    yield net
    if vm.process.poll() is None:
        vm.sh("ip link del bond0; rmmod bonding")


def active(vm: VM) -> str:
    """The PCI address of the bond's active slave."""
    return vm.sh(
        "cd -P /sys/class/net/$(cat /sys/class/net/bond0/bonding/active_slave)/device; pwd"
    ).rsplit("/", 1)[1]


def test_failover(bond: Net) -> None:
    """Six failovers by carrier loss; few pings are lost, none once it has settled."""
    vm = bond.vm
    ids = {nic.address: nic.id for nic in vm.nics}
    with vm.background(f"ping -q -i 0.02 {PEER}"):
        for _ in range(6):
            before = active(vm)
            vm.qmp("set_link", name=ids[before], up=False)
            vm.until(lambda old=before: active(vm) != old, 3, "the bond fails over")
            assert bond.wait_ping(5) < 2
            vm.qmp("set_link", name=ids[before], up=True)
            vm.until(
                lambda: vm.sh("grep -c '^MII Status: up' /proc/net/bonding/bond0") == "3",
                5,
                "the slave is back",
            )
    bond.check_ping()


@pytest.mark.rust
def test_failover_when_cut_off(bond: Net) -> None:
    """A slave that no longer answers loses its carrier, and the bond its interest.

    This is how the devices of the field reports failed: the slave stayed up.
    """
    vm = bond.vm
    before = active(vm)
    vm.sh(f"setpci -s {before} COMMAND=0:6")
    vm.until(lambda: active(vm) != before, 6, "the bond fails over")
    assert bond.wait_ping(5) < 2
    vm.sh(f"setpci -s {before} COMMAND=6:6")
    vm.until(
        lambda: vm.sh("grep -c '^MII Status: up' /proc/net/bonding/bond0") == "3",
        20,
        "the slave is back",
    )
    bond.check_ping()
