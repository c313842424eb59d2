# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# debug/: an output tree with a kernel that has every checker (qemu/debug.config),
# built from the stock kernel's source; its modules and image in debug/modules.

debug_config=$top/qemu/debug.config

debug_stamp()
{
	{
		echo "recipe 1"
		cat "$debug_config" "$cache/stock/.versions" "$cache/root/.compilers"
	} 2>/dev/null | hash
}

debug_fresh()
{
	stamped debug "$(debug_stamp)"
}

# Kconfig drops what it cannot set without a word.
configure_debug()
{
	make_in debug LLVM=1 KCONFIG_ALLCONFIG="$debug_config" allnoconfig
	if grep '^CONFIG_' "$debug_config" | grep -vxFf "$cache/debug.tmp/.config"; then
		echo "these lines of qemu/debug.config did not take: an option they need is missing"
		return 1
	fi
}

build_debug()
{
	make_in debug LLVM=1 bzImage modules
	make_in debug LLVM=1 INSTALL_MOD_PATH="$cache/debug/modules" modules_install
	for release in "$cache/debug.tmp/modules/lib/modules/"*; do
		cp "$cache/debug.tmp/arch/x86/boot/bzImage" "$release/vmlinuz"
	done
}

make_debug()
{
	begin debug
	step debug-config "Configuring the debug kernel" configure_debug
	step debug "Building the debug kernel" build_debug
	finish debug "$(debug_stamp)"
}
