"""Opens a million UDP sessions, lets them idle, and has them all expire at once: see million.sh.

    million.py UDPLOAD ROUTER.DLL CONF [prepared] [SESSIONS]

The router has processor 0, the load generators processor 1. The established session is one connected socket that asks
ten thousand times a second, open loop: its latency counts from when it meant to ask. "Established alone" is its latency
without other load. Opening has two yardsticks, as many datagrams without new sessions: from 1,000 sessions before it, while
the runtime still compiles, and from the same million right after it, which the generator asks a second time. For the expiry
the process is stopped (SIGSTOP) until every session is overdue, and goes on: all deadlines have come at once. With
"prepared" all sessions are prepared sessions (heap.prepared-sessions).
"""

import os
import signal
import sys
import time

from router_process import Router, load, start_load

PORT = 27311
OPEN_RATE = 60_000
IDLE_TIMEOUT_S = 40
ASK_RATE = 10_000


def ask(seconds):
    """One established session asks for so long; started, not waited for."""
    return start_load(PORT, "-m", "conn", "-s", "1", "-r", str(ASK_RATE), "-d", str(seconds), "-W", "0.2", "-c", "1")


def report(name, result):
    lost = f", {result['lost']} LOST" if result["lost"] else ""
    times = "   ".join(f"{key} {result[key + '_us']:7.0f} us" for key in ("p50", "p99", "max"))
    print(f"  {name:34} {times}{lost}", flush=True)


def main():
    options = sys.argv[4:]
    is_prepared = "prepared" in options[:1]
    sessions = int(next(iter(options[is_prepared:]), 1_000_000))
    most = sessions + 10_000
    prepared = sessions + 2_000 if is_prepared else 0   # the first load's 1,000 and the established one besides
    with Router(PORT, idle_timeout=f"{IDLE_TIMEOUT_S}s", max_sessions=most, prepared=prepared) as router:
        load(PORT, "-m", "addr", "-s", "1000", "-w", "1", "-f", "512", "-d", "3", "-W", "0.5", "-c", "1")   # compiled
        time.sleep(3)
        before = router.memory()
        report("established alone", ask(4).result())
        asking = ask(4)
        load(PORT, "-m", "addr", "-s", "1000", "-r", str(OPEN_RATE), "-d", "4.5", "-W", "0", "-c", "1")
        report("same load, 1,000 sessions", asking.result())

        seconds = sessions / OPEN_RATE
        measured = max(1, seconds - 1)
        started = time.monotonic()
        asking = ask(measured)
        all_twice = start_load(
            PORT, "-m", "addr", "-s", str(sessions), "-r", str(OPEN_RATE), "-d", f"{2 * seconds:.3f}", "-W", "0", "-c", "1")
        report(f"while {sessions:,} open", asking.result())
        time.sleep(max(0, started + seconds + 0.5 - time.monotonic()))   # the last ones are open
        asking = ask(max(1, measured - 1))
        report(f"same load, the same {sessions:,}", asking.result())
        opening = all_twice.result()
        print(f"  opened at {opening['pps']:,.0f}/s; datagrams lost {opening['lost']}, corrupt {opening['corrupt']}, "
              f"misrouted {opening['misrouted']}")
        report("while they idle", ask(3).result())
        after = router.memory()
        stats = router.stats()
        count = stats["sessions"]
        print(f"  {count:,} sessions: rss {after['rss'] / 1e6:,.0f} MB, "
              f"{(after['rss'] - before['rss']) / count:.0f} B a session{' beyond what was prepared' * is_prepared}; "
              f"managed {stats['managed-bytes'] / count:.0f} B")

        os.kill(router.pid, signal.SIGSTOP)
        time.sleep(IDLE_TIMEOUT_S + 1)
        asking = ask(4)
        continued = time.monotonic()
        os.kill(router.pid, signal.SIGCONT)
        report("while all expire at once", asking.result())
        while router.stats()["sessions"] > 10 and time.monotonic() - continued < 30:
            time.sleep(0.2)
        print(f"  {router.closed_per_second()} sessions closed, by second; rss then {router.memory()['rss'] / 1e6:,.0f} MB")
        router.print_gc()


main()
