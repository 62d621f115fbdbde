"""What metrics and records cost a datagram: see monitored.sh.

    monitored.py UDPLOAD ROUTER.DLL CONF ROUNDS

Two routers on processor 0, the load and the scraper on processor 1. One has an admin endpoint, is scraped once a second while
it is measured, and writes a record of each session that ends; the other has neither. Spans are off at both. They take turns,
see interleaved.py, first with 1,000 sessions that stay, then also with 1,000 a second that come with a datagram and go, which
is as many records. The load asks as fast as it is answered. Ends with 1 unless a datagram is known to cost at most 2 % more
CPU in both cases, and nothing in memory.
"""

import os
import sys
import time

from interleaved import judge, print_head, print_ratio, take_turns
from router_process import Router, load, start_load
from scraping import fetch, figure, scraped

PORTS = {"without": 27383, "with": 27384}
ADMIN = 27394
ASKING = 1_000
CHURN = 1_000
SECONDS = 2
SCRAPES = 30
CPU_MORE = 1.02
IDLE_S = 1
BYTES = 0.1   # of the whole process: 0 a datagram, and what a second has besides
ALLOCATED, RECEIVED = "dotnet_gc_heap_total_allocated_bytes_total", "router_payloads_total"


def ask(port, router, seconds=SECONDS):
    return load(port, "-m", "addr", "-s", str(ASKING), "-w", "8", "-f", "512", "-d", str(seconds), "-W", "0.3", "-c", "1",
                "-P", str(router.pid))


def ask_beside_churn(port, router):
    # All of them new: an address comes again after far longer than a session lives.
    churn = start_load(port, "-m", "addr", "-s", "1000000", "-r", str(CHURN), "-d", str(SECONDS + 1), "-W", "0", "-c", "1")
    result = ask(port, router)
    churn.result()
    return result


def compare(rounds, plain, ours, measure):
    def while_scraped():
        with scraped(ADMIN):
            return measure(PORTS["with"], ours)

    return take_turns(rounds, lambda: measure(PORTS["without"], plain), while_scraped)


def report(what, rows):
    lost = sum(row["lost"] for name in rows for row in rows[name])
    print_ratio(f"{what}, datagrams", "k/s", *([row["pps"] / 1000 for row in rows[name]] for name in rows))
    ratios = print_ratio(f"{what}, CPU", "ns", *([row["srv_cpu_s_per_M"] * 1000 for row in rows[name]] for name in rows))
    print(f"{what}, lost: {lost}")
    return ratios


def allocated_by(work):
    """Bytes that the process allocates meanwhile, and datagrams that it takes; with the scrapes around it."""
    time.sleep(IDLE_S + 1)   # the records of the sessions before, 2.6 KB each, are not counted with these
    before = fetch(ADMIN)
    work()
    after = fetch(ADMIN)
    return figure(after, ALLOCATED) - figure(before, ALLOCATED), (figure(after, RECEIVED) - figure(before, RECEIVED)) / 2


def bytes_a_datagram(router):
    # Both loads open as many sessions and are scraped as often; what the time alone costs, its stats lines, is taken off too.
    loads = [allocated_by(lambda: ask(PORTS["with"], router, seconds)) for seconds in (1, 4)]
    idle = [allocated_by(lambda: time.sleep(seconds)) for seconds in (1, 4)]
    more = (loads[1][0] - loads[0][0]) - (idle[1][0] - idle[0][0])
    return more / (loads[1][1] - loads[0][1])


def main():
    rounds = int(sys.argv[4])
    os.sched_setaffinity(0, {1})
    options = {"idle_timeout": f"{IDLE_S}s", "max_sessions": 1_000_000}
    with Router(PORTS["without"], session_records=0, **options) as plain, \
            Router(PORTS["with"], admin=ADMIN, **options) as ours:
        for name, router in (("without", plain), ("with", ours)):
            for _ in range(2):
                ask_beside_churn(PORTS[name], router)   # compiled
        for _ in range(SCRAPES):
            fetch(ADMIN)
        stay = compare(rounds, plain, ours, ask)
        churn = compare(rounds, plain, ours, ask_beside_churn)
        allocated = [bytes_a_datagram(ours) for _ in range(3)]
        print_head("metrics and records:")
        ratios = {what: report(what, rows) for what, rows in (("sessions stay", stay), (f"{CHURN:,}/s come and go", churn))}
        good = [judge(f"CPU of a datagram, {what}", values, CPU_MORE) for what, values in ratios.items()]
        good.append(judge("allocated by a datagram", allocated, BYTES, " bytes", rounds=3))
        return 0 if all(good) else 1


sys.exit(main())
