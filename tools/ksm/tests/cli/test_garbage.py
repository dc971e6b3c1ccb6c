# SPDX-License-Identifier: GPL-2.0-only
"""Files with anything in them: most of use in a build with SANITIZE=1"""
import json
import os
import random
import unittest

from host import Case

ROUNDS = int(os.environ.get('KSM_ROUNDS', '12'))
SAMPLES = 'var/lib/ksm/samples'
VALUES = (b'9223372036854775807', b'-9223372036854775808',
          b'18446744073709551616', b'4611686018427387904', b'2147483648',
          b'-1', b'0', b'', b'abc', b'1\n2', b'\0\0', b'%s%n', b'"}\\',
          b'\xff\xfe\x80', b'\x1b[31m', b'\xc2\x9b31m', b'1' * 5000)
COMMANDS = (('status', '-i', '50ms'), ('status', '-i', '50ms', '--json'),
            ('status', '-i', '50ms', '--check'), ('top', '--once'),
            ('metrics', '-i', '50ms', '--units'), ('explain', '--all'),
            ('explain', '--all', '--json'), ('explain', '--idle'), ('set',),
            ('record', '--once', '--units'), ('report', '-o', '-'),
            ('report', '--json'))


def mutated(content, dice):
    """One number or word, line or file is another, or some bytes are"""
    kind = dice.random()
    if kind < 0.2:
        return dice.choice(VALUES)
    if kind < 0.8:
        parts = content.split(b' ' if kind < 0.5 else b'\n')
        parts[dice.randrange(len(parts))] = dice.choice(VALUES)
        return (b' ' if kind < 0.5 else b'\n').join(parts)
    content = bytearray(content)
    for _ in range(min(4, len(content))):
        content[dice.randrange(len(content))] = dice.randrange(256)
    return bytes(content)


class Garbage(Case):
    def mutate(self, path, dice):
        with open(path, 'rb') as file:
            content = file.read()
        with open(path, 'wb') as file:
            file.write(mutated(content, dice))

    def spoil(self, host, dice):
        paths = sorted(os.path.join(top, name)
                       for top, _, names in os.walk(host.root)
                       for name in names
                       if name not in ('pages_scanned', 'tmp'))
        for path in dice.sample(paths, min(len(paths),
                                           dice.choice((1, 3, 10, 40)))):
            self.mutate(path, dice)

    def processes(self, host):
        return [name for name in sorted(os.listdir(host.path('proc')))
                if name.isdigit()]

    def check(self, host, args):
        result = host.ksm(*args, text=False)
        self.assertIn(result.returncode, range(7), result.stderr)
        self.assertNotIn(b'runtime error', result.stderr)
        self.assertNotIn(b'Sanitizer', result.stderr)
        self.assertNotRegex(result.stdout, rb'\bnan\b|-9223372036854775808')
        text = result.stdout.decode('utf-8')
        for bad in '\x1b\x9b\x7f':
            self.assertNotIn(bad, text)
        if '--json' in args and result.returncode in (0, 5):
            json.loads(text)

    def test_rounds(self):
        for seed in range(ROUNDS):
            dice = random.Random(seed)
            host = self.host(dice.choice(('ours', 'stock', 'odd',
                                          'explain')))
            host.set('pages_scanned', 5)
            host.scan()
            self.spoil(host, dice)
            commands = list(COMMANDS)
            for pid in self.processes(host)[:4]:
                commands += [('explain', pid), ('explain', '--json', pid),
                             ('explain', '--advise', pid)]
            for args in commands:
                with self.subTest(seed=seed, args=args):
                    self.check(host, args)
                if args[0] == 'record' and os.path.isdir(
                        host.path(SAMPLES)):
                    for day in sorted(os.listdir(host.path(SAMPLES))):
                        self.mutate(host.path(f'{SAMPLES}/{day}'), dice)
            host.close()

    def test_samples_that_cannot_be(self):
        host = self.host('ours')
        self.check(host, ('record', '--once', '--units'))
        days = sorted(os.listdir(host.path(SAMPLES)))
        sample = json.loads(host.read(f'{SAMPLES}/{days[0]}'))
        units = json.loads(host.read(f'{SAMPLES}/{days[1]}'))
        worst = (-1 << 63, (1 << 63) - 1, -1, 7)
        lines, more = [json.dumps(sample)], [json.dumps(units)]
        for value in worst:
            for name in ('time_ms', 'boottime_ms'):
                lines.append(json.dumps({**sample, name: value}))
            for group in ('knobs', 'counters', 'host', 'members'):
                lines.append(json.dumps({**sample, group: dict.fromkeys(
                    sample[group], value)}))
            more.append(json.dumps({**units, 'time_ms': value}))
            more.append(json.dumps({**units, 'units': {
                name: dict.fromkeys(unit, value)
                for name, unit in units['units'].items()}}))
        host.write(f'{SAMPLES}/{days[0]}', '\n'.join(lines) + '\n')
        host.write(f'{SAMPLES}/{days[1]}', '\n'.join(more) + '\n')
        host.scan()
        for args in (('report', '--json'), ('report', '-o', '-'),
                     ('status', '-i', '50ms', '--json'), ('top', '--once'),
                     ('report', '--json', '--last', '9000000d')):
            with self.subTest(args):
                self.check(host, args)

    def test_without_the_pause_no_stall_is_waited_for(self):
        host = self.host('ours')
        host.set('sleep_millisecs', 'fast')
        result = host.ksm('status', '-i', '50ms')
        self.done(result)
        self.assertNotIn('STALLED', result.stdout)


if __name__ == '__main__':
    unittest.main()
