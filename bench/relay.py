"""Datagrams relayed between two members; argv: Router.dll, a folder for files, seconds of each case, bytes of a
datagram, datagrams of a burst."""

import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

DLL, FOLDER, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
BYTES, BATCH = int(sys.argv[4]), int(sys.argv[5])
PEERS, UPSTREAM = 16, 27395
UDP_SEGMENT, UDP_GRO = 103, 104
CONFIG = """
router {
  loops = 1
  log { level = info, stats-interval = 1s }
  cluster { port = %d, seeds = ["127.0.0.1:27390"], relay-window = 16 MiB }
  listeners.dns { bind = "udp://127.0.0.1:%d", route = proxy, strays = relay, idle-timeout = 1h }
  routes.proxy { type = proxy, upstreams = "127.0.0.1:%d" }
}
"""


class Member:
    def __init__(self, number):
        self.address = ("127.0.0.1", 27380 + number)
        config = os.path.join(FOLDER, f"{number}.conf")
        with open(config, "w") as file:
            file.write(CONFIG % (27390 + number, self.address[1], UPSTREAM))
        self._log = os.path.join(FOLDER, f"{number}.log")
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(
                ["dotnet", DLL, "run", "--config", config], stdout=log, stderr=subprocess.STDOUT)
        while not self.records("fence-open"):
            time.sleep(0.05)
            if self._process.poll() is not None:
                raise SystemExit(open(self._log).read())

    def records(self, event):
        mark = f'"event":"{event}"'
        return [json.loads(line) for line in open(self._log) if mark in line and line.endswith("\n")]

    def total(self, event, field):
        """Since the start. A stats line comes every second."""
        return sum(line[field] for line in self.records(event))

    def cpu_s(self):
        with open(f"/proc/{self._process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self._process.kill()
        self._process.wait()


class Upstream(threading.Thread):
    """Answers bursts as bursts while it is to; else it leaves them in its buffer, where the kernel drops them."""

    def __init__(self):
        super().__init__(daemon=True)
        self.answers = True
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", UPSTREAM))
        self._socket.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        self._socket.settimeout(0.01)

    def run(self):
        while True:
            if not self.answers:
                time.sleep(0.01)
                continue
            try:
                burst, notes, _, peer = self._socket.recvmsg(65535, 64)
            except socket.timeout:
                continue
            size = struct.unpack("i", notes[0][2])[0] if notes else len(burst)
            while burst:
                part = burst[: size * (60000 // size)]
                burst = burst[len(part):]
                note = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", size))] if len(part) > size else []
                self._socket.sendmsg([part], note, 0, peer)


class Peer:
    """What it is answered it leaves to the kernel, but for single datagrams."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(1)

    def burst(self, to):
        self._socket.sendmsg(
            [b"x" * (BYTES * BATCH)], [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", BYTES))], 0, to)

    def ask(self, to):
        while True:
            start = time.perf_counter()
            self._socket.sendto(b"x" * BYTES, to)
            try:
                while self._socket.recvfrom(65535)[1] != to:
                    pass   # a late one of the other member
                return time.perf_counter() - start
            except socket.timeout:
                pass

    def drain(self):
        self._socket.setblocking(False)
        try:
            while True:
                self._socket.recv(65535)
        except BlockingIOError:
            self._socket.settimeout(1)


def send(peers, to, seconds, rate):
    """Bursts for so long, at most so many datagrams a second; 0 for as many as are taken."""
    sent, start = 0, time.monotonic()
    while (now := time.monotonic()) < start + seconds:
        if rate and sent > rate * (now - start):
            time.sleep(0.0002)
            continue
        peers[sent // BATCH % len(peers)].burst(to)
        sent += BATCH
    return sent


def measure(name, peers, to, owner, members, rate):
    """CPU of both members in us for each datagram that the owner of the sessions has taken."""
    send(peers, to.address, 2, rate)   # compiled
    time.sleep(1.5)                    # the stats line of it is there
    taken, cpu = owner.total("stats", "payloads-in"), [member.cpu_s() for member in members]
    start = time.monotonic()
    sent = send(peers, to.address, SECONDS, rate)
    took = time.monotonic() - start
    time.sleep(0.2)
    cpu = [member.cpu_s() - before for member, before in zip(members, cpu)]
    time.sleep(1.5)
    taken = owner.total("stats", "payloads-in") - taken
    each = sum(cpu) / max(1, taken) * 1e6
    print(f"{name}: {sent / took:,.0f} datagrams/s sent, {taken / took:,.0f} to the upstream; "
          f"CPU {each:.2f} us each ({', '.join(f'{s / took:.2f}' for s in cpu)} cores)", flush=True)
    for peer in peers:
        peer.drain()
    return each


def latency(peer, to):
    return statistics.median(peer.ask(to.address) for _ in range(3000)) * 1e3


def main():
    upstream = Upstream()
    upstream.start()
    one = Member(0)
    two = Member(1)
    members = [one, two]
    try:
        time.sleep(1)
        peers = [Peer() for _ in range(PEERS)]
        for peer in peers:
            peer.ask(one.address)
        for peer in peers:
            peer.ask(two.address)
        for rate in (100_000, 300_000, 0):
            text = f"{rate:,}/s" if rate else "as fast as they are taken"
            upstream.answers = False
            direct = measure(f"{text}, direct, no answers", peers, one, one, members, rate)
            cost = measure(f"{text}, relayed, no answers", peers, two, one, members, rate) - direct
            print(f"  relaying costs {cost:.2f} us a datagram", flush=True)
            upstream.answers = True
            time.sleep(1)
            direct = measure(f"{text}, direct, answered", peers, one, one, members, rate)
            cost = measure(f"{text}, relayed, answered", peers, two, one, members, rate) - direct
            print(f"  relaying costs {cost / 2:.2f} us a datagram, there and back", flush=True)
        for peer in peers:
            peer.drain()
        time.sleep(1)
        direct, relayed = latency(peers[0], one), latency(peers[0], two)
        print(f"one datagram and its answer, p50: direct {direct:.3f} ms, relayed {relayed:.3f} ms", flush=True)
        last = two.records("cluster-stats")[-1]
        print(f"strays found: {last['strays-found']} of {PEERS}, dropped "
              f"{sum(m.records('cluster-stats')[-1]['relay-drops'] for m in members)}")
    finally:
        one.end()
        two.end()


main()
