# SPDX-License-Identifier: GPL-2.0-only
"""Names of processes, units and hosts with anything in them"""
import json
import os
import subprocess
import unittest

from host import Case

FAST = ('-i', '100ms')


class Names(Case):
    """Users choose names; all else has to be right nevertheless."""

    def put(self, host, name, content):
        os.makedirs(os.path.dirname(host.path(name)), exist_ok=True)
        with open(host.path(name), 'wb') as file:
            file.write(content)

    def odd(self, name='ours'):
        host = self.host(name)
        if name == 'ours':
            host.scan()
        # a user may make such a control group, and run there
        self.put(host, 'proc/1200/cgroup',
                 b'0::/user.slice/\xff\x1b[2J\xc2\x9b"\\.scope\n')
        stat_line = host.read('proc/1200/stat').replace(
            'php-fpm (pool a)', 'evil').encode()
        self.put(host, 'proc/1200/stat',
                 stat_line.replace(b'evil', b'\x1b[2J\xc2\x9b\xff') + b'\n')
        self.put(host, 'proc/sys/kernel/hostname', b'kvm\xff\x1b\n')
        return host

    def run_bytes(self, host, *args, **more):
        return subprocess.run(host.command(*args), capture_output=True,
                              timeout=60, check=False, **more)

    def shown(self, host, *args, **more):
        result = self.run_bytes(host, *args, **more)
        self.assertEqual((result.returncode, result.stderr), (0, b''), args)
        text = result.stdout.decode('utf-8')
        for bad in '\x1b\x9b\x7f':
            self.assertNotIn(bad, text, args)
        return text

    def test_they_are_clean_everywhere(self):
        host = self.odd()
        for args in (('status', *FAST), ('top', '--once'),
                     ('metrics', *FAST, '--units'),
                     ('record', '--once', '--units'),
                     ('report', '-o', '-')):
            self.shown(host, *args)
        for args in (('explain', '1200'), ('explain', '--all')):
            self.assertIn('?[2J??', self.shown(self.odd('explain'), *args))

    def test_documents_are_whole(self):
        host = self.odd()
        status = json.loads(self.shown(host, 'status', *FAST, '--json'))
        self.assertEqual(status['host']['name'], 'kvm??')
        self.shown(host, 'record', '--once', '--units')
        report = json.loads(self.shown(host, 'report', '--json'))
        self.assertIn('??[2J?"\\.scope',
                      [unit['unit'] for unit in report['units']])
        self.assertIn('ksm_unit_processes{unit="??[2J?\\"\\\\.scope"} 1\n',
                      self.shown(host, 'metrics', *FAST, '--units'))

    def test_containers(self):
        host = self.host('explain')
        self.put(host, 'proc/1200/cgroup', b'0::/machine.slice/systemd-nspawn'
                 b'@my\\x2dshop.service/payload/system.slice/php.service\n')
        self.assertTrue(self.shown(host, 'explain', '1200').startswith(
            'php-fpm (pool a) (1200)  my-shop/php.service\n'))
        process = json.loads(self.shown(host, 'explain', '--json',
                                        '1200'))['process']
        self.assertEqual((process['container'], process['unit']),
                         ('my-shop', 'php.service'))
        self.assertIn(' my-shop/php.service ', self.shown(host, 'top', '--once'))
        # of one name, but not one
        for name in ('stat', 'statm', 'ksm_stat', 'smaps'):
            host.write(f'proc/1201/{name}', host.read(f'proc/1200/{name}') +
                       '\n')
        self.put(host, 'proc/1201/cgroup', b'0::/system.slice/php.service\n')
        text = self.shown(host, 'metrics', *FAST, '--units')
        for labels in ('container="my-shop",unit="php.service"',
                       'unit="php.service"'):
            self.assertIn(f'ksm_unit_processes{{{labels}}} 1\n', text)
        self.shown(host, 'record', '--once', '--units')
        report = json.loads(self.shown(host, 'report', '--json'))
        self.assertLessEqual({('my-shop', 'php.service'),
                              (None, 'php.service')},
                             {(unit['container'], unit['unit'])
                              for unit in report['units']})
        self.assertIn('my-shop/php.service',
                      self.shown(host, 'report', '-o', '-'))

    def test_other_encodings(self):
        host = self.host('explain')
        self.put(host, 'proc/1200/cgroup', b'0::/caf\xc3\xa9.service\n')
        text = self.run_bytes(host, 'explain', '1200', env=dict(
            os.environ, LC_ALL='C.UTF-8')).stdout.decode('utf-8')
        self.assertIn('  caf\u00e9.service\n', text)
        text = self.run_bytes(host, 'explain', '1200', env=dict(
            os.environ, LC_ALL='C')).stdout.decode('ascii')
        self.assertIn('  caf?.service\n', text)

    def test_long_names_of_hosts(self):
        host = self.host('ours')
        host.scan()
        host.write('proc/sys/kernel/hostname', 'h' * 64 + '\n')
        host.write('proc/sys/kernel/osrelease', '6' * 64 + '\n')
        line = self.shown(host, 'status', *FAST).splitlines()[0]
        self.assertEqual(len(line), 80)
        self.assertRegex(line, r'^h{64}.* \d\d \w\w\w \d\d:\d\d:\d\d$')


if __name__ == '__main__':
    unittest.main()
