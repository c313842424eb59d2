# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Debian 13's archive, by the machine's own apt configuration.

suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# index_uri SUFFIX: the URI from which this machine takes its Debian
# CODENAME+SUFFIX. Third parties may use Debian's codenames: prefer what says
# it comes from Debian, which is known once apt-get update has run.
index_uri()
{
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	# shellcheck disable=SC2016 # these are for apt-get to expand
	apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
		awk -F'|' -v codename="$codename" -v suffix="$1" '
			$3 != "main" { next }
			$2 != codename suffix && $2 != "stable" suffix &&
				$2 != "oldstable" suffix { next }
			$1 == "Debian" { print $4; found = 1; exit }
			$1 !~ /^[A-Za-z]/ && !guess { guess = $4 }
			END { if (!found && guess) print guess }'
}

# sources: Debian 13's sources.list
sources()
{
	if [ -n "${MIRROR:-}" ]; then
		main=$MIRROR
		security=${MIRROR_SECURITY:-${MIRROR%/}-security}
	else
		main=$(index_uri '')
		[ -n "$main" ] ||
			die "this machine's apt configuration names no Debian mirror" \
				"Give one: MIRROR=URL make setup"
		security=$(index_uri -security)
		[ -n "$security" ] || security=${main%/}-security
	fi
	cat <<-END
	deb [signed-by=$keyring] $main $suite main
	deb [signed-by=$keyring] $main $suite-updates main
	deb [signed-by=$keyring] $main $suite-backports main
	deb [signed-by=$keyring] $security $suite-security main
	END
}

# apt13 TOOL...: the machine's apt, looking at Debian 13 only, with its state
# in the cache
apt13()
{
	tool=$1
	shift
	"$tool" -q \
		-o Dir::Etc::SourceList="$cache/apt/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$cache/apt/state" \
		-o Dir::State::status="$cache/apt/status" \
		-o Dir::Cache="$cache/apt/cache" \
		-o APT::Architecture=amd64 \
		-o APT::Architectures=amd64 \
		-o APT::Sandbox::User="$(id -un)" \
		-o APT::Update::Post-Invoke= \
		-o APT::Update::Post-Invoke-Success= \
		-o APT::Get::List-Cleanup=false \
		-o Acquire::Languages=none \
		-o Acquire::Retries=3 \
		"$@"
}

apt13_update()
{
	mkdir -p "$cache/apt/state/lists/partial" "$cache/apt/cache/archives/partial"
	: >"$cache/apt/status"
	sources >"$cache/apt/sources.list"
	apt13 apt-get -o APT::Update::Error-Mode=any update
}
