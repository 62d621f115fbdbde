#!/usr/bin/env python3
"""Latency under an open loop: the router's UDP echo against C's batch server, interleaved.

  latency.py ROUTER-DLL BENCH-BIN CONF ROUNDS      called by latency.sh; exit code 1 if a target is missed

A datagram's time counts from when it was due to be sent, so a server that stalls is not spared what waited meanwhile.
Whatever else runs on a processor keeps it for up to 4 ms: in a second, three such slices are the slowest 1 %. So the
rounds are short and many, c-batch is measured before and after the router in each, and the middle half of its ratio to
itself is printed too: what a ratio of this run cannot tell from noise.
"""
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

SERVER_CPU, LOAD_CPU = "0", "1"
SECONDS = 1
# (figure, most): ours over C's before and after it, median over the rounds.
TARGETS = [("p50_us", 1.1), ("p99_us", 1.5)]


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command, port):
    environment = dict(os.environ, ROUTER_BENCH_PORT=str(port))
    server = subprocess.Popen(["taskset", "-c", SERVER_CPU, *command], env=environment, start_new_session=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        probe.connect(("127.0.0.1", port))
        for _ in range(100):
            if server.poll() is not None:
                sys.exit(f"{command[0]} ended with {server.returncode}")
            try:
                probe.send(b"x" * 32)
                probe.recv(64)
                return server
            except (ConnectionRefusedError, TimeoutError):
                time.sleep(0.05)
    sys.exit(f"{command} does not answer")


def load(binaries, server, port, options):
    command = [os.path.join(binaries, "udpload"), "-j", "-p", str(port), "-c", LOAD_CPU, "-P", str(server.pid), "-m", "addr",
               "-s", "100", "-b", "64", "-W", "0.2", *options]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def middle_half(ratios):
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{low:.2f}..{high:.2f}"


def main():
    dll, binaries, conf, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    ports = {name: free_port() for name in ("c-batch", "router")}
    commands = {
        "c-batch": [os.path.join(binaries, "udpecho_limit"), "-p", str(ports["c-batch"]), "-m", "batch"],
        "router": ["dotnet", dll, "run", "--config", conf],
    }
    servers = {}
    good = True
    try:
        for name, command in commands.items():
            servers[name] = start(command, ports[name])
        peak = ["-w", "8", "-f", "512", "-d", "3"]
        peaks = {name: load(binaries, servers[name], ports[name], peak)["pps"] for name in servers}
        half = int(min(peaks.values()) / 2)
        print("peak, closed loop: " + ", ".join(f"{name} {peak / 1000:.0f} kpps" for name, peak in peaks.items()))
        print(f"{'rate':>8}{'figure':>8}{'c-batch':>9}{'router':>8}{'ratio':>7}{'middle half':>14}{'min..max':>14}"
              f"{'c to itself':>14}{'target':>8}  verdict")
        for rate in (20000, half):
            rows = {name: [] for name in ("before", "router", "after")}
            for _ in range(rounds):
                for name in rows:
                    server = "router" if name == "router" else "c-batch"
                    rows[name].append(load(binaries, servers[server], ports[server], ["-r", str(rate), "-d", str(SECONDS)]))
            for figure, most in TARGETS:
                before, ours, after = ([row[figure] for row in rows[name]] for name in rows)
                ratios = sorted(mine / its for theirs in (before, after) for mine, its in zip(ours, theirs))
                ratio = statistics.median(ratios)
                good = good and ratio <= most
                itself = middle_half([one / other for one, other in zip(before, after)])
                print(f"{rate:>8}{figure[:3]:>8}{statistics.median(before + after):>9.0f}{statistics.median(ours):>8.0f}{ratio:>7.2f}"
                      f"{middle_half(ratios):>14}{f'{ratios[0]:.2f}..{ratios[-1]:.2f}':>14}{itself:>14}{most:>8}"
                      f"  {'PASS' if ratio <= most else 'FAIL'}", flush=True)
            lost = sum(row["lost"] for row in rows["router"])
            good = good and lost == 0
            print(f"{rate:>8}    lost: {lost} of {sum(row['sent'] for row in rows['router'])} {'PASS' if lost == 0 else 'FAIL'}")
    finally:
        for server in servers.values():
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
