"""Time from starting a process to the first datagram it echoes, of several builds in turn.

    first_echo.py ROUNDS NAME=COMMAND ...

Each command is started ROUNDS times, the builds taking turns; a connected UDP socket asks every millisecond. Prints the
median, the fastest and the slowest of each. ROUTER_BENCH_PORT says where the command will listen. With
BENCH_BOUND="ONE/OTHER/RATIO" it ends with 1 unless ONE is known to take at most RATIO times as long as OTHER.
"""

import os
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import time

from interleaved import judge

LIMIT_S = 20


def first_echo_ms(command, port):
    """Milliseconds from just before the process is made to the first echo; the process is ended before returning."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.connect(("127.0.0.1", port))
        peer.settimeout(0.001)
        start = time.monotonic()
        process = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL)
        try:
            while time.monotonic() - start < LIMIT_S:
                try:
                    peer.send(b"hello")
                    if peer.recv(64) == b"hello":
                        return (time.monotonic() - start) * 1000
                except ConnectionRefusedError:
                    time.sleep(0.001)  # nobody listens yet
                except TimeoutError:
                    pass
            raise SystemExit(f"no echo within {LIMIT_S} s: {command}")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def main():
    rounds = int(sys.argv[1])
    builds = dict(argument.split("=", 1) for argument in sys.argv[2:])
    port = int(os.environ["ROUTER_BENCH_PORT"])
    times = {name: [] for name in builds}
    for _ in range(rounds):
        for name, command in builds.items():
            times[name].append(first_echo_ms(command, port))
    print(f"{'build':28} {'median ms':>10} {'min':>7} {'max':>7}   ({rounds} starts each, in turn)")
    for name, values in times.items():
        print(f"{name:28} {statistics.median(values):10.0f} {min(values):7.0f} {max(values):7.0f}")
    if bound := os.environ.get("BENCH_BOUND"):
        one, other, most = bound.split("/")
        ratios = [mine / its for mine, its in zip(times[one], times[other])]
        return 0 if judge(f"start, {one} to {other}", ratios, float(most)) else 1
    return 0


sys.exit(main())
