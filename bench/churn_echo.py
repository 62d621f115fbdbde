"""Echo where every datagram comes from a new peer: see churn-echo.sh.

    churn_echo.py UDPLOAD ROUTER.DLL CONF [prepared] [SECONDS [RATE]]

A million source addresses take turns, and a session ends after a second without a payload: when an address comes again, its
session is long gone. Without RATE the generator asks as fast as it is answered, 512 at once; what is open is what a second
brings. The figure is the sessions that opened and closed over the processor time of the whole process, echo included, as
the router's stats lines and the system tell of the same seconds: what one loop could do with a core of its own. Beside it
the same load on 1,000 sessions that stay. Sessions are summed up in the log (log.session-records = 0).
"""

import sys
import time

from router_process import Router, load, start_load

PORT = 27331
PEERS = 1_000_000
IDLE_TIMEOUT_S = 1
IN_FLIGHT = 512
PREPARED = 200_000
WARM_S = 6
TARGET = 150_000
FAULTS = ("lost", "warm_lost", "corrupt", "misrouted", "wrong_source", "dup", "send_err")


def ask(peers, seconds, rate):
    pace = ("-r", str(rate)) if rate else ("-w", "1", "-f", str(IN_FLIGHT))
    return start_load(PORT, "-m", "addr", "-s", str(peers), *pace, "-d", str(seconds), "-W", "0", "-c", "1")


def measure(router, generator, seconds):
    """Stats lines while the generator is at work, and the processor time between the first and the last of them."""
    router.stats()
    cpu, seen = router.cpu_s(), len(router.all_stats())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        router.stats()
    cpu, lines = router.cpu_s() - cpu, router.all_stats()[seen:]
    return lines, cpu, generator.result()


def main():
    options = sys.argv[4:]
    is_prepared = options[:1] == ["prepared"]
    options = options[is_prepared:]
    seconds = int(options[0]) if options else 10
    rate = int(options[1]) if len(options) > 1 else 0
    with Router(PORT, idle_timeout=f"{IDLE_TIMEOUT_S}s", max_sessions=PEERS, prepared=PREPARED if is_prepared else 0,
                session_records=0) as router:
        warm = ask(PEERS, WARM_S, rate).result()                         # compiled, and grown to its size
        staying = load(PORT, "-m", "addr", "-s", "1000", "-w", "1", "-f", str(IN_FLIGHT), "-d", str(min(seconds, 5)),
                       "-W", "1", "-c", "1", "-P", str(router.pid))
        generator = ask(PEERS, seconds + 4, rate)
        time.sleep(2 * IDLE_TIMEOUT_S)                                   # as many close as open
        lines, cpu, result = measure(router, generator, seconds)
    opened, closed = (sum(line[key] for line in lines) for key in ("opened", "closed"))
    turned = (opened + closed) / 2
    faults = {key: warm[key] + result[key] for key in FAULTS if warm[key] + result[key]}
    print(f"{lines[-1]['sessions']:,} sessions open, {opened / len(lines):,.0f} opened and {closed / len(lines):,.0f} closed "
          f"a second for {len(lines)} s, at {100 * cpu / len(lines):.0f} % of a core")
    print(f"datagrams sent {warm['sent'] + result['sent']:,}, answered {warm['recv'] + result['recv']:,}, "
          f"faults {faults or 'none'}")
    print(f"CPU of a session, opened, answered once and closed: {1e6 * cpu / turned:.2f} us; "
          f"of a datagram of a session that stays: {staying['srv_cpu_s_per_M']:.2f} us")
    each = turned / cpu
    print(f"target >= {TARGET:,} opened and closed a second of a core: {each:,.0f} {'PASS' if each >= TARGET else 'FAIL'}")
    print(f"target nothing lost: {'FAIL' if faults else 'PASS'}")


main()
