# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checkpatch, for files and for patches; sourced after lib.sh.
#
# shellcheck disable=SC2154 # variables of lib.sh

# Not applicable here: a whole file is no change to MAINTAINERS.
checkpatch=(perl "$linux/scripts/checkpatch.pl" --root="$linux" --strict
	--terse --show-types --no-summary --quiet
	--ignore FILE_PATH_CHANGES)

# Standard error has only what a Python module that is missing there says;
# licences are checked apart.
run_checkpatch()
{
	local status=0

	"${checkpatch[@]}" "$@" 2>/dev/null || status=$?
	[ "$status" -le 1 ] || echo "checkpatch.pl: status $status"
}

# checkpatch_ignore FILE...: options for what does not apply to these files
checkpatch_ignore()
{
	local file types=''

	for file; do
		case $file in
		scripts/* | tools/*)
			# programs: no kernel functions, types or attributes
			types+=,PREFER_DEFINED_ATTRIBUTE_MACRO,VOLATILE
			types+=,PREFER_KERNEL_TYPES,CONST_STRUCT,STRCPY
			types+=,STRLCPY,STRNCPY,USLEEP_RANGE,CAMELCASE
			types+=,LONG_LINE_STRING,EMBEDDED_FUNCTION_NAME
			types+=,COMPLEX_MACRO,MACRO_ARG_REUSE,OPEN_ENDED_LINE
			types+=,STATIC_CONST_CHAR_ARRAY,SSCANF_TO_KSTRTO
			types+=,CONSIDER_KSTRTO,NEW_TYPEDEFS,SPLIT_STRING
			types+=,BIT_MACRO,ENOSYS,MACRO_WITH_FLOW_CONTROL
			;;
		include/trace/*)
			# the TRACE_EVENT() idiom
			types+=,OPEN_ENDED_LINE,SPACING,COMPLEX_MACRO
			types+=,PARENTHESIS_ALIGNMENT
			;;
		mm/ksm/busted.c)
			# its parameter is for our own tests only
			types+=,UNDOCUMENTED_SETUP
			;;
		esac
	done
	[ -z "$types" ] || tr , '\n' <<<"${types#,}" | sort -u | paste -sd, |
		sed 's/^/--ignore=/'
}

# without_false: of checkpatch's lines, those that are right
without_false()
{
	local file line rest

	while IFS=: read -r file line rest; do
		case $rest in
		*UNCOMMENTED_DEFINITION*)
			# a pointer to a spinlock_t is no definition of one
			! sed -n "${line}p" "$file" | grep -qF 'spinlock_t *' ||
				continue
			;;
		*EXECUTE_PERMISSIONS*)
			# it goes by the directory, and takes a script there
			# for a source file
			! head -c 2 "$top/$file" | grep -qxF '#!' || continue
			;;
		*TRAILING_WHITESPACE*)
			# a picture of a screen
			case $file in
			tools/ksm/tests/fixtures/*) continue ;;
			esac
			;;
		*REPEATED_WORD*)
			# a type and its constructor
			case $file in
			*.cc) continue ;;
			esac
			;;
		esac
		echo "$file:$line:$rest"
	done
}
