# SPDX-License-Identifier: GPL-2.0-only
"""ksm set and ksm boost"""
import os
import signal
import subprocess
import unittest

from host import Case, SYSFS

BIN = os.environ['KSM_BIN']
BOOST = 'run/ksm-boost.state'
RAISED = {'sleep_millisecs': '2', 'run': '1'}


class Set(Case):
    def values(self, host, **wanted):
        for name, value in wanted.items():
            self.assertEqual(host.sysfs(name), str(value), name)

    def test_in_the_order_given(self):
        host = self.host('stock')
        self.done(host.ksm('set', 'pages_to_scan=640', 'use_zero_pages=on',
                           'run=0', 'advisor_mode=scan-time'))
        self.values(host, pages_to_scan=640, use_zero_pages=1, run=0,
                    advisor_mode='scan-time')

    def test_what_is_wrong_is_found_before_anything_is_set(self):
        host = self.host('stock')
        for bad, text in (('sleep_millisecs=-1', '0 to 4294967295'),
                          ('run=3', '0 to 2'),
                          ('max_page_sharing=1', '2 to 2147483647'),
                          ('advisor_mode=on', 'none or scan-time'),
                          ('advisor_target_scan_time=0', 'at least 1'),
                          ('pages_sharing=5', 'is a counter'),
                          ('pages_to_scam=5', 'no knob "pages_to_scam"'),
                          ('run', 'no KNOB=VALUE'),
                          ('run=', 'not ""')):
            result = host.ksm('set', 'pages_to_scan=640', bad)
            self.done(result, 2, text)
            self.values(host, pages_to_scan=1000)

    def test_all_or_nothing(self):
        host = self.host('stock')
        # a file that cannot be written, though one is root
        os.unlink(host.path(SYSFS + 'smart_scan'))
        os.mkdir(host.path(SYSFS + 'smart_scan'))
        result = host.ksm('set', 'advisor_mode=scan-time', 'run=0',
                          'sleep_millisecs=7', 'smart_scan=0')
        self.done(result, 1, 'smart_scan=0: Is a directory')
        self.assertIn('was set back', result.stderr)
        self.values(host, sleep_millisecs=20, run=1, advisor_mode='none',
                    pages_to_scan=1000)

    def test_a_knob_that_is_not_there(self):
        host = self.host('stock')
        os.unlink(host.path(SYSFS + 'merge_across_nodes'))
        self.done(host.ksm('set', 'run=0', 'merge_across_nodes=0'), 1,
                  'this kernel has no such knob')
        self.values(host, run=1)

    def test_unmerging_needs_memory(self):
        host = self.host('ours')
        result = host.ksm('set', 'run=2')
        self.done(result, 6, '2.22 GiB short')
        self.assertIn('--force', result.stderr)
        self.values(host, run=1)
        self.done(host.ksm('set', '--force', 'run=2'))
        self.values(host, run=2)
        # nothing is left to undo
        self.done(host.ksm('set', 'run=2'))

    def test_unmerging_with_enough_memory(self):
        host = self.host('ours')
        meminfo = host.read('proc/meminfo')
        kb = 1604321 * 4 - 1048576
        for available, code in ((kb - 1, 6), (kb, 0)):
            host.write('proc/meminfo',
                       meminfo.replace(' 3040870 ', f' {available} '))
            self.assertEqual(host.ksm('set', 'run=2').returncode, code)

    def test_show(self):
        result = self.host('stock').ksm('set')
        self.done(result)
        self.assertRegex(result.stdout, r'(?m)^pages_to_scan +1000 ')
        self.assertRegex(result.stdout, r'(?m)^advisor_mode +none ')

    def test_no_ksm(self):
        host = self.host('no-ksm')
        self.done(host.ksm('set', 'run=1'), 3, 'CONFIG_KSM=y')
        self.done(host.ksm('set'), 3, 'CONFIG_KSM=y')

    @unittest.skipIf(os.geteuid(), 'needs root')
    def test_not_permitted(self):
        host = self.host('stock')
        os.chmod(host.root, 0o755)
        self.done(host.ksm('set', 'run=0', user=65534), 4, 'try as root')


