# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The patches of patches/, and the one way in which they are applied; sourced
# after lib.sh.
#
# patches/um/ is for linux-um, patches/mm/ is KSM.  The file "series" in each
# names its patches in order.  A patch is a mail: "Subject:", an empty line, the
# message, "---"; then a change of files of the base as a diff, and lines
#
#   Adds: PATTERN      files of ours that this patch adds
#   Removes: PATTERN   files of the base that it removes
#
# scripts/overlay applies the diffs to the tree that is built; scripts/patchset
# makes commits of the same patches.
#
# shellcheck disable=SC2154 # variables of lib.sh

series_names=(um mm)

# series_list NAME...: the patches of these series, as paths in patches/
series_list()
{
	local name

	for name; do
		sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' \
			-e "s,^,$name/," "$top/patches/$name/series"
	done
}

# patch_lists PATCH KEY: the patterns of its lines "KEY: PATTERN"
patch_lists()
{
	sed -n -e '/^diff --git/q' -e "/^---\$/,\$s/^$2: *//p" "$top/patches/$1"
}

patch_has_diff()
{
	grep -q '^diff --git ' "$top/patches/$1"
}

# patch_touches PATCH...: files of the base that the diffs change, whether they
# exist or not
patch_touches()
{
	(cd "$top/patches" && sed -n -e 's,^--- a/\([^\t]*\).*,\1,p' \
		-e 's,^+++ b/\([^\t]*\).*,\1,p' \
		-e 's,^rename \(from\|to\) ,,p' "$@") | sort -u
}

# patch_apply PATCH DIR: apply its diff.  Only a tree of the user may differ
# from the base, and then that is told.
patch_apply()
{
	local out fuzz=-F0

	patch_has_diff "$1" || return 0
	[ -z "${KSRC:-}" ] || fuzz=-F2
	if ! out=$(patch -d "$2" -s -E -p1 -N $fuzz --no-backup-if-mismatch \
			<"$top/patches/$1" 2>&1); then
		indent <<<"$out"
		die "patches/$1 does not apply to this base" \
			"base: $(cat "$build/base.stamp")" \
			"a tree that already has our patches, or a" \
			"newer 6.12.y? Then the patch needs a refresh."
	fi
	if [ -n "$out" ]; then
		say "patches/$1 applied, but not exactly:"
		indent <<<"$out"
	fi
}

# series_place FILE...: "PATCH<tab>FILE" for each; it is an error if a file is
# in no patch or in two, or if a pattern adds nothing
series_place()
{
	local patches patch pattern file found problems=()
	local -A place=()

	mapfile -t patches < <(series_list "${series_names[@]}")
	for patch in "${patches[@]}"; do
		while IFS= read -r pattern; do
			found=
			for file; do
				# shellcheck disable=SC2053 # a pattern
				[[ $file == $pattern ]] || continue
				found=y
				[ -z "${place[$file]:-}" ] ||
					problems+=("$file is in two patches: ${place[$file]} and $patch")
				place[$file]=$patch
			done
			[ -n "$found" ] ||
				problems+=("patches/$patch adds $pattern, which is not there")
		done < <(patch_lists "$patch" Adds)
	done
	for file; do
		[ -n "${place[$file]:-}" ] ||
			problems+=("$file is in no patch")
	done
	[ ${#problems[@]} = 0 ] || die "the series does not fit the files" \
		"${problems[@]}" \
		'Each file of ours has a line "Adds: FILE" in one patch of' \
		'patches/mm/; one of mm/ksm/ in that of its floor, see' \
		'patches/mm/series and Documentation/mm/ksm.rst.'
	for file; do
		printf '%s\t%s\n' "${place[$file]}" "$file"
	done
}
