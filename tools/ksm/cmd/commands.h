/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subcommands, in the order in which --help lists them.
 *
 * Each is a function int ksm_cmd_NAME(int argc, char **argv) in a file of its
 * name, and a line { "NAME", ksm_cmd_NAME, "what it does" }, below.
 */
#ifndef KSM_COMMANDS_H
#define KSM_COMMANDS_H

int ksm_cmd_status(int argc, char **argv);
int ksm_cmd_explain(int argc, char **argv);
int ksm_cmd_top(int argc, char **argv);
int ksm_cmd_run(int argc, char **argv);
int ksm_cmd_set(int argc, char **argv);
int ksm_cmd_boost(int argc, char **argv);
int ksm_cmd_metrics(int argc, char **argv);
int ksm_cmd_record(int argc, char **argv);
int ksm_cmd_report(int argc, char **argv);
int ksm_cmd_trace(int argc, char **argv);

#define KSM_COMMANDS \
	{ "status", ksm_cmd_status, "does KSM do any good here? a verdict" }, \
	{ "explain", ksm_cmd_explain, "why memory merges, or does not" }, \
	{ "top", ksm_cmd_top, "KSM and the processes that take part, live" }, \
	{ "run", ksm_cmd_run, "start a program with its memory registered" }, \
	{ "set", ksm_cmd_set, "set knobs, all or none, or show them" }, \
	{ "boost", ksm_cmd_boost, "scan fast for some time, then as before" }, \
	{ "metrics", ksm_cmd_metrics, "figures for Prometheus" }, \
	{ "record", ksm_cmd_record, "keep samples, for trends and reports" }, \
	{ "report", ksm_cmd_report, "a page of what a span of time was like" }, \
	{ "trace", ksm_cmd_trace, "KSM's events, and why merges fail" },

#endif
