# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts of this directory share; source it, do not run it.
#
# Variables a user may set:
#   KSRC        a 6.12 kernel tree to build on (default: the packaged one)
#   JOBS        parallel jobs (default: one per CPU)
#   V=1         show what the tools print instead of a progress line

set -Eeuo pipefail
trap 'echo "error: $0, line $LINENO: \"$BASH_COMMAND\" failed" >&2' ERR

# Another program's idea of make's options or of the locale is not ours.
unset MAKEFLAGS MFLAGS MAKELEVEL GREP_OPTIONS CDPATH
export LC_ALL=C

# shellcheck disable=SC2034 # used by the scripts that source this
top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
build=$top/build
linux=$build/linux
logs=$build/log
results=${KSM_RESULTS:-$build/results}
jobs=${JOBS:-$(nproc)}

if [ -t 2 ]; then
	bold=$'\e[1m' red=$'\e[31m' plain=$'\e[m' clear=$'\r\e[K'
else
	bold='' red='' plain='' clear=''
fi

say()
{
	echo "$bold==>$plain $*" >&2
}

note()
{
	echo "    $*" >&2
}

# indent: standard input to standard error, shifted to the right
indent()
{
	sed 's/^/       /' >&2
}

# die WHAT [ADVICE]...
die()
{
	echo "${red}error:$plain $1" >&2
	shift
	for advice in "$@"; do
		echo "       $advice" >&2
	done
	exit 1
}

# Is the program installed?  The package that has it is named if not.
need()
{
	command -v "$1" >/dev/null || die "$1 is not installed" \
		"apt-get install ${2:-$1}   (or: make deps)"
}

seconds()
{
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

# _progress TITLE LOG PID: a line that moves while PID runs; without a terminal,
# one line a minute.
_progress()
{
	local title=$1 log=$2 pid=$3 begin=$SECONDS total='' count every

	[ ! -s "$log.count" ] || total=" of about $(<"$log.count")"
	every=60
	[ ! -t 2 ] || every=1
	# it is shown only when it is over
	[ -z "${KSM_QUIET:-}" ] || every=$((1 << 30))
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		[ $((SECONDS - begin)) -ge $every ] || continue
		[ -t 2 ] || every=$((every + 60))
		count=$(grep -cE '^  [A-Z]+[A-Z ]* ' "$log" || true)
		if [ "$count" -gt 0 ]; then
			count="$count$total steps, "
		else
			count=''
		fi
		printf '%s    %s: %s%s%s' "$clear" "$title" "$count" \
			"$(seconds $((SECONDS - begin)))" \
			"$([ -t 2 ] || echo .)" >&2
		[ -t 2 ] || echo >&2
	done
	printf '%s' "$clear" >&2
}

# run TITLE LOGNAME COMMAND...: run with the output in the log and a progress
# line on the terminal; report and return the command's status if it fails.
run()
{
	local title=$1 log=$logs/$2.log pid status=0

	shift 2
	mkdir -p "$(dirname "$log")"
	if [ "${V:-0}" != 0 ]; then
		say "$title"
		"$@" </dev/null 2>&1 | tee "$log" >&2 || status=$?
	else
		"$@" </dev/null >"$log" 2>&1 &
		pid=$!
		_progress "$title" "$log" "$pid"
		wait "$pid" || status=$?
	fi
	if [ "$status" = 0 ]; then
		# how much the next run of the whole has to do
		grep -cE '^  [A-Z]+[A-Z ]* ' "$log" >"$log.new" || true
		if [ ! -s "$log.count" ] ||
		   [ "$(<"$log.new")" -gt "$(<"$log.count")" ]; then
			mv "$log.new" "$log.count"
		fi
		rm -f "$log.new"
		return 0
	fi
	echo "${red}failed:$plain $title (status $status)" >&2
	{
		grep -nE '(error|Error|ERROR|FAILED|undefined|No such)' "$log" |
			grep -vE '^[0-9]+:  [A-Z]' ||
			tail -n 15 "$log"
	} | head -n 15 | indent
	echo "       the log is $log" >&2
	return "$status"
}

# same STAMP VALUE: was VALUE recorded in the file by the last done?
same()
{
	[ -f "$1" ] && [ "$(<"$1")" = "$2" ]
}

# lock NAME: only one at a time may change what has this name in build/; until
# the script ends.  What it starts may rely on it.
lock()
{
	local fd

	case " ${KSM_LOCKS:-} " in
	*" $build/$1 "*) return 0 ;;
	esac
	mkdir -p "$build"
	exec {fd}>"$build/.lock-$1"
	if ! flock -n "$fd"; then
		note "waiting for another process that works on build/$1"
		flock "$fd"
	fi
	export KSM_LOCKS="${KSM_LOCKS:-} $build/$1"
}

# ccache where installed; its hits survive another place of the clone.
if command -v ccache >/dev/null; then
	compiler_prefix='ccache '
	export CCACHE_BASEDIR=$build CCACHE_NOHASHDIR=1
else
	compiler_prefix=''
fi

# cross_prefix ARCH: what the names of its compiler and so on begin with
cross_prefix()
{
	case $1 in
	arm64) echo aarch64-linux-gnu- ;;
	arm) echo arm-linux-gnueabi- ;;
	mips) echo mips-linux-gnu- ;;
	riscv) echo riscv64-linux-gnu- ;;
	esac
}

# need_compiler ARCH
need_compiler()
{
	local cross

	cross=$(cross_prefix "$1")
	if [ -n "$cross" ]; then
		need "${cross}gcc" "gcc-${cross%-}"
	else
		need gcc build-essential
	fi
}

# kmake OBJDIR ARCH ARG...: make in the kernel tree, output in OBJDIR.
kmake()
{
	local obj=$1 arch=$2 cross

	shift 2
	cross=$(cross_prefix "$arch")
	make -C "$linux" O="$obj" ARCH="$arch" CROSS_COMPILE="$cross" \
		CC="$compiler_prefix${cross}gcc" HOSTCC="${compiler_prefix}gcc" \
		KBUILD_BUILD_USER=ksm KBUILD_BUILD_HOST=build \
		KBUILD_BUILD_TIMESTAMP='2024-01-01 00:00:00 UTC' \
		-j"$jobs" "$@"
}

# --- Test results -----------------------------------------------------------
#
# A file of build/results/ has one line per result: "ok NAME", "not ok NAME" or
# "skip NAME", each with an optional " # REASON"; lines that begin with "#" are
# remarks.  scripts/check adds them up.

# open_results STEP: the results of this step go to a file of that name
open_results()
{
	mkdir -p "$results"
	result_file=$results/$1
	: >"$result_file"
}

# result ok|'not ok'|skip NAME [REASON]
result()
{
	local line="$1 $2${3:+ # $3}"

	printf '%s\n' "$line" >>"$result_file"
	case $1 in
	'not ok') echo "    ${red}not ok$plain $2${3:+: $3}" >&2 ;;
	skip) echo "    skip $2${3:+: $3}" >&2 ;;
	esac
}

# remark: lines of standard input that explain the last result
remark()
{
	sed 's/^/# /' | tee -a "$result_file" | sed 's/^#/     /' >&2
}

# take_results PREFIX: results of standard input, as scripts/tap-results and
# scripts/kunit-results print them, with this before their names
take_results()
{
	local verdict name reason

	while IFS=$'\t' read -r verdict name reason; do
		case $verdict in
		'#') printf '%s\n' "$name${reason:+ $reason}" | remark ;;
		*) result "$verdict" "$1$name" "$reason" ;;
		esac
	done
}
