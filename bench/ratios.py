#!/usr/bin/env python3
"""Judges raw results of run.sh: server CPU per message against the peers, and that nothing was lost.

  ratios.py RESULTS.jsonl      exit code 1 if a target is missed or was not measured at all for a protocol that was
"""
import json
import statistics
import sys

# (protocol, case, ours, peer, most): our CPU seconds per unit over the peer's, in the same round; then the median of rounds.
TARGETS = [
    ("udp", "100x8", "router", "c-batch", 1.4),
    ("udp", "1000x1", "router", "c-batch", 1.4),
    ("udp", "100x8", "router", "erlang", 0.5),
    ("udp", "1000x1", "router", "erlang", 0.5),
    ("udp", "1000x1", "router-proxy", "nginx", 0.9),
    ("tcp", "1000x1", "router", "c-epoll", 1.4),
    ("tcp", "100x8", "router-proxy", "nginx", 1.15),
    ("tcp", "1000x1", "router-proxy", "nginx", 1.15),
    ("tcp", "9000x1", "router-proxy", "nginx", 1.15),
    ("tcp", "bulk4", "router-proxy", "nginx", 1.15),
]
OURS = ("router", "router-proxy")
FAULTS = ("lost", "corrupt", "misrouted", "wrong_source", "dup", "out_of_order", "connect_fail", "closed_by_server", "timeouts")
NOISE_MAX = 10.0   # per cent of the machine used by others: distrust what was measured then


def verdict(is_good):
    return "PASS" if is_good else "FAIL"


def cpu(rows, proto, server, case):
    """CPU seconds per million messages (per GB for bulk) by round."""
    return {
        r.get("round", 0): r["srv_cpu_s_per_M"]
        for r in rows
        if (r["proto"], r["server"], r["case"]) == (proto, server, case) and r.get("srv_cpu_s_per_M", 0) > 0
    }


def judge_ratios(rows, protos):
    good = True
    print(f"{'protocol':<9}{'case':<9}{'server':<14}{'peer':<9}{'ratio':>6}{'min..max':>14}{'target':>8}  verdict")
    for proto, case, ours, peer, most in TARGETS:
        if proto not in protos:
            continue
        mine, theirs = cpu(rows, proto, ours, case), cpu(rows, proto, peer, case)
        ratios = [mine[n] / theirs[n] for n in mine if n in theirs]
        if not ratios:
            print(f"{proto:<9}{case:<9}{ours:<14}{peer:<9}{'-':>6}{'-':>14}{most:>8}  FAIL (not measured)")
            good = False
            continue
        ratio = statistics.median(ratios)
        spread = f"{min(ratios):.2f}..{max(ratios):.2f}"
        print(f"{proto:<9}{case:<9}{ours:<14}{peer:<9}{ratio:>6.2f}{spread:>14}{most:>8}  {verdict(ratio <= most)}")
        good = good and ratio <= most
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
