# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the machine itself must have.

# missing_packages: the Debian packages to install here, if any
missing_packages()
{
	command -v mmdebstrap >/dev/null || echo mmdebstrap
	command -v bwrap >/dev/null || echo bubblewrap
	[ -e "$keyring" ] || echo debian-archive-keyring
	if [ "$(id -u)" -ne 0 ]; then
		command -v newuidmap >/dev/null || echo uidmap
	fi
}

install_packages()
{
	apt-get -q update
	# shellcheck disable=SC2086 # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
		--no-install-recommends $1
}

# mmdebstrap gives the files of the root's users to ids lent to this user.
check_subordinate_ids()
{
	for file in /etc/subuid /etc/subgid; do
		grep -qE "^($(id -un)|$(id -u)):" $file 2>/dev/null ||
			die "$(id -un) has no subordinate ids in $file" \
				"As root: usermod --add-subuids 100000-165535" \
				"             --add-subgids 100000-165535 $(id -un)"
	done
}

check_host()
{
	command -v apt-get >/dev/null ||
		die "this is not a Debian system: there is no apt-get" \
			"The set-up needs Debian 12 or newer. For another system's own kernel:" \
			"    make KDIR=... module"
	[ "$(dpkg --print-architecture)" = amd64 ] ||
		die "this machine is $(dpkg --print-architecture); only amd64 is supported"

	missing=$(missing_packages | tr '\n' ' ')
	if [ -n "$missing" ] && [ "$(id -u)" -ne 0 ]; then
		die "missing on this machine: $missing" \
			"As root: apt-get install $missing"
	elif [ -n "$missing" ]; then
		step host "Installing on this machine: $missing" \
			install_packages "$missing"
	fi

	why=$(bwrap --ro-bind / / --dev-bind /dev /dev --unshare-pid true 2>&1) ||
		die "bubblewrap cannot make namespaces here: $why" \
			"In a container: run it privileged." \
			"As an ordinary user, allow user namespaces; as root:" \
			"    sysctl kernel.unprivileged_userns_clone=1" \
			"    sysctl user.max_user_namespaces=10000" \
			"and where AppArmor forbids them (Ubuntu):" \
			"    sysctl kernel.apparmor_restrict_unprivileged_userns=0"

	[ "$(id -u)" -eq 0 ] || check_subordinate_ids
}
