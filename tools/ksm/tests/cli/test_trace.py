# SPDX-License-Identifier: GPL-2.0-only
"""ksm trace"""
import json
import os
import signal
import subprocess
import unittest

import jsonschema

import host
from host import Case

TRACING = 'sys/kernel/tracing/'
EVENTS = ('ksm_advisor', 'ksm_enter', 'ksm_exit', 'ksm_merge_one_page',
          'ksm_merge_with_ksm_page', 'ksm_remove_ksm_page',
          'ksm_remove_rmap_item', 'ksm_start_scan', 'ksm_stop_scan')
HEAD = '            ksmd-37      [001] .....  1234.500006: '
MERGE = 'ksm_merge_with_ksm_page: ksm pfn 17 rmap_item 0a mm 0b error '
LINES = ''.join(line + '\n' for line in [
    HEAD + 'ksm_start_scan: seq 812 rmap size 1234567',
    HEAD + MERGE + '0', HEAD + MERGE + '-16', HEAD + MERGE + '-16',
    HEAD + MERGE + '-14', HEAD + MERGE + '-5',
    HEAD + MERGE.replace('ksm pfn', 'pfn') + '0',
    HEAD + MERGE.replace('ksm pfn', 'pfn') + '-116',
    HEAD + 'ksm_merge_one_page: ksm pfn 1 rmap_item 0a mm 0b error 0',
    HEAD + 'ksm_merge_one_page: ksm pfn 1 rmap_item 0a mm 0b error -14',
    HEAD + 'ksm_remove_ksm_page: pfn 99',
    HEAD + 'ksm_remove_rmap_item: pfn 99 rmap_item 0a mm 0b',
    HEAD + 'ksm_advisor: ksm scan time 41 pages_to_scan 5000 cpu percent 9',
    '           <...>-900     [000] d....  1234.600006: ksm_enter: mm 0c',
    'CPU:1 [LOST 270 EVENTS]'])
SCHEMA = os.path.join(os.environ['KSM_SOURCE'], 'schema/ksm-trace-1.json')
SHORT = ('trace', '--for', '50ms')


def schema():
    with open(SCHEMA, encoding='ascii') as file:
        return json.load(file)


