# SPDX-License-Identifier: GPL-2.0-only
"""The executions that the kernel's memory model allows.

The relations below are those of tools/memory-model/linux-kernel.cat, lock.cat
and linux-kernel.bell of the kernel, under the same names, but for RCU and for
data races of plain accesses.
"""
import itertools

from relation import Relation


def union(*relations):
    result = relations[0]
    for one in relations[1:]:
        result |= one
    return result


class Program:
    """What the threads did: all that does not depend on rf and co"""

    def __init__(self, init, traces):
        self.events = []        # (event, thread or -1 for the initial writes)
        self.init = {}
        self.pairs = {name: [] for name in ('po', 'addr', 'data', 'ctrl', 'rmw')}
        for loc, val in init.items():
            self.init[loc] = len(self.events)
            self.events.append((_InitialWrite(loc, val), -1))
        for number, trace in enumerate(traces):
            self.add_thread(number, trace.events)
        self.size = len(self.events)
        self.sets()
        self.po = Relation.of(self.size, self.pairs['po'])

    def relate(self):
        for name, pairs in self.pairs.items():
            setattr(self, name, Relation.of(self.size, pairs))
        self.at = {}
        for loc in self.init:
            here = self.where(lambda e: e.loc == loc)
            self.at[loc] = Relation.of(self.size,
                                       itertools.permutations(here, 2))
        self.static()

    def add_thread(self, number, events):
        base = len(self.events)
        for i, event in enumerate(events):
            here = base + i
            self.pairs['po'] += [(base + j, here) for j in range(i)]
            for name in ('addr', 'data', 'ctrl'):
                self.pairs[name] += [(base + j, here)
                                     for j in getattr(event, name)]
            if event.rmw_of is not None:
                self.pairs['rmw'].append((base + event.rmw_of, here))
            self.events.append((event, number))

    def where(self, test):
        return {i for i, (event, _) in enumerate(self.events) if test(event)}

    def id(self, members):
        return Relation.identity(self.size, members)

    def tagged(self, *tags):
        return self.where(lambda e: e.tags & set(tags))

    def sets(self):
        self.R = self.where(lambda e: e.kind == 'R')
        self.W = self.where(lambda e: e.kind == 'W')
        self.M = self.R | self.W
        paired = {i for pair in self.pairs['rmw'] for i in pair}
        self.plain = self.tagged('plain') - paired
        self.marked = set(range(self.size)) - self.plain
        # A cmpxchg() that fails is one, too.
        self.rmws = paired - self.tagged('lkr', 'lkw') | self.tagged('rmw')

    def same(self, key):
        return Relation.of(self.size, [
            (i, j) for i in range(self.size) for j in range(self.size)
            if i != j and key(i) is not None and key(i) == key(j)])

    def fencerel(self, tag):
        return self.po @ self.id(self.tagged(tag)) @ self.po

    def static(self):
        ident, po = self.id, self.po
        self.int = self.same(lambda i: self.events[i][1]
                             if self.events[i][1] >= 0 else None)
        self.po_loc = po & union(*self.at.values())
        mem = ident(self.M)
        strong_rmb = ident(self.R - self.tagged('noreturn'))
        self.acq_po = ident(self.tagged('acquire', 'lkr')) @ po @ mem
        self.po_rel = mem @ po @ ident(self.tagged('release', 'ul'))
        self.rmb = strong_rmb @ self.fencerel('rmb') @ strong_rmb
        self.wmb = ident(self.W) @ self.fencerel('wmb') @ ident(self.W)
        rmws, po_opt = ident(self.rmws), po.optional()
        self.mb = mem @ union(
            self.fencerel('mb'),
            self.fencerel('before-atomic') @ rmws @ po_opt,
            po_opt @ rmws @ self.fencerel('after-atomic'),
            po_opt @ ident(self.tagged('lkw')) @
            self.fencerel('after-spinlock')) @ mem


class _InitialWrite:
    kind = 'W'
    tags = frozenset(['init'])
    addr = data = ctrl = frozenset()
    rmw_of = None

    def __init__(self, loc, val):
        self.loc, self.val = loc, val


