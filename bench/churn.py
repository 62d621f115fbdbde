"""Pauses of the garbage collector at 100,000 sessions with churn: see churn.sh.

    churn.py UDPLOAD ROUTER.DLL CONF [mixed] [SESSIONS [SECONDS]]

Sessions live for the idle timeout of 10 s and are opened at a tenth of their number a second, so that their number stays
and as many close, each with an access record. The pauses are those of the router's own stats lines, a second each: the
worst p99 of any second, the longest pause, the number of blocking collections of the whole heap.

mixed: one in 40 that open goes on for five times as long, so that what stays is scattered among what goes. A process that
has found its size is as large in the last quarter as in the fourth and fifth eighth; at least 160 s.
"""

import sys
import time

from router_process import Router, start_load

PORT = 27321
IDLE_TIMEOUT_S = 10
STAYING_S = 5 * IDLE_TIMEOUT_S
STAYING_ONE_IN = 40
STAYING_EVERY_S = 4


def churn(rate, peers, seconds):
    return start_load(PORT, "-m", "addr", "-s", str(peers), "-r", str(rate), "-d", str(seconds), "-W", "0", "-c", "1")


def churn_mixed(router, rate, peers, seconds):
    """As churn, and every few seconds some open that stay; prints what the process weighs on the way, and returns it."""
    going = churn(rate, peers, seconds)
    staying, weighed = [], []
    number = rate * STAYING_EVERY_S // STAYING_ONE_IN
    steps = seconds // STAYING_EVERY_S
    for step in range(steps):
        left = seconds - step * STAYING_EVERY_S
        staying.append(start_load(PORT, "-m", "addr", "-s", str(number), "-r", str(number // STAYING_EVERY_S),
                                  "-d", str(min(STAYING_S, left)), "-W", "0", "-c", "1"))
        time.sleep(STAYING_EVERY_S)
        if (step + 1) * 8 // steps > step * 8 // steps:
            line = router.all_stats()[-1]
            weighed.append(router.memory()["rss"])
            print(f"  after {(step + 1) * STAYING_EVERY_S:>4} s: {line['sessions']:,} sessions, resident "
                  f"{weighed[-1] / 1e6:.0f} MB, managed {line['managed-bytes'] / 1e6:.0f} MB", flush=True)
    for generator in [going, *staying]:
        generator.result()
    return weighed


def main():
    arguments = sys.argv[4:]
    mixed = arguments[:1] == ["mixed"]
    arguments = arguments[1:] if mixed else arguments
    sessions = int(arguments[0]) if arguments else 100_000
    seconds = int(arguments[1]) if len(arguments) > 1 else 200 if mixed else 20
    rate = sessions // IDLE_TIMEOUT_S
    if mixed and (seconds < 160 or sessions < 10_000):
        sys.exit("mixed takes at least 160 s and 10,000 sessions")
    with Router(PORT, idle_timeout=f"{IDLE_TIMEOUT_S}s", max_sessions=3 * sessions) as router:
        # Every datagram of one pass over the generator's sessions opens one; a pass takes longer than they live.
        peers = min(1_000_000, rate * (IDLE_TIMEOUT_S + seconds + 10))
        churn(rate, peers, IDLE_TIMEOUT_S + 2).result()
        seen = len(router.all_stats())
        if mixed:
            weighed = churn_mixed(router, rate, peers, seconds)
        else:
            churn(rate, peers, seconds).result()
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
    if mixed:
        growth = max(weighed[6:]) / max(weighed[3:5])
        print(f"target in the last quarter at most 1.05 times as large as in the fourth and fifth eighth: {growth:.2f} "
              f"{'PASS' if growth <= 1.05 else 'FAIL'}")


main()
