# SPDX-License-Identifier: GPL-2.0-only
"""An inference worker: a network whose weights are read from a file.

The file is read into memory of the worker's own, as most frameworks do it; a
network of full layers gives an answer for each number.
"""

import hashlib
import sys

import numpy

from worker import serve

WIDTH = 1024


def load(path):
    return numpy.fromfile(path, dtype=numpy.float32).reshape(-1, WIDTH, WIDTH)


def infer(layers, number):
    state = numpy.sin(numpy.arange(WIDTH, dtype=numpy.float32) * (number + 1))
    for layer in layers:
        state = numpy.maximum(layer @ state, 0)
        state /= numpy.max(state) + numpy.float32(1e-6)
    return int(numpy.argmax(state))


def digest(layers):
    return hashlib.sha256(layers.tobytes()).hexdigest()


def main():
    layers = load(sys.argv[1])
    if "--digest" in sys.argv:
        print(digest(layers))
        return
    serve(lambda n: infer(layers, n), lambda: digest(layers))


main()
