"""What `router top` costs a router with 100,000 sessions: see top.sh.

    top.py UDPLOAD ROUTER.DLL CONF ROUNDS

Two routers on processor 0, the load and top on processor 1. Each router has 100,000 sessions, and of 1,000 more come 20,000
datagrams a second in an open loop: a datagram's time counts from when it was due. One router is looked at by a `router top` on
a terminal of 50 lines with 200 columns while it is measured: top is stopped (SIGSTOP) while the other is, which has no admin
endpoint. They take turns, see interleaved.py. Ends with 1 unless the p99 is known to move by less than 10 %.
"""

import contextlib
import fcntl
import os
import pty
import signal
import statistics
import struct
import sys
import termios
import threading
import time

from interleaved import judge, print_head, print_ratio, take_turns
from router_process import Router, ask_at, open_sessions

PORTS = {"without": 27385, "with": 27386}
ADMIN = 27396
SESSIONS = 100_000
ASKING = 1_000
RATE = 20_000
SECONDS = 3
SETTLED_S = 2
P99_MOVED = 1.1


class Top:
    """A `router top` on a terminal of its own, which nobody looks at. A context: ends with it."""

    def __init__(self, admin):
        self.shown = 0
        self._tail = b""
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execvp("dotnet", ["dotnet", sys.argv[2], "top", "--admin", f"http://127.0.0.1:{admin}"])
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def _read(self):
        with contextlib.suppress(OSError):   # it has ended
            while data := os.read(self._terminal, 65536):
                self.shown += len(data)
                self._tail = (self._tail + data)[-2000:]

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_until_shown(self):
        deadline = time.monotonic() + 30
        while self.shown < 5_000:
            if time.monotonic() > deadline:
                sys.exit(f"top shows nothing: {self._tail.decode(errors='replace')}")
            time.sleep(0.1)

    @contextlib.contextmanager
    def looking(self):
        """It goes on, and is stopped again."""
        os.kill(self.pid, signal.SIGCONT)
        try:
            time.sleep(SETTLED_S)
            yield
        finally:
            os.kill(self.pid, signal.SIGSTOP)


def main():
    rounds = int(sys.argv[4])
    os.sched_setaffinity(0, {1})
    options = {"idle_timeout": "1h", "max_sessions": 1_000_000}
    with Router(PORTS["without"], **options) as plain, Router(PORTS["with"], admin=ADMIN, **options) as looked_at:
        open_sessions(plain, PORTS["without"], SESSIONS)
        open_sessions(looked_at, PORTS["with"], SESSIONS)
        with Top(ADMIN) as top:
            top.wait_until_shown()
            os.kill(top.pid, signal.SIGSTOP)
            itself = []

            def while_looked_at():
                with top.looking():
                    cpu, began, shown = top.cpu_s(), time.monotonic(), top.shown
                    row = ask_at(looked_at, PORTS["with"], ASKING, RATE, SECONDS)
                    itself.append(100 * (top.cpu_s() - cpu) / (time.monotonic() - began))
                    if top.shown == shown:
                        sys.exit("top has shown nothing new")
                    return row

            rows = take_turns(rounds, lambda: ask_at(plain, PORTS["without"], ASKING, RATE, SECONDS), while_looked_at)
        print_head("a router top:")
        moved = {key: print_ratio(f"{key} at {RATE:,} a second", "us",
                                  *([row[f"{key}_us"] for row in rows[name]] for name in rows)) for key in ("p50", "p99")}
        # Of the whole process, so what the endpoint does for top is in it, spread over the datagrams of the time.
        print_ratio("CPU of the router", "%",
                    *([row["srv_cpu_s_per_M"] * row["pps"] / 1e4 for row in rows[name]] for name in rows))
        print(f"CPU of top itself: {statistics.median(itself):.1f} % of a core ({min(itself):.1f}..{max(itself):.1f})")
        print(f"lost: {sum(row['lost'] for name in rows for row in rows[name])}")
        return 0 if judge("p99 of an echo, looked at to not", moved["p99"], P99_MOVED) else 1


sys.exit(main())