class Execution:
    """A program with a choice of rf (which write a read sees) and of co (the
    order of the writes to each location).
    """

    def __init__(self, program, rf, co):
        self.p = program
        self.orders = co
        self.rf = Relation.of(program.size, rf)
        self.co = Relation.of(program.size, [
            pair for order in co.values()
            for pair in itertools.combinations(order, 2)])
        self.fr = ~self.rf @ self.co

    def final_memory(self):
        return {loc: self.p.events[order[-1]][0].val
                for loc, order in self.orders.items()}

    def ext(self, relation):
        return relation - self.p.int

    def coherent(self, loc):
        """The axioms "coherence" and "atomic", of which each is about one
        location
        """
        p = self.p
        rmw = p.rmw & p.at[loc]
        if not (rmw & (self.ext(self.fr) @ self.ext(self.co))).empty():
            return False
        return union(p.po_loc & p.at[loc], self.rf, self.co,
                     self.fr).acyclic()

    def dependencies(self):
        p = self.p
        rfi = self.rf & p.int
        carry = (p.data @ rfi).star()
        return [carry @ one for one in (p.addr, p.data, p.ctrl)]

    def handover(self):
        """po-unlock-lock-po"""
        p = self.p
        return (p.po @ p.id(p.tagged('ul')) @ (p.po | self.rf) @
                p.id(p.tagged('lkr')) @ p.po)

    def strong_fence(self, handover):
        p = self.p
        after = p.id(p.tagged('after-unlock-lock'))
        mem = p.id(p.M)
        return p.mb | mem @ handover @ after @ p.po @ mem

    def ppo(self, fence, handover):
        p = self.p
        addr, data, ctrl = self.dependencies()
        marked, rfi = p.id(p.marked), self.rf & p.int
        dep = addr | data
        to_w = union((dep | ctrl) @ p.id(p.W),
                     (self.co | self.fr) & p.int,
                     addr @ p.id(p.plain) @ p.wmb)
        to_r = addr @ p.id(p.R) | dep @ marked @ rfi
        return union(to_r, to_w, fence & p.int, handover & p.int)

    def allowed(self):
        """The axioms "happens-before" and "propagation\""""
        p = self.p
        marked = p.id(p.marked)
        rfe = self.ext(self.rf)
        handover = self.handover()
        strong = self.strong_fence(handover)
        fence = union(strong, p.po_rel, p.acq_po, p.wmb, p.rmb)
        cumulative = union((rfe @ marked).optional() @ (strong | p.po_rel),
                           p.wmb, handover)
        cumul_fence = (marked @ cumulative @ marked @
                       (self.rf @ p.rmw).star())
        overwrite = self.ext(self.co | self.fr)
        prop = (marked @ overwrite.optional() @ cumul_fence.star() @ marked @
                rfe.optional() @ marked)
        identity = p.id(set(range(p.size)))
        hb = marked @ union(self.ppo(fence, handover), rfe,
                            (prop - identity) & p.int) @ marked
        pb = prop @ strong @ hb.star() @ marked
        return hb.acyclic() and pb.acyclic()


def orders_of(program, loc):
    """Orders of the writes to @loc, those of a thread in the order of it"""
    writes = [i for i in sorted(program.W)
              if program.events[i][0].loc == loc and i != program.init[loc]]
    po = program.po.rows
    for order in itertools.permutations(writes):
        if not any(po[two] >> one & 1
                   for one, two in itertools.combinations(order, 2)):
            yield (program.init[loc],) + order


def sources_of(program, loc):
    """For each read of @loc the writes that may be what it sees"""
    writes = [i for i in program.W if program.events[i][0].loc == loc]
    for read in sorted(program.R):
        if program.events[read][0].loc == loc:
            yield [(write, read) for write in writes
                   if program.events[write][0].val ==
                   program.events[read][0].val]


def choices(program, loc):
    """The choices of rf and co for one location that are coherent"""
    found = []
    for order in orders_of(program, loc):
        for rf in itertools.product(*sources_of(program, loc)):
            if Execution(program, rf, {loc: order}).coherent(loc):
                found.append((rf, order))
    return found


def executions(init, traces):
    """All allowed executions of these traces of the threads"""
    program = Program(init, traces)
    locs = list(init)
    # Most combinations of traces end here, before anything is computed.
    if not all(all(sources_of(program, loc)) for loc in locs):
        return
    program.relate()
    for chosen in itertools.product(*(choices(program, loc) for loc in locs)):
        rf = [pair for one, _ in chosen for pair in one]
        one = Execution(program, rf, {loc: order for loc, (_, order)
                                      in zip(locs, chosen)})
        if one.allowed():
            yield one
