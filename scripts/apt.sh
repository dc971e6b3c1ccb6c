# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where the packages of another root come from; to be sourced after lib.sh.
#
# Variables a user may set:
#   DEBIAN_MIRROR  the mirror (default: where this machine's apt gets its own)

# What apt knows here, as "URI CODENAME" of Debian's own archives
archives()
{
	# shellcheck disable=SC2016 # for apt-get
	apt-get indextargets \
		--format '$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null |
		awk '$1 == "Debian" && $4 == "main" { print $2, $3 }'
}

# apt_sources FILE SUITE [ALSO]...: write a sources.list.  The suite with its
# updates, where this machine has them; else the suite from the mirror that this
# machine's own suite comes from, as all the others.
apt_sources()
{
	local file=$1 suite=$2 mirror=${DEBIAN_MIRROR:-} uri codename extra

	shift 2
	: >"$file"
	[ -n "$mirror" ] || while read -r uri codename; do
		case $codename in
		"$suite" | "$suite"-updates | "$suite"-security)
			echo "deb $uri $codename main" >>"$file"
			;;
		esac
		[ "$codename" != "${codename%-*}" ] || mirror=$uri
	done < <(archives)
	[ -n "$mirror" ] ||
		die "apt knows no archive of Debian here" \
			"apt-get update, or name a mirror: DEBIAN_MIRROR=URI"
	if [ -n "${DEBIAN_MIRROR:-}" ] || ! archives | grep -q " $suite\$"; then
		echo "deb $mirror $suite main" >>"$file"
	fi
	for extra; do
		echo "deb $mirror $extra main" >>"$file"
	done
}

# apt_settings FILE: how this machine reaches them
apt_settings()
{
	apt-config dump | grep -E '^Acquire::(https?|ftp|Retries|Check-)' \
		>"$1" || true
}
