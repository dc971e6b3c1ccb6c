# SPDX-License-Identifier: GPL-2.0-only
"""Read a litmus test of the kernel's memory model: see litmus.py."""
import re
from dataclasses import dataclass


class Unsupported(Exception):
    """The test uses what is not understood here."""


TOKEN = re.compile(r'\s*(?:(\d+)|(\w+)|(/\\|\\/|&&|\|\||==|!=|<=|>=|->|.))', re.S)


def tokens(text):
    found = []
    for number, word, sign in TOKEN.findall(text.rstrip()):
        found.append(int(number) if number else word or sign)
    return found


@dataclass
class Thread:
    number: int
    params: list
    body: list


@dataclass
class Test:
    name: str
    expected: str
    init: dict
    threads: list
    condition: object


class Parser:
    """Statements and expressions become tuples; litmus_run.py carries them out.

    An expression is ('num', n), ('var', name), ('deref', e), ('addr', name),
    ('not', e), ('neg', e), ('bin', sign, e, e) or ('call', name, [e...]).
    """

    LEVELS = [('||',), ('&&',), ('|',), ('^',), ('&',), ('==', '!='),
              ('<', '>', '<=', '>='), ('+', '-')]
    TYPES = ('int', 'unsigned', 'long', 'struct', 'void', 'atomic_t',
             'spinlock_t', 'char', 'volatile', 'const')

    def __init__(self, text):
        self.left = tokens(text)

    def peek(self):
        return self.left[0] if self.left else None

    def take(self, expected=None):
        if not self.left:
            raise Unsupported(f'{expected} expected at the end')
        token = self.left.pop(0)
        if expected is not None and token != expected:
            raise Unsupported(f'{expected} expected, not {token}')
        return token

    def accept(self, *wanted):
        if self.peek() in wanted:
            return self.take()
        return None

    def expression(self, level=0):
        if level == len(self.LEVELS):
            return self.unary()
        one = self.expression(level + 1)
        while self.peek() in self.LEVELS[level]:
            sign = self.take()
            one = ('bin', sign, one, self.expression(level + 1))
        return one

    def unary(self):
        if self.accept('*'):
            return ('deref', self.unary())
        if self.accept('&'):
            return ('addr', self.take())
        if self.accept('!'):
            return ('not', self.unary())
        if self.accept('-'):
            return ('neg', self.unary())
        if self.accept('('):
            if self.accept('void'):
                self.take(')')
                return self.unary()
            inner = self.expression()
            self.take(')')
            return inner
        return self.primary()

    def primary(self):
        token = self.take()
        if isinstance(token, int):
            return ('num', token)
        if not re.fullmatch(r'\w+', token):
            raise Unsupported(f'expression at {token}')
        if not self.accept('('):
            return ('var', token)
        args = []
        while not self.accept(')'):
            args.append(self.expression())
            self.accept(',')
        return ('call', token, args)

    def block(self):
        if not self.accept('{'):
            return self.statement()
        body = []
        while not self.accept('}'):
            body += self.statement()
        return body

    def statement(self):
        if self.accept(';'):
            return []
        if self.peek() in ('while', 'do', 'for', 'goto', 'return'):
            raise Unsupported(self.peek())
        if self.accept('if'):
            return [self.if_statement()]
        if self.peek() in self.TYPES:
            return self.declaration()
        one = self.simple()
        self.take(';')
        return [one]

    def if_statement(self):
        self.take('(')
        condition = self.expression()
        self.take(')')
        yes = self.block()
        no = self.block() if self.accept('else') else []
        return ('if', condition, yes, no)

    def declaration(self):
        while self.accept(*self.TYPES):
            pass
        while self.accept('*'):
            pass
        name = self.take()
        body = []
        if self.accept('='):
            body = [('set', ('var', name), self.expression())]
        self.take(';')
        return body

    def simple(self):
        target = self.expression()
        if self.accept('='):
            return ('set', target, self.expression())
        return ('do', target)


