# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# tools/: what Debian 13 lacks, by pip as this machine is set up to use it.
# plot/: what make bench draws with, only if it is asked for.

ruff=ruff==0.17.6
pygal="pygal==3.1.3 importlib-metadata==8.7.0 zipp==3.23.0"

tools_stamp()
{
	echo "recipe 1, $ruff" | hash
}

tools_fresh()
{
	stamped tools "$(tools_stamp)"
}

plot_stamp()
{
	echo "recipe 1, $pygal" | hash
}

plot_fresh()
{
	stamped plot "$(plot_stamp)"
}

# pip_install DIR PACKAGE...: with the settings by which this machine's pip
# reaches its index; files of settings and certificates are laid over the root's.
pip_install()
{
	set -- python3 -m pip install --quiet --no-cache-dir --no-deps \
		--only-binary :all: --target "$@"
	for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_PROXY \
		PIP_TRUSTED_HOST http_proxy https_proxy no_proxy HTTP_PROXY \
		HTTPS_PROXY NO_PROXY; do
		eval "value=\${$name-}"
		[ -z "$value" ] || set -- --setenv "$name" "$value" "$@"
	done
	for file in /etc/pip.conf "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf"; do
		[ ! -e "$file" ] || set -- --ro-bind "$file" "/run/pip.conf" \
			--setenv PIP_CONFIG_FILE /run/pip.conf "$@"
	done
	bundle=/etc/ssl/certs/ca-certificates.crt
	certificates=${PIP_CERT:-${SSL_CERT_FILE:-$bundle}}
	[ ! -e "$certificates" ] || set -- --ro-bind "$certificates" $bundle "$@"
	"$top/scripts/enter" --ro-bind /etc/resolv.conf /etc/resolv.conf "$@"
}

make_tools()
{
	begin tools
	step tools "Installing $ruff" pip_install "$cache/tools.tmp" "$ruff"
	finish tools "$(tools_stamp)"
}

make_plot()
{
	begin plot
	# shellcheck disable=SC2086 # a list of packages
	step plot "Installing ${pygal%% *}" pip_install "$cache/plot.tmp" $pygal
	finish plot "$(plot_stamp)"
}