class Boost(Case):
    def begin(self, host, *args, pages='5000'):
        process = host.start('boost', '--pages', pages, *args)
        self.addCleanup(process.kill)
        self.wait_for(lambda: all(host.sysfs(name) == value for name, value in
                                  {'pages_to_scan': pages, **RAISED}.items()))
        return process

    def before(self, **changed):
        host = self.host('stock')
        host.set('run', 0)
        host.write('proc/900/cmdline', 'ksmtuned\0')
        for name, value in changed.items():
            host.set(name, value)
        return host

    def is_back(self, host):
        self.assertEqual(host.sysfs('pages_to_scan'), '1000')
        self.assertEqual(host.sysfs('sleep_millisecs'), '20')
        self.assertEqual(host.sysfs('run'), '0')
        self.assertFalse(os.path.exists(host.path(BOOST)))

    def ended(self, process, code=0):
        out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out, err), (code, '', ''))

    def test_until_the_time_is_over(self):
        host = self.before()
        self.done(host.ksm('boost', '--for', '100ms'))
        self.is_back(host)

    def test_until_a_signal(self):
        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            host = self.before()
            process = self.begin(host, '--for', '1h')
            process.send_signal(end)
            self.ended(process)
            self.is_back(host)

    def test_stop(self):
        host = self.before()
        process = self.begin(host)
        self.done(host.ksm('boost'), 1, 'a boost runs until')
        self.done(host.ksm('set', 'run=0'), 1, 'a boost runs until')
        self.done(host.ksm('boost', '--stop'))
        self.ended(process)
        self.is_back(host)
        result = host.ksm('boost', '--stop')
        self.done(result)
        self.assertIn('no boost', result.stdout)

    def test_one_that_was_killed(self):
        host = self.before()
        process = self.begin(host)
        process.kill()
        process.communicate()
        self.assertEqual(host.sysfs('pages_to_scan'), '5000')
        result = host.ksm('set', 'use_zero_pages=1')
        self.assertEqual(result.returncode, 0)
        self.assertIn('ksm boost --stop', result.stderr)
        self.done(host.ksm('boost', '--stop'))
        self.is_back(host)

    def killed(self, **changed):
        host = self.before(**changed)
        process = self.begin(host)
        process.kill()
        process.communicate()
        self.assertTrue(os.path.exists(host.path(BOOST)))
        return host

    def test_the_next_one_tidies_up_after_a_kill(self):
        host = self.killed()
        result = host.ksm('boost', '--for', '50ms')
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('set back first', result.stderr)
        self.is_back(host)

    def other(self, host, program, *args):
        return subprocess.run([os.path.join(BIN, program), '--root',
                               host.root, *args], capture_output=True,
                              text=True, timeout=20, check=False)

    def start_other(self, host, program, *args):
        process = subprocess.Popen([os.path.join(BIN, program), '--root',
                                    host.root, *args], text=True,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_ksmctl_puts_back_what_was_killed(self):
        host = self.killed(advisor_mode='none [scan-time]')
        self.assertEqual(host.sysfs('advisor_mode'), 'none')
        self.assertEqual(self.other(host, 'ksmctl', 'restore').returncode, 0)
        self.assertEqual(host.sysfs('advisor_mode'), 'scan-time')
        self.assertEqual(host.sysfs('sleep_millisecs'), '20')
        self.assertEqual(host.sysfs('run'), '0')
        self.assertFalse(os.path.exists(host.path(BOOST)))

    def test_ksmctl_lets_it_go_on(self):
        host = self.before()
        process = self.begin(host, pages='1500')
        result = self.other(host, 'ksmctl', 'boost', '600')
        self.assertEqual(result.returncode, 0)
        self.assertIn('no boost: another one is under way', result.stderr)
        # which ksm-boost.service calls after that
        self.assertEqual(self.other(host, 'ksmctl', 'restore').returncode, 0)
        self.assertEqual(host.sysfs('pages_to_scan'), '1500')
        process.terminate()
        self.ended(process)
        self.is_back(host)

    def test_it_lets_that_of_ksmctl_go_on(self):
        host = self.before()
        os.mkdir(host.path('run'))
        process = self.start_other(host, 'ksmctl', 'boost', '600')
        self.wait_for(lambda: host.sysfs('pages_to_scan') == '5000')
        self.done(host.ksm('boost'), 1, f'(PID {process.pid})')
        self.assertEqual(host.sysfs('sleep_millisecs'), '20')
        self.done(host.ksm('set', 'pages_to_scan=7'), 1, 'a boost runs until')
        self.done(host.ksm('boost', '--stop'))
        self.assertEqual(process.wait(30), 0)
        self.is_back(host)

    def test_ksmtuned_ends_it(self):
        host = self.before()
        process = self.begin(host)
        tuned = self.start_other(host, 'ksmtuned')
        err = process.communicate(timeout=30)[1]
        self.assertEqual(process.returncode, 0)
        self.assertIn('ksmtuned does so', err)
        self.done(host.ksm('boost'), 1, f'ksmtuned (PID {tuned.pid})')
        tuned.terminate()
        self.assertEqual(tuned.wait(30), 0)
        self.is_back(host)

    def test_ksmtuned_tidies_up_after_a_kill(self):
        host = self.killed()
        tuned = self.start_other(host, 'ksmtuned')
        self.wait_for(lambda: not os.path.exists(host.path(BOOST)))
        self.wait_for(lambda: os.path.exists(host.path('run/ksmtuned.state')))
        tuned.terminate()
        self.assertEqual(tuned.wait(30), 0)
        self.is_back(host)

    def test_the_advisor_comes_back(self):
        host = self.before(advisor_mode='none [scan-time]')
        self.done(host.ksm('boost', '--for', '50ms'))
        self.assertEqual(host.sysfs('advisor_mode'), 'scan-time')

    def test_what_others_changed_meanwhile_stays(self):
        host = self.before()
        process = self.begin(host)
        host.set('sleep_millisecs', 33)
        process.terminate()
        self.ended(process)
        self.assertEqual(host.sysfs('sleep_millisecs'), '33')
        self.assertEqual(host.sysfs('pages_to_scan'), '1000')

    def test_a_failure_is_undone(self):
        host = self.before()
        os.unlink(host.path(SYSFS + 'sleep_millisecs'))
        os.mkdir(host.path(SYSFS + 'sleep_millisecs'))
        self.done(host.ksm('boost'), 1, 'Is a directory')
        self.assertEqual(host.sysfs('pages_to_scan'), '1000')
        self.assertFalse(os.path.exists(host.path(BOOST)))

    def test_damaged_state(self):
        host = self.before()
        host.write(BOOST, '{}')
        self.done(host.ksm('boost', '--stop'), 1, 'ksm-boost.state')

    def test_usage(self):
        host = self.before()
        for args, text in ((['--for', 'x'], '"x"'),
                           (['--pages', '-1'], '0 to 4294967295'),
                           (['x'], '"x"')):
            self.done(host.ksm('boost', *args), 2, text)
        self.done(self.host('no-ksm').ksm('boost'), 3, 'CONFIG_KSM=y')


class Run(Case):
    def test_exit_codes_are_those_of_env(self):
        host = self.host('ours')
        first = host.ksm('run', 'true')
        if first.returncode == 3:
            self.skipTest('no prctl here')
        self.done(first)
        self.assertEqual(host.ksm('run', 'sh', '-c', 'exit 7').returncode, 7)
        self.done(host.ksm('run', '/nonexistent'), 127, '/nonexistent')
        self.done(host.ksm('run', '/'), 126, '/: ')
        self.done(host.ksm('run'), 2, 'which command')

    def test_memory_is_registered_and_options_are_left_alone(self):
        host = self.host('ours')
        result = host.ksm('run', 'cat', '-u', '/proc/self/ksm_stat')
        if result.returncode == 3:
            self.skipTest('no prctl here')
        self.done(result)
        if 'ksm_merge_any' in result.stdout:
            self.assertIn('ksm_merge_any: yes', result.stdout)


class Main(Case):
    def test_usage(self):
        host = self.host('ours')
        self.done(host.ksm('nonsense'), 2, 'no command "nonsense"')
        result = host.ksm()
        self.assertEqual(result.returncode, 2)
        self.assertIn('Usage: ksm', result.stdout)
        self.done(host.ksm('--help'))
        self.assertRegex(host.ksm('--version').stdout, r'^ksm \d+\.\d+\n$')

    def test_each_command_has_help_in_80_columns(self):
        host = self.host('ours')
        names = [line.split()[0] for line in host.ksm('--help').stdout
                 .split('Commands:\n')[1].split('\n\n')[0].splitlines()]
        self.assertIn('status', names)
        for name in names:
            result = host.ksm(name, '--help')
            self.done(result)
            self.assertIn(f'Usage: ksm {name}', result.stdout)
            for line in result.stdout.splitlines():
                self.assertLessEqual(len(line), 80, line)


if __name__ == '__main__':
    unittest.main()
