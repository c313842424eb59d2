# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# tree/: an output tree configured as the stock kernel, with the Rust metadata
# that Debian does not ship. The same rustc makes the same symbol hashes.

tree_stamp()
{
	{
		echo "recipe 1"
		cat "$cache/stock/.versions" "$cache/root/.compilers"
	} 2>/dev/null | hash
}

tree_fresh()
{
	stamped tree "$(tree_stamp)"
}

kernelrelease()
{
	sed -n 's/^KERNELRELEASE=//p' "$cache/stock/.versions"
}

# The compiler's name is allowed to differ: Debian calls gcc by another one.
settings()
{
	grep -E '^(CONFIG_|# CONFIG_)' "$1" | grep -v '^CONFIG_CC_VERSION_TEXT=' | sort
}

check_rustc()
{
	theirs=$(sed -n 's/^CONFIG_RUSTC_VERSION_TEXT="\(.*\)"$/\1/p' "$1")
	ours=$("$top/scripts/enter" rustc --version)
	[ "$theirs" = "$ours" ] ||
		die "the kernel was built by another rustc than the root has" \
			"kernel: $theirs" \
			"root:   $ours" \
			"A module from here would not load. Wait until they match again in" \
			"Debian, or give a mirror where they do, such as a snapshot:" \
			"    rm -r $cache/root $cache/stock; MIRROR=URL make setup"
}

# make_in PART ...: The generated files name the directory they were made in: to
# make, PART.tmp is already called PART.
make_in()
{
	part=$cache/$1
	shift
	mkdir -p "$part"
	"$top/scripts/enter" --bind "$part.tmp" "$part" \
		make -s -j"$(nproc)" -C "$cache/source" O="$part" "$@"
}

prepare_tree()
{
	make_in tree olddefconfig
	settings "$1/.config" >"$cache/log/config.stock"
	settings "$cache/tree.tmp/.config" >"$cache/log/config.tree"
	if ! diff -u "$cache/log/config.stock" "$cache/log/config.tree"; then
		echo "the root's tools do not give the stock kernel's configuration"
		return 1
	fi
	make_in tree KERNELRELEASE="$2" modules_prepare
	# The symbols, and the vmlinux of nothing but type information.
	cp "$1/Module.symvers" "$1/vmlinux" "$cache/tree.tmp/"
}

make_tree()
{
	release=$(kernelrelease)
	headers=$cache/stock/usr/src/linux-headers-$release
	check_rustc "$headers/.config"
	begin tree
	cp "$headers/.config" "$cache/tree.tmp/.config"
	step tree "Preparing the kernel tree for $release, with its Rust crates" \
		prepare_tree "$headers" "$release"
	finish tree "$(tree_stamp)"
}

write_versions()
{
	{
		cat "$cache/stock/.versions"
		sed -n 's/^CONFIG_RUSTC_VERSION_TEXT=/RUSTC=/p' "$cache/tree/.config"
		# shellcheck disable=SC2016 # for the inner shell to expand
		"$top/scripts/enter" sh -c '
			echo "GCC=\"$(gcc --version | head -n 1)\""
			echo "CLANG=\"$(clang --version | head -n 1)\""
			echo "QEMU=\"$(qemu-system-x86_64 --version | head -n 1)\""'
	} >"$cache/versions.tmp"
	mv "$cache/versions.tmp" "$cache/versions"
}
