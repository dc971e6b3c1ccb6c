// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that confine themselves.
 *
 * A program that handles what strangers send may install a filter of system
 * calls that kills it at one it does not expect.  sshd's allows madvise() for
 * what its C library needs, not for MADV_MERGEABLE.  Such a program also has
 * good reason not to share its memory.  So nothing is registered any more from
 * the moment a program says that it is going to do so: PR_SET_NO_NEW_PRIVS is
 * what comes before a filter, however that is installed then.
 */
#include <stdarg.h>
#include <sys/prctl.h>

#include "preload.h"

int KSMP_ENTRY(prctl)(int option, ...)
{
	unsigned long arg[4];
	va_list args;
	int i;

	va_start(args, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(args, unsigned long);
	va_end(args);
	if (option == PR_SET_SECCOMP || option == PR_SET_NO_NEW_PRIVS)
		ksmp_stop();
	return KSMP_NEXT(prctl)(option, arg[0], arg[1], arg[2], arg[3]);
}
