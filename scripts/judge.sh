# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# shellcheck disable=SC2154 # variables of lib.sh
#
# From the console and the results of a boot to test results; sourced after
# lib.sh by what boots kernels.

# A kernel log with one of these fails, whatever the programs say.
trouble='WARNING: |BUG: |kernel BUG at|Oops|Kernel panic|general protection'
trouble+='|unable to handle|possible (circular|recursive) locking'
trouble+='|possible irq lock|inconsistent lock state|suspicious RCU usage'
trouble+='|possible deadlock|lock held when returning|bad unlock balance'
trouble+='|INFO: (task .* blocked|lockdep|trying to register)'
trouble+='|rcu.*(stall|self-detected|detected expedited)|rcu.*kthread starved'
trouble+='|soft lockup|hard LOCKUP|hung_task|KASAN|KFENCE:|UBSAN|KCSAN|KMSAN'
trouble+='|Bad page (state|map|cache)|Bad rss-counter|bad pmd|bad pgd|bad pud'
trouble+='|scheduling while atomic|sleeping function called|refcount_t:'
trouble+='|list_(add|del) (corruption|double)|Object .*(free|poison)'
trouble+='|unreferenced object|page dumped because|still has locks held'
trouble+='|Internal error|nobody cared|Objects remaining in'
# ... except where the kernel only speaks of such things
harmless='Kernel command line:|Command line:|Unknown kernel command line'
harmless+='|kasan: KernelAddressSanitizer initialized|kfence: initialized'
harmless+='|KernelAddressSanitizer initialized'
# memory that cannot be taken offline, as some tests want it
harmless+='|page dumped because: (migration failure|unmovable page)'

# kunit_suites: the suites our sources define
kunit_suites()
{
	[ -d "$top/mm/ksm" ] || return 0
	find "$top/mm/ksm" -name '*.c' -exec awk '
		/struct kunit_suite .*= *{/ { inside = 1 }
		inside && match($0, /\.name = "[^"]*"/) {
			print substr($0, RSTART + 9, RLENGTH - 10)
		}
		/^};/ { inside = 0 }' {} + | sort -u
}

# judge_console STEP CONSOLE: is the kernel's log clean?
judge_console()
{
	local step=$1 console=$2 found

	found=$(tr -d '\r' <"$console" | grep -anE "$trouble" |
		grep -avE "$harmless" || true)
	if [ -z "$found" ]; then
		result ok "$step: kernel log"
		return
	fi
	result 'not ok' "$step: kernel log" \
		"$(wc -l <<<"$found") suspicious lines in $console"
	{
		head -n 20 <<<"$found"
		echo "the first one in its place:"
		local line=${found%%:*}
		tr -d '\r' <"$console" | sed -n "$((line > 3 ? line - 3 : 1)),$((
			line + 30))p"
	} | remark
}

# judge_kunit STEP CONSOLE: every KUnit case is a result, every suite must run
judge_kunit()
{
	local step=$1 console=$2 suites

	mapfile -t suites < <(kunit_suites)
	"$top/scripts/kunit-results" "$linux" "$console" "${suites[@]}" |
		take_results "$step: kunit "
}

# judge_plan STEP OUTPUT PLAN: what the programs of the plan said
judge_plan()
{
	"$top/scripts/tap-results" -p "$3" "$2" | take_results "$1: "
}
