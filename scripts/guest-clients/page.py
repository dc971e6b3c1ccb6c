# SPDX-License-Identifier: GPL-2.0-only
"""Ask a web server on this machine for its page, compare it with what it has
to be.

    page.py ROWS NAME [ID]...

ROWS articles, a row of its own with NAME, and NAME as the title of the articles
ID.  The expected page is not made from a database, so that nothing that KSM
could have spoiled is compared with itself.  Several requests at a time see to
it that more than one process of the server has something to do.
"""

import concurrent.futures
import hashlib
import sys
import urllib.request

URL = 'http://127.0.0.1/'
AT_A_TIME = 3


def article(number, name, changed):
    text = str(number).encode()
    title = name if number in changed else hashlib.md5(text).hexdigest()
    body = hashlib.sha256(text).hexdigest() * 24
    return f'{number}\t{title}\t{body}\n'


def expected(rows, name, changed):
    lines = [f'own\t{name}\n']
    lines += [article(i, name, changed) for i in range(1, rows + 1)]
    return lines


def fetch(_):
    with urllib.request.urlopen(URL, timeout=300) as answer:
        return answer.read().decode()


def difference(have, want):
    for have_line, want_line in zip(have, want):
        if have_line != want_line:
            return f'have: {have_line[:60]!r}\nwant: {want_line[:60]!r}'
    return f'{len(have)} lines, not {len(want)}'


def main():
    rows, name = int(sys.argv[1]), sys.argv[2]
    want = expected(rows, name, {int(number) for number in sys.argv[3:]})
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        for page in pool.map(fetch, range(AT_A_TIME)):
            have = page.splitlines(keepends=True)
            if have != want:
                sys.exit(difference(have, want))


main()
