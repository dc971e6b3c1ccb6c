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

# plan_programs PLAN: the names of its programs, as run-plan prints them
plan_programs()
{
	awk '{
		name = ""
		for (i = 1; i <= NF; i++) {
			if (name == "" && $i ~ /^#/)
				break
			if (name == "" &&
			    $i ~ /^(timeout|skip|fail|tap|results)=/)
				continue
			word = $i
			if (name == "")
				sub(/^\.\//, "", word)
			name = name (name == "" ? "" : " ") word
		}
		if (name != "")
			print substr(name, 1, 255)
	}' "$1"
}

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
	local step=$1 console=$2 parsed suite verdict name

	parsed=$(mktemp)
	tr -d '\r' <"$console" | sed -E 's/^\[ *[0-9]+\.[0-9]+\](\[.*\])? //' |
		awk '
		/^    # Subtest: / {
			suite = substr($0, 16); planned = -1; seen = 0; next
		}
		suite != "" && /^    1\.\.[0-9]+/ {
			planned = substr($0, 8) + 0; next
		}
		suite != "" && /^    (not )?ok [0-9]+/ {
			verdict = /^    ok/ ? "ok" : "not ok"
			name = $0
			sub(/^    (not )?ok [0-9]+ (- )?/, "", name)
			reason = ""
			if (match(name, / # SKIP.*/)) {
				verdict = "skip"
				reason = substr(name, RSTART + 8)
				name = substr(name, 1, RSTART - 1)
			}
			print verdict "\t" suite "." name "\t" reason
			seen++
		}
		suite != "" && /^(not )?ok [0-9]+/ {
			if (planned != seen)
				print "not ok\t" suite "\tplanned " planned \
					", got " seen
			print "suite\t" suite
			suite = ""
		}
		END {
			if (suite != "")
				print "not ok\t" suite "\tdid not end"
		}' >"$parsed"
	while IFS=$'\t' read -r verdict name reason; do
		case $verdict in
		suite) ;;
		skip)
			result 'not ok' "$step: kunit $name" \
				"may not be skipped: $reason"
			;;
		*) result "$verdict" "$step: kunit $name" "$reason" ;;
		esac
	done <"$parsed"
	while read -r suite; do
		grep -qxF "suite"$'\t'"$suite" "$parsed" ||
			result 'not ok' "$step: kunit $suite" "did not run"
	done < <(kunit_suites)
	if grep -q '^not ok' "$parsed"; then
		tr -d '\r' <"$console" |
			grep -aE -A12 '# .*: (EXPECTATION|ASSERTION) FAILED' |
			head -n 60 | remark
	fi
	rm -f "$parsed"
}

# judge_plan STEP OUTPUT PLAN: what the programs of the plan said
judge_plan()
{
	local step=$1 raw=$2 plan=$3 line program text recent=()

	text=$(mktemp)
	tr -d '\r\000' <"$raw" >"$text"
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'@start '*) recent=() ;;
		'| '*) recent+=("${line#| }") ;;
		'@ok '*) result ok "$step: ${line#@ok }" ;;
		'@skip '*)
			line=${line#@skip }
			result skip "$step: ${line% # *}" "${line##* # }"
			;;
		'@not ok '*)
			line=${line#@not ok }
			result 'not ok' "$step: ${line% # *}" "${line##* # }"
			if [ ${#recent[@]} -gt 0 ]; then
				printf '%s\n' "${recent[@]}" |
					tail -n 8 | remark
			fi
			recent=()
			;;
		esac
	done <"$text"
	while IFS= read -r program; do
		if ! grep -qaxF "@start $program" "$text"; then
			result 'not ok' "$step: $program" 'did not run'
		elif ! grep -qaF "@end $program " "$text"; then
			result 'not ok' "$step: $program" 'did not end'
			tail -n 10 "$text" | remark
		fi
	done < <(plan_programs "$plan")
	if ! grep -qax '@done' "$text"; then
		result 'not ok' "$step: end of the plan" \
			'the boot ended before, or was too slow'
	fi
	rm -f "$text"
}
