# SPDX-License-Identifier: GPL-2.0-only
"""Carry out one thread of a litmus test, whatever its reads return."""
import copy
from dataclasses import dataclass, field

from litmus_parse import Unsupported


@dataclass
class Event:
    """A read, a write or a fence (kind R, W, F); deps are indices of reads."""
    kind: str
    tags: frozenset
    loc: str = None
    val: object = None
    addr: frozenset = frozenset()
    data: frozenset = frozenset()
    ctrl: frozenset = frozenset()
    rmw_of: int = None


@dataclass
class Trace:
    """What a thread has done so far"""
    events: list = field(default_factory=list)
    env: dict = field(default_factory=dict)
    ctrl: frozenset = frozenset()

    @property
    def registers(self):
        return {name: val for name, (val, _) in self.env.items()}


BARRIERS = {'smp_mb': 'mb', 'smp_rmb': 'rmb', 'smp_wmb': 'wmb',
            'barrier': 'barrier', 'smp_mb__before_atomic': 'before-atomic',
            'smp_mb__after_atomic': 'after-atomic',
            'smp_mb__after_spinlock': 'after-spinlock',
            'smp_mb__after_unlock_lock': 'after-unlock-lock'}
LOADS = {'READ_ONCE': 'once', 'rcu_dereference': 'once', 'atomic_read': 'once',
         'smp_load_acquire': 'acquire', 'atomic_read_acquire': 'acquire'}
STORES = {'WRITE_ONCE': 'once', 'atomic_set': 'once',
          'rcu_assign_pointer': 'release', 'smp_store_release': 'release',
          'atomic_set_release': 'release'}
# For these the first argument is the location itself, not its address.
BY_NAME = {'READ_ONCE', 'WRITE_ONCE', 'rcu_dereference', 'rcu_assign_pointer'}
IGNORED = {'rcu_read_lock', 'rcu_read_unlock'}
ORDERS = ('relaxed', 'acquire', 'release')


class Machine:
    """Each method is a generator of (trace, result): one for each value that a
    read may return.
    """

    def __init__(self, values):
        self.values = values

    # --- events ---

    def emit(self, trace, kind, tags, **what):
        trace = copy.copy(trace)
        trace.events = trace.events + [
            Event(kind, frozenset(tags), ctrl=trace.ctrl, **what)]
        return trace

    def fence(self, trace, tag):
        return self.emit(trace, 'F', [tag])

    def load(self, trace, loc, addr, tag, only=None, rmw=False):
        if not isinstance(loc, str):
            return
        for val in sorted(self.values.get(loc, {0}), key=str):
            if only is not None and val not in only:
                continue
            now = self.emit(trace, 'R', [tag, 'rmw'] if rmw else [tag],
                            loc=loc, val=val, addr=addr)
            yield now, (val, frozenset([len(now.events) - 1]))

    def store(self, trace, loc, addr, value, tag, rmw_of=None):
        if not isinstance(loc, str):
            raise Unsupported('a store to what is no address')
        return self.emit(trace, 'W', [tag], loc=loc, val=value[0], addr=addr,
                         data=value[1], rmw_of=rmw_of)

    # --- expressions ---

    def eval(self, trace, expr):
        kind = expr[0]
        if kind == 'num':
            yield trace, (expr[1], frozenset())
        elif kind == 'addr':
            yield trace, (expr[1], frozenset())
        elif kind == 'var':
            yield trace, trace.env.get(expr[1], (expr[1], frozenset()))
        elif kind == 'deref':
            for now, (loc, deps) in self.eval(trace, expr[1]):
                yield from self.load(now, loc, deps, 'plain')
        elif kind in ('not', 'neg'):
            for now, (val, deps) in self.eval(trace, expr[1]):
                yield now, (int(not val) if kind == 'not' else -val, deps)
        elif kind == 'bin':
            yield from self.binary(trace, expr)
        else:
            yield from self.call(trace, expr[1], expr[2])

    def binary(self, trace, expr):
        for first, one in self.eval(trace, expr[2]):
            if expr[1] == '&&' and not one[0] or expr[1] == '||' and one[0]:
                yield first, (int(bool(one[0])), one[1])
                continue
            for now, two in self.eval(first, expr[3]):
                yield now, (operate(expr[1], one[0], two[0]), one[1] | two[1])

    def place(self, trace, expr, by_name):
        """The location that the first argument of a call stands for"""
        if by_name:
            if expr[0] == 'deref':
                expr = expr[1]
            elif expr[0] != 'var':
                raise Unsupported('no location')
        yield from self.eval(trace, expr)

    def call(self, trace, name, args):
        if name in IGNORED:
            yield trace, (0, frozenset())
        elif name in BARRIERS:
            yield self.fence(trace, BARRIERS[name]), (0, frozenset())
        elif name in LOADS:
            for now, (loc, deps) in self.place(trace, args[0], name in BY_NAME):
                yield from self.load(now, loc, deps, LOADS[name])
        elif name in STORES:
            for now, (loc, deps) in self.place(trace, args[0], name in BY_NAME):
                for last, value in self.eval(now, args[1]):
                    yield (self.store(last, loc, deps, value, STORES[name]),
                           (0, frozenset()))
        elif name.startswith('spin_'):
            for now, (loc, deps) in self.eval(trace, args[0]):
                yield from self.lock(now, name, loc, deps)
        else:
            yield from self.atomic(trace, name, args)

    def lock(self, trace, name, loc, deps):
        if name == 'spin_lock':
            for now, _ in self.load(trace, loc, deps, 'lkr', only=(0,)):
                yield (self.store(now, loc, deps, (1, frozenset()), 'lkw',
                                  rmw_of=len(now.events) - 1), (0, frozenset()))
        elif name == 'spin_unlock':
            yield (self.store(trace, loc, deps, (0, frozenset()), 'ul'),
                   (0, frozenset()))
        elif name == 'spin_is_locked':
            yield from self.load(trace, loc, deps, 'lf')
        else:
            raise Unsupported(name)

    def atomic(self, trace, name, args):
        base, order = split_order(name)
        change, fetch, operands, place = atomic_operation(base, args)
        if fetch == 'none':
            order = 'none'
        for now, (loc, deps) in self.eval(trace, place):
            for last, values in self.eval_all(now, operands):
                yield from self.update(last, (loc, deps),
                                       (change, fetch, order), values)

    def eval_all(self, trace, exprs):
        if not exprs:
            yield trace, []
            return
        for now, value in self.eval(trace, exprs[0]):
            for last, rest in self.eval_all(now, exprs[1:]):
                yield last, [value] + rest

    def update(self, trace, where, how, values):
        """Read, change, write; what fails only reads, and orders nothing."""
        loc, deps = where
        change, fetch, order = how
        rtag = {'acquire': 'acquire', 'none': 'noreturn'}.get(order, 'once')
        data = frozenset().union(*(value[1] for value in values))
        for old in sorted(self.values.get(loc, {0}), key=str):
            new = change(old, *(value[0] for value in values))
            full = order == 'mb' and new is not None
            begin = self.fence(trace, 'mb') if full else trace
            for now, got in self.load(begin, loc, deps, rtag, only=(old,),
                                      rmw=True):
                if new is not None:
                    now = self.store(now, loc, deps, (new, data),
                                     'release' if order == 'release' else
                                     'once', rmw_of=len(now.events) - 1)
                if full:
                    now = self.fence(now, 'mb')
                yield now, (result_of(fetch, old, new), got[1])

    # --- statements ---

    def run(self, trace, body):
        if not body:
            yield trace
            return
        for now in self.step(trace, body[0]):
            yield from self.run(now, body[1:])

    def step(self, trace, statement):
        kind = statement[0]
        if kind == 'if':
            yield from self.branch(trace, statement)
        elif kind == 'do':
            for now, _ in self.eval(trace, statement[1]):
                yield now
        else:
            yield from self.assign(trace, statement[1], statement[2])

    def branch(self, trace, statement):
        """Only what is inside depends on the condition."""
        for now, (val, deps) in self.eval(trace, statement[1]):
            inner = copy.copy(now)
            inner.ctrl = now.ctrl | deps
            for last in self.run(inner, statement[2 if val else 3]):
                last = copy.copy(last)
                last.ctrl = now.ctrl
                yield last

    def assign(self, trace, target, expr):
        for now, value in self.eval(trace, expr):
            if target[0] == 'var':
                now = copy.copy(now)
                now.env = {**now.env, target[1]: value}
                yield now
                continue
            if target[0] != 'deref':
                raise Unsupported('assignment')
            for last, (loc, deps) in self.eval(now, target[1]):
                yield self.store(last, loc, deps, value, 'plain')


