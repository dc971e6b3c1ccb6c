# SPDX-License-Identifier: GPL-2.0-only
"""ksm report"""
import html.parser
import json
import os
import re
import subprocess
import unittest

import jsonschema

from host import Case

SOURCE = os.environ['KSM_SOURCE']
MAKE = os.path.join(os.environ['KSM_BIN'], 'make-report-host')
SAMPLES = 'var/lib/ksm/samples/'
DAYS = (SAMPLES + '2026-11-29.jsonl', SAMPLES + '2026-11-30.jsonl')
UNITS = tuple(day.replace('.jsonl', '.units.jsonl') for day in DAYS)
SPAN = ('report', '--since', '2026-11-29 15:40Z', '--until',
        '2026-11-30 15:40Z')
UTC = dict(os.environ, TZ='UTC')
# those that have no end tag
VOID = {'meta', 'br', 'hr', 'img', 'link', 'input'}


def schema(name):
    path = os.path.join(SOURCE, 'schema', name)
    with open(path, encoding='ascii') as file:
        return json.load(file)


class Page(html.parser.HTMLParser):
    """What is in a page, and whether its tags fit together"""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.tags, self.bad = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] != 'style':
            self.texts.append(data)

    def text(self):
        return ' '.join(''.join(self.texts).split())

    def all(self, tag, **attrs):
        return [found for name, found in self.tags if name == tag and
                all(found.get(key.rstrip('_')) == value
                    for key, value in attrs.items())]


