#!/usr/bin/env python3
"""Datagram trains: the router against C and nginx, with senders that use UDP_SEGMENT. Called by gso.sh.

  gso.py SHARED HERE WORK [echo|proxy] [options of peers.py]      exit code 1 if a target is missed

The table is that of peers.py; after it the judged ratios, each taken within one round, then the median over the rounds.
"""
import json
import os
import statistics
import sys

# Eight senders with a train of datagrams each: name -> (options of udpload, sessions).
CASES = {
    "gso-64": ("-G -m conn -s 8 -w 64 -b 64", 8),
    "gso-1200": ("-G -m conn -s 8 -w 32 -b 1200", 8),
}
# (servers, our server, its peer, figure, limit): rate is to be at least the limit, CPU per datagram at most.
TARGETS = [
    ("echo", "router", "c-batch", "pps", 2.3),
    ("echo", "router", "c-gso", "srv_cpu_s_per_M", 1.2),
    ("proxy", "router-proxy", "c-proxy", "srv_cpu_s_per_M", 1.0),
    ("proxy", "router-proxy", "nginx", "srv_cpu_s_per_M", 1.0),
]
FAULTS = ("lost", "corrupt", "misrouted", "wrong_source", "dup")


def judge(rows, wanted):
    good = True
    print(f"\n{'case':<10}{'server':<14}{'peer':<9}{'figure':<17}{'ratio':>6}{'min..max':>14}{'target':>9}  verdict")
    for servers, ours, peer, figure, limit in TARGETS:
        if servers not in wanted:
            continue
        for case in CASES:
            by_round = {(r["server"], r["round"]): r[figure] for r in rows if r["case"] == case and r.get(figure, 0) > 0}
            ratios = [v / by_round[peer, n] for (s, n), v in by_round.items() if s == ours and (peer, n) in by_round]
            ratio = statistics.median(ratios) if ratios else float("nan")
            spread = f"{min(ratios):.2f}..{max(ratios):.2f}" if ratios else "-"
            at_least = figure == "pps"
            is_good = ratio >= limit if at_least else ratio <= limit
            print(f"{case:<10}{ours:<14}{peer:<9}{figure:<17}{ratio:>6.2f}{spread:>14}{'>=' if at_least else '<=':>5}{limit:>4}  "
                  f"{'PASS' if is_good else 'FAIL'}")
            good = good and is_good
    ours = [r for r in rows if r["server"].startswith("router")]
    faults = {k: n for k in FAULTS if (n := sum(r.get(k, 0) for r in ours))}
    sent = sum(r.get("sent", 0) for r in ours)
    print(f"router: {sent} sent: {faults or 'nothing lost or wrong'}")
    return good and sent > 0 and not faults


def main():
    shared, here, work = sys.argv[1:4]
    options = sys.argv[4:]
    wanted = [options.pop(0)] if options and options[0] in ("echo", "proxy") else ["echo", "proxy"]
    sys.path.insert(0, shared)
    import peers
    peers.UDP_CASES.update(CASES)
    peers.BACKEND["udp"] = "{bin}/udpecho_limit -p {port} -m gso"
    run = f"dotnet {os.environ.get('BENCH_ROUTER', work + '/router')}/Router.dll run --config {here}"
    servers = {
        "echo": ("c-batch,c-gso", f"router=env ROUTER_BENCH_PORT={{port}} {run}/udp-echo.conf"),
        "proxy": ("c-proxy,nginx",
                  f"router-proxy=env ROUTER_BENCH_PORT={{port}} ROUTER_BENCH_BACKEND={{backend}} {run}/udp-proxy.conf"),
    }
    rows = []
    for kind in wanted:
        results = os.path.join(work, kind + ".jsonl")
        names, command = servers[kind]
        sys.argv = ["peers.py", "--interleave", "--rounds", "5", "--json", results, "--udp-peers", names, "--tcp-peers", "none",
                    "--udp-cases", ",".join(CASES), "--udp", command, *options]
        peers.main()
        with open(results, encoding="utf-8") as file:
            rows += [json.loads(line) for line in file]
    return 0 if judge(rows, wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
