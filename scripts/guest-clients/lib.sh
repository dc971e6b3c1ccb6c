# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tests of KSM's clients share; source it.  They speak TAP, one level:
# "plan N" first, then N results, then "finish".

set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=$(dirname "$(readlink -f "$0")")
ksm=/sys/kernel/mm/ksm
work=$(mktemp -d)
done_results=0 failed_results=0
holders=() hold_by=()

plan()
{
	echo "1..$1"
}

# remark: standard input, as lines that are no results
remark()
{
	sed 's/^/# /' | cut -c 1-300 | head -n 40
}

ok()
{
	done_results=$((done_results + 1))
	echo "ok $done_results - $1"
}

# not_ok NAME [WHY]
not_ok()
{
	done_results=$((done_results + 1))
	failed_results=$((failed_results + 1))
	[ -z "${2:-}" ] || remark <<<"$2"
	echo "not ok $done_results - $1"
}

# skip NAME WHY: the plan has to allow it
skip()
{
	done_results=$((done_results + 1))
	echo "ok $done_results - $1 # SKIP $2"
}

# check NAME COMMAND...: it has to succeed; what it says explains why not.  In
# this shell, as it may start processes and note them down
check()
{
	local name=$1 status=0

	shift
	"$@" >"$work/check" 2>&1 || status=$?
	if [ "$status" = 0 ]; then
		ok "$name"
	else
		not_ok "$name" "$* (status $status)
$(<"$work/check")"
	fi
}

# same NAME HAVE WANT
same()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "have: $2
want: $3"
	fi
}

# finish: the last line of a test
finish()
{
	exit $((failed_results > 0))
}

knob()
{
	cat "$ksm/$1"
}

# set_knobs NAME=VALUE...
set_knobs()
{
	local pair

	for pair; do
		echo "${pair#*=}" >"$ksm/${pair%%=*}" || return
	done
}

# vmstat NAME
vmstat()
{
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat
}

# until_true SECONDS COMMAND...: has it succeeded within that time?
until_true()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# becomes SECONDS NAME VALUE: does the counter or knob get that value in time?
becomes()
{
	until_true "$1" knob_is "$2" "$3" && return
	echo "$2 is $(knob "$2"), not $3"
	return 1
}

# knob_is NAME VALUE
knob_is()
{
	[ "$(knob "$1")" = "$2" ]
}

# scans_past NUMBER
scans_past()
{
	[ "$(knob full_scans)" -ge "$1" ]
}

# full_scans N: wait for so many more from start to end
full_scans()
{
	until_true 120 scans_past $(($(knob full_scans) + $1 + 1))
}

# hold ARG...: start "hold", by the command in $hold_by if there is one; it is
# stopped at the end of the test.  Sets $held
hold()
{
	local out=$work/hold.${#holders[@]}

	"${hold_by[@]}" "$here/hold" "$@" >"$out" 2>&1 &
	held=$!
	holders+=("$held")
	until_true 60 grep -q '^ready' "$out" || {
		remark <"$out"
		return 1
	}
}

# release: stop them; fails if one has found its memory changed
release()
{
	local pid status=0

	for pid in "${holders[@]}"; do
		kill -TERM "$pid" || status=1
		wait "$pid" || status=1
	done
	holders=()
	return "$status"
}

# alone: stop ksmtuned, which would stop KSM where there are no guests
alone()
{
	systemctl stop ksmtuned
}

# merged_state: some memory merged, every counter of another value than the
# others, then no scan any more, though run is 1: a program that shows them can be compared
# with them.
merged_state()
{
	alone && set_knobs run=1 pages_to_scan=2000 sleep_millisecs=15 &&
		hold 800 300 50 && hold 240 77 &&
		until_true 120 settled && set_knobs pages_to_scan=0 &&
		sleep 0.5
}

# settled: are the counters what merged_state() must lead to?  There are 100
# groups of equal pages, 30 of them in both processes.
settled()
{
	[ "$(knob pages_shared)" -eq 100 ] &&
		[ "$(knob pages_sharing)" -eq 940 ] &&
		[ "$(knob pages_unshared)" -eq 377 ] &&
		[ "$(knob pages_volatile)" -eq 50 ] &&
		[ "$(knob full_scans)" -ge 4 ]
}

# counters: all of the directory, "name value" a line
counters()
{
	local file

	for file in "$ksm"/*; do
		echo "$(basename "$file") $(<"$file")"
	done
}

# apt_keeping COMMAND...: as one without a terminal calls it; conffiles that were
# changed are kept.  There is no network.
apt_keeping()
{
	DEBIAN_FRONTEND=noninteractive apt-get -y -q \
		-o Dpkg::Options::=--force-confold "$@" </dev/null
}

# says UNIT REGEX: does the journal of this start of the unit have such a line?
says()
{
	journalctl -q -b -o cat \
		"_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID "$1")" |
		grep -qE -- "$2"
}

clean_up()
{
	local pid

	for pid in "${holders[@]}"; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap clean_up EXIT

# scrape URL: get it by HTTP from this machine
scrape()
{
	python3 -c 'import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=60).read())
' "$1"
}

# query EXPRESSION: what prometheus answers, values a line; nothing if nothing
query()
{
	scrape "http://localhost:9090/api/v1/query?query=$1" |
		python3 -c 'import json, sys
for one in json.load(sys.stdin)["data"]["result"]:
    print(one["value"][1])'
}

# has_value EXPRESSION VALUE
has_value()
{
	[ "$(query "$1")" = "$2" ]
}

# query_becomes EXPRESSION VALUE: within some scrapes
query_becomes()
{
	until_true 90 has_value "$1" "$2" && return
	echo "$1 is $(query "$1"), not $2"
	return 1
}