class Report(Case):
    def setUp(self):
        self.tree = self.host(None)
        subprocess.run([MAKE, self.tree.root], check=True)

    def report(self, *args, code=0, err='', span=SPAN):
        result = self.tree.ksm(*span, *args, env=UTC)
        self.done(result, code, err)
        return result.stdout

    def json(self, *args):
        data = json.loads(self.report('--json', *args))
        jsonschema.validate(data, schema('ksm-report-1.json'))
        jsonschema.validate(data['end'], schema('ksm-status-1.json'))
        return data

    def edit(self, change):
        """Have change() change each sample."""
        for day in DAYS:
            lines = []
            for line in self.tree.read(day).splitlines():
                sample = json.loads(line)
                change(sample)
                lines.append(json.dumps(sample) + '\n')
            self.tree.write(day, ''.join(lines))

    def test_a_page(self):
        text = self.report()
        page = Page(text)
        self.assertEqual((page.open, page.bad), ([], []))
        self.assertNotIn('{{', text)
        self.assertEqual(len(page.all('figure')), 5)
        self.assertEqual(len(page.all('path', class_='area s1')), 4)
        self.assertEqual(len(page.all('path', class_='line s1')), 1)
        for words in ('KSM on kvm12', '1,415 samples, one each 60 s',
                      'EFFECTIVE', 'UNMERGE_SHORT', 'Add 3.80 GiB of swap',
                      'COW_STORM', '33.6 GiB', '7.9 % of one CPU on average',
                      'pages_to_scan was set from 5000 to 1000',
                      'no samples were taken; the last one before is of 30 Nov '
                      '09:09', '22.6 GiB available + 7.20 GiB swap free: '
                      '3.80 GiB short'):
            self.assertIn(words, page.text())
        self.assertEqual(len(page.all('rect', class_='strip WASTE')), 1)

    def test_nothing_comes_from_elsewhere(self):
        text = self.report()
        for words in ('http:', 'https:', '//', 'url(', '@import', '<script',
                      'src=', 'href='):
            self.assertNotIn(words, text)
        self.assertIn("default-src 'none'", text)

    def test_light_dark_and_paper(self):
        text = self.report()
        self.assertIn('(prefers-color-scheme: dark)', text)
        self.assertIn('@media print', text)
        names = set(re.findall(r'var\((--[a-z0-9]+)\)', text))
        for name in names - {'--state', '--c'}:
            self.assertGreaterEqual(text.count(name + ':'), 2, name)

    def test_paths_are_in_the_picture(self):
        for tag, attrs in Page(self.report()).tags:
            if tag != 'path':
                continue
            self.assertRegex(attrs['d'], r'^([MLZ ]|\d+ \d+\.\d)*$')
            for x, y in re.findall(r'(\d+) (\d+\.\d)', attrs['d']):
                self.assertTrue(76 <= int(x) <= 850 and
                                8 <= float(y) <= 166, (x, y))

    def test_names_are_escaped(self):
        def change(sample):
            sample['hostname'] = '<script>"&\''
        self.edit(change)
        text = self.report()
        self.assertNotIn('<script', text)
        self.assertIn('KSM on &lt;script&gt;&quot;&amp;&#39;', text)

    def test_json(self):
        data = self.json()
        self.assertEqual(data['samples'], 1415)
        self.assertEqual([at['reason'] for at in data['verdicts']],
                         ['STOPPED', 'NO_MEMBERS', 'FIRST_SCAN', 'GROWING',
                          'SAVING_STEADY', 'COW_STORM', 'GROWING',
                          'SAVING_STEADY', 'SAVING_STEADY'])
        self.assertEqual([at.get('knob', at['kind'])
                          for at in data['changes']],
                         ['run', 'pages_to_scan', 'pages_to_scan', 'gap'])
        for name, column in data['series'].items():
            self.assertEqual(len(column), 1415, name)
        samples = [json.loads(line) for day in DAYS
                   for line in self.tree.read(day).splitlines()]
        self.assertEqual(data['series']['sharing_pages'],
                         [at['counters']['pages_sharing'] for at in samples])
        first, last = samples[0]['host'], samples[-1]['host']
        self.assertAlmostEqual(data['totals']['cow'],
                               last['cow_ksm'] - first['cow_ksm'], 0)
        self.assertAlmostEqual(data['totals']['ksmd_cpu_seconds'],
                               (last['ksmd_cpu_ns'] -
                                first['ksmd_cpu_ns']) / 1e9, 3)

    def test_the_schema_can_fail_and_lists_every_member(self):
        data = self.json()
        rules = schema('ksm-report-1.json')
        self.assertEqual(set(data), set(rules['properties']))
        for name in ('totals', 'series'):
            self.assertEqual(set(data[name]),
                             set(rules['properties'][name]['properties']))
        data['totals']['cow'] = 'many'
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(data, rules)

    def units(self):
        """All that was kept, line by line"""
        return [json.loads(line) for day in UNITS
                for line in self.tree.read(day).splitlines()]

    def test_units(self):
        lines = self.units()
        data = {unit['unit']: unit for unit in self.json()['units']}
        self.assertEqual(set(data), {name for line in lines
                                     for name in line['units']})
        last = lines[-1]['units']
        for name in last:
            for key in ('processes', 'tracked_bytes', 'merged_bytes',
                        'zero_bytes', 'profit_bytes'):
                self.assertEqual(data[name][key], last[name][key])
            have = [line['units'][name] for line in lines
                    if name in line['units']]
            self.assertEqual(data[name]['cow'],
                             have[-1]['cow'] - have[0]['cow'])
            self.assertAlmostEqual(
                data[name]['profit_mean_bytes'],
                sum(at['profit_bytes'] for at in have) / len(have), 0)
        self.assertEqual(set(data) - set(last), {'php8.2-fpm.service'})
        gains = [unit['profit_bytes'] for unit in self.json()['units']]
        self.assertEqual(gains, sorted(gains, reverse=True))

    def test_a_table_of_units(self):
        page = Page(self.report())
        first = self.json()['units'][0]
        name = first['unit'].replace('\\x2d', '-')
        gain = first['profit_bytes'] / 2 ** 30
        self.assertRegex(page.text(), rf'Copies {name}1\d\.\d\d GiB.*'
                         f'{gain:.2f} GiB{first["cow"]:,}')
        self.assertIn('php8.2-fpm.service until 30 Nov 01:49', page.text())
        self.assertEqual(len(page.all('td', class_='name')), 24)
        self.assertRegex(page.text(), r' 17 more gain \d+\.\d+ [GM]iB in all')

    def test_names_of_units_are_escaped(self):
        text = self.tree.read(UNITS[1]).replace('php8.2-fpm', '<b>&')
        self.tree.write(UNITS[1], text)
        self.assertIn('&lt;b&gt;&amp;.service', self.report())

    def test_no_units(self):
        for day in UNITS:
            os.unlink(self.tree.path(day))
        self.assertIsNone(self.json()['units'])
        page = Page(self.report())
        self.assertIn('ksm record --units keeps sums', page.text())
        self.assertEqual(page.all('td', class_='name'), [])

    @unittest.skipUnless(os.geteuid() == 0, 'needs root to be nobody')
    def test_units_are_for_root(self):
        program = self.tree.path('ksm')
        os.chmod(self.tree.root, 0o755)
        subprocess.run(['cp', self.tree.command()[0], program], check=True)
        result = subprocess.run([program, '--root', self.tree.root, *SPAN],
                                capture_output=True, text=True, check=False,
                                user=65534)
        self.done(result)
        page = Page(result.stdout)
        self.assertIn('only root may read them', page.text())
        self.assertNotIn('php8.2', page.text())

    def test_damaged_units(self):
        self.tree.write(UNITS[0], 'garbage\n', 'a')
        result = self.tree.ksm(*SPAN, env=UTC)
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r'damaged lines .*: 1, .* '
                         r'2026-11-29.units.jsonl:\d+:')

    def test_part_of_it(self):
        data = self.json('--since', '2026-11-30 00:00Z', '--until',
                         '2026-11-30T01:00:00Z')
        self.assertEqual(data['samples'], 61)
        self.assertEqual(len(data['verdicts']), 1)
        args = ('report', '--json', '--until', '2026-11-30 01:00', '--last',
                '30min')
        data = json.loads(self.report(*args[1:], span=args[:1]))
        self.assertEqual(data['samples'], 31)
        self.assertEqual(data['since'], '2026-11-30T00:30:00Z')

    def test_a_sample_alone(self):
        page = Page(self.report('--since', '2026-11-30 15:40Z', '--until',
                                '2026-11-30 15:41Z'))
        self.assertEqual((page.open, page.bad), ([], []))
        self.assertIn('There is only one sample', page.text())

    def test_a_stock_kernel(self):
        def change(sample):
            for name in ('scan_pages', 'last_scan_millisecs', 'thp_split',
                         'thp_kept', 'ksm_zero_pages'):
                del sample['counters'][name]
            del sample['host']['cow_ksm']
            sample['host']['by_keys'] = 0
        self.edit(change)
        text = Page(self.report()).text()
        self.assertIn('Copies on write-- on average, - at most, at -', text)
        self.assertIn('zero pages -, most -', text)
        self.assertNotIn('nan', text)
        self.assertIsNone(self.json()['totals']['cow'])

    def test_what_is_not_known_is_a_gap(self):
        def pieces():
            page = Page(self.report())
            return page.all('path', class_='line s1')[0]['d'].count('M')

        def change(sample):
            if 1796000000000 <= sample['time_ms'] < 1796003600000:
                del sample['host']['cow_ksm']
        self.assertEqual(pieces(), 2)
        self.edit(change)
        self.assertEqual(pieces(), 3)

    def test_a_loss(self):
        def change(sample):
            sample['counters']['general_profit'] = -5 << 30
        self.edit(change)
        page = Page(self.report())
        self.assertIn('-6 GiB', page.text())
        self.assertIn('COST_OVER_GAIN', page.text())

    def test_a_file_at_one_stroke(self):
        path = self.tree.path('report.html')
        self.assertEqual(self.report('-o', path), '')
        # there are names in it
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        for day in UNITS:
            os.unlink(self.tree.path(day))
        self.assertEqual(self.report('-o', path), '')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
        self.assertTrue(self.tree.read('report.html').endswith('</html>'))
        inode = os.stat(path).st_ino
        self.report('-o', path)
        self.assertNotEqual(os.stat(path).st_ino, inode)
        self.report('-o', self.tree.path('none/x.html'), code=1,
                    err='No such file')
        self.assertEqual([name for name in os.listdir(self.tree.root)
                          if name.startswith('report.html.')], [])

    @unittest.skipUnless(os.path.exists('/dev/full'), 'no /dev/full')
    def test_a_full_disk(self):
        with open('/dev/full', 'w', encoding='ascii') as full:
            result = subprocess.run(self.tree.command(*SPAN), stdout=full,
                                    stderr=subprocess.PIPE, text=True,
                                    check=False)
        self.done(result, 1, 'No space left')

    def test_torn_files(self):
        text = self.tree.read(DAYS[1])
        self.tree.write(DAYS[1], text[:len(text) // 2])
        result = self.tree.ksm(*SPAN, env=UTC)
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr, r'damaged lines .*: 1, .* '
                         r'2026-11-30.jsonl:4\d\d:')
        self.assertIn('damaged lines of samples that are left out: 1',
                      Page(result.stdout).text())

    def test_nothing_but_damage(self):
        for day in DAYS:
            self.tree.write(day, 'garbage\n\n')
        self.report(code=1, err='all 4 lines are damaged, the first of them '
                    '2026-11-29.jsonl:1')

    def test_empty_files_or_none(self):
        for day in DAYS:
            self.tree.write(day, '')
        self.report(code=1, err='systemctl enable --now ksm-record')
        self.report('--dir', '/nowhere', code=1, err='/nowhere: there are no '
                    'samples')

    def test_samples_of_another_time(self):
        self.report('--since', '2025-01-01', '--until', '2025-01-02',
                    code=1, err='no samples from 2025-01-01 00:00 to '
                    '2025-01-02 00:00\nksm: there are 1415, from 2026-11-29 '
                    '15:40 to 2026-11-30 15:40: try --since')

    @unittest.skipUnless(os.geteuid() == 0, 'needs root to be nobody')
    def test_files_nobody_may_read(self):
        os.chmod(self.tree.root, 0o755)
        for day in DAYS:
            os.chmod(self.tree.path(day), 0o600)
        program = self.tree.path('ksm')
        subprocess.run(['cp', self.tree.command()[0], program], check=True)
        result = subprocess.run([program, '--root', self.tree.root, *SPAN],
                                capture_output=True, text=True, check=False,
                                user=65534)
        self.done(result, 4, 'Permission denied')

    def test_wrong_usage(self):
        for args in (('--last', 'x'), ('--since', 'when'), ('more',),
                     ('--until', '2026-13-01'), ('--nope',),
                     ('--last', '1h', '--since', '10:00'),
                     ('--since', '2026-01-02', '--until', '2026-01-01')):
            result = self.tree.ksm('report', *args)
            self.done(result, 2, 'ksm report --help')


if __name__ == '__main__':
    unittest.main()
