# SPDX-License-Identifier: GPL-2.0-only
"""Where output goes, and what becomes of it there"""
import os
import signal
import stat
import subprocess
import time
import unittest

from host import Case

FAST = ('-i', '100ms')
BIN = os.environ['KSM_BIN']
FULL = os.path.exists('/dev/full')
COMMANDS = (('status', *FAST), ('status', *FAST, '--json'),
            ('status', *FAST, '--raw'), ('set',), ('explain', '1200'),
            ('explain', '--json', '1200'), ('explain', '--all'),
            ('explain', '--idle'), ('top', '--once'), ('metrics', *FAST),
            ('--help',), ('--version',), ('set', '--help'))


class Full(Case):
    """What was not written was not done."""

    def into_full(self, command):
        with open('/dev/full', 'w', encoding='ascii') as full:
            return subprocess.run(command, stdout=full, text=True,
                                  stderr=subprocess.PIPE, timeout=60,
                                  check=False)

    @unittest.skipUnless(FULL, 'no /dev/full')
    def test_each_command_fails(self):
        host = self.host('explain')
        for args in COMMANDS:
            with self.subTest(args):
                result = self.into_full(host.command(*args))
                self.assertEqual(result.returncode, 1, args)
                self.assertNotEqual(result.stderr, '', args)

    @unittest.skipUnless(FULL, 'no /dev/full')
    def test_a_check_is_unknown(self):
        host = self.host('stock')
        host.scan()
        result = self.into_full(host.command('status', *FAST, '--check'))
        self.assertEqual(result.returncode, 3)

    @unittest.skipUnless(FULL, 'no /dev/full')
    def test_watching_ends(self):
        host = self.host('ours')
        host.scan()
        result = self.into_full(host.command('status', '--watch=20ms'))
        self.assertEqual(result.returncode, 1)

    @unittest.skipUnless(FULL, 'no /dev/full')
    def test_services(self):
        host = self.host('tuned')
        for command in (('ksmctl', 'status'), ('ksmtuned', '--once',
                                               '--dry-run')):
            result = self.into_full([os.path.join(BIN, command[0]), '--root',
                                     host.root, *command[1:]])
            self.assertEqual(result.returncode, 1, command)


class Files(Case):
    """What is there stays what it is."""

    def write_to(self, name, *args, **more):
        host = self.host('ours')
        host.scan()
        self.done(host.ksm('record', '--once'))
        for command in (('metrics', *FAST, '-t'), ('report', '--json', '-o')):
            with self.subTest(command[0]):
                self.into(host, command, name, *args, **more)

    def into(self, host, command, name, make, check):
        path = host.path(f'{command[0]}.{name}')
        make(path)
        result = check(path, lambda: host.ksm(*command, path))
        self.done(result)

    def test_a_fifo(self):
        def check(path, run):
            end = os.open(path, os.O_RDWR)
            result = run()
            self.assertTrue(stat.S_ISFIFO(os.lstat(path).st_mode))
            self.assertIn('full_scans_total', os.read(end, 1 << 16).decode())
            os.close(end)
            return result
        self.write_to('fifo', os.mkfifo, check)

    @unittest.skipIf(os.geteuid(), 'needs root')
    def test_a_device(self):
        def make(path):
            os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))

        def check(path, run):
            result = run()
            self.assertTrue(stat.S_ISCHR(os.lstat(path).st_mode))
            return result
        self.write_to('null', make, check)

    def test_a_link(self):
        def make(path):
            os.mkdir(path + '.d')
            with open(path + '.d/file', 'w', encoding='ascii'):
                os.symlink(path + '.d/file', path)

        def check(path, run):
            result = run()
            self.assertTrue(os.path.islink(path))
            self.assertGreater(os.stat(path).st_size, 0)
            self.assertEqual(os.listdir(path + '.d'), ['file'])
            return result
        self.write_to('link', make, check)

    def test_what_a_report_may_show(self):
        host = self.host('ours')
        self.done(host.ksm('record', '--once'))
        for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
            path = host.path('report')
            self.done(host.ksm('report', '-o', path,
                               preexec_fn=lambda m=mask: os.umask(m)))
            self.assertEqual(os.stat(path).st_mode & 0o777, mode)


class Signals(Case):
    def test_a_check_that_is_ended_is_unknown(self):
        host = self.host('ours')
        host.scan()
        # blocked from the beginning, so that it is not too early
        process = host.start('status', '--check', '-i', '1h',
                             preexec_fn=lambda: signal.pthread_sigmask(
                                 signal.SIG_BLOCK, [signal.SIGTERM]))
        process.terminate()
        out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, err), (3, ''))
        self.assertEqual(out, 'KSM UNKNOWN - ended by a signal\n')

    def test_what_was_missed_is_not_made_up_for(self):
        host = self.host('ours')
        samples = host.path('var/lib/ksm/samples')

        def count():
            if not os.path.isdir(samples):
                return 0
            return sum(host.read(f'var/lib/ksm/samples/{day}').count('\n') + 1
                       for day in os.listdir(samples))
        process = host.start('record', '-i', '200ms')
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.wait_for(lambda: count() >= 2)
        # as if the machine was suspended: twenty are missed
        process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        before, begin = count(), time.monotonic()
        process.send_signal(signal.SIGCONT)
        self.wait_for(lambda: count() >= before + 6)
        # one at once, and the others as ever
        self.assertGreater(time.monotonic() - begin, 0.6)

    @unittest.skipIf(os.geteuid(), 'needs root to be nobody')
    def test_a_parent_that_ignores_its_children(self):
        host = self.host('stock')
        os.chmod(host.root, 0o755)
        result = host.ksm('set', 'run=2', user=65534,
                          preexec_fn=lambda: signal.signal(
                              signal.SIGCHLD, signal.SIG_IGN))
        self.done(result, 4, 'run=2: not permitted: try as root')


if __name__ == '__main__':
    unittest.main()
