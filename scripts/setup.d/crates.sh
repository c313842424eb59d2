# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# crates/: what the device model (qemu/model) depends on, as its Cargo.lock pins it, by cargo as
# this machine is set up to use it. Builds then need no network.

crates_lock=$top/qemu/model/Cargo.lock

crates_stamp()
{
	{
		echo "recipe 1"
		cat "$crates_lock"
	} | hash
}

crates_fresh()
{
	stamped crates "$(crates_stamp)"
}

# Settings by which this machine's cargo reaches its registry, and certificates.
vendor_crates()
{
	set -- cargo vendor --quiet --locked --versioned-dirs \
		--manifest-path "$top/qemu/model/Cargo.toml" "$cache/crates.tmp"
	for name in $(env | sed -n 's/^\(CARGO_\(REGISTR\|SOURCE\|HTTP\|NET\)[A-Z_]*\)=.*/\1/p') \
		http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
		eval "value=\${$name-}"
		[ -z "$value" ] || set -- --setenv "$name" "$value" "$@"
	done
	home=${CARGO_HOME:-$HOME/.cargo}
	for file in config config.toml credentials.toml; do
		[ ! -e "$home/$file" ] || set -- --ro-bind "$home/$file" "/tmp/cargo/$file" "$@"
	done
	bundle=/etc/ssl/certs/ca-certificates.crt
	[ ! -e "${SSL_CERT_FILE:-$bundle}" ] ||
		set -- --ro-bind "${SSL_CERT_FILE:-$bundle}" $bundle "$@"
	"$top/scripts/enter" --ro-bind /etc/resolv.conf /etc/resolv.conf \
		--dir /tmp/cargo --setenv CARGO_HOME /tmp/cargo "$@" >/dev/null
}

make_crates()
{
	begin crates
	step crates "Fetching the device model's crates" vendor_crates
	finish crates "$(crates_stamp)"
}
