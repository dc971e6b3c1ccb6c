# SPDX-License-Identifier: GPL-2.0-only
"""A worker of a web application: a catalogue in memory, pages made of it.

The catalogue is read from the JSON file that is named; it becomes some hundred
thousand objects.  What is imported is what such a worker has loaded.
"""

# pylint: disable=unused-import
import argparse
import asyncio
import configparser
import csv
import datetime
import decimal
import email.message
import hashlib
import html
import http.client
import json
import logging
import os
import string
import sys
import urllib.parse
import xml.etree.ElementTree

from worker import serve

PAGE = string.Template(
    "<html><title>$name</title><h1>$name</h1><p>$text</p>$rows</html>")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def page(catalogue, number):
    item = catalogue[number * 7919 % len(catalogue)]
    rows = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(str(v))}"
                   "</td></tr>" for k, v in item["fields"].items())
    return PAGE.substitute(name=html.escape(item["name"]),
                           text=html.escape(item["text"]), rows=rows)


def digest(catalogue):
    text = json.dumps(catalogue, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()


def main():
    catalogue = load(sys.argv[1])
    if "--digest" in sys.argv:
        print(digest(catalogue))
        return
    serve(lambda n: hashlib.sha256(page(catalogue, n).encode()).hexdigest(),
          lambda: digest(catalogue))


main()
