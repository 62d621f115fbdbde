"""See fence.sh. argv: the work folder with router/Router.dll in it, rounds, busy processes."""

import datetime
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

WORK, ROUNDS, BUSY = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ROUTER = ["dotnet", f"{WORK}/router/Router.dll"]
MEMBERS = (1, 2, 3)
STOP_SECONDS = 8
MARGIN = 0.3   # after the removal nothing is given away for so long
CONFIG = """
router {
  loops = 1
  cluster {
    host = 10.9.0.%(me)d, when-isolated = stop
    seeds = ["10.9.0.1:27200", "10.9.0.2:27200", "10.9.0.3:27200"]
    tls {
      certificate = "%(tls)s/10.9.0.%(me)d.pem"
      key = "%(tls)s/10.9.0.%(me)d-key.pem"
      ca = "%(tls)s/ca.pem"
    }
  }
  listeners.echo { bind = "udp://10.9.0.%(me)d:5300", route = echo }
  routes.echo { type = echo }
}
"""


def run(*command, text=None):
    subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def inside(member, *command, text=None):
    run("ip", "netns", "exec", f"m{member}", *command, text=text)


class Member:
    """A process, and what it has logged."""

    def __init__(self, number, count):
        self.number = number
        self._log = f"{WORK}/{number}.{count}.log"
        config = f"{WORK}/{number}.conf"
        with open(config, "w") as file:
            file.write(CONFIG % {"me": number, "tls": f"{WORK}/tls"})
        with open(self._log, "w") as output:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", f"m{number}", *ROUTER, "run", "--config", config],
                stdout=output, stderr=subprocess.STDOUT)

    def events(self, name):
        found = []
        with open(self._log) as log:
            for line in log:
                if line.startswith("{") and line.endswith("}\n"):
                    record = json.loads(line)
                    if record["event"] == name:
                        record["at"] = datetime.datetime.fromisoformat(record["time"]).timestamp()
                        found.append(record)
        return found

    def wait(self, name, since=0.0, count=1, limit=60):
        end = time.time() + limit
        while time.time() < end:
            found = [event for event in self.events(name) if event["at"] >= since]
            if len(found) >= count:
                return found[count - 1]
            time.sleep(0.02)
        raise SystemExit(f"member {self.number}: no {name} in {limit} s:\n{open(self._log).read()[-4000:]}")


class Client(threading.Thread):
    """Asks all members every 10 ms; when each was last heard."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("10.9.0.254", 0))
        self.socket.setblocking(False)
        self.last = {member: 0.0 for member in MEMBERS}
        self.start()

    def run(self):
        while True:
            for member in MEMBERS:
                try:
                    self.socket.sendto(b"%.6f" % time.time(), (f"10.9.0.{member}", 5300))
                except OSError:
                    pass
            time.sleep(0.01)
            try:
                while True:
                    _, address = self.socket.recvfrom(2048)
                    self.last[int(address[0].rsplit(".", 1)[1])] = time.time()
            except OSError:
                pass


def make_networks():
    run("ip", "-batch", "-", text="""link set lo up
link add hub type bridge
addr add 10.9.0.254/24 dev hub
link set hub up
""")
    for member in MEMBERS:
        run("ip", "netns", "add", f"m{member}")
        run("ip", "-batch", "-", text=f"""link add v{member} type veth peer name eth0 netns m{member}
link set v{member} master hub up
""")
        inside(member, "ip", "-batch", "-", text=f"""link set lo up
addr add 10.9.0.{member}/24 dev eth0
link set eth0 up
""")
        inside(member, "nft", "-f", "-", text="""table ip cut { set from { type ipv4_addr; }
chain in { type filter hook input priority 0; ip saddr @from drop; }
}
""")
    run(*ROUTER, "cluster", "certificates", "--out", f"{WORK}/tls", *[f"10.9.0.{member}" for member in MEMBERS])


def main():
    make_networks()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    members = {number: Member(number, 0) for number in MEMBERS}
    for member in members.values():
        member.wait("member-up", count=3)
        member.wait("fence-open")
    client = Client()
    time.sleep(1)
    served, removed, ended, overlaps, codes = {"cut": [], "stop": []}, [], [], [], []
    shuts = 0
    for number in range(ROUNDS):
        kind, victim = ("cut", "stop")[number % 2], members[number // 2 % 3 + 1]
        others = [member for member in members.values() if member is not victim]
        shuts += len(victim.events("fence-shut"))
        began = time.time()
        if kind == "cut":
            inside(victim.number, "nft", "-f", "-", text="".join(
                f"add element ip cut from {{ 10.9.0.{member.number} }}\n" for member in others))
        else:
            victim.process.send_signal(signal.SIGSTOP)
            time.sleep(STOP_SECONDS)
            woken = time.time()
            victim.process.send_signal(signal.SIGCONT)
        gone = max(member.wait("member-removed", since=began)["at"] for member in others)
        codes.append(victim.process.wait(60))
        ended.append(time.time() - (began if kind == "cut" else woken))
        last = client.last[victim.number]
        silent = last - (began if kind == "cut" else woken)
        served[kind].append(silent)
        removed.append(gone - began)
        overlap = last - (gone + MARGIN)
        overlaps.append(overlap > 0)
        print(f"{number + 1} {kind} of {victim.number}: answered for {max(0, silent) * 1000:.0f} ms, removed after "
              f"{removed[-1] * 1000:.0f} ms, ended after {ended[-1] * 1000:.0f} ms with {codes[-1]}"
              + (f", OVERLAP {overlap * 1000:.0f} ms" if overlap > 0 else ""), flush=True)
        if kind == "cut":
            inside(victim.number, "nft", "flush", "set", "ip", "cut", "from")
        restarted = time.time()
        members[victim.number] = Member(victim.number, number + 1)
        members[victim.number].wait("member-up", count=3)
        members[victim.number].wait("fence-open")
        for member in others:
            member.wait("member-up", since=restarted)
        time.sleep(1)
    shuts += sum(len(member.events("fence-shut")) for member in members.values())
    for kind, times in served.items():
        if times:
            print(f"{kind}: answered for at most {max(0, *times) * 1000:.0f} ms, median "
                  f"{max(0, statistics.median(times)) * 1000:.0f} ms")
    print(f"overlaps {sum(overlaps)} of {ROUNDS}; removed after {min(removed):.2f} to {max(removed):.2f} s; ended after "
          f"{min(ended):.2f} to {max(ended):.2f} s; exit codes {sorted(set(codes))}; fences of members that were "
          f"neither cut nor stopped shut {shuts} times")
    for process in busy + [member.process for member in members.values()]:
        process.kill()


main()
