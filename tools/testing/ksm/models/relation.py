# SPDX-License-Identifier: GPL-2.0-only
"""Relations between the events of an execution, as sets of bits."""


class Relation:
    """rows[i] has bit j if event i is related to event j."""

    __slots__ = ('rows',)

    def __init__(self, rows):
        self.rows = rows

    @classmethod
    def of(cls, size, pairs):
        rows = [0] * size
        for one, two in pairs:
            rows[one] |= 1 << two
        return cls(rows)

    @classmethod
    def identity(cls, size, members):
        return cls([1 << i if i in members else 0 for i in range(size)])

    def __or__(self, other):
        return Relation([a | b for a, b in zip(self.rows, other.rows)])

    def __and__(self, other):
        return Relation([a & b for a, b in zip(self.rows, other.rows)])

    def __sub__(self, other):
        return Relation([a & ~b for a, b in zip(self.rows, other.rows)])

    def __matmul__(self, other):
        """Composition: first this, then the other"""
        rows = []
        for row in self.rows:
            union = 0
            while row:
                low = row & -row
                union |= other.rows[low.bit_length() - 1]
                row ^= low
            rows.append(union)
        return Relation(rows)

    def __invert__(self):
        """The inverse relation"""
        rows = [0] * len(self.rows)
        for i, row in enumerate(self.rows):
            for j in range(len(rows)):
                if row >> j & 1:
                    rows[j] |= 1 << i
        return Relation(rows)

    def optional(self):
        return Relation([row | 1 << i for i, row in enumerate(self.rows)])

    def plus(self):
        """Transitive closure"""
        now = self
        while True:
            more = now | now @ now
            if more.rows == now.rows:
                return now
            now = more

    def star(self):
        return self.plus().optional()

    def empty(self):
        return not any(self.rows)

    def acyclic(self):
        return not any(row >> i & 1 for i, row in enumerate(self.plus().rows))
