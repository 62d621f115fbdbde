#!/usr/bin/env python3
"""UDP proxies with a session per query: see churn-proxy.sh.

    churn_proxy.py SHARED_FOLDER BENCH_FOLDER ROUTER.DLL RESULTS [options of run-peers.sh]

2,000 peers ask through each proxy, at most 512 at once; a session, and its socket to the upstream, ends with the answer. All
proxies are up at once and take turns in every round. c-proxy keeps its sessions: it is there for what the machine can do.
Prints the proxies' processor time per query with its quartiles, and the router's over nginx's in the same round.
"""

import json
import statistics
import sys

shared, here, router, results = sys.argv[1:5]
sys.path.insert(0, shared)
import peers  # noqa: E402 (it is found in the folder above)

CASE = "2000x1"
TARGET = 0.85
FAULTS = ("lost", "corrupt", "misrouted", "wrong_source", "dup", "send_err")
NOISE_MAX = 10.0   # per cent of the machine used by others

peers.UDP_CASES[CASE] = ("-m addr -s 2000 -w 1 -f 512 -b 64", 2000)
peers.PEERS["udp"]["nginx-responses-1"] = (peers.nginx("udp", "rcvbuf=4m sndbuf=4m", "proxy_responses 1;"), 1, 19000)


def quartiles(values):
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def report(rows, server):
    """Prints one proxy's figures; returns its CPU us per query by round, and its faults."""
    mine = [row for row in rows if row["server"] == server]
    good = [row for row in mine if "error" not in row]
    if not good:
        print(f"{server:<18} {mine[0]['error'] if mine else 'was not measured'}")
        return {}, 1
    lower, middle, upper = quartiles([row["srv_cpu_s_per_M"] for row in good])
    faults = {key: sum(row[key] for row in good) for key in FAULTS}
    found = ", ".join(f"{key} {count}" for key, count in faults.items() if count)
    noisy = sum(row["disturbed"] > NOISE_MAX for row in good)
    print(f"{server:<18} {middle:6.1f} us ({lower:.1f} to {upper:.1f}) a query, "
          f"{statistics.median(row['pps'] for row in good):,.0f} queries a second, {sum(row['sent'] for row in good):,} in all: "
          f"{found or 'none lost'}{f'; {noisy} of {len(good)} rounds disturbed' if noisy else ''}")
    return {row["round"]: row["srv_cpu_s_per_M"] for row in good}, sum(faults.values())


def main():
    ours = (f"router=env ROUTER_BENCH_PORT={{port}} ROUTER_BENCH_BACKEND={{backend}} dotnet {router} run "
            f"--config {here}/udp-proxy.conf --set router.routes.bench.responses=1")
    sys.argv[1:] = ["--interleave", "--rounds", "5", "--udp-peers", "c-proxy,nginx-responses-1", "--tcp-peers", "none",
                    "--udp-cases", CASE, "--json", results, "--udp", ours, *sys.argv[5:]]
    peers.main()
    rows = [json.loads(line) for line in open(results)]
    print()
    report(rows, "c-proxy")
    nginx, _ = report(rows, "nginx-responses-1")
    mine, faults = report(rows, "router")
    ratios = [mine[number] / nginx[number] for number in mine if nginx.get(number)]
    if not ratios:
        sys.exit("router / nginx was not measured FAIL")
    lower, middle, upper = quartiles(ratios)
    is_good = middle <= TARGET and faults == 0
    print(f"router / nginx: {middle:.2f} ({lower:.2f} to {upper:.2f}), target <= {TARGET}, and nothing lost: "
          f"{'PASS' if is_good else 'FAIL'}")
    sys.exit(0 if is_good else 1)


main()
