# SPDX-License-Identifier: GPL-2.0-only
"""Completion in bash, of what the commands have themselves"""
import os
import re
import subprocess
import unittest

from host import Case

SOURCE = os.environ['KSM_SOURCE']
BIN = os.environ['KSM_BIN']
# readline breaks words at "=" and ":", too
SCRIPT = r'''
compopt() { :; }
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_ksm
printf '%s\n' "${COMPREPLY[@]}"
'''


class Completion(Case):
    def complete(self, *words):
        result = subprocess.run(
            ['bash', '-c', SCRIPT, 'bash',
             os.path.join(SOURCE, 'completion/ksm'), *words],
            env={**os.environ, 'PATH': BIN + ':' + os.environ['PATH']},
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.stderr, '')
        return result.stdout.split()

    def commands(self):
        text = self.host(None).ksm('--help').stdout
        return re.findall(r'(?m)^  ([a-z]+) +\S', text)

    def test_commands(self):
        self.assertEqual(set(self.complete('ksm', '')),
                         {*self.commands(), '--help', '--version', '--root'})
        self.assertEqual(self.complete('ksm', 'st'), ['status'])

    def test_all_options_of_each_command(self):
        host = self.host(None)
        for command in self.commands():
            text = host.ksm(command, '--help').stdout
            options = set(re.findall(r'(?m)^  (?:-.,|   ) (--[a-z]+)', text))
            self.assertIn('--help', options)
            if command != 'run':
                self.assertEqual(set(self.complete('ksm', command, '--')),
                                 options, command)

    def test_options_of_run_are_its_own(self):
        self.assertEqual(self.complete('ksm', 'run', '--'), ['--help'])

    def test_what_options_take(self):
        for words, expected in (
                (('top', '--sort', ''), {'gain', 'cost', 'copies'}),
                (('top', '-g', ''), {'tree', 'units', 'flat'}),
                (('top', '--group', 'f'), {'flat'}),
                # as readline has "--sort=c"
                (('top', '--sort', '=', 'c'), {'cost', 'copies'}),
                (('top', '--sort', '='), {'gain', 'cost', 'copies'})):
            self.assertEqual(set(self.complete('ksm', *words)), expected,
                             words)
        self.assertIn('ksm_enter', self.complete('ksm', 'trace', '-e', ''))

    def test_files(self):
        host = self.host('ours')
        for words in (('metrics', '-t'), ('metrics', '--textfile', '='),
                      ('report', '-o'), ('report', '-d'), ('record', '--dir'),
                      ('top', '--before')):
            self.assertEqual(self.complete('ksm', *words, host.root),
                             [host.root], words)
        self.assertEqual(self.complete('ksm', '--root', host.root),
                         [host.root])

    def test_after_a_root(self):
        self.assertEqual(self.complete('ksm', '--root', '/x', 'st'),
                         ['status'])
        self.assertEqual(self.complete('ksm', '--root', '=', '/x', 'top',
                                       '--sort', 'g'), ['gain'])

    def test_knobs(self):
        host = self.host('stock')
        words = ('ksm', '--root', host.root, 'set')
        self.assertIn('pages_to_scan=', self.complete(*words, 'pages'))
        self.assertEqual(self.complete(*words, 'run', '='), ['0', '1', '2'])
        self.assertEqual(self.complete(*words, 'advisor_mode', '=', 's'),
                         ['scan-time'])

    def test_processes(self):
        self.assertIn(str(os.getpid()), self.complete('ksm', 'explain', ''))


if __name__ == '__main__':
    unittest.main()
