"""What metrics cost the router: see scrape.sh.

    scrape.py UDPLOAD ROUTER.DLL CONF ROUNDS

Two routers on processor 0, the load and the scraper on processor 1. Each router has 100,000 sessions, and of 1,000 more come
20,000 datagrams a second in an open loop: a datagram's time counts from when it was due. One router is scraped once a second
while it is measured; the other never was, so that it collects nothing and times no turns. They take turns, and the ratio is of
the same round; the one that is not scraped is measured twice in each round, which tells what a ratio cannot tell from noise.
Ends with 1 if the p99 moves by 10 % or more.
"""

import os
import statistics
import sys
import threading
import time
import urllib.request

from router_process import Router, load

PORTS = {"without": 27381, "with": 27382}
ADMIN = {"without": 27391, "with": 27392}
SESSIONS = 100_000
ASKING = 1_000
RATE = 20_000
SECONDS = 2
SCRAPES = 30
ALLOCATED, RECEIVED = "dotnet_gc_heap_total_allocated_bytes_total", "router_payloads_total"


def fetch(name):
    with urllib.request.urlopen(f"http://127.0.0.1:{ADMIN[name]}/metrics") as reply:
        return reply.read().decode()


def figure(page, metric):
    """The sum of a metric's series."""
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines()
               if line.startswith((metric + "{", metric + " ")))


def warm_up(router, port):
    load(port, "-m", "addr", "-s", "100", "-w", "8", "-f", "512", "-d", "3", "-W", "0.5", "-c", "1")   # compiled
    while router.stats()["sessions"] < SESSIONS:
        load(port, "-m", "addr", "-s", str(SESSIONS), "-w", "1", "-f", "512", "-d", "3", "-W", "0", "-c", "1")


def measure(router, name, rate=("-r", str(RATE)), seconds=SECONDS):
    return load(PORTS[name], "-m", "addr", "-s", str(ASKING), *rate, "-d", str(seconds), "-W", "0.3", "-c", "1",
                "-P", str(router.pid))


def measure_scraped(router, name, **options):
    """The same with a scrape a second, the first after half a second."""
    end = threading.Event()

    def scrape():
        wait = 0.5
        while not end.wait(wait):
            fetch(name)
            wait = 1

    scraper = threading.Thread(target=scrape)
    scraper.start()
    try:
        return measure(router, name, **options)
    finally:
        end.set()
        scraper.join()


def middle_half(ratios):
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{low:.2f}..{high:.2f}"


def print_ratio(what, unit, before, ours, after):
    ratios = [mine / its for theirs in (before, after) for mine, its in zip(ours, theirs)]
    itself = middle_half([one / other for one, other in zip(before, after)])
    ratio = statistics.median(ratios)
    print(f"{what:<28}{statistics.median(before + after):>10.1f}{statistics.median(ours):>10.1f} {unit:<4}{ratio:>7.3f}"
          f"{middle_half(ratios):>14}{itself:>14}", flush=True)
    return ratio


def main():
    rounds = int(sys.argv[4])
    os.sched_setaffinity(0, {1})
    options = {"idle_timeout": "1h", "max_sessions": 1_000_000}
    with Router(PORTS["without"], admin=ADMIN["without"], **options) as plain, \
            Router(PORTS["with"], admin=ADMIN["with"], **options) as scraped:
        warm_up(plain, PORTS["without"])
        warm_up(scraped, PORTS["with"])
        for _ in range(SCRAPES):
            fetch("with")   # compiled
        rows = {name: [] for name in ("before", "with", "after")}
        for _ in range(rounds):
            rows["before"].append(measure(plain, "without"))
            rows["with"].append(measure_scraped(scraped, "with"))
            rows["after"].append(measure(plain, "without"))
        full = {name: [] for name in rows}
        closed = ("-w", "8", "-f", "512")
        for _ in range(max(3, rounds // 3)):
            full["before"].append(measure(plain, "without", rate=closed))
            full["with"].append(measure_scraped(scraped, "with", rate=closed))
            full["after"].append(measure(plain, "without", rate=closed))
        print(f"{'a scrape a second:':<28}{'without':>10}{'with':>10}     {'ratio':>7}{'middle half':>14}{'to itself':>14}")
        moved = {}
        for key in ("p50", "p99"):
            moved[key] = print_ratio(
                f"{key} at {RATE:,} a second", "us", *([row[f"{key}_us"] for row in rows[name]] for name in rows))
        for what, measured in ((f"CPU at {RATE:,} a second", rows), ("CPU at full speed", full)):
            print_ratio(f"{what}", "ns", *([row["srv_cpu_s_per_M"] * 1000 for row in measured[name]] for name in measured))
        print_ratio("datagrams, full speed", "k/s", *([row["pps"] / 1000 for row in full[name]] for name in full))
        print(f"lost: {sum(row['lost'] for each in (rows, full) for name in each for row in each[name])}")
        report_scrape(scraped)
    return 0 if moved["p99"] < 1.1 else 1


def allocated_by(work):
    """Bytes that the process allocates meanwhile, and datagrams that it takes; with the scrapes around it."""
    before = fetch("with")
    work()
    after = fetch("with")
    return figure(after, ALLOCATED) - figure(before, ALLOCATED), (figure(after, RECEIVED) - figure(before, RECEIVED)) / 2


def report_scrape(router):
    # Both loads open as many sessions and are scraped as often; what the time alone costs, its stats lines, is taken off too.
    loads = [allocated_by(lambda: measure(router, "with", seconds=seconds)) for seconds in (1, 4)]
    idle = [allocated_by(lambda: time.sleep(seconds)) for seconds in (1, 4)]
    more = (loads[1][0] - loads[0][0]) - (idle[1][0] - idle[0][0])
    print(f"allocated: {more / (loads[1][1] - loads[0][1]):.2f} bytes a datagram")
    first = fetch("with")
    allocated = figure(fetch("with"), ALLOCATED) - figure(first, ALLOCATED)
    cpu = router.cpu_s()
    times = []
    for _ in range(10 * SCRAPES):
        began = time.monotonic()
        page = fetch("with")
        times.append(time.monotonic() - began)
    cpu = router.cpu_s() - cpu
    print(f"a scrape: {len(page):,} bytes, {len(page.splitlines()):,} lines, {figure(page, 'router_sessions'):,.0f} sessions; "
          f"median {statistics.median(times) * 1000:.1f} ms, longest {max(times) * 1000:.1f} ms, "
          f"CPU {cpu / len(times) * 1000:.1f} ms, {allocated / 1024:,.0f} KB allocated")


sys.exit(main())
