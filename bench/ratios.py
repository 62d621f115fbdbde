#!/usr/bin/env python3
"""Judges raw results of run.sh: server CPU per message against the peers, and that nothing was lost.

  ratios.py RESULTS.jsonl      exit code 1 if a target is missed or was not measured at all for a protocol that was
"""
import json
import statistics
import sys

TIE = 1.15   # "no worse than": differences below are noise

# (protocol, case, ours, peers, most): our CPU seconds per unit over the best peer's in the same round; then the median of
# the rounds.
SIZES = ("", "/1200")
TARGETS = [
    *(("udp", case + size, "router", "c-batch", 1.1) for size in SIZES for case in ("1x64", "100x8", "1000x1", "10000x1")),
    *(("udp", case, "router-proxy", "c-proxy", 1.1) for case in ("1000x1", "10000x1")),
    *(("tcp", case, "router", "c-epoll", 1.1) for case in ("1000x1", "9000x1", "rate")),
    *(("tcp", case, "router-proxy", "c-proxy", TIE) for case in ("1000x1", "9000x1", "rate")),
    *(("tcp", case, "router-proxy", "nginx,haproxy", TIE) for case in ("100x8", "1000x1", "9000x1")),
    ("tcp", "bulk4", "router-proxy", "nginx", 0.5),
]

# Told, not judged: C's own ratio beside ours, since what C makes of the same system calls is as low as one gets.
REPORTS = [
    *(("udp", case, server, "akka", None) for case in ("1x64", "100x8", "1000x1", "10000x1") for server in ("router", "c-batch")),
    *(("udp", case, "router", "erlang", None) for case in ("100x8", "1000x1")),
    *(("udp", case, server, "nginx", None) for case in ("1000x1", "10000x1") for server in ("router-proxy", "c-proxy")),
]

# (protocol, case, ours, peer, figure, least): what we reach over what the peer reaches, in the same round.
RATES = [
    ("tcp", "bulk4", "router-proxy", "nginx", "gbytes_per_s", 1 / TIE),
    ("tcp", "rate", "router-proxy", "nginx", "conns_per_s", 1 / TIE),
]
OURS = ("router", "router-proxy")
FAULTS = ("lost", "corrupt", "misrouted", "wrong_source", "dup", "out_of_order", "connect_fail", "closed_by_server", "timeouts")
NOISE_MAX = 10.0   # per cent of the machine used by others: distrust what was measured then


def verdict(is_good):
    return "PASS" if is_good else "FAIL"


def by_round(rows, proto, servers, case, figure, best=min):
    """The figure by round, the best of the servers' (comma-separated); a round that one of them lacks is left out."""
    found = [
        {
            r.get("round", 0): r[figure]
            for r in rows
            if (r["proto"], r["server"], r["case"]) == (proto, server, case) and r.get(figure, 0) > 0
        }
        for server in servers.split(",")
    ]
    return {n: best(f[n] for f in found) for n in found[0] if all(n in f for f in found)}


def judge(row, mine, theirs, is_good, bound):
    """Prints one ratio: its median over the rounds, and whether that is good."""
    proto, case, ours, peer = row
    head = f"{proto:<6}{case:<13}{ours:<14}{peer:<15}"
    ratios = [mine[n] / theirs[n] for n in mine if n in theirs]
    if not ratios and bound is None:
        return True
    if not ratios:
        print(f"{head}{'-':>6}{'-':>14}{bound:>9}  FAIL (not measured)")
        return False
    ratio = statistics.median(ratios)
    if bound is None:
        print(f"{head}{ratio:>6.2f}{f'{min(ratios):.2f}..{max(ratios):.2f}':>14}")
        return True
    print(f"{head}{ratio:>6.2f}{f'{min(ratios):.2f}..{max(ratios):.2f}':>14}{bound:>9}  {verdict(is_good(ratio))}")
    return is_good(ratio)


def judge_ratios(rows, protos):
    good = True
    print(f"{'':<6}{'case':<11}{'server':<14}{'peer':<15}{'ratio':>6}{'min..max':>14}{'target':>9}")
    print("CPU seconds per message, per connection (rate), per GB (bulk)")
    for *row, most in TARGETS + REPORTS:
        proto, case, ours, peer = row
        if proto in protos:
            mine, theirs = (by_round(rows, proto, s, case, "srv_cpu_s_per_M") for s in (ours, peer))
            good = judge(row, mine, theirs, lambda r, most=most: r <= most, most and f"<= {most}") and good
    for *row, figure, least in RATES:
        proto, case, ours, peer = row
        if proto in protos:
            print(figure)
            mine, theirs = (by_round(rows, proto, s, case, figure, max) for s in (ours, peer))
            good = judge(row, mine, theirs, lambda r, least=least: r >= least, f">= {least:.2f}") and good
    return good


def judge_faults(rows):
    good = True
    for proto, server in sorted({(r["proto"], r["server"]) for r in rows if r["server"] in OURS}):
        own = [r for r in rows if (r["proto"], r["server"]) == (proto, server)]
        errors = {r["error"] for r in own if "error" in r}
        counts = {k: n for k in FAULTS if (n := sum(r.get(k, 0) for r in own))}
        sent = sum(r.get("sent", 0) for r in own)
        is_good = not errors and not counts and sent > 0
        cases = ", ".join(sorted({r["case"] for r in own}))
        print(f"{proto} {server}: {sent} sent in {cases}: {counts or 'nothing lost or wrong'} {' '.join(errors)} {verdict(is_good)}")
        good = good and is_good
    return good


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    good = judge_ratios(rows, {r["proto"] for r in rows})
    good = judge_faults(rows) and good
    noisy = sum(r.get("disturbed", 0) > NOISE_MAX for r in rows)
    if noisy:
        print(f"{noisy} of {len(rows)} measurements were disturbed by other load: distrust them")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
