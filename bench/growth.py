"""Cost of a datagram against the number of sessions and loops: see growth.sh.

    growth.py UDPLOAD ROUTER.DLL CONF [FILE]
    growth.py UDPLOAD ROUTER.DLL CONF profile [LOOPS]

All sessions are opened first, then all of them are asked in turn, 512 datagrams in flight whatever their number: the datagram
of a session that has not been asked for a while is the expensive kind, and small batches would hide it behind the cost of a
poll. CPU time of the router per datagram, and latency. With two loops the router has both processors, the generator's
included.
"""

import collections
import os
import subprocess
import sys
import tempfile
import time

import budget
from router_process import Router, load, start_load

PORT = 27331
SESSIONS = (10, 1_000, 100_000, 1_000_000)
SECONDS = 4
IN_FLIGHT = 512
OPENED_A_SECOND = 60_000   # at least
SAMPLES_A_SECOND = 2_500


def start(router, sessions):
    """Load whose sessions are open when this returns, all of them; what it measures, a little less than all that follows, takes
    SECONDS."""
    opening = sessions / OPENED_A_SECOND + 1
    # Every load comes from another port: its sessions are its own, and those of the loads before idle.
    window = -(-IN_FLIGHT // sessions)
    running = start_load(PORT, "-m", "addr", "-s", str(sessions), "-w", str(window), "-f", str(IN_FLIGHT), "-c", "1",
                         "-P", str(router.pid), "-W", f"{opening:.2f}", "-d", str(SECONDS))
    time.sleep(opening)
    return running


def processors_of(loops):
    return "0" if loops == 1 else "0,1"


def cost_ns(result):
    return result["srv_cpu_s_per_M"] * 1000


def profile(router, sessions):
    """ns of a datagram by stage, from samples of the router's threads; and the methods and kernel functions with the most."""
    running = start(router, sessions)
    path = os.path.join(tempfile.gettempdir(), f"router-bench-{router.pid}.perf")
    subprocess.run(["perf", "record", "-q", "-F", str(SAMPLES_A_SECOND), "-e", "cpu-clock", "-g", "-p", str(router.pid),
                    "-o", path, "--", "sleep", str(SECONDS - 0.5)], check=True)
    cost = cost_ns(running.result())
    found = subprocess.run(["perf", "script", "-i", path, "-F", "ip,sym,dso"], capture_output=True, text=True, check=True)
    os.unlink(path)
    samples = list(budget.samples(found.stdout.splitlines()))
    stages = collections.Counter(map(budget.stage, samples))
    innermost = collections.Counter(frames[0][0].partition("(")[0] for frames in samples)
    scale = cost / len(samples)
    return ({name: count * scale for name, count in stages.items()}, {name: count * scale for name, count in innermost.items()})


def print_columns(rows, columns):
    print(f"{'ns of CPU a datagram':<64}" + "".join(f"{sessions:>11,}" for sessions in SESSIONS))
    for row in rows:
        print(f"{row[:63]:<64}" + "".join(f"{column.get(row, 0):>11.0f}" for column in columns))


def profile_all(loops):
    # perf reads the names of compiled methods from a map that the runtime writes; it needs them at their real addresses.
    os.environ["ROUTER_BENCH_ENV"] = "DOTNET_PerfMapEnabled=1 DOTNET_EnableWriteXorExecute=0"
    with Router(PORT, loops, processors_of(loops), idle_timeout="1h", max_sessions=1_200_000) as router:
        warm_up()
        found = [profile(router, sessions) for sessions in SESSIONS]
    stages, functions = [[pair[number] for pair in found] for number in (0, 1)]
    print_columns([name for name in budget.ORDER if any(name in column for column in stages)], stages)
    print(f"{'in all':<64}" + "".join(f"{sum(column.values()):>11.0f}" for column in stages))
    grown = {name: max(column.get(name, 0) for column in functions) - functions[1].get(name, 0)
             for name in set().union(*functions)}
    print("\nwhat costs more than with 1,000 sessions, by the innermost function:")
    print_columns(sorted(grown, key=grown.get, reverse=True)[:16], functions)


def warm_up():
    load(PORT, "-m", "addr", "-s", "100", "-w", "8", "-f", "512", "-d", "3", "-W", "0.5", "-c", "1")   # compiled


def main():
    if sys.argv[4:5] == ["profile"]:
        profile_all(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
        return
    rows = []
    for loops in (1, 2):
        with Router(PORT, loops, processors_of(loops), idle_timeout="1h", max_sessions=1_200_000) as router:
            warm_up()
            for sessions in SESSIONS:
                rows.append((loops, sessions, start(router, sessions).result()))
    heads = ("p50 us", "p99 us", "lost")
    print(f"{'loops':>5} {'sessions':>9} {'ns of CPU a datagram':>21} {'datagrams/s':>12}" + "".join(f"{head:>8}" for head in heads))
    for loops, sessions, result in rows:
        print(f"{loops:5} {sessions:9,} {cost_ns(result):21.0f} {result['pps']:12,.0f}"
              f"{result['p50_us']:8.0f}{result['p99_us']:8.0f}{result['lost']:8}")
    if len(sys.argv) > 4:
        is_new = not os.path.exists(sys.argv[4])
        with open(sys.argv[4], "a", encoding="utf-8") as file:
            if is_new:
                file.write("loops\tsessions\tcpu_ns\tpps\tp50_us\tp99_us\n")
            for loops, sessions, result in rows:
                figures = (round(cost_ns(result)), round(result["pps"]), result["p50_us"], result["p99_us"])
                file.write("\t".join(map(str, (loops, sessions, *figures))) + "\n")


main()
