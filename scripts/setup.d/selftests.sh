# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# selftests-root/: Debian 13 with what builds and runs the kernel's selftests.
# selftests/: guest.squashfs, a root for the guest, in which they are installed.

selftests_targets="net/lib drivers/net drivers/net/hw"

# What of the kernel's source they are built from.
selftests_source="Kbuild Kconfig MAINTAINERS Makefile Documentation/netlink
	arch/x86 include scripts tools usr"

# What the guest does not need, as mksquashfs matches it. Headers it does need.
selftests_omitted="boot dev/* proc/* run/* sys/* tmp/* usr/lib/gcc
	usr/lib/llvm-*/bin usr/lib/llvm-*/include usr/lib/llvm-*/lib/*.a
	usr/lib/x86_64-linux-gnu/*.a usr/libexec/gcc usr/share/doc usr/share/info
	usr/share/perl var/cache var/lib/apt var/lib/dpkg"

selftests_root_stamp()
{
	{
		echo "recipe 1, $suite"
		packages_in packages.selftests
	} | hash
}

selftests_stamp()
{
	{
		echo "recipe 1"
		echo "$selftests_targets, $selftests_source, $selftests_omitted"
		selftests_root_stamp
		cat "$cache/stock/.versions"
	} 2>/dev/null | hash
}

selftests_fresh()
{
	stamped selftests-root "$(selftests_root_stamp)" &&
		stamped selftests "$(selftests_stamp)"
}

# in_selftests_root CMD...
in_selftests_root()
{
	"$top/scripts/enter" --ro-bind "$cache/selftests-root/usr" /usr \
		--ro-bind "$cache/selftests-root/etc" /etc \
		--chdir "$cache/selftests.tmp" "$@"
}

# Built aside: the selftests' makefiles write into the source.
build_selftests()
{
	mkdir "$cache/selftests.tmp/source"
	(
		cd "$cache/source"
		# shellcheck disable=SC2086 # a list of words
		cp -a --parents $selftests_source "$cache/selftests.tmp/source"
	)
	in_selftests_root make -s -j"$(nproc)" -C source headers
	in_selftests_root make -s -j"$(nproc)" -C source/tools/testing/selftests \
		TARGETS="$selftests_targets" FORCE_TARGETS=1 \
		KHDR_INCLUDES="-isystem $cache/selftests.tmp/source/usr/include" \
		INSTALL_PATH="$cache/selftests.tmp/selftests" install
	# A script of the target net, of which nothing else is wanted.
	cp "$cache/source/tools/testing/selftests/net/netdevice.sh" \
		"$cache/selftests.tmp/selftests/net/"
	rm -r "$cache/selftests.tmp/source"
}

# Not compressed: emulated processors are slow to unpack it.
pack_selftests()
{
	# shellcheck disable=SC2086 # a list of words
	(
		set -f
		in_selftests_root --ro-bind "$cache/selftests-root" /mnt/root \
			--ro-bind "$cache/selftests.tmp/selftests" /mnt/root/selftests \
			mksquashfs /mnt/root guest.squashfs -no-progress -all-root \
			-no-xattrs -noI -noD -noF -noX -wildcards -e $selftests_omitted
	)
	rm -r "$cache/selftests.tmp/selftests"
}

make_selftests()
{
	if ! stamped selftests-root "$(selftests_root_stamp)"; then
		begin selftests-root
		step selftests-root "Installing Debian 13 for the kernel's selftests" \
			bootstrap selftests-root packages.selftests
		mkdir "$cache/selftests-root.tmp/selftests"
		finish selftests-root "$(selftests_root_stamp)"
	fi
	begin selftests
	step selftests "Building the kernel's selftests" build_selftests
	step selftests-image "Making a guest with them" pack_selftests
	finish selftests "$(selftests_stamp)"
}
