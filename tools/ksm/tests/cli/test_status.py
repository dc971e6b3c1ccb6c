# SPDX-License-Identifier: GPL-2.0-only
"""ksm status"""
import json
import os
import signal
import unittest

import jsonschema

from host import Case, SYSFS

SCHEMA = os.path.join(os.environ['KSM_SOURCE'], 'schema/ksm-status-1.json')
FAST = ('status', '-i', '50ms')
PAGE = os.sysconf('SC_PAGESIZE')


def schema():
    with open(SCHEMA, encoding='ascii') as file:
        return json.load(file)


class Text(Case):
    def test_as_in_the_manual(self):
        host = self.host('ours')
        host.scan()
        result = host.ksm(*FAST)
        self.done(result)
        lines = result.stdout.splitlines()
        self.assertRegex(lines[0], r'^kvm07  Linux 6.12.117, KSM by keys +'
                         r'\d\d \w\w\w \d\d:\d\d:\d\d$')
        self.assertEqual(len(lines[0]), 80)
        self.assertEqual(lines[1], 'EFFECTIVE  SAVING_STEADY  6.05 GiB gained '
                         'for 0.0 % of one CPU')
        text = '\n'.join(lines)
        for part in ('6.12 GiB: 5.90 GiB merged + 225 MiB zero pages',
                     'book-keeping 71.0 MiB', '812 full scans; this one 38 % '
                     'done, ~25 s left; the last took 41 s',
                     '214 split, 1,902 kept',
                     '3 processes, 41.0 GiB tracked; 1 of them gains nothing',
                     '6.12 GiB needed, 2.90 GiB free + 1.00 GiB swap:  '
                     '2.22 GiB SHORT', '! UNMERGE_SHORT  if guests',
                     'Next: add 2.22 GiB of swap; then `ksm explain --idle` '
                     'for the 1'):
            self.assertIn(part, text)
        for line in lines:
            self.assertLessEqual(len(line), 80, line)

    def test_a_stock_kernel_has_dashes(self):
        host = self.host('stock')
        host.scan()
        result = host.ksm(*FAST)
        self.done(result)
        self.assertIn('huge pages  - split, - kept', result.stdout)
        self.assertIn('NUMA_CROSS', result.stdout)
        self.assertNotIn('nan', result.stdout)
        self.assertNotIn('-9223372036854775808', result.stdout)

    def test_raw_figures(self):
        host = self.host('ours')
        host.scan()
        result = host.ksm(*FAST, '--raw')
        self.done(result)
        self.assertIn('6571298816 B', result.stdout)
        self.assertIn('1902 kept', result.stdout)

    def test_odd_files(self):
        host = self.host('odd')
        host.set('run', 0)
        result = host.ksm(*FAST)
        self.done(result)
        self.assertNotIn('nan', result.stdout)
        self.assertNotIn('-9223372036854775808', result.stdout)

    def test_no_ksm(self):
        result = self.host('no-ksm').ksm(*FAST)
        self.assertEqual(result.returncode, 3)
        self.assertIn('BROKEN  NO_KSM', result.stdout)

    def test_a_stall_is_watched_for_long_enough(self):
        result = self.host('ours').ksm(*FAST)
        self.assertEqual(result.returncode, 0)
        self.assertIn('watching it for 10 s', result.stderr)
        self.assertIn('BROKEN  STALLED', result.stdout)

    def test_samples_that_were_kept_are_used(self):
        host = self.host('ours')
        host.scan()
        self.done(host.ksm('record', '--once'))
        day = os.listdir(host.path('var/lib/ksm/samples'))[0]
        name = 'var/lib/ksm/samples/' + day
        sample = json.loads(host.read(name))
        # as if it were ten minutes old
        sample['boottime_ms'] -= 600000
        sample['counters']['full_scans'] -= 14
        sample['counters']['pages_sharing'] -= 20 * 256
        host.write(name, json.dumps(sample) + '\n')
        result = host.ksm(*FAST)
        self.assertRegex(result.stdout, r'\+(1\.9\d|2\.00) MiB/min  '
                         r'\(10 min, 14 full scans\)')


