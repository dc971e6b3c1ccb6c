#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run litmus tests of the kernel's memory model where there is no herd7.

  litmus.py FILE.litmus...

For each test all executions are tried that tools/memory-model/linux-kernel.cat
of the kernel allows, and the answer is compared with the test's own comment
"Result: Never", "Sometimes" or "Always".

A line that ends with the comment "// needed" is what the test is about: without
this barrier, or with READ_ONCE() or WRITE_ONCE() instead of acquire or release,
the answer has to become another one.

What is printed is TAP; the status is 0 if all is as expected.

What is understood is the part of the language that such tests use: READ_ONCE(),
WRITE_ONCE(), acquire, release, barriers, atomic_*(), xchg(), cmpxchg(),
spinlocks, plain accesses, "if".  RCU readers are no-ops; grace periods, SRCU and
loops are not understood, and plain accesses are not checked for data races.
Such a file is an error, never a pass.
"""
import itertools
import re
import sys

import lkmm
from litmus_parse import Unsupported, parse
from litmus_run import thread_traces


def nr_writes(traces):
    return sum(max((sum(event.kind == 'W' for event in trace.events)
                    for trace in thread), default=0) for thread in traces)


def reachable_values(test):
    """What each location may hold, and the traces of each thread.

    Each round takes one more write into account, so after as many rounds as
    there are writes no more values come.
    """
    values = {loc: {val} for loc, val in test.init.items()}
    rounds = 0
    while True:
        traces = [thread_traces(t, values) for t in test.threads]
        seen = {loc: set(vals) for loc, vals in values.items()}
        for trace in itertools.chain(*traces):
            for event in trace.events:
                if event.kind != 'F':
                    seen.setdefault(event.loc, {0})
                if event.kind == 'W':
                    seen[event.loc].add(event.val)
        rounds += 1
        if seen == values or rounds > nr_writes(traces) + 1:
            return values, traces
        values = seen


def outcome(execution, traces):
    """Final registers and memory of an execution."""
    state = {f'{n}:{name}': val for n, trace in enumerate(traces)
             for name, val in trace.registers.items()}
    state.update(execution.final_memory())
    return state


def accesses(trace, kind):
    return {(event.loc, event.val) for event in trace.events
            if event.kind == kind}


def combinations(init, per_thread):
    """Traces of all threads in which all that is read was written"""
    reads = {id(trace): accesses(trace, 'R')
             for trace in itertools.chain(*per_thread)}
    writes = {id(trace): accesses(trace, 'W')
              for trace in itertools.chain(*per_thread)}
    for traces in itertools.product(*per_thread):
        written = set(init.items()).union(*(writes[id(t)] for t in traces))
        if all(reads[id(trace)] <= written for trace in traces):
            yield traces


def run(test):
    """How many allowed executions satisfy the condition, and how many do not"""
    values, per_thread = reachable_values(test)
    init = {loc: test.init.get(loc, 0) for loc in values}
    yes = no = 0
    for traces in combinations(init, per_thread):
        for execution in lkmm.executions(init, traces):
            if test.condition(outcome(execution, traces)):
                yes += 1
            else:
                no += 1
    return yes, no


def verdict(yes, no):
    if not yes:
        return 'Never'
    return 'Sometimes' if no else 'Always'


WEAKER = ((r'smp_store_release\(', 'WRITE_ONCE(*'),
          (r'smp_load_acquire\(', 'READ_ONCE(*'),
          (r'smp_\w+\(\);', ';'))


def mutants(text):
    """Pairs of a description and the text without one needed barrier"""
    lines = text.split('\n')
    for number, line in enumerate(lines):
        if not line.rstrip().endswith('// needed'):
            continue
        for pattern, weaker in WEAKER:
            changed = re.sub(pattern, weaker, line)
            if changed != line:
                yield (f'without {line.split("//")[0].strip()} in line '
                       f'{number + 1}', '\n'.join(
                           lines[:number] + [changed] + lines[number + 1:]))
                break
        else:
            raise Unsupported(f'line {number + 1} has nothing to leave out')


class Report:
    """TAP on standard output"""

    def __init__(self):
        self.number = self.failed = 0

    def result(self, good, name, detail=''):
        self.number += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.number} {name}')
        if detail:
            print(f'# {detail}')


def check(report, path):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    try:
        test = parse(text)
        yes, no = run(test)
        found = verdict(yes, no)
        report.result(found == test.expected, f'{test.name}: {found}',
                      f'{yes} of {yes + no} executions; '
                      f'expected {test.expected}')
        for what, changed in mutants(text):
            other = verdict(*run(parse(changed)))
            report.result(other != found, f'{test.name} {what}: {other}')
    except Unsupported as err:
        report.result(False, path, str(err))


def main(files):
    if not files:
        print('usage: litmus.py FILE.litmus...', file=sys.stderr)
        return 2
    report = Report()
    for path in files:
        check(report, path)
    print(f'1..{report.number}')
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
