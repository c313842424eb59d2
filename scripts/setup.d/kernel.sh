# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# stock/ and source/: Debian's newest kernel of the pinned series. Both come
# from one look at the archive, so that they always belong together.

kernel_stamp()
{
	echo "recipe 1, $suite-backports, linux $series" | hash
}

kernel_fresh()
{
	stamped stock "$(kernel_stamp)" && stamped source "$(kernel_stamp)" &&
		[ -e "$cache/stock/.versions" ]
}

# find_kernel: sets release and version to those of the newest headers package
find_kernel()
{
	headers=$(apt13 apt-cache pkgnames "linux-headers-$series." |
		grep -E "^linux-headers-$series\.[0-9]+\+deb13-amd64$" |
		sort -V | tail -n 1)
	[ -n "$headers" ] ||
		die "the archive has no linux-headers-$series.*+deb13-amd64 any more" \
			"Backports have moved on; this driver is for Linux $series." \
			"Give a mirror that still has it, such as a snapshot of the archive:" \
			"    MIRROR=URL make setup"
	release=${headers#linux-headers-}
	version=$(apt13 apt-cache show "$headers" | sed -n 's/^Version: //p' |
		sort -V | tail -n 1)
	for package in "linux-source-$series" "linux-binary-$release" \
		"linux-modules-$release"; do
		apt13 apt-cache show "$package=$version" 2>/dev/null | grep -q . ||
			die "the archive has $headers $version, but no such $package" \
				"The mirror is perhaps being updated: try again in an hour, or" \
				"give another one: MIRROR=URL make setup"
	done
}

download_kernel()
{
	cd "$cache/debs.tmp" || return
	apt13 apt-get download "linux-headers-$release=$version" \
		"linux-binary-$release=$version" \
		"linux-modules-$release=$version" \
		"linux-source-$series=$version"
}

unpack_kernel()
{
	for package in headers binary modules; do
		dpkg -x "$cache/debs.tmp/linux-$package-"*.deb "$cache/stock.tmp"
	done
	dpkg -x "$cache/debs.tmp/linux-source-"*.deb "$cache/debs.tmp"
	"$top/scripts/enter" tar -C "$cache/source.tmp" --strip-components=1 -xf \
		"$cache/debs.tmp/usr/src/linux-source-$series.tar.xz"
}

make_kernel()
{
	step lists "Reading the archive's package lists" apt13_update
	find_kernel
	begin stock
	begin source
	begin debs
	step debs "Downloading Linux $release and its source" download_kernel
	step unpack "Unpacking them" unpack_kernel
	printf 'KERNELRELEASE=%s\nKERNEL_PACKAGE=%s\n' "$release" "$version" \
		>"$cache/stock.tmp/.versions"
	finish source "$(kernel_stamp)"
	finish stock "$(kernel_stamp)"
	rm -rf "$cache/debs.tmp" "$cache/apt"
}
