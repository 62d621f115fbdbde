"""Rooms across two members; argv: Router.dll, a folder for files, seconds of each case, bytes of a payload."""

import json
import os
import socket
import subprocess
import sys
import time

DLL, FOLDER, SECONDS, BYTES = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
CONFIG = """
router {
  loops = 1
  log { level = info, stats-interval = 1s }
  cluster { port = %d, seeds = ["127.0.0.1:27290"], room-window = 16 MiB }
  listeners.talk { bind = ["tcp://127.0.0.1:%d", "udp://127.0.0.1:%d"], route = rooms, idle-timeout = 1h }
  routes.rooms { type = room, validate = none, buffer = 64 MiB, max-payload = 60000 }
}
"""


class Member:
    def __init__(self, number):
        self.port = 27280 + number
        config = os.path.join(FOLDER, f"{number}.conf")
        with open(config, "w") as file:
            file.write(CONFIG % (27290 + number, self.port, self.port))
        self._log = os.path.join(FOLDER, f"{number}.log")
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(
                ["dotnet", DLL, "run", "--config", config], stdout=log, stderr=subprocess.STDOUT)
        while not self.records("listening"):
            time.sleep(0.05)
            if self._process.poll() is not None:
                raise SystemExit(open(self._log).read())

    def records(self, event):
        mark = f'"event":"{event}"'
        return [json.loads(line) for line in open(self._log) if mark in line and line.endswith("\n")]

    def total(self, event, field):
        """Since the start. A stats line comes every second."""
        return sum(line[field] for line in self.records(event))

    def lost(self):
        return self.total("drops", "count") + self.total("room-late", "payloads")

    def cpu_s(self):
        with open(f"/proc/{self._process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self):
        with open(f"/proc/{self._process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * 4096

    def speaker(self, room):
        peer = socket.create_connection(("127.0.0.1", self.port))
        peer.sendall(room + b"\n")
        return peer

    def hearer(self, room):
        """It need not read: what is sent to it is counted by its member."""
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.connect(("127.0.0.1", self.port))
        peer.send(room)
        return peer

    def end(self):
        self._process.kill()
        self._process.wait()


def say(peer, seconds, rate):
    """Lines for so long, at most so many a second; 0 for as many as are taken."""
    piece = (b"x" * (BYTES - 1) + b"\n") * max(1, 16384 // BYTES)
    lines, end, start = 0, time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < end:
        if rate and lines > rate * (time.monotonic() - start):
            time.sleep(0.0005)
            continue
        peer.sendall(piece)
        lines += len(piece) // BYTES
    return lines


def measure(name, room, speaking, hearing, members, rate=0):
    speaker, hearer = speaking.speaker(room), hearing.hearer(room)
    hearer.settimeout(0.02)
    while True:
        speaker.sendall(b"x" * (BYTES - 1) + b"\n")
        try:
            hearer.recv(BYTES)
            break
        except socket.timeout:
            pass
    say(speaker, 3, rate)          # compiled
    time.sleep(1.5)                # the stats line of it is there
    before = [(m.cpu_s(), m.lost()) for m in members], hearing.total("stats", "payloads-out")
    start = time.monotonic()
    said = say(speaker, SECONDS, rate)
    took = time.monotonic() - start
    time.sleep(0.2)
    cpu = [m.cpu_s() - then for m, (then, _) in zip(members, before[0])]
    time.sleep(1.5)
    lost = [m.lost() - then for m, (_, then) in zip(members, before[0])]
    heard = hearing.total("stats", "payloads-out") - before[1]
    speaker.close()
    print(f"{name}: {said / took:,.0f} payloads/s said, {heard / took:,.0f} heard; counted as dropped {lost}, "
          f"not accounted for {said - heard - sum(lost)}; CPU {sum(cpu) / heard * 1e6:.2f} us a payload heard "
          f"({', '.join(f'{s / took:.2f}' for s in cpu)} cores), "
          f"RSS {', '.join(f'{m.rss() >> 20}' for m in members)} MB", flush=True)
    return heard / took


def main():
    one, two = Member(0), Member(1)
    try:
        measure("on one member", b"near", one, one, [one, two])
        full = measure("across two members", b"far", one, two, [one, two])
        measure("at half of that", b"half", one, two, [one, two], rate=full / 2)
        measure("at 100,000/s", b"slow", one, two, [one, two], rate=100_000)
    finally:
        one.end()
        two.end()


main()
