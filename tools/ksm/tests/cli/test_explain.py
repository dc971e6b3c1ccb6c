# SPDX-License-Identifier: GPL-2.0-only
"""ksm explain"""
import json
import os
import subprocess
import unittest

import jsonschema

from host import Case

SCHEMA = os.path.join(os.environ['KSM_SOURCE'], 'schema/ksm-explain-1.json')
NOBODY = 65534


def schema():
    with open(SCHEMA, encoding='ascii') as file:
        return json.load(file)


class Explain(Case):
    def explain(self, *args, host=None):
        self.tree = host or self.host('explain')
        return self.tree.ksm('explain', *args)

    def json(self, *args, host=None):
        result = self.explain('--json', *args, host=host)
        self.done(result)
        document = json.loads(result.stdout)
        jsonschema.validate(document, schema())
        return document

    def guest(self, host, pid):
        host.write(f'proc/{pid}/fd/0', '')
        os.symlink('anon_inode:kvm-vm', host.path(f'proc/{pid}/fd/9'))

    def fits(self, text):
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, line)


class Text(Explain):
    def test_all_processes_fit(self):
        for pid in (1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800):
            result = self.explain(str(pid))
            self.done(result)
            self.fits(result.stdout)
            self.assertIn('What to do\n  - ', result.stdout)

    def test_table(self):
        result = self.explain('1200')
        self.done(result)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[0],
                         'php-fpm (pool a) (1200)  php8.2-fpm.service')
        self.assertEqual(lines[1], 'registered 68.4 MiB, tracked 20,000 pages, '
                         'merged 9,000, zero 0, profit 35.0 MiB')
        self.assertIn('7f1000000000 [anon:opcache]     39.1 MiB 39.1 MiB '
                      '34.6 MiB  can    MERGED', lines)
        self.assertIn('000000400000 php-fpm8.2         2.00 MiB 1.95 MiB      '
                      '0 B  no     FILE_CLEAN', lines)
        self.assertIn('ffffffffff600000 [vsyscall]     4.00 KiB      0 B      '
                      '0 B  never  DEVICE', lines)
        self.assertIn('MERGED                2 68.4 MiB  equal pages were '
                      'found and merged', lines)

    def test_raw_figures(self):
        for option in ('--raw', '-r'):
            result = self.explain(option, '1200')
            self.done(result)
            self.assertIn('tracked 20000 pages, merged 9000', result.stdout)
            self.assertRegex(result.stdout, r'\n7f1000000000 \[anon:opcache\] +'
                             r'40960000 40960000 +36249600  can    MERGED\n')
        result = self.explain('--all', '--raw')
        self.assertRegex(result.stdout, r'\n   1300 \S+ +\d{7,} ')

    def test_long_names_are_cut(self):
        host = self.host('explain')
        smaps = host.read('proc/1300/smaps').replace(
            '[stack]', '/srv/' + 'very-' * 20 + 'long\\012name', 1)
        host.write('proc/1300/smaps', smaps + '\n')
        result = self.explain('1300', host=host)
        self.done(result)
        self.assertIn('7ff700000000 very-very-very-ver  132 KiB', result.stdout)
        self.fits(result.stdout)

    def test_names_are_not_obeyed(self):
        host = self.host('explain')
        host.write('proc/1300/stat', host.read('proc/1300/stat').replace(
            'late', '\x1b[2J') + '\n')
        result = self.explain('1300', host=host)
        self.assertTrue(result.stdout.startswith('?[2J (1300)'))
        self.assertNotIn('\x1b', result.stdout)
        self.assertNotIn('\x1b', self.explain('--all', host=host).stdout)

    def test_figures_that_are_missing(self):
        host = self.host('explain')
        smaps = ''.join(line + '\n' for line in
                        host.read('proc/1300/smaps').splitlines()
                        if not line.startswith('KSM:'))
        host.write('proc/1300/smaps', smaps)
        result = self.explain('1300', host=host)
        self.done(result)
        self.assertIn('19.5 MiB        -  can', result.stdout)
        document = self.json('1300', host=host)
        self.assertIsNone(document['mappings'][0]['ksm_bytes'])


    def test_kernels_without_ksm_stat(self):
        host = self.host('explain')
        os.unlink(host.path('proc/1200/ksm_stat'))
        result = self.explain('1200', host=host)
        self.done(result)
        self.fits(result.stdout)
        self.assertIn('registered 68.4 MiB, tracked - pages, merged -, zero -,'
                      ' profit -\n', result.stdout)
        self.assertIn('34.6 MiB  can    MERGED', result.stdout)
        self.assertIsNone(self.json('1200', host=host)['process']
                          ['profit_bytes'])
        self.done(self.explain('--advise', '1200', host=host))
        self.done(self.explain('99', host=host), 1, 'there is no process 99')


