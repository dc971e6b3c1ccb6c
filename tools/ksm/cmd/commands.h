/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subcommands, in the order in which --help lists them.
 *
 * Each is a function int ksm_cmd_NAME(int argc, char **argv) in a file of its
 * name, and a line { "NAME", ksm_cmd_NAME, "what it does" }, below.
 */
#ifndef KSM_COMMANDS_H
#define KSM_COMMANDS_H

#define KSM_COMMANDS

#endif
