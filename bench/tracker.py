"""See tracker.sh. argv: the work folder, devices, seconds."""

import json
import os
import random
import select
import signal
import socket
import statistics
import subprocess
import sys
import time

WORK, DEVICES, SECONDS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
NICE = ["nice", "-n", "-15"]   # a member that gets no processor for a second is taken for dead, whatever else runs here
ROUTER = ["dotnet", f"{WORK}/router/Router.dll"]
MEMBERS = (1, 2, 3)
BACKEND = "10.9.0.254"
HOMES = [f"10.9.0.{last}" for last in range(240, 250)]   # addresses that devices are at
PORT = 5310
SEEDS = [f"10.9.0.{member}:27200" for member in MEMBERS]

REPORT_EVERY = 4.0    # seconds; of each device
MOVE_EVERY = 15.0
COMMAND_EVERY = 20.0
ANSWER_WITHIN = 1.0   # then it reports again, and each time waits half as long again
WAIT_MAX = 5.0
TRIES = 2             # unanswered: then it goes to another member
TOLD_AGAIN = 3.0      # a command that has not arrived
KILL_EVERY = 20.0
DOWN_FOR = 3.0
SETTLE = 60.0         # at the end, until all is answered and told
TAKEOVER_MAX = 30.0   # a machine that does other things as well


def run(*command, text=None):
    subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def make_networks():
    homes = "".join(f"addr add {home}/24 dev hub\n" for home in [BACKEND, *HOMES])
    run("ip", "-batch", "-", text=f"link set lo up\nlink add hub type bridge\n{homes}link set hub up\n")
    for member in MEMBERS:
        run("ip", "netns", "add", f"m{member}")
        run("ip", "-batch", "-", text=f"link add v{member} type veth peer name eth0 netns m{member}\n"
            f"link set v{member} master hub up\n")
        run("ip", "netns", "exec", f"m{member}", "ip", "-batch", "-",
            text=f"link set lo up\naddr add 10.9.0.{member}/24 dev eth0\nlink set eth0 up\n")
    run(*ROUTER, "cluster", "certificates", "--out", f"{WORK}/tls", BACKEND,
        *[f"10.9.0.{member}" for member in MEMBERS])


class Member:
    """A process, and what it has logged since the last look."""

    def __init__(self, number, count):
        self.number, self.started = number, time.monotonic()
        self._log = f"{WORK}/{number}.{count}.log"
        self._read, self._rest, self.events = 0, b"", []
        host = f"10.9.0.{number}"
        environment = os.environ | {
            "MEMBER": host, "DATABASE": f"Host={WORK}/postgres;Username=router;Database=postgres"}
        sets = [
            f"router.cluster.seeds={json.dumps(SEEDS)}", "router.loops=1", f"router.listeners.trackers.max-sessions="
            f"{DEVICES * 3}", *[f"router.cluster.tls.{key}=\"{WORK}/tls/{file}.pem\"" for key, file in (
                ("certificate", host), ("key", f"{host}-key"), ("ca", "ca"))]]
        with open(self._log, "w") as output:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", f"m{number}", *NICE, *ROUTER, "run", "--config", f"{WORK}/cluster-tracker.conf",
                 *[word for one in sets for word in ("--set", one)]],
                stdout=output, stderr=subprocess.STDOUT, env=environment)

    def look(self):
        with open(self._log, "rb") as log:
            log.seek(self._read)
            new = log.read()
        self._read += len(new)
        lines = (self._rest + new).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if line.startswith(b"{"):
                self.events.append(json.loads(line))
        return self

    def count(self, name):
        return sum(event["event"] == name for event in self.events)

    def is_in(self):
        return self.look().count("fence-open") > 0 and self.count("member-up") >= len(MEMBERS)

    def wait(self, limit=90):
        end = time.monotonic() + limit
        while not self.is_in():
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(f"member {self.number} is not in:\n{open(self._log).read()[-4000:]}")
            time.sleep(0.05)


