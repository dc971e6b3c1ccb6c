# SPDX-License-Identifier: GPL-2.0-only
"""ksm top in a real terminal: every key, other sizes, and how it leaves."""
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

KSM = os.path.join(os.environ['KSM_BIN'], 'ksm')
MAKE_HOST = os.path.join(os.environ['KSM_BIN'], 'make-top-host')
PATIENCE = 60   # seconds, for a machine that is busy


class Terminal:
    """A shell in a window of tmux"""

    def __init__(self, columns=80, rows=24, **env):
        self.dir = tempfile.mkdtemp(prefix='ksm-top.')
        self.socket = os.path.join(self.dir, 'socket')
        self.env = {'PATH': os.environ['PATH'], 'TZ': 'UTC', 'PS1': '$ ',
                    'LC_ALL': 'C.UTF-8', 'SHELL': '/bin/sh', **env}
        self.tmux('new-session', '-d', '-x', str(columns), '-y', str(rows),
                  '/bin/sh')
        self.wait(lambda: '$' in self.screen())

    def tmux(self, *args):
        # what tests need is in env, nothing else of ours is
        return subprocess.run(
            ['tmux', '-S', self.socket, '-f', '/dev/null', '-u', *args],
            env=self.env, capture_output=True, text=True, check=True,
            timeout=PATIENCE).stdout

    def screen(self, *args):
        return self.tmux('capture-pane', '-p', *args)

    def press(self, *keys):
        self.tmux('send-keys', *keys)

    def type(self, text):
        self.tmux('send-keys', '-l', text)

    def resize(self, columns, rows):
        self.tmux('resize-window', '-x', str(columns), '-y', str(rows))

    def wait(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError('the screen stays\n' + self.screen())
            time.sleep(0.05)

    def see(self, *texts):
        self.wait(lambda: all(text in self.screen() for text in texts))
        return self.screen()

    def see_not(self, text):
        self.wait(lambda: text not in self.screen())
        return self.screen()

    def pid(self):
        """The program, which may be a child of a child of tmux."""
        tty = self.tmux('display', '-p', '#{pane_tty}').strip()
        return int(subprocess.run(
            ['pgrep', '-t', tty.removeprefix('/dev/'), '-x', 'ksm'],
            text=True, check=True, capture_output=True).stdout)

    def close(self):
        try:
            self.tmux('kill-server')
        except subprocess.CalledProcessError:
            pass    # it ended by itself, with its last window
        shutil.rmtree(self.dir)


class TopTest(unittest.TestCase):
    def setUp(self):
        self.host = tempfile.mkdtemp(prefix='ksm-top-host.')
        self.addCleanup(shutil.rmtree, self.host)
        subprocess.run([MAKE_HOST, self.host], check=True)

    def start(self, options='', **more):
        term = Terminal(**more)
        self.addCleanup(term.close)
        term.type(f'{shlex.quote(KSM)} --root {self.host}/now top '
                  f'--before {self.host}/before {options}; echo code=$?')
        term.press('Enter')
        term.see('EFFECTIVE', '1-11 of 16', 'q quit')
        return term

    @staticmethod
    def rows(screen):
        """The first words of the rows of the table"""
        lines = screen.splitlines()
        head = next(i for i, line in enumerate(lines) if 'TRACKED' in line)
        return [line.split()[:2] for line in lines[head + 1:-1] if line.strip()]

    def leave(self, term, *keys, kill=None):
        """It is gone, and the terminal is as it was."""
        before = term.screen()
        if kill:
            os.kill(term.pid(), kill)
        else:
            term.press(*keys)
        screen = term.see('code=0')
        self.assertNotIn('EFFECTIVE', screen)
        self.assertIn('EFFECTIVE', before)
        self.assertEqual(term.tmux('display', '-p', '#{alternate_on} '
                                   '#{cursor_flag} #{keypad_cursor_flag}'
                                   ).strip(), '0 1 0')
        # what is typed is seen, and Enter ends a line
        term.type('stty -a | tr " ;" "\\n\\n" | grep -cx -e echo -e icanon '
                  '-e icrnl -e onlcr')
        term.press('Enter')
        term.see('grep -cx', '\n4\n')

    def test_same_frame_as_once(self):
        once = subprocess.run(
            [KSM, '--root', f'{self.host}/now', 'top', '--before',
             f'{self.host}/before', '--once'], text=True, check=True,
            capture_output=True,
            env={'TZ': 'UTC', 'LC_ALL': 'C.UTF-8', 'TERM': 'x'}).stdout
        term = self.start('--delay 0.2')
        # once its first update is there
        screen = term.see('2,900 COPIES')
        self.assertEqual([line.rstrip() for line in screen.splitlines()],
                         once.splitlines())
        self.leave(term, 'q')

    def test_sorting_and_grouping(self):
        term = self.start('--delay 0.2')
        term.see('2,900 COPIES')
        term.press('c')
        screen = term.see('by unit, cost', 'COST')
        self.assertEqual(self.rows(screen)[0], ['2377', 'machine-qemu-4-db01'])
        term.press('w')
        screen = term.see('by unit, copies')
        self.assertEqual(self.rows(screen)[:2],
                         [['2455', 'machine-qemu-5-build01'],
                          ['4×', 'php8.2-fpm.service']])
        term.press('t')
        screen = term.see('units by copies')
        self.assertEqual(len(self.rows(screen)), 9)
        term.press('t')
        screen = term.see('; by copies', '1-11 of 14')
        self.assertIn(['4011', 'php-fpm8.2'], self.rows(screen))
        term.press('g')
        screen = term.see('; by gain')
        self.assertEqual(self.rows(screen)[0], ['2101', 'qemu-system-x86'])
        term.press('t')
        term.see('by unit, gain')

    def test_moving(self):
        term = self.start()

        def selected():
            # the only row with a background
            return [line for line in term.screen('-e').splitlines()
                    if '\x1b[46m' in line or '\x1b[30;46m' in line]

        def wait_for(text):
            term.wait(lambda: any(text in line for line in selected()))
            self.assertEqual(len(selected()), 1)

        wait_for('web01')
        term.press('Down')
        wait_for('web03')
        term.press('Up')
        wait_for('web01')
        term.press('PageDown')
        wait_for('apache2')
        term.press('End')
        wait_for('session-8')
        term.see('6-16 of 16')
        term.press('PageUp')
        wait_for('db01')
        term.press('Home')
        wait_for('web01')
        term.see('1-11 of 16')

    def test_filter(self):
        term = self.start()
        term.press('/')
        term.see('filter: _')
        term.type('phqx')
        term.see('filter: phqx_', 'no process matches')
        term.press('BSpace', 'BSpace')
        term.see('4 processes, 1 unit', 'filter: ph_')
        term.press('Enter')
        term.see('q quit', '/ph;')
        term.press('/')
        term.type('x')
        term.press('Escape')
        term.see('4 processes, 1 unit', 'q quit')
        term.press('Escape')
        term.see('14 processes')

    def test_mappings(self):
        term = self.start()
        term.press('Enter')
        screen = term.see('Mappings of 2101 (qemu-system-x86): 2')
        self.assertIn('4.00G   3.89G   1.68G   43 %  yes', screen)
        term.press('q')
        term.see('1-11 of 16')
        # a unit has none
        term.press('Down', 'Down', 'Down', 'Down', 'Down', 'Enter')
        term.see('this is a unit')
        term.press('Home')
        term.see('q quit')

    def test_mappings_that_are_gone(self):
        term = self.start()
        os.remove(f'{self.host}/now/proc/2101/smaps')
        term.press('Enter')
        term.see('cannot read the mappings of 2101')

    def test_explain(self):
        term = self.start()
        term.press('e')
        term.see('ksm explain 2101', 'q back')
        term.press('q')
        term.see('1-11 of 16')

    def test_help(self):
        for key in 'h', '?':
            term = self.start()
            term.press(key)
            term.see('Help', 'sort by gain')
            term.press('End')
            term.see('STOPPED', 'MIXED')
            term.press('Escape')
            term.see('1-11 of 16')

    def test_resizing(self):
        term = self.start()
        term.resize(132, 43)
        term.see('RSS', 'COST', 'session-8.scope')
        term.resize(60, 20)
        screen = term.see('window too small', 'it is 60 x 20',
                          'needs 80 x 16', 'q quits')
        self.assertNotIn('EFFECTIVE', screen)
        term.resize(80, 16)
        term.see('EFFECTIVE', '1-5 of 16')
        term.resize(80, 24)
        term.see('1-11 of 16')
        term.press('h')
        term.see('Help')
        term.resize(100, 60)
        term.see('MIXED', 'Keys')
        term.press('q')
        term.see('session-8.scope')

    def test_quit_where_it_is_too_small(self):
        term = self.start()
        term.resize(30, 5)
        term.see('window too small')
        term.press('q')
        term.see('code=0')

    def test_unknown_keys(self):
        term = self.start()
        term.press('x', 'F5', 'Left', 'IC', 'ü', 'C-l')
        term.see('EFFECTIVE', '1-11 of 16', 'q quit')
        self.leave(term, 'q')

    def test_interrupted(self):
        term = self.start()
        self.leave(term, 'C-c')

    def test_terminated(self):
        term = self.start()
        self.leave(term, kill=signal.SIGTERM)

    def test_stopped_and_continued(self):
        term = self.start()
        term.press('C-z')
        term.see('$ ')
        term.see_not('EFFECTIVE')
        term.type('fg')
        term.press('Enter')
        term.see('EFFECTIVE', '1-11 of 16')

    def begun(self, pid):
        """When it was started: another one may have its PID soon."""
        try:
            with open(f'/proc/{pid}/stat', encoding='ascii') as file:
                return file.read().rsplit(')', 1)[1].split()[19]
        except (FileNotFoundError, ProcessLookupError):
            return None

    def test_terminal_is_gone(self):
        term = self.start()
        child = term.pid()
        begun = self.begun(child)
        self.assertTrue(begun)
        term.tmux('kill-pane')
        end = time.monotonic() + PATIENCE
        while self.begun(child) == begun:
            self.assertLess(time.monotonic(), end, 'it goes on')
            time.sleep(0.05)

    def test_black_and_white(self):
        term = self.start(NO_COLOR='1')
        # 39 and 49 are those that the terminal has by itself
        self.assertNotRegex(term.screen('-e'), r'\x1b\[(\d+;)*[34][0-7][;m]')
        # the head of the table, and what is selected
        self.assertRegex(term.screen('-e'), r'\x1b\[(\d+;)*7[;m]')

    def test_without_utf8(self):
        term = self.start('--ascii')
        screen = term.screen()
        self.assertTrue(screen.isascii())
        self.assertIn(':::', screen)

    def test_terminal_nobody_knows(self):
        # ncurses does not give back what it has begun then
        term = Terminal(ASAN_OPTIONS='detect_leaks=0')
        self.addCleanup(term.close)
        term.type(f'TERM=nonsense {shlex.quote(KSM)} --root {self.host}/now '
                  'top; echo code=$?')
        term.press('Enter')
        term.see('--once prints a frame', 'code=2')

    def test_no_ksm(self):
        subprocess.run([MAKE_HOST, f'{self.host}/other', 'no-ksm'], check=True)
        term = Terminal()
        self.addCleanup(term.close)
        term.type(f'{shlex.quote(KSM)} --root {self.host}/other/now top; '
                  'echo code=$?')
        term.press('Enter')
        term.see('has no KSM', 'code=3')


if __name__ == '__main__':
    unittest.main()
