# SPDX-License-Identifier: GPL-2.0
"""The code of the module, as the compilers have left it."""

import pytest
from e1000e_vm import paths
from e1000e_vm.image import run
from e1000e_vm.vm import VM

# Where the kernel has a sanitizer helpers are not inlined.
pytestmark = [pytest.mark.rust, pytest.mark.stock]


def test_per_cpu(vm: VM) -> None:
    """Per-CPU variables are reached through %gs, by inlined C helpers too.

    Without it an instruction changes what all processors' variables were copied from, and
    a lock held or a preemption count is wrong without a word.
    """
    section = vm.sh("sed -n '/ __per_cpu_start$/,/ __per_cpu_end$/p' /proc/kallsyms")
    names = {line.split()[2] for line in section.splitlines()}
    assert "__preempt_count" in names
    code = ""
    wrong, right = [], 0
    for line in run("objdump", "-dr", "--no-show-raw-insn", paths.rust_module()).splitlines():
        words = line.split()
        if "R_X86_64_" not in line:
            code = line
        # Addresses, by which %gs is added later, are had by lea or as numbers (32S, 64).
        elif words[1] == "R_X86_64_PC32" and words[2].split("-")[0].split("+")[0] in names:
            if "%gs:" in code:
                right += 1
            elif "lea " not in code:
                wrong.append(f"{code.strip()}: {words[2]}")
    assert not wrong
    assert right
