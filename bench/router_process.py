"""The router as the benchmark scripts run it, and the load generator; argv[1] is udpload, argv[2] Router.dll, argv[3] the
configuration."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time


class Load:
    def __init__(self, process):
        self._process = process

    def result(self):
        """What it measured, once it has ended."""
        output, _ = self._process.communicate()
        return json.loads(output)


def start_load(port, *options):
    return Load(subprocess.Popen([sys.argv[1], "-p", str(port), "-j", *options], stdout=subprocess.PIPE, text=True))


def load(port, *options):
    return start_load(port, *options).result()


class Router:
    """A router on processor 0 whose log goes to a file that is read back. A context: ends with it."""

    def __init__(self, port, loops=1, processors="0", prepared=0, session_records=20_000, admin=None, more=None,
                 **defaults):
        """more: further keys, with their values as HOCON; defaults: keys of listener-defaults."""
        self._log = tempfile.NamedTemporaryFile("r", prefix="router-bench-")
        settings = {
            "router.loops": str(loops),
            "router.log.level": "info",
            "router.log.stats-interval": "1s",
            "router.log.session-records": str(session_records),
            "router.heap.prepared-sessions": str(prepared),
        }
        if admin:
            settings["router.admin.bind"] = f'"127.0.0.1:{admin}"'
        settings.update(more or {})
        for key, value in defaults.items():
            settings[f"router.listener-defaults.{key.replace('_', '-')}"] = str(value)
        command = ["taskset", "-c", processors, "dotnet", sys.argv[2], "run", "--config", sys.argv[3]]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        environment = dict(os.environ, ROUTER_BENCH_PORT=str(port))
        environment.update(pair.split("=", 1) for pair in shlex.split(os.environ.get("ROUTER_BENCH_ENV", "")))
        self._stats = []
        with open(self._log.name, "w") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        self.pid = self._process.pid
        while not self._lines("listening") or (prepared and not self._lines("sessions-prepared")):
            time.sleep(0.1)
            if self._process.poll() is not None:
                raise SystemExit(open(self._log.name).read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._log.close()

    def wait(self):
        """Until it has ended by itself."""
        self._process.wait(timeout=60)

    def _lines(self, event):
        mark = f'"event":"{event}"'
        return [json.loads(line) for line in open(self._log.name) if mark in line and line.endswith("\n")]

    def all_stats(self):
        """Every stats line so far."""
        mark = '"event":"stats"'
        while line := self._log.readline():
            if mark in line:
                self._stats.append(json.loads(line))
        return self._stats

    def stats(self):
        """The next stats line to come."""
        seen = len(self.all_stats())
        while len(self.all_stats()) == seen:
            time.sleep(0.05)
        return self._stats[-1]

    def closed_per_second(self):
        return [f"{line['closed']:,}" for line in self.all_stats() if line["closed"] > 0]

    def print_gc(self):
        lines = [line for line in self.all_stats() if "gc-pause-max-us" in line]
        if lines:
            worst = max(lines, key=lambda line: line["gc-pause-max-us"])
            print(f"  gc: {sum(line['gc-pauses'] for line in lines)} pauses, "
                  f"the longest {worst['gc-pause-max-us'] / 1000:.1f} ms, "
                  f"{sum(line['gc-blocking'] for line in lines)} blocking full collections")
        held, released = ([f"{line['sessions']:,}" for line in self._lines(f"collections-{event}")]
                          for event in ("held", "released"))
        print(f"  full collections held off from {', '.join(held) or 'never'}, until {', '.join(released) or 'the end'}")

    def cpu_s(self):
        """Seconds of processor time, all threads, user and system."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident and proportional bytes of the process."""
        found = {}
        with open(f"/proc/{self.pid}/smaps_rollup") as rollup:
            for line in rollup:
                key, _, rest = line.partition(":")
                if key in ("Rss", "Pss"):
                    found[key.lower()] = int(rest.split()[0]) * 1024
        return found


def open_sessions(router, port, sessions):
    """Has its code compiled, then opens so many UDP sessions, and waits until they are there."""
    load(port, "-m", "addr", "-s", "100", "-w", "8", "-f", "512", "-d", "3", "-W", "0.5", "-c", "1")
    while router.stats()["sessions"] < sessions:
        load(port, "-m", "addr", "-s", str(sessions), "-w", "1", "-f", "512", "-d", "3", "-W", "0", "-c", "1")


def ask_at(router, port, sessions, rate, seconds):
    """An open loop: a datagram's time counts from when it was due."""
    return load(port, "-m", "addr", "-s", str(sessions), "-r", str(rate), "-d", str(seconds), "-W", "0.3", "-c", "1",
                "-P", str(router.pid))
