# SPDX-License-Identifier: GPL-2.0-only
"""What memory the units in containers have, and what KSM has of it.

    units.py measure             a line for each unit in a container, and one
                                 for each process elsewhere that takes part
    units.py table BEFORE AFTER UNIT...
                                 a table of these units, from what measure has
                                 said before and after merging; the means are
                                 those of the units that take part

Fields: container (- elsewhere), unit, processes, then in KiB the private memory
(Pss_Anon), what KSM tracks, what is merged, what of that are zero pages; copies
on write.

The private memory is what the page tables say: a page that N processes have
counts for a part in N for each, however it came to be shared.  So the
difference is what merging has saved, also where fork() had saved it before.
"""

import os
import re
import sys

PAGE_KIB = os.sysconf('SC_PAGE_SIZE') // 1024
IN_CONTAINER = re.compile(r'@([^@/]+)\.service/payload/(?:.*/)?([^/]+)$')


def lines(pid, name):
    """The "name value" and "name: value" lines of a file of a process."""
    with open(f'/proc/{pid}/{name}') as file:
        pairs = (line.replace(':', ' ').split() for line in file)
        return {pair[0]: pair[1] for pair in pairs if len(pair) > 1}


def place(pid):
    with open(f'/proc/{pid}/cgroup') as file:
        path = file.read().strip()
    found = IN_CONTAINER.search(path)
    if found:
        return found.group(1, 2)
    with open(f'/proc/{pid}/comm') as file:
        return '-', file.read().strip().replace(' ', '_')


def process(pid):
    ksm = lines(pid, 'ksm_stat')
    if not ksm:
        return None         # a thread of the kernel
    memory = lines(pid, 'smaps_rollup')
    zero = int(ksm['ksm_zero_pages'])
    pages = [int(ksm['ksm_rmap_items']) + zero,
             int(ksm['ksm_merging_pages']) + zero, zero]
    return [1, int(memory['Pss_Anon']), *(n * PAGE_KIB for n in pages),
            int(ksm['ksm_cow'])]


def measure():
    units = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            figures, where = process(pid), place(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue        # it has ended
        if not figures or (where[0] == '-' and not figures[2] + figures[3]):
            continue
        before = units.get(where, [0] * len(figures))
        units[where] = [a + b for a, b in zip(before, figures)]
    for where, figures in sorted(units.items()):
        print(*where, *figures)


def read(path):
    with open(path) as file:
        fields = [line.split() for line in file]
    return {(f[0], f[1]): [int(value) for value in f[2:]] for f in fields}


def row(container, unit, cells):
    return f'{container:8}{unit:16}' + ''.join(f'{c:>9}' for c in cells)


def in_mib(cells):
    return [f'{kib / 1024:.1f}' for kib in cells]


def table(before, after, wanted):
    print(row('MiB', 'unit', ('before', 'tracked', 'merged', 'zero', 'after',
                              'saved')))
    sums = {}
    for (container, unit), now in after.items():
        was = before.get((container, unit))
        if not was or unit not in wanted:
            continue
        cells = [was[1], *now[2:5], now[1], was[1] - now[1]]
        print(row(container, unit, in_mib(cells)))
        if now[2]:
            sums.setdefault(unit, []).append(cells)
    for unit, rows in sums.items():
        mean = [sum(column) / len(rows) for column in zip(*rows)]
        print(row('mean', unit, in_mib(mean)))


if sys.argv[1] == 'measure':
    measure()
else:
    table(read(sys.argv[2]), read(sys.argv[3]), sys.argv[4:])
