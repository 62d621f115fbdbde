"""Looks through a million sessions by the admin endpoint: see sweep.sh.

    sweep.py UDPLOAD ROUTER.DLL CONF [SESSIONS [ROUNDS [LOOPS]]]

The router's loops and what answers have both processors, the load is on processor 1. All sessions are prepared ones, so that
they open as fast as they come. Meanwhile one established session asks ten thousand times a second in an open loop: its latency
counts from when it meant to ask, so the longest wait is how long its loop did something else. What else runs on the machine only
adds to that: so the least of the rounds' longest waits is taken, and the same without a question is taken off. Ends with 1
unless that is at most 1 ms, and a session is found by its id within 100 ms.
"""

import json
import statistics
import sys
import time

from router_process import Router, load, start_load
from scraping import fetch

PORT = 27389
ADMIN = 27399
OPEN_RATE = 50_000
ASK_RATE = 10_000
WAIT_MS, FIND_MS = 1.0, 100


def ask(seconds):
    return start_load(PORT, "-m", "conn", "-s", "1", "-r", str(ASK_RATE), "-d", f"{seconds:.1f}", "-W", "0.2", "-c", "1")


def answered(asking):
    """What the established session has measured; it was answered."""
    result = asking.result()
    if result["recv"] < result["sent"] / 2:
        sys.exit(f"the established session was not answered: {result}")
    return result


def timed(path):
    began = time.monotonic()
    answer = json.loads(fetch(ADMIN, path))
    return (time.monotonic() - began) * 1000, answer


def measure(paths, rounds):
    """For each round, how long each path took, one after another, and the longest wait meanwhile; milliseconds."""
    took, longest, p99 = [], [], []
    expected = min(10, sum(timed(path)[0] for path in paths) / 1000)
    for _ in range(rounds):
        asking = ask(max(1.0, 1.5 * expected))
        time.sleep(0.3)
        took += [timed(path)[0] for path in paths]
        result = answered(asking)
        longest.append(result["max_us"] / 1000)
        p99.append(result["p99_us"] / 1000)
    return took, longest, p99


def main():
    options = [int(option) for option in sys.argv[4:]]
    sessions, rounds, loops = options + [1_000_000, 5, 1][len(options):]
    with Router(PORT, loops=loops, processors="0,1", prepared=sessions + 2_000, admin=ADMIN, idle_timeout="1h",
                max_sessions=3 * sessions) as router:
        load(PORT, "-m", "addr", "-s", "1000", "-w", "1", "-f", "512", "-d", "3", "-W", "0.5", "-c", "1")   # compiled
        while router.stats()["sessions"] < sessions:
            load(PORT, "-m", "addr", "-s", str(sessions), "-r", str(OPEN_RATE), "-d", f"{sessions / OPEN_RATE:.1f}",
                 "-W", "0", "-c", "1")
        for _ in range(5):   # compiled
            timed("/sessions?sort=bytes&limit=20")
        page = timed("/sessions?sort=id&limit=1000")[1]["sessions"]
        ids = [session["session"] for session in (page[0], page[len(page) // 2], page[-1])]
        ids.append(timed("/sessions?sort=age&limit=1")[1]["sessions"][0]["session"])
        alone = []
        for _ in range(rounds):
            alone.append(answered(ask(2))["max_us"] / 1000)
        print(f"{router.stats()['sessions']:,} sessions on {loops} loops; {rounds} rounds; times in ms")
        print(f"{'':<34}{'median':>9}{'least':>9}{'most':>9}   waits of an established session, the longest of each round")
        print(f"{'nobody asks':<61}   {min(alone):.2f}..{max(alone):.2f}")
        waits, found = [], 0
        for what, paths in (("/sessions?sort=bytes&limit=20", ["/sessions?sort=bytes&limit=20"]),
                            ("/sessions?peer=127.0.0.0/24", ["/sessions?peer=127.0.0.0/24&limit=20"]),
                            ("/sessions/{id}", [f"/sessions/{each}" for each in ids])):
            took, longest, p99 = measure(paths, rounds)
            print(f"{what:<34}{statistics.median(took):>9.1f}{min(took):>9.1f}{max(took):>9.1f}   "
                  f"{min(longest):.2f}..{max(longest):.2f}, p99 {statistics.median(p99):.2f}", flush=True)
            waits.append(min(longest) - min(alone))
            found = statistics.median(took)
        router.print_gc()
    good = [max(waits) <= WAIT_MS, found <= FIND_MS]
    print(f"target longest wait more than without <= {WAIT_MS:g} ms: {max(waits):.2f} {'PASS' if good[0] else 'FAIL'}")
    print(f"target a session found by its id <= {FIND_MS} ms: {found:.1f} {'PASS' if good[1] else 'FAIL'}")
    return 0 if all(good) else 1


sys.exit(main())
