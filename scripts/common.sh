# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Sourced by the other scripts, after set -eu and with $top set: where the
# cache is, and one way to speak.

: "${top:?}"

if [ -z "${HOME:-}" ]; then
	HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
	export HOME
fi
cache=${E1000E_RUST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/e1000e_rust}
case $cache in
/*) ;;
*) cache=$PWD/$cache ;;
esac
# shellcheck disable=SC2034 # for those who source this
series=7.3

say()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# die MESSAGE [WHAT-TO-DO]...
die()
{
	say "error: $1"
	shift
	for line; do
		printf '    %s\n' "$line" >&2
	done
	exit 1
}