class Json(Case):
    def document(self, name, *args):
        host = self.host(name)
        if name != 'no-ksm':
            host.scan()
        result = host.ksm(*FAST, '--json', *args)
        return host, json.loads(result.stdout)

    def test_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(schema())

    def test_all_hosts_fit_the_schema(self):
        for name in ('ours', 'stock', 'no-ksm'):
            document = self.document(name)[1]
            jsonschema.validate(document, schema())

    def test_the_schema_can_fail(self):
        document = self.document('ours')[1]
        document['saving']['saved_bytes'] = '6 GiB'
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(document, schema())

    def test_the_schema_lists_every_member(self):
        document = self.document('ours')[1]
        properties = schema()['properties']
        self.assertEqual(set(document), set(properties))
        for name, value in document.items():
            if isinstance(value, dict):
                self.assertEqual(set(value),
                                 set(properties[name]['properties']), name)

    def test_values_are_those_of_sysfs(self):
        host, document = self.document('ours')
        saved = (int(host.sysfs('pages_sharing')) +
                 int(host.sysfs('ksm_zero_pages'))) * PAGE
        profit = int(host.sysfs('general_profit'))
        self.assertEqual(document['saving']['saved_bytes'], saved)
        self.assertEqual(document['saving']['profit_bytes'], profit)
        self.assertEqual(document['saving']['metadata_bytes'], saved - profit)
        for key, name in (('shared', 'pages_shared'),
                          ('sharing', 'pages_sharing'),
                          ('unshared', 'pages_unshared'),
                          ('volatile', 'pages_volatile'),
                          ('zero', 'ksm_zero_pages'),
                          ('skipped_total', 'pages_skipped')):
            self.assertEqual(document['pages'][key], int(host.sysfs(name)))
        self.assertEqual(document['scan']['full_scans_total'],
                         int(host.sysfs('full_scans')))
        self.assertEqual(document['scan']['visited_pages'],
                         int(host.sysfs('scan_pages')))
        self.assertEqual(document['scan']['last_scan_seconds'], 41)
        self.assertEqual(document['huge_pages']['split_total'],
                         int(host.sysfs('thp_split')))
        self.assertEqual(document['huge_pages']['kept'],
                         int(host.sysfs('thp_kept')))
        self.assertEqual(document['copies']['cow_total'], 4242)
        self.assertEqual(document['members']['processes'], 3)
        self.assertEqual(document['undo']['short_bytes'],
                         saved - (3040870 + 1048576) * 1024)
        for name, value in document['knobs'].items():
            if name == 'advisor_mode':
                self.assertEqual(value, 'none')
            else:
                self.assertEqual(value, int(host.sysfs(name)), name)

    def test_what_stock_has_not_is_null(self):
        document = self.document('stock')[1]
        self.assertIsNone(document['huge_pages']['split_total'])
        self.assertIsNone(document['scan']['visited_pages'])
        self.assertIsNone(document['scan']['last_scan_seconds'])
        self.assertIsNone(document['ksmd']['cpu_hour_percent'])
        self.assertIs(document['host']['ksm_by_keys'], False)
        self.assertEqual(document['undo']['short_bytes'], 0)

    def test_no_ksm_is_a_document_too(self):
        document = self.document('no-ksm')[1]
        self.assertEqual(document['verdict']['reason'], 'NO_KSM')
        self.assertIsNone(document['saving']['saved_bytes'])


class Check(Case):
    def check(self, host, code, start):
        result = host.ksm(*FAST, '--check')
        self.assertEqual(result.returncode, code, result.stdout)
        self.assertTrue(result.stdout.startswith(start), result.stdout)
        self.assertEqual(result.stdout.count('\n'), 1)
        return result.stdout

    def test_ok(self):
        host = self.host('stock')
        host.scan()
        line = self.check(host, 0, 'KSM OK - EFFECTIVE SAVING_STEADY: ')
        data = dict(item.split('=') for item in line.split(' | ')[1].split())
        self.assertEqual(data['saved'], f'{1441792 * PAGE}B')
        self.assertEqual(data['full_scans'], '812c')
        self.assertEqual(data['undo_short'], '0B')
        self.assertEqual(data['cow_per_second'], '0.000')

    def test_warning(self):
        host = self.host('ours')
        host.scan()
        line = self.check(host, 1, 'KSM WARNING - EFFECTIVE ')
        self.assertIn(', UNMERGE_SHORT |', line)
        self.assertIn(f' undo_short={1604321 * PAGE - 4089446 * 1024}B', line)

    def test_off_is_a_warning(self):
        host = self.host('stock')
        host.set('run', 2)
        self.check(host, 1, 'KSM WARNING - INACTIVE STOPPED')

    def test_critical(self):
        line = self.check(self.host('no-ksm'), 2, 'KSM CRITICAL - BROKEN ')
        self.assertIn(' saved=U', line)

    def test_unknown(self):
        host = self.host('no-ksm')
        os.makedirs(host.path(SYSFS + 'run'))
        self.check(host, 3, 'KSM UNKNOWN - ')


class Watch(Case):
    def test_a_line_of_json_each(self):
        host = self.host('ours')
        host.scan()
        with host.start('status', '--json', '--watch=50ms') as process:
            for _ in range(3):
                document = json.loads(process.stdout.readline())
                jsonschema.validate(document, schema())
            process.send_signal(signal.SIGINT)
            process.communicate()
        self.assertEqual(process.returncode, 0)


class Usage(Case):
    def test_errors_tell_what_is_wrong(self):
        host = self.host('ours')
        for args, text in ((['-i', 'soon'], '"soon"'),
                           (['--watch=0'], '"0"'),
                           (['--bad'], 'ksm status --help'),
                           (['more'], '"more"'),
                           (['--check', '--watch'], '--check')):
            self.done(host.ksm('status', *args), 2, text)

    def test_help(self):
        result = self.host('ours').ksm('status', '--help')
        self.done(result)
        self.assertIn('Usage: ksm status', result.stdout)

    def test_unreadable_sysfs(self):
        host = self.host('no-ksm')
        os.makedirs(host.path(SYSFS + 'run'))
        self.done(host.ksm('status'), 1, 'Is a directory')

    @unittest.skipIf(os.geteuid(), 'needs root')
    def test_unreadable_processes(self):
        host = self.host('ours')
        host.scan()
        os.chmod(host.root, 0o755)
        os.chmod(host.path('proc/1200/ksm_stat'), 0)
        result = host.ksm(*FAST, user=65534)
        self.assertEqual(result.returncode, 5)
        self.assertIn('and 1 more may not be read', result.stdout)


if __name__ == '__main__':
    unittest.main()
