/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process holds open that has to do with merging: hypervisor, devices
 * that reach its memory, and buffers that are pinned for io_uring.
 */
#ifndef KSM_LIB_FDS_H
#define KSM_LIB_FDS_H

#include <stddef.h>

#include "figure.h"

/* Addresses from start to before end */
struct ksm_range {
	uint64_t start;
	uint64_t end;
};

/**
 * struct ksm_fds - open files, by what they are
 * @kvm:      virtual machines of KVM
 * @vfio:     devices that were passed through, and what belongs to them
 * @rdma:     devices that reach memory from other machines
 * @io_uring: rings of io_uring
 * @fixed:    array of the @nr_fixed buffers that rings have pinned
 * @nr_fixed: number of @fixed
 *
 * The figures are unknown if one may not read them.
 */
struct ksm_fds {
	ksm_figure kvm;
	ksm_figure vfio;
	ksm_figure rdma;
	ksm_figure io_uring;
	struct ksm_range *fixed;
	size_t nr_fixed;
};

int ksm_fds_read(int pid, struct ksm_fds *fds);
void ksm_fds_free(struct ksm_fds *fds);
int64_t ksm_fds_fixed_bytes(const struct ksm_fds *fds, uint64_t start,
			    uint64_t end);

#endif