def operate(sign, one, two):
    if sign in ('==', '!='):
        return int((one == two) == (sign == '=='))
    if sign in ('&&', '||'):
        return int(bool(two))
    if not isinstance(one, int) or not isinstance(two, int):
        raise Unsupported('arithmetic with an address')
    return {'+': lambda: one + two, '-': lambda: one - two,
            '&': lambda: one & two, '|': lambda: one | two,
            '^': lambda: one ^ two, '<': lambda: int(one < two),
            '>': lambda: int(one > two), '<=': lambda: int(one <= two),
            '>=': lambda: int(one >= two)}[sign]()


def split_order(name):
    for order in ORDERS:
        if name.endswith('_' + order):
            return name[:-len(order) - 1], order
    return name, 'mb'


def atomic_operation(base, args):
    """What it writes, given what it reads (None: nothing); what it returns;
    its operands; its location
    """
    if base in ('xchg', 'atomic_xchg'):
        return lambda old, new: new, 'old', args[1:], args[0]
    if base in ('cmpxchg', 'atomic_cmpxchg'):
        return (lambda old, expected, new: new if old == expected else None,
                'old', args[1:], args[0])
    if base == 'atomic_add_unless':
        return (lambda old, by, unless: None if old == unless else old + by,
                'done', args[1:], args[0])
    return arithmetic(base, args)


RESULTS = {'_return': 'new', '_and_test': 'test', '_negative': 'negative'}


def arithmetic(base, args):
    """atomic_{add,sub,inc,dec}{,_return,_and_test}, atomic_fetch_*()"""
    word, fetch = base.removeprefix('atomic_'), 'none'
    for suffix, kind in RESULTS.items():
        if word.endswith(suffix):
            word, fetch = word.removesuffix(suffix), kind
    if word.startswith('fetch_'):
        word, fetch = word.removeprefix('fetch_'), 'old'
    if base == word or word not in ('add', 'sub', 'inc', 'dec'):
        raise Unsupported(base)
    sign = 1 if word in ('add', 'inc') else -1
    operands = args[:1] if word in ('add', 'sub') else []
    return (lambda old, by=1: old + sign * by, fetch, operands, args[-1])


def result_of(fetch, old, new):
    if fetch in ('test', 'negative'):
        return int(new == 0 if fetch == 'test' else new < 0)
    return {'old': old, 'new': new, 'none': 0,
            'done': int(new is not None)}[fetch]


def thread_traces(thread, values):
    """All that a thread may do if locations may hold these values"""
    start = Trace(env={name: (name, frozenset()) for name in thread.params})
    return list(Machine(values).run(start, thread.body))