def parse_init(text):
    init = {}
    for part in filter(None, (p.strip() for p in text.split(';'))):
        part = re.sub(r'ATOMIC_INIT\((\w+)\)', r'\1', part)
        match = re.fullmatch(r'(?:[\w\s]*?[\s*])?\[?(\w+)\]?\s*=\s*&?(\w+)',
                             part)
        if match:
            value = match[2]
            init[match[1]] = int(value) if value.isdigit() else value
        elif not re.fullmatch(r'[\w\s*]+\w', part):
            raise Unsupported(f'initial state {part}')
    return init


def parse_params(text):
    return [re.findall(r'\w+', param)[-1]
            for param in text.split(',') if param.strip()]


class Condition:
    """What is asked of the final state, with /\\, \\/ and ~"""

    def __init__(self, text):
        self.parser = Parser(text)
        self.tree = self.either()
        if self.parser.left:
            raise Unsupported(f'condition at {self.parser.peek()}')

    def either(self):
        one = self.both()
        while self.parser.accept('\\/'):
            one = ('or', one, self.both())
        return one

    def both(self):
        one = self.single()
        while self.parser.accept('/\\'):
            one = ('and', one, self.single())
        return one

    def single(self):
        if self.parser.accept('~'):
            return ('not', self.single())
        if self.parser.accept('('):
            inner = self.either()
            self.parser.take(')')
            return inner
        return self.equation()

    def equation(self):
        self.parser.accept('[')
        name = str(self.parser.take())
        self.parser.accept(']')
        if self.parser.accept(':'):
            name += f':{self.parser.take()}'
        self.parser.take('=')
        self.parser.accept('&')
        sign = -1 if self.parser.accept('-') else 1
        value = self.parser.take()
        return ('is', name, sign * value if sign < 0 else value)

    def __call__(self, state, tree=None):
        kind, *rest = tree or self.tree
        if kind == 'is':
            if rest[0] not in state and ':' not in rest[0]:
                raise Unsupported(f'nothing is known of {rest[0]}')
            return state.get(rest[0], 0) == rest[1]
        if kind == 'not':
            return not self(state, rest[0])
        if kind == 'and':
            return self(state, rest[0]) and self(state, rest[1])
        return self(state, rest[0]) or self(state, rest[1])


def matching(text, begin):
    """Where the brace that opens at @begin is closed"""
    depth = 0
    for at in range(begin, len(text)):
        depth += {'{': 1, '}': -1}.get(text[at], 0)
        if not depth:
            return at
    raise Unsupported('a brace is not closed')


def expected_of(text):
    match = re.search(r'Result:\s*(Never|Sometimes|Always)', text)
    if not match:
        raise Unsupported('the test does not say its result')
    return match[1]


def strip_comments(text):
    text = re.sub(r'\(\*(?=\s).*?\*\)', ' ', text, flags=re.S)
    text = re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)
    return re.sub(r'//[^\n]*', ' ', text)


def parse_threads(text):
    threads = []
    end = 0
    for match in re.finditer(r'\bP(\d+)\s*\(([^)]*)\)\s*{', text):
        end = matching(text, match.end() - 1) + 1
        body = Parser(text[match.end() - 1:end]).block()
        threads.append(Thread(int(match[1]), parse_params(match[2]), body))
    return threads, text[end:]


def parse_condition(text):
    text = re.sub(r'locations\s*\[[^\]]*\]', '', text).strip()
    match = re.fullmatch(r'exists\s*(.*)', text, re.S)
    if not match:
        raise Unsupported(f'condition {text[:20]}')
    return Condition(match[1])


def parse(text):
    match = re.search(r'^C (\S+)', text, re.M)
    if not match:
        raise Unsupported('this is no litmus test in C')
    expected = expected_of(text)
    text = strip_comments(text[match.end():])
    begin = text.index('{')
    end = matching(text, begin)
    threads, rest = parse_threads(text[end + 1:])
    return Test(match[1], expected, parse_init(text[begin + 1:end]), threads,
                parse_condition(rest))