class Backend:
    """The program that tells devices commands; one that was downed is started anew."""

    def __init__(self):
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        self._process = subprocess.Popen(
            [*NICE, "dotnet", "exec", "--runtimeconfig", f"{WORK}/router/Router.runtimeconfig.json", "--depsfile",
             f"{WORK}/router/Router.Benchmarks.deps.json", f"{WORK}/router/Router.Benchmarks.dll", "tracker-backend",
             BACKEND, f"{WORK}/tls", *SEEDS], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        os.set_blocking(self._process.stdin.fileno(), False)

    def tell(self, device, command):
        try:
            os.write(self._process.stdin.fileno(), f"{device} {command}\n".encode())
        except OSError:
            pass   # it is not there, or not yet as quick: the device is told again

    def turn(self):
        if self._process.poll() is not None:
            print(f"the backend has ended with {self._process.returncode}", flush=True)
            self.start()

    def kill(self):
        self._process.kill()


class Device:
    """Reports, is answered its count, is told commands, and moves."""

    def __init__(self, number, now, world):
        self.number, self.world = number, world
        self.name = f"{number:08d}"
        self.member = world.random.choice(MEMBERS)
        self.count = 0            # the highest that it was told
        self.told = set()
        self.asked = None         # since when it waits for an answer
        self.tries = 0
        self.command = None       # number, first told, last told, times
        self.commands = 0
        self.taken = None         # when its member was killed, until it is answered again
        self.socket = None
        self.heard = []           # the last few: when, which count, from whom
        self.next_report = now + world.random.uniform(0, REPORT_EVERY)
        self.next_move = now + world.random.uniform(0, MOVE_EVERY)
        self.next_command = now + world.random.uniform(0, COMMAND_EVERY)
        self.open()

    def open(self):
        """From another address and port; what is under way to the old one is lost."""
        if self.socket is not None:
            self.world.forget(self)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(self.world.next_endpoint())
        self.socket.setblocking(False)
        self.world.watch(self)

    def report(self, now):
        self.asked = now
        self.world.reports += 1
        try:
            self.socket.sendto(f"{self.name} {self.count}".encode(), (f"10.9.0.{self.member}", PORT))
        except OSError:
            pass   # the member's network is just being used anew

    def turn(self, now):
        if self.asked is not None and now - self.asked >= min(WAIT_MAX, ANSWER_WITHIN * 1.5 ** self.tries):
            self.world.unanswered += 1
            self.tries += 1
            if self.tries % TRIES == 0:
                self.member = self.world.random.choice([each for each in MEMBERS if each != self.member])
            self.report(now)
        elif self.asked is None and now >= self.next_report:
            self.next_report = now + REPORT_EVERY
            self.report(now)
        if now >= self.next_move and not self.world.is_ending:
            self.next_move = now + self.world.random.uniform(0.5, 1.5) * MOVE_EVERY
            self.world.moves += 1
            if self.world.random.random() < 0.5:
                self.open()
            if self.world.random.random() < 0.7:
                self.member = self.world.random.choice(MEMBERS)
        if self.command is None and now >= self.next_command and not self.world.is_ending:
            self.next_command = now + COMMAND_EVERY
            self.commands += 1
            self.command = [self.commands, now, now, 1]
            self.tell()
        elif self.command is not None and now - self.command[2] >= TOLD_AGAIN:
            self.command[2] = now
            self.command[3] += 1
            self.world.told_again += 1
            self.tell()

    def tell(self):
        self.world.backend.tell(self.name, self.commands)

    def hear(self, now):
        while True:
            try:
                payload, (address, _) = self.socket.recvfrom(2048)
            except OSError:
                return
            if payload.startswith(b"do "):
                if self.command is not None and int(payload[3:]) == self.command[0]:
                    self.world.arrivals.append(now - self.command[1])
                    self.command = None
                continue
            count, member = int(payload), int(address.rsplit(".", 1)[1])
            self.heard = [*self.heard[-7:], (round(now, 4), count, member)]
            if count in self.told:   # it was taken back, and is told again
                self.world.went_back.append((self.name, self.heard))
            elif count < self.count:
                self.world.late += 1   # overtaken on the way, as datagrams may be
            self.told.add(count)
            self.count = max(count, self.count)
            self.world.answers += 1
            if self.asked is not None:
                self.world.delays.append(now - self.asked)
            self.asked, self.tries = None, 0
            if self.taken is not None:
                self.world.takeovers.append(now - self.taken)
                self.taken = None


class World:
    def __init__(self):
        self.random = random.Random(1)
        self.poll = select.epoll()
        self.by_socket, self.endpoints = {}, 0
        self.backend = None
        self.reports = self.answers = self.unanswered = self.moves = self.told_again = self.late = 0
        self.delays, self.arrivals, self.takeovers, self.went_back = [], [], [], []
        self.is_ending = False

    def watch(self, device):
        self.by_socket[device.socket.fileno()] = device
        self.poll.register(device.socket.fileno(), select.EPOLLIN)

    def next_endpoint(self):
        """One that no device has had: to the gateway a peer is its address and port, so who had another's while that
        one's session is open would be told the other's count."""
        self.endpoints += 1
        return HOMES[self.endpoints % len(HOMES)], 2_000 + self.endpoints // len(HOMES) % 60_000

    def forget(self, device):
        self.poll.unregister(device.socket.fileno())
        del self.by_socket[device.socket.fileno()]
        device.socket.close()

    def turn(self, devices):
        for descriptor, _ in self.poll.poll(0.02, 1000):
            self.by_socket[descriptor].hear(time.monotonic())
        now = time.monotonic()
        for device in devices:
            device.turn(now)
        self.backend.turn()


class Killer:
    """Kills one member after another and has each started again: never a second one while one is away."""

    def __init__(self, members, devices, now):
        self.members, self.devices = members, devices
        self.next, self.kills, self.victim, self.restarts, self.others = now + KILL_EVERY / 2, 0, None, [], 0

    def turn(self, now, is_ending):
        if self.victim is None:
            if now >= self.next and not is_ending:
                self.victim = self.members[MEMBERS[self.kills % len(MEMBERS)]]
                self.victim.process.send_signal(signal.SIGKILL)
                self.victim.process.wait()
                self.kills += 1
                self.killed = now
                for device in self.devices:
                    if device.member == self.victim.number and device.count > 0:
                        device.taken = now
        elif isinstance(self.victim, Member) and self.victim.process.returncode is not None:
            if now - self.killed >= DOWN_FOR:
                self.victim = self.members[self.victim.number] = Member(self.victim.number, self.kills)
        elif self.victim.is_in():
            self.restarts.append(now - self.victim.started)
            self.victim = None
            self.next = max(now + KILL_EVERY / 4, self.killed + KILL_EVERY)
        for member in self.members.values():
            if member is not self.victim and member.process.poll() is not None:
                self.others += 1   # downed: its supervisor starts it again
                member.look()
                print(f"member {member.number} has ended by itself with {member.process.returncode}:", flush=True)
                for event in member.events[-12:]:
                    print(f"  {event['time']} {event['event']} {event.get('message', '')}", flush=True)
                self.members[member.number] = Member(member.number, 1000 + self.others)


def show_history(name, heard):
    """What the members have logged of a device whose count went back, and what it heard."""
    print(f"device {name} heard {heard}")
    lines = []
    for file in sorted(os.listdir(WORK)):
        if file.endswith(".log") and file[0].isdigit():
            with open(f"{WORK}/{file}") as log:
                lines += [(line, file) for line in log if f'"{name}"' in line and line.startswith("{")]
    for line, file in sorted(lines):
        print(f"  {file}: {line.strip()}")


def percent(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def main():
    make_networks()
    members = {}
    for number in MEMBERS:   # the first one begins the cluster
        members[number] = Member(number, 0)
        time.sleep(0.5)
    for member in members.values():
        member.wait()
    world = World()
    world.backend = Backend()
    began = time.monotonic()
    devices = [Device(number, began, world) for number in range(DEVICES)]
    killer = Killer(members, devices, began)
    shown = began
    while time.monotonic() - began < SECONDS:
        world.turn(devices)
        now = time.monotonic()
        killer.turn(now, False)
        if now - shown >= 10:
            shown = now
            waiting = sum(device.asked is not None for device in devices)
            print(f"{now - began:.0f} s: {world.answers} answers, {waiting} wait, {killer.kills} kills, "
                  f"{len(world.went_back)} counts went back", flush=True)
    world.is_ending = True
    last = time.monotonic()
    for device in devices:   # each reports once more
        device.next_report = last
    settled = {device: device.count for device in devices}
    while time.monotonic() - last < SETTLE:
        world.turn(devices)
        killer.turn(time.monotonic(), True)
        if killer.victim is None and all(
                device.command is None and device.count > settled[device] for device in devices):
            break
    judge(world, devices, killer, settled)
    world.backend.kill()
    for member in members.values():
        member.process.kill()


def judge(world, devices, killer, settled):
    told = sum(device.commands for device in devices)
    missing = [device.name for device in devices if device.command is not None]
    silent = [device.name for device in devices if device.count <= settled[device]]
    print(f"{DEVICES} devices, {SECONDS} s, {killer.kills} kills: {world.reports} reports, {world.answers} answers, "
          f"{world.unanswered} reports unanswered in time, {world.moves} moves")
    print(f"answers: p50 {percent(world.delays, 0.5) * 1000:.0f} ms, p99 {percent(world.delays, 0.99) * 1000:.0f} ms")
    print(f"counts that went back: {len(world.went_back)}; answers that were overtaken by later ones: {world.late}")
    for name, heard in world.went_back[:3]:
        show_history(name, heard)
    print(f"commands: {told} told, {len(world.arrivals)} arrived, {world.told_again} told again; "
          f"p50 {percent(world.arrivals, 0.5) * 1000:.0f} ms, p99 {percent(world.arrivals, 0.99):.2f} s, "
          f"max {max(world.arrivals, default=0):.2f} s; missing {missing[:5]}")
    print(f"answered again after the kill of their member: {len(world.takeovers)} devices, "
          f"median {percent(world.takeovers, 0.5):.2f} s, p99 {percent(world.takeovers, 0.99):.2f} s, "
          f"max {max(world.takeovers, default=0):.2f} s (target <= {TAKEOVER_MAX:.0f})")
    if killer.restarts:
        print(f"started again and in: median {statistics.median(killer.restarts):.2f} s, "
              f"max {max(killer.restarts):.2f} s; members that ended by themselves: {killer.others}; "
              f"starts of the backend: {world.backend.starts}")
    print(f"silent at the end: {len(silent)} {silent[:5]}")
    good = not (world.went_back or missing or silent or killer.others) and killer.kills > 0 \
        and max(world.takeovers, default=0) <= TAKEOVER_MAX
    print("PASS" if good else "FAIL", flush=True)
    if not good:
        sys.exit(1)


main()
