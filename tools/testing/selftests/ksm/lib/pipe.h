/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pipe that has references on pages: they are not merged or migrated, and do
 * not leave the swap cache.
 */
#ifndef KSM_LIB_PIPE_H
#define KSM_LIB_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hold these pages; 8 always fit, for more the pipe is made larger. */
void ksys_pipe_hold(int fd[2], const char *map, size_t pages);

/* The same for a pipe that is there, once for each piece */
void ksys_pipe_open(int fd[2], size_t pages);
void ksys_pipe_add(int fd[2], const char *map, size_t pages);

/*
 * Read what the pipe has, which lets go of it: is it what ksm_fill() with this
 * seed writes?
 */
bool ksys_pipe_ok(int fd[2], size_t pages, uint64_t seed);

void ksys_pipe_close(int fd[2]);

#endif /* KSM_LIB_PIPE_H */