class Lists(Explain):
    def test_all(self):
        host = self.host('explain')
        self.guest(host, 1000)
        result = self.explain('--all', host=host)
        self.done(result)
        self.fits(result.stdout)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[1], '   1000 qemu-system-x86  3.82 GiB      0 B '
                         '      0 B  SHARED_MEMFD  100 % *')
        self.assertEqual([int(line[:7]) for line in lines[1:10]],
                         [1000, 1100, 1500, 1200, 1300, 1700, 1400, 1600, 1800])
        self.assertIn('* a guest that takes no part in KSM', lines)

    def test_progress_on_a_terminal(self):
        host = self.host('explain')
        main, other = os.openpty()
        with os.fdopen(main, 'rb') as screen:
            subprocess.run(host.command('explain', '--all'), check=True,
                           stdout=subprocess.DEVNULL, stderr=other,
                           timeout=60)
            os.close(other)
            shown = os.read(screen.fileno(), 65536).decode()
        parts = shown.split('\r\x1b[K')
        self.assertIn('reading the mappings of process 1 of 8', parts)
        self.assertIn('reading the mappings of process 8 of 8', parts)
        # nothing is left of it
        self.assertEqual(parts[-1], '')

    def test_others_take_no_part(self):
        self.assertNotIn('1000', self.explain('--all').stdout)

    def test_idle(self):
        host = self.host('explain')
        self.guest(host, 1000)
        result = self.explain('--idle', host=host)
        self.done(result)
        self.fits(result.stdout)
        lines = result.stdout.splitlines()
        self.assertEqual([int(line[:7]) for line in lines
                          if line[:7].strip().isdigit()],
                         [1000, 1100, 1500, 1300, 1700, 1400, 1600])
        self.assertIn('        3.81 GiB of guest RAM is shared memory (memfd): '
                      'it never merges. Start', lines)

    def test_json(self):
        document = self.json('--all')
        self.assertEqual(document['unreadable_processes'], 0)
        processes = {process['pid']: process
                     for process in document['processes']}
        self.assertEqual(len(processes), 8)
        self.assertEqual(processes[1400]['main_reason'], 'HUGETLB')
        self.assertEqual(processes[1200]['unit'], 'php8.2-fpm.service')
        self.assertIsNone(processes[1300]['unit'])
        self.assertEqual(processes[1200]['profit_bytes'], 36700000)

    def test_nobody(self):
        host = self.host('explain')
        for pid in (1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800):
            os.unlink(host.path(f'proc/{pid}/ksm_stat'))
        result = self.explain('--all', host=host)
        self.done(result)
        self.assertEqual(result.stdout, 'No process takes part in KSM.\n')
        result = self.explain('--idle', host=host)
        self.assertEqual(result.stdout,
                         'No process that takes part gains nothing.\n')


class Json(Explain):
    def test_mappings(self):
        document = self.json('1200')
        mapping = document['mappings'][3]
        self.assertEqual(mapping['start'], '0x7f1000000000')
        self.assertEqual(mapping['end'], '0x7f1002710000')
        self.assertEqual(mapping['name'], '[anon:opcache]')
        self.assertEqual(mapping['ksm_bytes'], 35400 << 10)
        self.assertEqual((mapping['merge'], mapping['reason'],
                          mapping['inferred']), ('can', 'MERGED', False))
        self.assertIsNone(mapping['sample'])
        self.assertIsNone(document['sample'])
        self.assertIsNone(document['mappings'][1]['reason'])
        self.assertEqual(document['process']['ksm_bytes'], 36000 << 10)
        self.assertEqual(sum(total['mappings'] for total in
                             document['totals']), len(document['mappings']))

    def test_inferred_is_apart(self):
        mapping = self.json('1800')['mappings'][0]
        self.assertEqual((mapping['reason'], mapping['inferred']),
                         ('ZERO_PAGES', True))

    def test_names_that_are_no_utf8(self):
        host = self.host('explain')
        with open(host.path('proc/1300/smaps'), 'rb') as file:
            smaps = file.read().replace(b'[stack]', b'/srv/\xff\xfe')
        with open(host.path('proc/1300/smaps'), 'wb') as file:
            file.write(smaps)
        document = self.json('1300', host=host)
        self.assertEqual(document['mappings'][1]['name'], '/srv/??')


