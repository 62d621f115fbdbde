"""Cost of a datagram against the number of sessions and loops: see growth.sh.

    growth.py UDPLOAD ROUTER.DLL CONF [FILE]

All sessions are opened first, then all of them are asked in turn, open loop: the datagram of a session that has not been
asked for a while is the expensive kind. CPU time of the router per datagram, and latency, at the same rate everywhere. With
two loops the router has both processors, the generator's included.
"""

import sys

from router_process import Router, load

PORT = 27331
RATE = 40_000
SECONDS = 4


def main():
    rows = []
    for loops in (1, 2):
        processors = "0" if loops == 1 else "0,1"
        with Router(PORT, loops, processors, idle_timeout="1h", max_sessions=1_200_000) as router:
            # Every run comes from another port: its sessions are its own, and those of the runs before idle.
            for sessions in (10, 1_000, 100_000, 1_000_000):
                options = ["-m", "addr", "-s", str(sessions), "-c", "1", "-P", str(router.pid)]
                warm_up = sessions / RATE + 1   # one datagram each, which opens them
                result = load(PORT, *options, "-r", str(RATE), "-d", str(SECONDS), "-W", f"{warm_up:.2f}")
                rows.append((loops, sessions, result))
    print(f"{'loops':>5} {'sessions':>9} {'us of CPU a datagram':>21} {'p50 us':>8} {'p99 us':>8} {'lost':>6}")
    for loops, sessions, result in rows:
        times = f"{result['p50_us']:8.0f} {result['p99_us']:8.0f}"
        print(f"{loops:5} {sessions:9,} {result['srv_cpu_s_per_M']:21.2f} {times} {result['lost']:6}")
    if len(sys.argv) > 4:
        with open(sys.argv[4], "w") as file:
            file.write("loops\tsessions\tcpu_us\tp50_us\tp99_us\n")
            for loops, sessions, result in rows:
                figures = (result[key] for key in ("srv_cpu_s_per_M", "p50_us", "p99_us"))
                file.write("\t".join(map(str, (loops, sessions, *figures))) + "\n")


main()
