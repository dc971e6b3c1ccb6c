# SPDX-License-Identifier: GPL-2.0-only
"""ksm metrics"""
import os
import re
import shutil
import subprocess
import unittest

from host import Case, SYSFS

FAST = ('metrics', '-i', '20ms')
PROMTOOL = os.environ.get('PROMTOOL') or shutil.which('promtool')
GAUGES = {'run', 'saved_bytes', 'profit_bytes', 'metadata_bytes', 'pages',
          'registered_processes', 'unmerge_shortfall_bytes',
          'last_scan_seconds', 'info', 'verdict'}
COUNTERS = {'full_scans_total', 'pages_scanned_total', 'pages_skipped_total',
            'cow_total', 'swapin_copies_total', 'ksmd_cpu_seconds_total',
            'thp_splits_total'}
OURS_ONLY = {'last_scan_seconds', 'thp_splits_total'}
PAGE = os.sysconf('SC_PAGESIZE')


class Metrics(Case):
    def types(self, text):
        return dict(re.findall(r'(?m)^# TYPE ksm_(\S+) (\S+)$', text))

    def value(self, text, name):
        return float(re.search(rf'(?m)^ksm_{re.escape(name)} (\S+)$',
                               text).group(1))

    def metrics(self, name, *args):
        host = self.host(name)
        host.scan()
        result = host.ksm(*FAST, *args)
        self.done(result)
        return host, result.stdout

    def test_names_and_types(self):
        types = self.types(self.metrics('ours')[1])
        self.assertEqual({name for name in types if types[name] == 'gauge'},
                         GAUGES)
        self.assertEqual({name for name in types if types[name] == 'counter'},
                         COUNTERS)

    def test_what_stock_has_not_is_left_out(self):
        types = self.types(self.metrics('stock')[1])
        self.assertEqual(set(types), (GAUGES | COUNTERS) - OURS_ONLY)

    def test_values(self):
        host, text = self.metrics('ours')
        for name, value in (('run', 1), ('saved_bytes', 1604321 * PAGE),
                            ('profit_bytes', 6496854016),
                            ('metadata_bytes', 1604321 * PAGE - 6496854016),
                            ('registered_processes', 3),
                            ('unmerge_shortfall_bytes',
                             1604321 * PAGE - 4089446 * 1024),
                            ('last_scan_seconds', 41),
                            ('full_scans_total', 812),
                            ('pages_skipped_total', 8100000000),
                            ('cow_total', 4242), ('swapin_copies_total', 3),
                            ('ksmd_cpu_seconds_total', 42.0123457),
                            ('thp_splits_total', 214),
                            ('pages{state="sharing"}',
                             int(host.sysfs('pages_sharing'))),
                            ('pages{state="zero"}', 57672),
                            ('verdict{state="EFFECTIVE",reason='
                             '"SAVING_STEADY"}', 1),
                            ('info{release="6.12.117",implementation='
                             '"keys"}', 1)):
            self.assertEqual(self.value(text, name), value, name)

    def test_enough_memory_is_no_shortfall(self):
        text = self.metrics('stock')[1]
        self.assertEqual(self.value(text, 'unmerge_shortfall_bytes'), 0)

    def test_units_only_on_request_and_never_processes(self):
        text = self.metrics('ours')[1]
        self.assertNotIn('unit', text)
        host, text = self.metrics('ours', '--units')
        # the backslashes of systemd's names are doubled
        name = r'unit="machine-qemu\\x2d1\\x2dweb.scope"'
        self.assertEqual(self.value(text, f'unit_processes{{{name}}}'), 1)
        self.assertEqual(self.value(text, f'unit_merged_bytes{{{name}}}'),
                         850000 * PAGE)
        self.assertIn('ksm_unit_processes{unit="none"} 1', text)
        self.assertNotRegex(text, r'pid|comm=')
        # two of a unit are one
        for path in ('stat', 'ksm_stat', 'cgroup', 'statm'):
            host.write(f'proc/1201/{path}', host.read(f'proc/1200/{path}') +
                       '\n')
        text = host.ksm(*FAST, '--units').stdout
        self.assertEqual(self.value(text, 'unit_tracked_bytes{unit="php8.2-'
                                    'fpm.service"}'), 2 * 12000 * PAGE)

    def test_textfile(self):
        host = self.host('ours')
        host.scan()
        path = host.path('ksm.prom')
        os.mkdir(host.path('dir'))
        self.done(host.ksm(*FAST, '-t', path))
        self.assertIn('ksm_run 1\n', host.read('ksm.prom') + '\n')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
        inode = os.stat(path).st_ino
        self.done(host.ksm(*FAST, '-t', path))
        self.assertNotEqual(os.stat(path).st_ino, inode)
        # nothing is left behind, whatever goes wrong
        self.done(host.ksm(*FAST, '-t', host.path('dir')), 1, 'directory')
        self.done(host.ksm(*FAST, '-t', host.path('none/x.prom')), 1,
                  'No such file')
        self.assertEqual([name for name in os.listdir(host.root)
                          if '.prom.' in name or 'dir.' in name], [])

    @unittest.skipUnless(os.path.exists('/dev/full'), 'no /dev/full')
    def test_a_full_disk(self):
        host = self.host('ours')
        host.scan()
        with open('/dev/full', 'w', encoding='ascii') as full:
            result = subprocess.run(host.command(*FAST), stdout=full,
                                    stderr=subprocess.PIPE, text=True,
                                    check=False)
        self.done(result, 1, 'No space left')

    def test_no_ksm(self):
        result = self.host('no-ksm').ksm(*FAST)
        self.assertEqual(result.returncode, 3)
        self.assertIn('ksm_verdict{state="BROKEN",reason="NO_KSM"} 1',
                      result.stdout)
        self.assertEqual(set(self.types(result.stdout)), {'info', 'verdict'})

    def test_unreadable_sysfs(self):
        host = self.host('no-ksm')
        os.makedirs(host.path(SYSFS + 'run'))
        self.done(host.ksm(*FAST), 1, 'Is a directory')

    @unittest.skipUnless(PROMTOOL, 'no promtool (package prometheus)')
    def test_promtool_accepts_it(self):
        for name in ('ours', 'stock'):
            text = self.metrics(name, '--units')[1]
            check = subprocess.run([PROMTOOL, 'check', 'metrics'], input=text,
                                   capture_output=True, text=True,
                                   check=False)
            self.assertEqual((check.returncode, check.stdout, check.stderr),
                             (0, '', ''))


if __name__ == '__main__':
    unittest.main()
