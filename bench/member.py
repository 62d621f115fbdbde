"""What it costs a router to be a member of a cluster, of one member: see member.sh.

    member.py UDPLOAD ROUTER.DLL CONF ROUNDS

Two routers on processor 0, one of which is a member, the load on processor 1. They take turns, see interleaved.py: 1,000
sessions that ask as fast as they are answered. Then both are idle, in turn. Ends with 1 unless a datagram is known to cost
the member at most 5 % more CPU, and the idle member takes at most 4 % of a core.
"""

import os
import sys
import time

from interleaved import judge, print_head, print_ratio, take_turns
from router_process import Router, load

PORTS = {"alone": 27385, "member": 27386}
CLUSTER = {"router.cluster.port": "27387", "router.cluster.seeds": '["127.0.0.1:27387"]'}
SECONDS = 2
IDLE_SECONDS = 10
CPU_MORE = 1.05
IDLE_SHARE = 4.0


def ask(port, router):
    return load(port, "-m", "addr", "-s", "1000", "-w", "8", "-f", "512", "-d", str(SECONDS), "-W", "0.3", "-c", "1",
                "-P", str(router.pid))


def idle_share(router):
    """Percent of a core."""
    before, start = router.cpu_s(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return (router.cpu_s() - before) / (time.monotonic() - start) * 100


def main():
    rounds = int(sys.argv[4])
    os.sched_setaffinity(0, {1})
    with Router(PORTS["alone"]) as alone, Router(PORTS["member"], more=CLUSTER) as member:
        for router, port in ((alone, PORTS["alone"]), (member, PORTS["member"])):
            for _ in range(3):
                ask(port, router)   # compiled
        time.sleep(10)              # the runtime compiles again what is hot; the sessions end
        print_head("1,000 sessions of an echo", names=("alone", "member"))
        rows = take_turns(rounds, lambda: ask(PORTS["alone"], alone), lambda: ask(PORTS["member"], member))
        ratios = print_ratio("CPU a datagram", "ns", *([row["srv_cpu_s_per_M"] * 1000 for row in rows[name]] for name in rows))
        print(f"lost: {sum(row['lost'] for name in rows for row in rows[name])}")
        time.sleep(12)
        shares = {name: [idle_share(router) for _ in range(max(6, rounds // 2))]
                  for name, router in (("alone", alone), ("member", member))}
        pss = {name: router.memory()["pss"] / 1e6 for name, router in (("alone", alone), ("member", member))}
        print(f"memory: {pss['alone']:.0f} MB alone, {pss['member']:.0f} MB as a member")
        print(f"idle: {min(shares['alone']):.2f} % of a core alone")
        passed = [judge("CPU a datagram", ratios, CPU_MORE), judge("idle member", shares["member"], IDLE_SHARE, " %")]
    sys.exit(0 if all(passed) else 1)


main()
