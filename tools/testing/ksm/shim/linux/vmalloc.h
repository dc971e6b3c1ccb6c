/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_VMALLOC_H
#define _KSM_SHIM_VMALLOC_H

#include <linux/slab.h>

void *__vmalloc(unsigned long size, unsigned int gfp);
void vfree(const void *address);

#endif /* _KSM_SHIM_VMALLOC_H */
