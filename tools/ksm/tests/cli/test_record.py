# SPDX-License-Identifier: GPL-2.0-only
"""ksm record"""
import json
import os
import signal
import unittest

from host import Case, SYSFS

SAMPLES = 'var/lib/ksm/samples'


class Record(Case):
    def lines(self, host, where=SAMPLES):
        days = sorted(day for day in os.listdir(host.path(where))
                      if day.endswith('.jsonl'))
        return [json.loads(line) for day in days
                for line in host.read(f'{where}/{day}').splitlines()]

    def test_once(self):
        host = self.host('ours')
        self.done(host.ksm('record', '--once'))
        self.done(host.ksm('record', '--once'))
        lines = self.lines(host)
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines[0]['counters']['pages_sharing'],
                         int(host.sysfs('pages_sharing')))
        self.assertEqual(lines[0]['hostname'], 'kvm07')

    def test_units_only_on_request(self):
        host = self.host('ours')
        self.done(host.ksm('record', '--once'))
        self.assertEqual(len(os.listdir(host.path(SAMPLES))), 1)
        self.done(host.ksm('record', '--once', '--units'))
        days = sorted(os.listdir(host.path(SAMPLES)))
        self.assertEqual(len(days), 2)
        self.assertTrue(days[1].endswith('.units.jsonl'))
        path = host.path(f'{SAMPLES}/{days[1]}')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        line = json.loads(host.read(f'{SAMPLES}/{days[1]}'))
        web = line['units']['machine-qemu\\x2d1\\x2dweb.scope']
        self.assertEqual((web['processes'], web['cow'], web['profit_bytes']),
                         (1, 4000, 3470000000))
        # names are nowhere else
        self.assertNotIn('web', host.read(f'{SAMPLES}/{days[0]}'))

    @unittest.skipIf(os.geteuid(), 'needs root to be nobody')
    def test_processes_one_may_not_read(self):
        host = self.host('ours')
        os.chmod(host.root, 0o777)
        os.chmod(host.path('proc/1200/ksm_stat'), 0)
        result = host.ksm('record', '--once', user=65534)
        self.done(result, 5, 'could not be read')
        self.assertEqual(self.lines(host)[0]['members']['unreadable'], 1)
        # nothing to end for when it was not asked for one only
        process = host.start('record', '-i', '20ms', '-d', '/more',
                             user=65534)
        self.wait_for(lambda: os.path.isdir(host.path('more')) and
                      len(self.lines(host, 'more')) >= 3)
        process.terminate()
        process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)

    def test_until_sigterm(self):
        host = self.host('ours')
        for end in (signal.SIGTERM, signal.SIGINT):
            process = host.start('record', '-i', '20ms', '-d', f'/{end}')
            self.wait_for(lambda: os.path.isdir(host.path(str(end))) and
                          len(self.lines(host, str(end))) >= 3)
            process.send_signal(end)
            out, err = process.communicate()
            self.assertEqual((process.returncode, out, err), (0, '', ''))
            # the last line is whole
            self.lines(host, str(end))

    def test_old_days_go(self):
        host = self.host('ours')
        host.write(SAMPLES + '/2020-01-01.jsonl', '')
        host.write(SAMPLES + '/other', '')
        self.done(host.ksm('record', '--once', '--keep', '3660'))
        self.assertEqual(len(os.listdir(host.path(SAMPLES))), 3)
        self.done(host.ksm('record', '--once', '--keep', '1'))
        self.assertEqual(len(os.listdir(host.path(SAMPLES))), 2)
        self.assertIn('other', os.listdir(host.path(SAMPLES)))

    def test_it_goes_on_after_a_failure(self):
        host = self.host('ours')
        process = host.start('record', '-i', '20ms')
        # with the second one the first is done for sure
        self.wait_for(lambda: os.path.isdir(host.path(SAMPLES)) and
                      len(self.lines(host)) >= 2)
        os.rename(host.path(SAMPLES), host.path('moved'))
        host.write(SAMPLES, 'in the way\n')
        self.assertIn(SAMPLES, process.stderr.readline())
        os.unlink(host.path(SAMPLES))
        self.wait_for(lambda: os.path.isdir(host.path(SAMPLES)) and
                      self.lines(host))
        process.terminate()
        process.communicate()
        self.assertEqual(process.returncode, 0)

    def test_it_does_not_begin_in_vain(self):
        host = self.host('ours')
        host.write(SAMPLES, 'in the way\n')
        self.done(host.ksm('record'), 1, SAMPLES)
        self.done(self.host('no-ksm').ksm('record'), 3, 'CONFIG_KSM')
        host = self.host('no-ksm')
        os.makedirs(host.path(SYSFS + 'run'))
        self.done(host.ksm('record'), 1, 'Is a directory')

    def test_usage(self):
        host = self.host('ours')
        for args, text in ((['-i', '1y'], '"1y"'), (['-k', '0'], '1 to'),
                           (['-k', 'many'], '"many"'), (['x'], '"x"')):
            self.done(host.ksm('record', *args), 2, text)


if __name__ == '__main__':
    unittest.main()
