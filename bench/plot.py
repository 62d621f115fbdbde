#!/usr/bin/env python3
"""Draws the plots of JOURNAL.md from results, as SVG that is readable on light and dark ground.

    plot.py growth RESULTS.tsv OUT.svg       cost of a datagram by sessions, a line per number of loops; of growth.sh
    plot.py ratios RESULTS.jsonl OUT.svg     processor time against C and the peers; of BENCH_RESULTS=... run.sh

A dot is the median of the rounds, the bar through it the least and the most.
"""

import csv
import json
import math
import statistics
import sys
from xml.sax.saxutils import escape

from ratios import by_round

STYLE = """
  .ground { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #1f2328 } .faint { fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1 } .even { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 4 3 }
  .line { fill: none; stroke-width: 2 } .bar { stroke-width: 2; opacity: .55 }
  .a { stroke: #0969da } .a.dot { fill: #0969da } .b { stroke: #bc4c00 } .b.dot { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #f0f6fc } .faint { fill: #9198a1 } .grid { stroke: #3d444d } .even { stroke: #9198a1 }
    .a { stroke: #4493f8 } .a.dot { fill: #4493f8 } .b { stroke: #f0883e } .b.dot { fill: #f0883e }
  }
"""
# What the peers' names stand for, and which of our servers each is measured against.
PEERS = {
    "router": ("c-batch", "c-epoll", "erlang"),
    "router-proxy": ("c-proxy", "nginx", "haproxy"),
}
CASES = {
    "100x8": "100 x 8", "1000x1": "1,000 x 1", "9000x1": "9,000 x 1", "10000x1": "10,000 x 1",
    "rate": "a connection", "bulk4": "a GB",
}


class Drawing:
    def __init__(self, width, height, title):
        self._size = (width, height)
        self._parts = [f"<title>{escape(title)}</title>", '<rect class="ground" width="100%" height="100%"/>']

    def text(self, x, y, text, anchor="start", style=""):
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, style):
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>')

    def path(self, points, style):
        self._parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" class="line {style}"/>')

    def dot(self, x, y, style):
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="{style} dot"/>')

    def save(self, path):
        width, height = self._size
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                       f'viewBox="0 0 {width} {height}">\n'
                       f"<style>{STYLE}</style>\n" + "\n".join(self._parts) + "\n</svg>\n")


def draw_growth(source, out):
    with open(source, encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file, delimiter="\t")]
    top = math.ceil(max(row["cpu_ns"] for row in rows) / 1000) * 1000
    left, right, head, foot = 70, 590, 50, 340
    sessions = sorted({row["sessions"] for row in rows})
    span = math.log10(sessions[-1]) - math.log10(sessions[0])

    def at(count, ns):
        return left + (math.log10(count) - math.log10(sessions[0])) / span * (right - left), foot - ns / top * (foot - head)

    drawing = Drawing(720, 400, "Processor time of a datagram by number of sessions")
    drawing.text(left, 24, "UDP echo, 64 bytes: ns of processor time a datagram")
    for ns in range(0, top + 1, 1000):
        _, y = at(sessions[0], ns)
        drawing.line(left, y, right, y, "grid")
        drawing.text(left - 10, y + 4, f"{ns:,}", "end", "faint")
    for count in sessions:
        drawing.text(at(count, 0)[0], foot + 22, f"{count:,.0f}", "middle", "faint")
    drawing.text((left + right) / 2, foot + 46, "sessions, all asked in turn, 512 datagrams in flight", "middle", "faint")
    for loops, style, aside in ((1, "a", -3), (2, "b", 3)):   # side by side, where they cost the same
        points = []
        for count in sessions:
            found = [row for row in rows if (row["loops"], row["sessions"]) == (loops, count)]
            if found:
                x, y = at(count, statistics.median(row["cpu_ns"] for row in found))
                least, most = (at(count, end(row["cpu_ns"] for row in found))[1] for end in (min, max))
                points.append((x + aside, y))
                drawing.line(x + aside, least, x + aside, most, f"bar {style}")
        drawing.path(points, style)
        for point in points:
            drawing.dot(*point, style)
        drawing.dot(right + 30, head + 24 * loops, style)
        drawing.text(right + 42, head + 24 * loops + 4, f"{loops} loop{'s' * (loops > 1)}")
    drawing.save(out)


def ratios_of(rows):
    """(label, the rounds' ratios) of whatever was measured, servers together."""
    cases = sorted({(row["proto"], row["case"]) for row in rows}, key=lambda key: (key[0] != "udp", list(CASES).index(key[1])))
    for proto, ours, kind in (("udp", "router", "echo"), ("udp", "router-proxy", "proxy"), ("tcp", "router", "echo"),
                              ("tcp", "router-proxy", "proxy")):
        for peer in PEERS[ours]:
            for case in (name for of, name in cases if of == proto):
                mine, theirs = (by_round(rows, proto, server, case, "srv_cpu_s_per_M") for server in (ours, peer))
                found = [mine[number] / theirs[number] for number in mine if number in theirs]
                if found:
                    yield f"{proto.upper()} {kind} / {peer}, {CASES[case]}", found


def draw_ratios(source, out):
    with open(source, encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["case"] in CASES]
    found = list(ratios_of(rows))
    if not found:
        sys.exit(f"{source}: nothing to compare in it")
    left, right, head, step = 250, 630, 66, 22
    foot = head + step * len(found)
    least, most = math.log2(0.125), math.log2(4)

    def at(ratio):
        return left + (min(max(math.log2(ratio), least), most) - least) / (most - least) * (right - left)

    drawing = Drawing(800, foot + 40, "Processor time against C and the peers")
    drawing.text(16, 24, "Processor time of the router over the peer's: a message, a connection, a GB")
    drawing.text(16, 44, "left of the dashed line the router takes less", style="faint")
    for ratio in (0.125, 0.25, 0.5, 1, 2, 4):
        drawing.line(at(ratio), head - 8, at(ratio), foot, "even" if ratio == 1 else "grid")
        drawing.text(at(ratio), foot + 20, f"{ratio:g}", "middle", "faint")
    for number, (label, ratios) in enumerate(found):
        y = head + step * number + 8
        style = "a" if "echo" in label else "b"
        median = statistics.median(ratios)
        drawing.text(left - 16, y + 4, label, "end")
        drawing.line(at(min(ratios)), y, at(max(ratios)), y, f"bar {style}")
        drawing.dot(at(median), y, style)
        drawing.text(right + 16, y + 4, f"{median:.2f}  ({min(ratios):.2f}..{max(ratios):.2f})", style="faint")
    drawing.save(out)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("growth", "ratios"):
        sys.exit(__doc__)
    {"growth": draw_growth, "ratios": draw_ratios}[sys.argv[1]](*sys.argv[2:])


main()