class Advise(Explain):
    def test_text(self):
        result = self.explain('--advise', '1200')
        self.done(result)
        self.fits(result.stdout)
        lines = result.stdout.splitlines()
        self.assertIn('7f1000000000 [anon:opcache]              39.1 MiB '
                      '34.6 MiB     88 %  register', lines)
        self.assertIn('560000000000 [heap]                      29.3 MiB  '
                      '600 KiB    2.0 %  leave out', lines)
        text = ' '.join(lines)
        self.assertIn('for 1 of 3 mappings: that keeps 98 % of what merges '
                      '(34.6 MiB), and ksmd has to watch 57 % of the memory',
                      text)
        self.assertNotIn('! ', text)

    def test_json(self):
        document = self.json('--advise', '1200')
        self.assertEqual([mapping['register'] for mapping in
                          document['mappings']], [True, False, False])
        self.assertAlmostEqual(document['mappings'][0]['merged_ratio'], 0.885)
        self.assertIsNone(document['doubt'])
        self.assertEqual(document['register_merged_bytes'], 35400 << 10)

    def test_too_soon(self):
        self.assertIn('! Too soon:', self.explain('--advise', '1300').stdout)
        self.assertIn('Too soon', self.json('--advise', '1300')['doubt'])

    def test_no_trial_of_all(self):
        result = self.explain('--advise', '1100')
        self.done(result)
        self.assertIn('! This is no trial of the whole process', result.stdout)
        self.assertIn('Nothing here is worth registering.', result.stdout)

    def test_nothing_registered(self):
        self.done(self.explain('--advise', '1000'), 1,
                  'start it with `ksm run -- COMMAND`')


class Errors(Explain):
    def test_usage(self):
        for args, says in (((), 'which process?'),
                           (('1', '2'), 'one PID at a time'),
                           (('x',), '"x" is no PID'),
                           (('0',), '"0" is no PID'),
                           (('-1',), 'invalid option'),
                           (('99999999999',), 'is no PID'),
                           (('--all', '1'), 'take no PID'),
                           (('--all', '--idle'), 'not both'),
                           (('--all', '--sample'), 'for one process'),
                           (('--idle', '--advise'), 'for one process'),
                           (('--advise', '--sample', '1'), 'not both'),
                           (('--sample=x', '1'), '"x" is no size'),
                           (('--sample=0', '1'), '"0" is no size'),
                           (('--sample=5Q', '1'), '"5Q" is no size'),
                           (('--sample=9999999999G', '1'), 'is no size'),
                           (('--wrong',), 'unrecognized option')):
            result = self.explain(*args)
            self.done(result, 2, says)
            self.assertIn('Try: ksm explain --help', result.stderr)
            self.assertEqual(result.stdout, '')

    def test_help(self):
        result = self.explain('--help')
        self.done(result)
        self.fits(result.stdout)

    def test_no_such_process(self):
        self.done(self.explain('4711'), 1, 'there is no process 4711')

    def test_no_memory(self):
        self.done(self.explain('2'), 1, 'it is a thread of the kernel')

    def test_no_ksm(self):
        host = self.host('no-ksm')
        self.done(self.explain('1', host=host), 3, 'this kernel has no KSM')
        self.done(self.explain('--all', host=host), 3, 'has no KSM')


@unittest.skipIf(os.geteuid(), 'root makes what others may not read')
class Permissions(Explain):
    def unreadable(self, *names):
        host = self.host('explain')
        os.chmod(host.root, 0o755)
        for name in names:
            os.chmod(host.path(name), 0)
        return host

    def as_nobody(self, host, *args):
        return host.ksm('explain', *args, user=NOBODY, group=NOBODY,
                        extra_groups=[])

    def test_not_yours(self):
        host = self.unreadable('proc/1200/ksm_stat', 'proc/1300/smaps')
        for pid in ('1200', '1300'):
            self.done(self.as_nobody(host, pid), 4, 'is not yours')

    def test_the_others_are_listed(self):
        host = self.unreadable('proc/1200/ksm_stat', 'proc/1300/smaps')
        result = self.as_nobody(host, '--all')
        self.done(result, 5, '2 processes could not be read')
        self.assertIn('1400 qemu', result.stdout)
        self.assertNotIn('1200', result.stdout)
        result = self.as_nobody(host, '--all', '--json')
        self.done(result, 5)
        self.assertEqual(json.loads(result.stdout)['unreadable_processes'], 2)
        host = self.unreadable('proc/1200/ksm_stat')
        self.done(self.as_nobody(host, '--all'), 5,
                  '1 process could not be read; run this as root to have it')

    def test_memory_that_must_not_be_read(self):
        host = self.host('explain')
        os.chmod(host.root, 0o755)
        for name in ('mem', 'pagemap'):
            host.write(f'proc/1300/{name}', '')
        os.chmod(host.path('proc/1300/mem'), 0)
        result = self.as_nobody(host, '--sample', '1300')
        self.done(result, 4, 'without --sample')
        self.assertEqual(result.stdout, '')


@unittest.skipIf(not os.path.exists('/sys/kernel/mm/ksm'), 'no KSM here')
class Sample(unittest.TestCase):
    """The memory of this very process: the root is the real one."""

    def test_nothing_registered(self):
        import subprocess
        from host import KSM
        result = subprocess.run([KSM, 'explain', '--sample', str(os.getpid())],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('nothing was sampled', result.stderr)
        self.assertIn('NOT_OPTED_IN', result.stdout)


if __name__ == '__main__':
    unittest.main()
