# SPDX-License-Identifier: GPL-2.0-only
"""What the documents show is what the commands print."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from host import FIXTURES, Case

SOURCE = os.environ['KSM_SOURCE']
MAKE = os.path.join(os.environ['KSM_BIN'], 'make-top-host')
TOP = os.path.normpath(os.path.join(SOURCE, '../..'))
GUIDE = os.path.join(TOP, 'Documentation/admin-guide/mm/ksm-tools.rst')
README = os.path.join(TOP, 'README.md')


def text_of(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def indent_of(line):
    return len(line) - len(line.lstrip())


def block_after(lines, at):
    """The literal block that begins after the line @at, a comment"""
    depth = indent_of(lines[at])
    block = []
    while lines[at].strip() not in ('::', '```text'):
        at += 1
    for line in lines[at + 1:]:
        if line == '```' or (line and lines[at].endswith('::') and
                             indent_of(line) <= depth):
            break
        block.append(line)
    indent = min(indent_of(line) for line in block if line)
    return '\n'.join(line[indent:] for line in block).strip('\n')


def blocks(path, what):
    """Those that a comment announces, as (what the comment names, text)"""
    lines = [line.rstrip() for line in text_of(path).expandtabs(8).split('\n')]
    for at, line in enumerate(lines):
        found = re.fullmatch(rf'\s*(?:\.\.|<!--) {what} (\S+)(?: -->)?', line)
        if found:
            yield found[1], block_after(lines, at)


@unittest.skipUnless(os.path.exists(GUIDE), 'the tools alone')
class Documents(Case):
    def documents(self):
        # in a kernel tree there is no README of ours
        return [GUIDE, README] if os.path.exists(README) else [GUIDE]

    def test_frames_of_top(self):
        for path in self.documents():
            frames = list(blocks(path, 'frame'))
            self.assertEqual(len(frames), 1, path)
            for name, text in frames:
                frame = text_of(os.path.join(FIXTURES, 'top', name + '.txt'))
                self.assertEqual(re.sub(' +\n', '\n', frame).strip('\n'), text,
                                 path)

    def test_lines_of_status(self):
        root = tempfile.mkdtemp(prefix='ksm-documents.')
        self.addCleanup(shutil.rmtree, root)
        subprocess.run([MAKE, root], check=True)
        tree = self.host(None)
        shutil.copytree(os.path.join(root, 'now'), tree.root,
                        dirs_exist_ok=True)
        tree.scan()
        result = tree.ksm('status', '--interval', '500ms')
        self.done(result)
        for path in self.documents():
            examples = list(blocks(path, 'status-lines'))
            self.assertEqual(len(examples), 1, path)
            for line in examples[0][1].split('\n'):
                self.assertIn(line, result.stdout.split('\n'), path)
