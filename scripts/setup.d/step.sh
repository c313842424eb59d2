# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# How a part is made: the lock, stamps, long steps with progress, errors.

# What the cache needs at most while it is made, and what mmdebstrap needs in
# TMPDIR when an ordinary user runs it, in MiB.
space_needed=6000
tmp_needed=3000

# Children inherit the lock: it outlives a killed set-up until the last of
# its children is gone, too.
take_lock()
{
	exec 9>>"$cache/.lock"
	if ! flock -n 9; then
		say "another set-up is at work in $cache; waiting for it"
		flock 9
	fi
}

# free_space DIR: in MiB
free_space()
{
	df -Pm "$1" | awk 'NR == 2 { print $4 }'
}

check_space()
{
	free=$(free_space "$cache")
	need=$((space_needed - $(du -sm "$cache" | cut -f1)))
	[ "$free" -ge "$need" ] ||
		die "$cache has $free MiB free; the set-up needs $need MiB" \
			"Make room, or set E1000E_RUST_CACHE to a directory on a larger disk."
	[ "$(id -u)" -ne 0 ] || return 0
	free=$(free_space "${TMPDIR:-/tmp}")
	[ "$free" -ge $tmp_needed ] ||
		die "${TMPDIR:-/tmp} has $free MiB free; the set-up needs $tmp_needed MiB" \
			"Make room, or set TMPDIR to a directory on a larger disk" \
			"that every user can enter."
}

# hash: the stamp of what is on stdin
hash()
{
	sha256sum | cut -d' ' -f1
}

# stamped PART STAMP: is PART whole and made from these inputs?
stamped()
{
	[ "$(cat "$cache/$1/.stamp" 2>/dev/null)" = "$2" ]
}

# begin PART: an empty PART.tmp
begin()
{
	rm -rf --one-file-system "$cache/$1.tmp"
	mkdir "$cache/$1.tmp"
}

# finish PART STAMP: PART.tmp becomes PART
finish()
{
	echo "$2" >"$cache/$1.tmp/.stamp"
	rm -rf --one-file-system "$cache/$1.old"
	[ ! -e "$cache/$1" ] || mv "$cache/$1" "$cache/$1.old"
	mv "$cache/$1.tmp" "$cache/$1"
	rm -rf --one-file-system "$cache/$1.old"
}

# The elapsed time: each second on a terminal, else a line each half minute.
ticker()
{
	exec 9>&-
	t=0
	while sleep 1 && kill -0 $$ 2>/dev/null; do
		t=$((t + 1))
		if [ -t 2 ]; then
			printf '\r  %s ... %d s ' "$1" "$t" >&2
		elif [ $((t % 30)) -eq 0 ]; then
			printf '  %s ... %d s\n' "$1" "$t" >&2
		fi
	done
}

# step LOG TEXT CMD...: run CMD with its output in log/LOG.log
step()
{
	log=$cache/log/$1.log
	text=$2
	shift 2
	start=$(date +%s)
	[ -t 2 ] || printf '  %s ...\n' "$text" >&2
	ticker "$text" &
	tick=$!
	trap 'kill "$tick" 2>/dev/null || :' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	# Not "CMD || rc=$?": that would switch off set -e inside CMD.
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	trap - EXIT INT TERM HUP
	kill "$tick" 2>/dev/null || :
	wait "$tick" 2>/dev/null || :
	[ ! -t 2 ] || printf '\r' >&2
	if [ "$rc" -eq 0 ]; then
		printf '  %s: %d s\n' "$text" "$(($(date +%s) - start))" >&2
		return 0
	fi
	printf '  %s: failed\n' "$text" >&2
	tail -n 15 "$log" | sed 's/^/  | /' >&2
	explain "$log"
}

# says LOG REGEXP...: does the log have a line that matches one of these?
says()
{
	log=$1
	shift
	for regexp; do
		! grep -qiE "$regexp" "$log" || return 0
	done
	return 1
}

# explain LOG: ends the run with what is known about the failure
explain()
{
	rm -rf --one-file-system "$cache"/*.tmp "$cache/root.tar"
	if says "$1" 'no space left on device' 'enough free space'; then
		die "the disk is full" \
			"Make room, or set E1000E_RUST_CACHE (and TMPDIR) to a larger disk," \
			"and run it again."
	elif says "$1" NO_PUBKEY EXPKEYSIG 'not signed'; then
		die "this machine does not have the archive's current keys" \
			"As root: apt-get update && apt-get install debian-archive-keyring"
	elif says "$1" 'could not resolve' 'temporary failure' 'could ?n.t connect' \
		'cannot initiate the connection' 'unable to connect' \
		'network is unreachable' 'connection (refused|timed out|failed)' \
		'failed to establish'; then
		die "the network or the mirror cannot be reached" \
			"Check the network and the proxy settings, or give a mirror:" \
			"    MIRROR=URL make setup"
	elif says "$1" '404 +not found' 'does not have a release file' \
		'hash sum mismatch'; then
		die "the mirror lacks something, or is just being updated" \
			"Run it again in a few minutes, or give another mirror:" \
			"    MIRROR=URL make setup"
	fi
	die "this step failed; its whole output is in $1" \
		"What was finished is kept: running it again continues there."
}
