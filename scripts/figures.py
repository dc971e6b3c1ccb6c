# SPDX-License-Identifier: GPL-2.0-only
"""What the scripts share that turn measurements into tables and charts."""

import json
import os
import shutil
import subprocess


def read_lines(path):
    """The JSON objects of a file, one in each line."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def print_table(rows, right):
    """Print rows of texts; the columns of which the numbers are in right end
    at the right."""
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for line in rows:
        print("  ".join(
            text.rjust(width) if i in right else text.ljust(width)
            for i, (text, width) in enumerate(zip(line, widths))).rstrip())


def rst_table(rows):
    """The lines of a table of reStructuredText; the first row is its head."""
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    ruler = "  ".join("=" * width for width in widths)
    lines = ["  ".join(text.ljust(width)
                       for text, width in zip(r, widths)).rstrip()
             for r in rows]
    return [ruler, lines[0], ruler, *lines[1:], ruler]


def write_data(path, curves):
    """One block of lines for each curve, as gnuplot's "index" counts them."""
    with open(path, "w", encoding="utf-8") as file:
        for title, points in curves:
            file.write(f'"{title}"\n')
            file.writelines(f"{x} {y}\n" for x, y in points)
            file.write("\n\n")


def chart(directory, name, curves, commands):
    if not all(points for _, points in curves):
        return
    data = os.path.join(directory, name + ".dat")
    write_data(data, curves)
    if not shutil.which("gnuplot"):
        print(f"no gnuplot: {data} has the figures for a chart"
              " (apt-get install gnuplot-nox)")
        return
    svg = os.path.join(directory, name + ".svg")
    script = ["set terminal svg size 760,420 dynamic background 'white'",
              f"set output '{svg}'", "set grid", *commands,
              "plot " + ", ".join(
                  f"'{data}' index {i} using 1:2 with linespoints "
                  f"linewidth 2 pointtype 7 pointsize 0.3 title '{title}'"
                  for i, (title, _) in enumerate(curves))]
    subprocess.run(["gnuplot"], input="\n".join(script), text=True, check=True)
    print(f"chart: {svg}")


def replace_figures(path, begin, end, lines):
    """Replace what is between the lines "begin" and "end"."""
    with open(path, encoding="utf-8") as file:
        old = file.read().splitlines()
    first, last = old.index(begin), old.index(end)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(old[:first + 1] + [""] + lines + [""] +
                             old[last:]) + "\n")
    print(f"figures: {path}")


def copy_chart(chart_path, copy):
    """The XML declaration has to be first, the licence comes next.

    gnuplot leaves blanks at ends of lines, which no patch should have."""
    with open(chart_path, encoding="utf-8") as file:
        declaration, rest = "".join(
            line.rstrip() + "\n" for line in file).split("\n", 1)
    with open(copy, "w", encoding="utf-8") as file:
        file.write(declaration + "\n<!-- SPDX-License-Identifier: "
                   "GPL-2.0-only -->\n" + rest)
    print(f"chart: {copy}")
