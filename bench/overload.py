#!/usr/bin/env python3
"""Overload: a route whose handler takes 10 us is offered its peak rate and then twice of it, in turn.

  overload.py ROUTER-DLL BENCH-BIN CONF ROUNDS      called by overload.sh; exit code 1 if a target is missed

The peak is what a closed loop gets. Counters are the log's: `stats` and `drops` records, added up after the router's end.
"""
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile

from latency import LOAD_CPU, SERVER_CPU, free_port

SECONDS = 4
GOODPUT_LEAST = 0.9
MEMORY_GROWTH_MOST_KB = 4096   # resident, over one overload: a queue that grew would hold 64 B of each of 250,000 lost, 16 MB
WARM_UP_SECONDS = 3            # the code is compiled to its best meanwhile


def load(binaries, server, port, seconds, *options):
    # No warm-up: the generator counts every datagram it has sent. A second for what is in the queues at the end.
    command = [os.path.join(binaries, "udpload"), "-j", "-p", str(port), "-c", LOAD_CPU, "-P", str(server.pid), "-m", "addr",
               "-s", "100", "-b", "64", "-d", str(seconds), "-W", "0", "-l", "1000", *options]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def start(dll, conf, port, log):
    environment = dict(os.environ, ROUTER_BENCH_PORT=str(port))
    server = subprocess.Popen(["taskset", "-c", SERVER_CPU, "dotnet", dll, "run", "--config", conf], env=environment,
                              start_new_session=True, stdout=log, stderr=subprocess.STDOUT)
    while b'"event":"listening"' not in open(log.name, "rb").read():
        if server.poll() is not None:
            sys.exit("the router does not start: " + open(log.name, encoding="utf-8").read())
    return server


def main():
    dll, binaries, conf, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    port = free_port()
    rows = []
    with tempfile.NamedTemporaryFile() as log:
        server = start(dll, conf, port, log)
        try:
            closed = ["-w", "8", "-f", "512"]
            rows.append(load(binaries, server, port, WARM_UP_SECONDS, *closed))
            goodputs, memory = [], []
            for _ in range(rounds):
                peak = load(binaries, server, port, SECONDS, *closed)
                over = load(binaries, server, port, SECONDS, "-r", str(2 * peak["pps"]))
                rows += [peak, over]
                goodputs.append(over["pps"] / peak["pps"])
                memory.append(over["srv_rss_kb"] - over["srv_rss0_kb"])
                print(f"peak {peak['pps']:.0f}/s; offered {over['sent'] / SECONDS:.0f}/s: answered {over['pps']:.0f}/s, "
                      f"lost {over['lost']}, resident {over['srv_rss0_kb']} kB before, {over['srv_rss_kb']} kB after", flush=True)
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
        records = [json.loads(line) for line in open(log.name, encoding="utf-8") if line.startswith("{")]
    lost, sent = sum(row["lost"] for row in rows), sum(row["sent"] for row in rows)
    dropped = {}
    for record in records:
        if record["event"] == "drops":
            dropped[record["reason"]] = dropped.get(record["reason"], 0) + record["count"]
    taken = sum(record["payloads-in"] for record in records if record["event"] == "stats")
    goodput, growth = statistics.median(goodputs), max(memory)
    verdicts = [
        (f"goodput at twice the peak: {goodput:.2f} of it ({min(goodputs):.2f}..{max(goodputs):.2f}), target >= {GOODPUT_LEAST}",
         goodput >= GOODPUT_LEAST),
        (f"memory: at most {growth} kB more after an overload than before it, target <= {MEMORY_GROWTH_MOST_KB}",
         growth <= MEMORY_GROWTH_MOST_KB),
        (f"sender: {sent} sent, {lost} lost; router: {taken} received, dropped {dropped}, target: the same to the unit",
         lost > 0 and dropped == {"receive-buffer-full": lost} and taken + lost == sent),
    ]
    for text, is_good in verdicts:
        print(f"{text}  {'PASS' if is_good else 'FAIL'}")
    return 0 if all(is_good for _, is_good in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
