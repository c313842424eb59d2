# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# root/: Debian 13 with every tool.

# packages_in FILE: the packages that scripts/FILE names
packages_in()
{
	sed 's/#.*//' "$top/scripts/$1" | tr -s ' \t\n' '\n' | grep . | sort
}

root_packages()
{
	packages_in packages
}

root_stamp()
{
	{
		echo "recipe 1, $suite"
		root_packages
	} | hash
}

root_fresh()
{
	stamped root "$(root_stamp)" && [ -s "$cache/root/.compilers" ]
}

# mmdebstrap does not read the machine's apt configuration: hand on what it
# says about reaching the archive.
acquire_options()
{
	apt-config dump |
		grep -E '^Acquire::(https?|ForceIPv.|Check-Valid-Until|AllowInsecure)' |
		grep -v '""' || :
	echo 'Acquire::Retries "3";'
}

# bootstrap PART FILE: Debian 13 with the packages in scripts/FILE in PART.tmp.
# As root, mmdebstrap mounts file systems below the root: in a mount namespace
# of its own they are gone with it, even if it is killed. An ordinary user gets
# a tar file first: what is unpacked from it belongs to the user, who can then
# remove it, too.
bootstrap()
{
	part=$cache/$1.tmp
	include=$(packages_in "$2" | tr '\n' ',')
	acquire_options >"$cache/apt.conf"
	set -- mmdebstrap
	if [ "$(id -u)" -eq 0 ]; then
		mode=root
		target=$part
		set -- unshare --mount "$@"
	else
		mode=unshare
		target=$cache/root.tar
	fi
	sources | "$@" --mode="$mode" --variant=apt \
		--architectures=amd64 --aptopt="$cache/apt.conf" \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$include" \
		"$suite" "$target" -
	if [ "$mode" = unshare ]; then
		tar -C "$part" --no-same-owner --exclude='./dev/*' \
			-xf "$target"
		chmod -R u+rwX "$part"
		rm "$target"
	fi
	rm "$cache/apt.conf"
	: >"$part/etc/resolv.conf"
}

# What decides over object code: tree/ is made anew when one of these differs.
compilers()
{
	"$top/scripts/enter" sh -c 'rustc --version; gcc --version | head -n1
		clang --version | head -n1; bindgen --version; pahole --version'
}

make_root()
{
	begin root
	stamp=$(root_stamp)
	step root "Installing Debian 13 and $(root_packages | wc -l) packages on it" \
		bootstrap root packages
	finish root "$stamp"
	compilers >"$cache/compilers"
	mv "$cache/compilers" "$cache/root/.compilers"
}
