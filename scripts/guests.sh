# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# shellcheck disable=SC2154 # variables of lib.sh
#
# What an image needs to start KVM guests in the host that it boots; sourced
# after lib.sh.

# qemu_files: the files of QEMU as scripts/initramfs takes them, one per line.
# Debian's QEMU comes in two builds; the one that has little else than microvm
# loads ten libraries instead of fifty, which an emulated CPU notices.
qemu_files()
{
	local qemu rom from

	qemu=$(command -v qemu-system-x86_64-microvm ||
		command -v qemu-system-x86_64)
	echo "$qemu:/bin/qemu-system-x86_64"
	for rom in bios-microvm.bin qboot.rom linuxboot_dma.bin pvh.bin \
		kvmvapic.bin; do
		for from in /usr/share/qemu /usr/share/seabios; do
			[ -f "$from/$rom" ] || continue
			echo "$from/$rom:/usr/share/qemu/$rom"
			break
		done
	done
}

# common_file FILE MIB: the file that all guests have: any content does that is
# not equal in itself
common_file()
{
	[ ! -f "$1" ] || return 0
	head -c $(($2 << 20)) /dev/urandom >"$1.new"
	mv "$1.new" "$1"
}
