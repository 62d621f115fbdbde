"""Pauses of the garbage collector at 100,000 sessions with churn: see churn.sh.

    churn.py UDPLOAD ROUTER.DLL CONF [SESSIONS [SECONDS]]

Sessions live for the idle timeout of 10 s and are opened at a tenth of their number a second, so that their number stays
and as many close, each with an access record. The pauses are those of the router's own stats lines, a second each: the
worst p99 of any second, the longest pause, the number of blocking collections of the whole heap.
"""

import sys

from router_process import Router, load

PORT = 27321
IDLE_TIMEOUT_S = 10


def main():
    sessions = int(sys.argv[4]) if len(sys.argv) > 4 else 100_000
    seconds = int(sys.argv[5]) if len(sys.argv) > 5 else 20
    rate = sessions // IDLE_TIMEOUT_S
    with Router(PORT, idle_timeout=f"{IDLE_TIMEOUT_S}s", max_sessions=2 * sessions) as router:
        # Every datagram of one pass over the generator's sessions opens one; a pass takes longer than they live.
        peers = min(1_000_000, rate * (IDLE_TIMEOUT_S + seconds + 10))
        load(PORT, "-m", "addr", "-s", str(peers), "-r", str(rate), "-d", str(IDLE_TIMEOUT_S + 2), "-W", "0", "-c", "1")
        seen = len(router.all_stats())
        load(PORT, "-m", "addr", "-s", str(peers), "-r", str(rate), "-d", str(seconds), "-W", "0", "-c", "1")
        lines = router.all_stats()[seen:]
    pauses = sum(line["gc-pauses"] for line in lines)
    p99 = sorted(line["gc-pause-p99-us"] for line in lines)
    longest = max(line["gc-pause-max-us"] for line in lines)
    blocking = sum(line["gc-blocking"] for line in lines)
    opened = sum(line["opened"] for line in lines) / len(lines)
    closed = sum(line["closed"] for line in lines) / len(lines)
    print(f"{lines[-1]['sessions']:,} sessions, {opened:,.0f} opened and {closed:,.0f} closed a second for {len(lines)} s")
    print(f"{pauses} pauses: p99 of a second {p99[len(p99) // 2] / 1000:.2f} ms (median), {p99[-1] / 1000:.2f} ms (worst); "
          f"longest {longest / 1000:.2f} ms; blocking full collections {blocking}")
    good = p99[len(p99) // 2] <= 2_000 and longest <= 10_000 and blocking == 0
    print(f"target p99 <= 2 ms, none over 10 ms, none blocking and full: {'PASS' if good else 'FAIL'}")


main()
