# SPDX-License-Identifier: GPL-2.0-only
"""Run the command ksm on a copy of some host's /proc and /sys."""
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

KSM = os.path.join(os.environ['KSM_BIN'], 'ksm')
FIXTURES = os.environ['KSM_FIXTURES']
SYSFS = 'sys/kernel/mm/ksm/'


class Host:
    """A tree that was made of fixtures/NAME.txt"""

    def __init__(self, name):
        self.root = tempfile.mkdtemp(prefix='ksm-host.')
        self.stop = threading.Event()
        self.thread = None
        if name:
            self.unpack(os.path.join(FIXTURES, name + '.txt'))

    def unpack(self, path):
        target = None
        with open(path, encoding='ascii') as lines:
            for line in lines:
                if line.startswith('-- ') and line.endswith(' --\n'):
                    target = line[3:-4]
                    self.write(target, '')
                elif target:
                    self.write(target, line.replace('\\0', '\0'), 'a')

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text, mode='w'):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), mode, encoding='ascii') as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding='ascii') as file:
            return file.read().rstrip('\n')

    def sysfs(self, name):
        return self.read(SYSFS + name)

    def set(self, name, value):
        self.write(SYSFS + name, f'{value}\n')

    def live(self, step):
        """Call step() again and again, as a kernel works."""
        def loop():
            while not self.stop.wait(0.02):
                step()
        self.thread = threading.Thread(target=loop)
        self.thread.start()

    def scan(self):
        """Have ksmd scan."""
        pages = int(self.sysfs('pages_scanned'))

        def step():
            nonlocal pages
            pages += 10
            # in one piece, as the kernel does it
            self.write('tmp', f'{pages}\n')
            os.rename(self.path('tmp'), self.path(SYSFS + 'pages_scanned'))
        self.live(step)

    def command(self, *args):
        return [KSM, '--root', self.root, *args]

    def ksm(self, *args, **more):
        return subprocess.run(self.command(*args), capture_output=True,
                              timeout=60, check=False,
                              **{'text': True, **more})

    def start(self, *args, **more):
        return subprocess.Popen(self.command(*args), text=True,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **more)

    def close(self):
        self.stop.set()
        if self.thread:
            self.thread.join()
        shutil.rmtree(self.root, ignore_errors=True)


class Case(unittest.TestCase):
    def host(self, name):
        host = Host(name)
        self.addCleanup(host.close)
        return host

    def wait_for(self, what, seconds=20):
        """Wait until what() is true."""
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end, 'waited in vain')
            time.sleep(0.01)

    def done(self, result, code=0, err=''):
        """It ended with that code, and said that."""
        self.assertIn(err, result.stderr)
        self.assertEqual(result.returncode, code, result.stderr)
        if not code:
            self.assertEqual(result.stderr, '')
