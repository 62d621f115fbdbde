"""What a scrape costs a router with 100,000 sessions: see scrape.sh.

    scrape.py UDPLOAD ROUTER.DLL CONF ROUNDS

Two routers on processor 0, the load and the scraper on processor 1. Each router has 100,000 sessions, and of 1,000 more come
20,000 datagrams a second in an open loop: a datagram's time counts from when it was due. One router is scraped once a second
while it is measured; the other has no admin endpoint, so that it collects nothing and times no turns. They take turns, see
interleaved.py. Ends with 1 unless the p99 is known to move by less than 10 %.
"""

import os
import statistics
import sys
import time

from interleaved import judge, print_head, print_ratio, take_turns
from router_process import Router, ask_at, open_sessions
from scraping import fetch, figure, scraped

PORTS = {"without": 27381, "with": 27382}
ADMIN = 27392
SESSIONS = 100_000
ASKING = 1_000
RATE = 20_000
SECONDS = 2
SCRAPES = 30
P99_MOVED = 1.1


def main():
    rounds = int(sys.argv[4])
    os.sched_setaffinity(0, {1})
    options = {"idle_timeout": "1h", "max_sessions": 1_000_000}
    with Router(PORTS["without"], **options) as plain, Router(PORTS["with"], admin=ADMIN, **options) as ours:
        open_sessions(plain, PORTS["without"], SESSIONS)
        open_sessions(ours, PORTS["with"], SESSIONS)
        for _ in range(SCRAPES):
            fetch(ADMIN)   # compiled

        def while_scraped():
            with scraped(ADMIN):
                return ask_at(ours, PORTS["with"], ASKING, RATE, SECONDS)

        rows = take_turns(rounds, lambda: ask_at(plain, PORTS["without"], ASKING, RATE, SECONDS), while_scraped)
        print_head("a scrape a second:")
        moved = {key: print_ratio(f"{key} at {RATE:,} a second", "us",
                                  *([row[f"{key}_us"] for row in rows[name]] for name in rows)) for key in ("p50", "p99")}
        print_ratio(f"CPU at {RATE:,} a second", "ns",
                    *([row["srv_cpu_s_per_M"] * 1000 for row in rows[name]] for name in rows))
        print(f"lost: {sum(row['lost'] for name in rows for row in rows[name])}")
        report_scrape(ours)
        return 0 if judge("p99 of an echo, scraped to not", moved["p99"], P99_MOVED) else 1


def report_scrape(router):
    cpu, times = router.cpu_s(), []
    for _ in range(10 * SCRAPES):
        began = time.monotonic()
        page = fetch(ADMIN)
        times.append(time.monotonic() - began)
    cpu = router.cpu_s() - cpu
    print(f"a scrape: {len(page):,} bytes, {len(page.splitlines()):,} lines, {figure(page, 'router_sessions'):,.0f} sessions; "
          f"median {statistics.median(times) * 1000:.1f} ms, longest {max(times) * 1000:.1f} ms, "
          f"CPU {cpu / len(times) * 1000:.1f} ms")


sys.exit(main())
