# SPDX-License-Identifier: GPL-2.0-only
"""What the workers of ksm-workers share: ask and answer by lines."""

import sys


def serve(answer, digest):
    """answer(number) gives a word; digest() one for all the data there is."""
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "hash":
            print(int(words[1]) * 7919 % 2 ** 32, digest(), flush=True)
        else:
            print(words[0], answer(int(words[0])), flush=True)
