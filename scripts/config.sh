# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which kernels there are and how they are configured; sourced after lib.sh.
#
# shellcheck disable=SC2154 # variables of lib.sh

# Which objects KASAN checks the accesses of, as options for make: only those
# that deal with our objects.  All of the kernel takes five times as long where
# each check is a call.  The tags are given to every object all the same.
only_ours()
{
	local file

	options+=(KASAN_SANITIZE=n)
	while read -r file; do
		options+=("KASAN_SANITIZE_$(basename "$file" .c).o=y")
	done < <(find "$top/mm/ksm" -name '*.c' | sort)
	for file in rbtree list_debug xarray rmap; do
		options+=("KASAN_SANITIZE_$file.o=y")
	done
}

# select_config NAME: sets obj, arch, fragments, target, image and options
# shellcheck disable=SC2034 # used by the scripts that source this
select_config()
{
	obj=$build/$1 options=()
	case $1 in
	uml) arch=um fragments=(uml kunit) ;;
	x86) arch=x86_64 fragments=(x86) ;;
	debug) arch=x86_64 fragments=(x86 debug) ;;
	debian) arch=x86_64 fragments=(x86 debian) ;;
	busted) arch=um fragments=(uml kunit busted) ;;
	busted-x86) arch=x86_64 fragments=(x86 busted) ;;
	arm64) arch=arm64 fragments=(arm64) ;;
	arm | mips | riscv) arch=$1 fragments=(compile "$1") ;;
	*) die "unknown configuration $1" "known: uml x86 debug debian busted arm64" ;;
	esac
	case $arch in
	um) target=linux image=$obj/linux ;;
	x86_64) target=bzImage image=$obj/arch/x86/boot/bzImage ;;
	arm64) target=Image image=$obj/arch/arm64/boot/Image ;;
	*) target=mm/ksm/ image= ;;
	esac
	[ "$1" != arm64 ] || only_ours
	need_compiler "$arch"
}

# wanted FRAGMENT...: SYMBOL=VALUE of each symbol, the last one counts
wanted()
{
	sed -n -e 's/^\(CONFIG_[A-Za-z0-9_]*=.*\)$/\1/p' \
		-e 's/^# \(CONFIG_[A-Za-z0-9_]*\) is not set$/\1=n/p' "$@" |
		awk -F= '{ value[$1] = $0 }
			END { for (s in value) print value[s] }' | sort
}

# What Kconfig sees of us: changes there need a new configuration.
kconfig_sum()
{
	{
		grep -hE '(^|/)Kconfig' "$build/overlay/files" \
			"$build/overlay/patched" || true
	} | sort -u | (cd "$linux" && xargs -rd '\n' sha256sum)
}

# configure OBJDIR ARCH FRAGMENT...
configure()
{
	local dir=$1 arch=$2 name files=() sum missing

	shift 2
	for name in "$@"; do
		case $name in
		/*) files+=("$name") ;;
		*) files+=("$top/configs/$name.config") ;;
		esac
		[ -f "${files[-1]}" ] || die "there is no ${files[-1]}"
	done
	sum=$(kconfig_sum; sha256sum "${files[@]}"; cat "$build/base.stamp")
	if same "$dir/.fragments" "$sum" && [ -f "$dir/.config" ]; then
		return
	fi
	name=$(basename "$dir")
	mkdir -p "$dir"
	rm -f "$dir/.fragments"
	cat "${files[@]}" >"$dir/.wanted"
	run "Configuring $name" "config-$name" \
		kmake "$dir" "$arch" KCONFIG_ALLCONFIG="$dir/.wanted" \
		allnoconfig || die "cannot configure the $name kernel"
	missing=$(wanted "${files[@]}" | while IFS='=' read -r symbol value; do
		have=$(sed -n "s/^$symbol=//p" "$dir/.config")
		[ "${have:-n}" = "$value" ] ||
			echo "$symbol: wanted $value, is ${have:-n}"
	done)
	[ -z "$missing" ] || die "not every symbol of $* is set" "$missing" \
		"a dependency is missing in configs/, or the base lacks it"
	printf '%s\n' "$sum" >"$dir/.fragments"
}