class Trace(Case):
    def setUp(self):
        # the same command, but new directories are full of files
        real = host.KSM
        host.KSM = os.path.join(os.environ['KSM_BIN'], 'ksm-fake-tracefs')
        self.addCleanup(setattr, host, 'KSM', real)

    def host(self, name='ours', lines=LINES, events=EVENTS):
        tree = super().host(name)
        for event in events:
            tree.write(f'{TRACING}events/ksm/{event}/id', '1\n')
        os.makedirs(tree.path(TRACING + 'instances'))
        tree.write(TRACING + 'lines', lines)
        return tree

    def instances(self, tree):
        return os.listdir(tree.path(TRACING + 'instances'))

    def test_lines_in_words(self):
        tree = self.host()
        result = tree.ksm(*SHORT)
        self.done(result)
        lines = result.stdout.splitlines()
        self.assertRegex(lines[0], r'^\d\d:\d\d:\d\d\.\d{6}  ksmd/37       '
                         r'start_scan           full scan no. 813 begins; '
                         r'1,234,567 pages tracked$')
        for text in ('pfn 17 of mm 0b merged with a KSM page',
                     'pfn 17 of mm 0b not merged with a KSM page: EBUSY, '
                     'in use: pinned, locked, or read',
                     'pfn 17 of mm 0b became a KSM page',
                     'pfn 17 of mm 0b did not become a KSM page: ESTALE, '
                     'the page is no longer there',
                     'a page of mm 0b merged with the zero page',
                     'a page of mm 0b not merged with the zero page: EFAULT, '
                     'the bytes differ, or not mapped',
                     'pfn 99 is no KSM page any more',
                     'pfn 99 of mm 0b was let go: the page went first',
                     'pages_to_scan is 5,000 now: the last scan took 41 s '
                     'and 9 % of a CPU', 'mm 0c is registered'):
            self.assertIn('  ' + text + '\n', result.stdout)
        self.assertIn('  ?/900         enter', result.stdout)
        # all of them, and nothing is left
        self.assertEqual(set(tree.read(TRACING + 'log').split()), set(EVENTS))
        self.assertEqual(self.instances(tree), [])

    def test_summary(self):
        result = self.host().ksm(*SHORT, '--summary')
        self.done(result)
        text = result.stdout
        self.assertNotIn('pfn', text)
        self.assertRegex(text, r'events      14 in \d+ ms; lost because they '
                         r'were too many: 270')
        for words in ('with a KSM page 5 tried 4 failed 80 %',
                      'to become a KSM page 2 tried 1 failed 50 %',
                      'with the zero page 2 tried 1 failed 50 %',
                      'EBUSY 2 33 % ##### in use',
                      'EFAULT 2 33 % ##### the bytes differ',
                      'ESTALE 1 17 % ### the page', 'other 1 17 % ###'):
            self.assertRegex(text, words.replace(' ', ' +'))
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_summary_from_time_to_time(self):
        result = self.host().ksm('trace', '--for', '700ms',
                                 '--summary=200ms')
        self.done(result)
        sums = [line.split()[1] for line in result.stdout.splitlines()
                if line.startswith('events')]
        self.assertGreaterEqual(len(sums), 3)
        self.assertEqual(sums[0], '14')
        self.assertEqual(set(sums[1:]), {'0'})

    def test_json(self):
        result = self.host().ksm(*SHORT, '--json')
        self.done(result)
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        jsonschema.Draft202012Validator.check_schema(schema())
        for line in lines:
            jsonschema.validate(line, schema())
        # no member is missing there
        for kind, which in (('event', 0), ('summary', 1)):
            self.assertEqual(
                set().union(*(line for line in lines if line['type'] == kind)),
                set(schema()['oneOf'][which]['properties']), kind)
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate({**lines[0], 'event': 'other'}, schema())
        self.assertEqual(lines[2].pop('time')[-1], 'Z')
        self.assertEqual(lines[2], {
            'schema_version': 1,
            'type': 'event', 'event': 'ksm_merge_with_ksm_page', 'pid': 37,
            'comm': 'ksmd', 'mm': '0b', 'rmap_item': '0a', 'pfn': 17,
            'error': -16, 'with_ksm_page': True, 'error_name': 'EBUSY'})
        self.assertEqual(lines[0]['full_scans_before'], 812)
        self.assertIsNone(lines[1]['error_name'])
        last = lines[-1]
        self.assertEqual(last['type'], 'summary')
        self.assertEqual(last['merges']['with_ksm_page'],
                         {'tried': 5, 'failed': 4})
        self.assertEqual([(at['name'], at['count'])
                          for at in last['failures']],
                         [('EFAULT', 2), ('EBUSY', 2), ('other', 1),
                          ('ESTALE', 1)])
        self.assertEqual(last['lost_events'], 270)
        self.assertEqual(last['strange_lines'], 0)
        self.assertEqual(last['run'], 1)

    def test_only_some_events(self):
        tree = self.host()
        self.done(tree.ksm(*SHORT, '-e', 'exit', '--event', 'ksm_enter'))
        self.assertEqual(set(tree.read(TRACING + 'log').split()),
                         {'ksm_exit', 'ksm_enter'})
        self.done(tree.ksm('trace', '-e', 'none'), 2, 'no event "none"')
        result = tree.ksm('trace', '-e', 'help')
        self.done(result)
        self.assertEqual(sorted(result.stdout.split()), sorted(EVENTS))

    def test_a_kernel_with_fewer_events(self):
        tree = self.host(events=EVENTS[1:3], lines='')
        self.done(tree.ksm(*SHORT))
        self.assertEqual(set(tree.read(TRACING + 'log').split()),
                         set(EVENTS[1:3]))
        self.done(tree.ksm(*SHORT, '-e', 'advisor'), 3, 'no events')
        self.assertEqual(self.instances(tree), [])

    def test_nothing_happens(self):
        tree = self.host(lines='')
        self.assertIn('No events of KSM.\nNext: wait longer',
                      tree.ksm(*SHORT).stdout)
        tree.set('run', 0)
        self.assertIn('Next: `ksm set run=1`; run is 0',
                      tree.ksm(*SHORT).stdout)

    def test_lines_nobody_understands(self):
        text = self.host(lines='what is this?\n').ksm(*SHORT).stdout
        self.assertIn('1 line was not understood', text)

    def test_every_way_out(self):
        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                    signal.SIGQUIT, signal.SIGALRM, signal.SIGUSR1):
            tree = self.host()
            process = tree.start('trace')
            process.stdout.readline()
            self.assertEqual(self.instances(tree), [f'ksm-{process.pid}'])
            process.send_signal(end)
            out, err = process.communicate(timeout=20)
            self.assertEqual((process.returncode, err), (0, ''), end)
            self.assertIn('why merges failed', out)
            self.assertEqual(self.instances(tree), [])

    def test_a_reader_who_goes_away(self):
        tree = self.host(lines=LINES * 500)
        process = tree.start('trace')
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(timeout=20), 0)
        self.assertEqual(process.stderr.read(), '')
        process.stderr.close()
        self.assertEqual(self.instances(tree), [])

    @unittest.skipUnless(os.path.exists('/dev/full'), 'no /dev/full')
    def test_a_full_disk(self):
        tree = self.host()
        with open('/dev/full', 'w', encoding='ascii') as full:
            result = subprocess.run(tree.command(*SHORT), stdout=full,
                                    stderr=subprocess.PIPE, text=True,
                                    check=False)
        self.done(result, 1, 'No space left')
        self.assertEqual(self.instances(tree), [])

    def test_killed_and_cleaned_up(self):
        tree = self.host()
        process = tree.start('trace')
        process.stdout.readline()
        process.kill()
        process.communicate()
        self.assertEqual(self.instances(tree), [f'ksm-{process.pid}'])
        result = tree.ksm(*SHORT)
        self.assertEqual(result.returncode, 0)
        self.assertIn('removed what 1 killed', result.stderr)
        self.assertEqual(self.instances(tree), [])

    def test_no_tracefs_or_no_events(self):
        tree = Case.host(self, 'ours')
        self.done(tree.ksm('trace'), 3, 'mount -t tracefs')
        tree.write(TRACING + 'events/sched/enable', '0\n')
        self.done(tree.ksm('trace'), 3, 'no events of KSM')

    @unittest.skipUnless(os.geteuid() == 0, 'needs root to be nobody')
    def test_not_root(self):
        tree = self.host()
        os.chmod(tree.root, 0o755)
        os.chmod(tree.path(TRACING), 0o700)
        program = tree.path('ksm')
        subprocess.run(['cp', host.KSM, program], check=True)
        result = subprocess.run([program, '--root', tree.root, 'trace'],
                                capture_output=True, text=True, check=False,
                                user=65534)
        self.done(result, 4, 'try as root')

    def test_wrong_usage(self):
        tree = self.host()
        for args in (('--for', 'x'), ('--summary=0',), ('more',), ('--nope',)):
            self.done(tree.ksm('trace', *args), 2, 'ksm trace --help')


if __name__ == '__main__':
    unittest.main()
