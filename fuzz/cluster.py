"""See cluster.sh. argv: the work folder, the mode, options."""

import argparse
import json
import os
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

WORK = sys.argv[1]
NICE = ["nice", "-n", "-15"]   # a member that gets no processor for a second is taken for dead, whatever else runs here
ROUTER = ["dotnet", f"{WORK}/router/Router.dll"]
HOME = "10.9.0.254"
PORT, PLAIN_PORT, TCP_PORT = 5300, 5301, 5302
FAKETIME = os.environ.get("LIBFAKETIME", "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
ANSWER_WITHIN = 1.0    # then a peer asks again, and the second time another member
IN_FLIGHT = 0.02       # datagrams of two members that were sent the other way round
SETTLE = 60.0          # at the end, until everybody is answered
SO_TIMESTAMPNS = 35    # of Linux
CONFIG = """
router {
  loops = 1
  drain-timeout = 5s
  log.stats-interval = 1s
  cluster {
    host = %(host)s
    seeds = [%(seeds)s]
    checkpoints = postgres
    postgres.connection = "Host=%(store)s;Username=router;Database=postgres"
    tls { certificate = "%(tls)s/%(host)s.pem", key = "%(tls)s/%(host)s-key.pem", ca = "%(tls)s/ca.pem" }
  }
  listeners.count {
    bind = "udp://0.0.0.0:5300", route = count, max-sessions = 100000
    identity { first-line = "^(\\\\w+)" }
    checkpoint-sync = %(sync)s
  }
  listeners.plain { bind = "udp://0.0.0.0:5301", route = echo }
  listeners.stream { bind = "tcp://0.0.0.0:5302", route = echo }
  routes.count { type = handler, class = "Router.Tests.Cluster.CountingHandler, Router.Tests" }
  routes.echo { type = echo }
}
"""


def run(*command, text=None):
    subprocess.run(command, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def address(member):
    return f"10.9.0.{member}"


def stamp(when):
    """As members log it."""
    return time.strftime("%H:%M:%S", time.gmtime(when)) + f".{int(when % 1 * 1000):03}"


def say(text):
    print(f"{time.monotonic() - BEGAN:7.2f} {text}", flush=True)


class Member:
    """A process, and what it has logged."""

    def __init__(self, number, count, cluster):
        self.number, self.log, self.started = number, f"{WORK}/{number}.{count}.log", time.monotonic()
        self.may_end = False   # it was cut, killed or told to
        self._read, self._rest, self.events = 0, b"", []
        config = f"{WORK}/{number}.conf"
        with open(config, "w") as file:
            file.write(CONFIG % {
                "host": address(number), "tls": f"{WORK}/tls", "store": cluster.store, "sync": cluster.sync,
                "seeds": ", ".join(f'"{address(each)}:27200"' for each in cluster.numbers)})
        environment = os.environ | cluster.environments.get(number, {})
        with open(self.log, "w") as output:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", f"m{number}", *NICE, *ROUTER, "run", "--config", config],
                stdout=output, stderr=subprocess.STDOUT, env=environment)

    def look(self):
        with open(self.log, "rb") as log:
            log.seek(self._read)
            new = log.read()
        self._read += len(new)
        lines = (self._rest + new).split(b"\n")
        self._rest = lines.pop()
        self.events += [json.loads(line) for line in lines if line.startswith(b"{")]
        return self

    def all(self, name):
        return [event for event in self.look().events if event["event"] == name]

    def knows(self):
        """How many members it counted last."""
        told = self.all("cluster-stats")
        return told[-1]["members"] if told else 0

    def is_in(self, members):
        return bool(self.all("fence-open")) and len(self.all("member-up")) >= members


class Cluster:
    def __init__(self, members, sync="on", store=None, environments=None):
        self.numbers = range(1, members + 1)
        self.sync, self.store, self.environments = sync, store or f"{WORK}/postgres", environments or {}
        self.starts, self.faults, self.members = 0, [], {}
        run("ip", "-batch", "-",
            text=f"link set lo up\nlink add hub type bridge\naddr add {HOME}/24 dev hub\nlink set hub up\n")
        for number in self.numbers:
            run("ip", "netns", "add", f"m{number}")
            run("ip", "-batch", "-", text=f"link add v{number} type veth peer name eth0 netns m{number}\n"
                f"link set v{number} master hub up\n")
            self.inside(number, "ip", "-batch", "-",
                        text=f"link set lo up\naddr add {address(number)}/24 dev eth0\nlink set eth0 up\n")
            self.inside(number, "nft", "-f", "-", text="table ip cut { set from { type ipv4_addr; }\n"
                        "chain in { type filter hook input priority 0; ip saddr @from drop; }\n}\n")
        run(*ROUTER, "cluster", "certificates", "--out", f"{WORK}/tls", *[address(each) for each in self.numbers])
        for number in self.numbers:
            self.start(number)
            time.sleep(0.5)   # the first one begins the cluster
        if not self.wait(lambda: all(member.is_in(members) for member in self.members.values()), "all are in", 90):
            for member in self.members.values():
                print(open(member.log).read()[-2000:])
            sys.exit(1)

    def inside(self, number, *command, text=None):
        run("ip", "netns", "exec", f"m{number}", *command, text=text)

    def start(self, number):
        self.starts += 1
        self.members[number] = Member(number, self.starts, self)
        return self.members[number]

    def cut(self, pairs):
        """Each of the pairs: what comes from the second is dropped at the first."""
        for at, origin in pairs:
            self.inside(at, "nft", "-f", "-", text=f"add element ip cut from {{ {address(origin)} }}\n")

    def heal(self):
        for number in self.numbers:
            self.inside(number, "nft", "flush", "set", "ip", "cut", "from")

    def kill(self, number):
        self.members[number].may_end = True
        self.members[number].process.kill()
        self.members[number].process.wait()

    def wait(self, condition, what, limit, turn=lambda: time.sleep(0.02)):
        end = time.monotonic() + limit
        while not condition():
            if time.monotonic() > end:
                self.faults.append(f"not within {limit} s: {what}")
                say(f"not within {limit} s: {what}")
                return False
            turn()
        return True

    def supervise(self):
        """Starts again whoever has ended, as a supervisor does."""
        for number, member in list(self.members.items()):
            code = member.process.poll()
            if code is not None:
                # One that starts while it is cut may begin a cluster of its own, which ends when they hear of each other.
                if not member.may_end and not member.all("second-cluster"):
                    self.faults.append(f"member {number} has ended by itself with {code}")
                self.start(number)

    def end(self):
        for member in self.members.values():
            member.process.kill()


class Peer:
    """Says its name to one member at a time, and is answered a count and an epoch."""

    def __init__(self, number, world, now):
        self.name, self.world = f"peer{number}", world
        self.member = world.random.choice(world.choices)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOME, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        self.answers = []      # of the kernel: when; member, count, epoch
        self.asked, self.since, self.tries = None, None, 0   # the latest try, the first one
        self.next = now + world.random.uniform(0, world.interval)
        self.silences = []
        self.asks, self.longest = [], (0, 0, [])   # since the last answer: when, whom; silence, its end, its asks
        self.elsewhere = 0     # the longest silence from the first time that it has asked a member that is not cut

    def send(self, now):
        self.asked = now
        self.since = self.since or time.time()
        self.asks.append((time.time(), self.member))
        try:
            self.socket.sendto(f"{self.name} x".encode(), (address(self.member), PORT))
        except OSError:
            pass

    def turn(self, now):
        if self.asked is not None and now - self.asked >= self.world.answer_within:
            self.tries += 1
            if self.tries % 2 == 0 and not self.world.stays:
                others = [each for each in self.world.choices if each != self.member]
                self.member = self.world.random.choice(others or self.world.choices)
            self.send(now)
        elif self.asked is None and now >= self.next:
            self.next = now + self.world.interval
            if self.world.random.random() < self.world.moves:
                self.member = self.world.random.choice(self.world.choices)
            self.send(now)

    def hear(self, now):
        while True:
            try:
                payload, ancillary, _, (origin, _) = self.socket.recvmsg(256, 64)
            except OSError:
                return
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            count, epoch = payload.split()
            at = seconds + nanoseconds / 1e9
            self.answers.append((at, int(origin.rsplit(".", 1)[1]), int(count), int(epoch)))
            if self.since is not None:
                self.silences.append((now, at - self.since))   # by the kernel: this process may be late
                self.longest = max(self.longest, (at - self.since, at, self.asks))
                healthy = [when for when, member in self.asks if member not in self.world.victims]
                if healthy:
                    self.elsewhere = max(self.elsewhere, at - healthy[0])
            self.asked, self.since, self.tries, self.asks = None, None, 0, []


class World:
    """All peers, in one thread."""

    def __init__(self, cluster, peers, seed, interval=2.0, moves=0.05, choices=None):
        self.cluster, self.random, self.interval, self.moves = cluster, random.Random(seed), interval, moves
        self.choices = list(choices or cluster.numbers)
        self.victims = ()      # members that are cut
        self.stays = False     # nobody goes to another member because it is not answered
        self.answer_within = ANSWER_WITHIN
        self.poll, self.by_socket = select.epoll(), {}
        now = time.monotonic()
        self.peers = [Peer(number, self, now) for number in range(peers)]
        for peer in self.peers:
            self.by_socket[peer.socket.fileno()] = peer
            self.poll.register(peer.socket.fileno(), select.EPOLLIN)

    def turn(self):
        for descriptor, _ in self.poll.poll(0.01, 2000):
            self.by_socket[descriptor].hear(time.monotonic())
        now = time.monotonic()
        for peer in self.peers:
            peer.turn(now)

    def go(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn()

    def all_answered(self, limit=SETTLE, supervises=True):
        """Whether each peer is answered from now on, and how long it took until the last one was."""
        began = time.monotonic()
        counts = {peer: len(peer.answers) for peer in self.peers}
        for peer in self.peers:
            peer.next = min(peer.next, began + self.interval)

        def turn():
            if supervises:
                self.cluster.supervise()
            self.turn()

        self.cluster.wait(
            lambda: all(len(peer.answers) > counts[peer] for peer in self.peers), "all peers are answered", limit, turn)
        return time.monotonic() - began

    def silence(self, since):
        return max((took for peer in self.peers for at, took in peer.silences if at >= since), default=0)

    def tell_longest(self, quietly=False):
        """Of the silences since it was told last, the longest: whom the peer has asked when."""
        peer = max(self.peers, key=lambda each: each.longest[0])
        took, at, asks = peer.longest
        asked = " ".join(f"{stamp(when)}:m{member}" for when, member in asks)
        if not quietly:
            say(f"  {peer.name} {took:.2f} s: asked {asked}; answered {stamp(at)}")
        for each in self.peers:
            each.longest, each.elsewhere = (0, 0, []), 0

    def judge(self, counts_matter):
        older = shared = repeated = 0
        worst = 0.0
        for peer in self.peers:
            highest, when, owner, told = 0, 0.0, {}, set()
            for at, member, count, epoch in peer.answers:
                if owner.setdefault(epoch, member) != member:
                    shared += 1
                if epoch < highest and at - when > IN_FLIGHT:
                    older += 1
                    worst = max(worst, at - when)
                if epoch > highest:
                    highest, when = epoch, at
                repeated += count in told
                told.add(count)
        answers = sum(len(peer.answers) for peer in self.peers)
        epochs = sum(max((answer[3] for answer in peer.answers), default=0) for peer in self.peers)
        say(f"{answers} answers to {len(self.peers)} peers, {epochs} epochs; by an older epoch behind a newer one "
            f"{older} (worst {worst * 1000:.0f} ms), epochs at two members {shared}, counts told twice {repeated}")
        for number, what in ((older, "double sends"), (shared, "epochs at two members"),
                             (repeated if counts_matter else 0, "counts told twice")):
            if number > 0:
                self.cluster.faults.append(f"{number} {what}")


def healthy(cluster, world):
    """Everybody is in again, and all peers are answered."""
    def turn():
        cluster.supervise()
        world.turn()

    cluster.wait(
        lambda: all(member.process.poll() is None and member.all("fence-open") for member in cluster.members.values()),
        "all members are in", 60, turn)
    cluster.wait(lambda: all(member.knows() == len(cluster.numbers) for member in cluster.members.values()),
                 "all members are in one cluster", 60, turn)
    return world.all_answered()


def cuts_of(numbers, kind, rng):
    """What a partition drops: pairs of where, and from whom."""
    numbers = list(numbers)
    if kind == "one-way":
        victim = rng.choice(numbers)
        return victim, [(victim, other) for other in numbers if other != victim]
    if kind == "link":
        one, other = rng.sample(numbers, 2)
        return one, [(one, other), (other, one)]
    side = rng.sample(numbers, rng.randint(1, len(numbers) // 2))
    rest = [each for each in numbers if each not in side]
    return side, [pair for one in side for other in rest for pair in ((one, other), (other, one))]


def partitions(options):
    cluster = Cluster(options.members)
    world = World(cluster, options.peers, options.seed)
    world.go(3)
    end, count = time.monotonic() + options.seconds, 0
    while time.monotonic() < end:
        kind = world.random.choice(["split", "split", "one-way", "link"])
        victims, pairs = cuts_of(cluster.numbers, kind, world.random)
        count += 1
        for member in cluster.members.values():
            member.may_end = True
        world.victims = victims if kind == "split" else (victims,) if kind == "one-way" else pairs[0]
        world.tell_longest(quietly=True)
        cluster.cut(pairs)
        cut, began = time.monotonic(), time.time()
        world.go(world.random.uniform(1, 8))
        cluster.heal()
        healed = time.time()
        answered = healthy(cluster, world)
        say(f"{kind} at {victims}: {stamp(began)} to {stamp(healed)}; all answered {answered:.1f} s after the members "
            f"were in; longest silence {world.silence(cut):.1f} s, from the first question to a member that was not "
            f"cut {max(peer.elsewhere for peer in world.peers):.1f} s")
        world.tell_longest()
        world.go(world.random.uniform(0, 3))
    say(f"{count} partitions of {options.members} members, {cluster.starts - options.members} members started again")
    world.judge(counts_matter=True)
    return cluster


def cuts(options):
    cluster = Cluster(options.members)
    world = World(cluster, options.peers, options.seed)
    world.go(3)
    for number in range(options.rounds):
        victim = number % options.members + 1
        cluster.members[victim].may_end = True
        cluster.cut([(victim, other) for other in cluster.numbers if other != victim])
        cut = time.monotonic()
        process = cluster.members[victim].process
        cluster.wait(lambda: process.poll() is not None, f"member {victim} has ended", 30, world.turn)
        ended = time.monotonic() - cut
        cluster.heal()
        answered = healthy(cluster, world)
        say(f"{number + 1} cut of {victim}: ended after {ended:.1f} s with {process.returncode}; all answered "
            f"{answered:.1f} s after it was started again; longest silence {world.silence(cut):.1f} s")
    world.judge(counts_matter=True)
    return cluster


def kill(options):
    cluster = Cluster(options.members)
    world = World(cluster, options.peers, options.seed, interval=1.0, moves=0.0, choices=[1])
    world.all_answered()
    before = {peer: peer.answers[-1][2] for peer in world.peers}
    killed = time.monotonic()
    cluster.kill(1)
    world.choices = [each for each in cluster.numbers if each != 1]
    for peer in world.peers:   # the balancer has heard of it
        peer.member = world.random.choice(world.choices)
    world.all_answered(supervises=False)
    took = time.monotonic() - killed
    lost = sum(peer.answers[-1][2] <= before[peer] for peer in world.peers)
    say(f"{len(world.peers)} identities of the oldest member: all answered {took:.1f} s after the kill -9, "
        f"{lost} without their state")
    if lost or took > 15:
        cluster.faults.append(f"{lost} identities lost; {took:.1f} s (bound 5 s on a quiet machine, 15 s here)")
    world.judge(counts_matter=True)
    return cluster


def restart(options):
    cluster = Cluster(options.members)
    world = World(cluster, options.peers, options.seed, interval=0.5, moves=0.0)
    world.stays, world.answer_within = True, 0.1
    world.all_answered()
    world.go(3)
    silences = []
    for number in range(options.rounds):
        victim = cluster.members[number % options.members + 1]
        before = {peer: peer.answers[-1][2] for peer in world.peers}
        killed = time.monotonic()
        cluster.kill(victim.number)
        world.all_answered()   # its supervisor starts it at once
        started = cluster.members[victim.number]
        world.go(1)
        silences.append(world.silence(killed))
        lost = sum(peer.answers[-1][2] <= before[peer] for peer in world.peers)
        say(f"{number + 1} kill -9 of {victim.number}: longest silence of its peers, which stay, {silences[-1]:.1f} s; "
            f"{lost} lost their state")
        if lost:
            cluster.faults.append(f"{lost} identities lost")
        cluster.wait(lambda: started.is_in(options.members), f"member {victim.number} is in", 60, world.turn)
        world.go(3)
    silences.sort()
    median = silences[len(silences) // 2]
    say(f"{len(silences)} restarts: median {median:.1f} s, {silences[-1]:.1f} s at most")
    if median > 9:
        cluster.faults.append(f"median {median:.1f} s (bound 3 s on a quiet machine, 9 s here)")
    world.judge(counts_matter=True)
    return cluster


class Streams(threading.Thread):
    """A connection to each member that says something ten times a second, until its member asks it to end."""

    def __init__(self, members):
        super().__init__(daemon=True)
        self.lock, self.streams, self.lives = threading.Lock(), {}, True
        for member in members:
            self.open(member)
        self.start()

    def open(self, member):
        with self.lock:
            stream = socket.create_connection((address(member), TCP_PORT), timeout=5)
            self.streams[member] = [stream, 0, None]   # answers, when it was cut

    def run(self):
        while self.lives:
            time.sleep(0.1)
            with self.lock:
                for state in self.streams.values():
                    if state[2] is None:
                        try:
                            state[0].sendall(b"x")
                            state[1] += len(state[0].recv(1)) or 1 / 0
                        except (OSError, ZeroDivisionError):
                            state[2] = time.monotonic()


def rolling(options):
    cluster = Cluster(options.members)
    # This process can ask some 4,000 times a second; what is counted is how long those wait that ask.
    world = World(cluster, options.peers, options.seed, interval=max(0.5, options.peers / 2000))
    world.all_answered(limit=max(SETTLE, 3 * world.interval))
    streams = Streams(cluster.numbers)
    world.go(3)
    for number in cluster.numbers:
        member = cluster.members[number]
        member.may_end = True
        stream = streams.streams[number]
        world.choices = [each for each in cluster.numbers if each != number]
        for peer in world.peers:   # the balancer follows /ready
            if peer.member == number:
                peer.member = world.random.choice(world.choices)
        drained = time.monotonic()
        member.process.send_signal(signal.SIGTERM)
        cluster.wait(lambda: member.process.poll() is not None, f"member {number} has ended", 60, world.turn)
        ended = time.monotonic() - drained
        held = (stream[2] or time.monotonic()) - drained
        silence = world.silence(drained)
        lost = [event for event in member.look().events if event["event"] in ("not-detached", "checkpoints-lost")]
        cluster.start(number)
        started = cluster.members[number]
        cluster.wait(lambda: started.is_in(options.members), f"member {number} is in", 60, world.turn)
        world.choices = list(cluster.numbers)
        streams.open(number)
        world.go(2)
        say(f"{number} drained: ended after {ended:.1f} s with {member.process.returncode}; its stream was open for "
            f"{held:.1f} s of 5; longest silence of a peer {silence:.2f} s; {lost or 'nothing'} lost")
        if member.process.returncode != 0 or lost or held < 4.9 or silence > 2.0:
            cluster.faults.append(f"drain of {number}: code {member.process.returncode}, {lost}, stream {held:.1f} s, "
                                  f"silence {silence:.2f} s")
    streams.lives = False
    world.all_answered()
    world.judge(counts_matter=True)
    return cluster


class Proxy(threading.Thread):
    """Before PostgreSQL: delays what goes through, drops connections, refuses them, or swallows what comes."""

    def __init__(self, folder, server):
        super().__init__(daemon=True)
        os.makedirs(folder)
        self.delay, self.refuses, self.swallows = 0.0, False, False
        self.pairs, self.server = [], f"{server}/.s.PGSQL.5432"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{folder}/.s.PGSQL.5432")
        self.listener.listen(16)
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            if self.refuses:
                client.close()
                continue
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(self.server)
            self.pairs.append((client, upstream))
            for origin, to in ((client, upstream), (upstream, client)):
                threading.Thread(target=self.copy, args=(origin, to), daemon=True).start()

    def copy(self, origin, to):
        try:
            while data := origin.recv(1 << 20):
                time.sleep(self.delay / 2)
                while self.swallows:
                    time.sleep(0.05)
                to.sendall(data)
        except OSError:
            pass
        for each in (origin, to):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for each in pair:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Echoes(threading.Thread):
    """A peer without identity that asks a member every 5 ms: what the store's faults do to everybody else."""

    def __init__(self):
        super().__init__(daemon=True)
        self.took = []
        self.start()

    def run(self):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.connect((address(1), PLAIN_PORT))
        client.settimeout(1)
        while True:
            began = time.monotonic()
            try:
                client.send(b"x")
                client.recv(16)
            except OSError:
                pass
            self.took.append(time.monotonic() - began)
            time.sleep(0.005)

    def take(self):
        took, self.took = sorted(self.took), []
        return took[int(len(took) * 0.5)] * 1000, took[int(len(took) * 0.99)] * 1000


def store(options):
    proxy = Proxy(f"{WORK}/slow", f"{WORK}/postgres")
    cluster = Cluster(options.members, sync="off", store=f"{WORK}/slow")
    world = World(cluster, options.peers, options.seed, interval=0.5, moves=0.0)
    world.all_answered()
    echoes = Echoes()
    world.go(5)
    echoes.take()
    world.go(10)
    normal = echoes.take()
    say(f"normal: p50 {normal[0]:.2f} ms, p99 {normal[1]:.2f} ms")

    def phase(name, seconds):
        world.go(1)
        echoes.take()
        began = time.monotonic()
        world.go(seconds)
        p50, p99 = echoes.take()
        silence = world.silence(began)
        say(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms; longest silence of an attached peer {silence:.2f} s")
        if p99 > normal[1] * 1.1 + 2 or silence > 1.0:
            cluster.faults.append(f"{name}: p99 {p99:.2f} ms where it was {normal[1]:.2f}, silence {silence:.2f} s")

    def attach(name, limit):
        """How long peers that are new wait."""
        began = time.monotonic()
        new = World(cluster, 20, options.seed + 1, interval=0.2, moves=0.0)
        for peer in new.peers:
            peer.name = f"{name}{peer.name}"

        def turn():
            world.turn()
            new.turn()

        cluster.wait(lambda: all(peer.answers for peer in new.peers), f"20 are attached: {name}", limit, turn)
        say(f"{name}: 20 new peers attached within {time.monotonic() - began:.2f} s")

    proxy.delay = 0.5
    phase("500 ms later", 10)
    attach("later", 10)
    proxy.delay = 0.0
    proxy.cut()
    phase("connections cut", 5)
    attach("cut", 5)
    proxy.swallows = True
    phase("half-open", 10)
    proxy.swallows, proxy.refuses = False, True
    proxy.cut()
    phase("gone", 10)
    proxy.refuses = False
    attach("back", 5)
    world.go(2)
    for member in cluster.members.values():
        stats = member.all("cluster-stats")[-1]
        say(f"member {member.number}: {stats['checkpoints-written']} checkpoints written, "
            f"{stats['checkpoints-queued']} wait, {stats['checkpoints-lost']} lost, {stats['store-failures']} failures")
        if stats["checkpoints-lost"] or stats["checkpoints-queued"] > options.peers:
            cluster.faults.append(f"member {member.number}: {stats}")
    cluster.supervise()
    world.judge(counts_matter=True)
    return cluster


def clock(options):
    file = f"{WORK}/clock"

    def jump(offset):
        with open(f"{file}.new", "w") as stamp:
            stamp.write(f"{offset}\n")
        os.replace(f"{file}.new", file)   # it is read all the time, and never half

    jump("+0")
    cluster = Cluster(options.members, environments={2: {
        "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}})
    world = World(cluster, options.peers, options.seed, interval=0.5, moves=0.0)
    world.all_answered()
    world.go(5)   # who had to ask twice at the start is where it stays
    times = []
    epochs = {peer: peer.answers[-1][3] for peer in world.peers}
    closed = {number: len(member.all("session-closed")) for number, member in cluster.members.items()}
    for offset in ("+1h", "-1h"):
        jump(offset)
        began = time.monotonic()
        world.go(8)
        times.append(cluster.members[2].all("stats")[-1]["time"])
        say(f"clock of member 2 {offset}: it logs {times[-1]}; longest silence {world.silence(began):.2f} s")
        if world.silence(began) > 1.0:
            cluster.faults.append(f"{offset}: silence {world.silence(began):.2f} s")
    if len({text[:13] for text in times}) < 2:
        cluster.faults.append(f"the clock of member 2 has not jumped: {times}")
    others = [name for member in cluster.members.values() for name in ("fence-shut", "member-unreachable")
              for _ in member.all(name)]
    ended = {number: len(member.all("session-closed")) - closed[number] for number, member in cluster.members.items()}
    moved = sum(peer.answers[-1][3] != epochs[peer] for peer in world.peers)
    say(f"sessions ended {ended}, peers with another epoch {moved}, {others or 'no member unheard, no fence shut'}")
    if others or any(ended.values()) or moved:
        cluster.faults.append("the jumps were not without effect")
    cluster.supervise()
    world.judge(counts_matter=True)
    return cluster


def main():
    modes = {"partitions": partitions, "cuts": cuts, "kill": kill, "restart": restart, "rolling": rolling, "store": store,
             "clock": clock}
    parser = argparse.ArgumentParser(prog="cluster.sh")
    parser.add_argument("mode", choices=modes)
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--peers", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(sys.argv[2:])
    descriptors = options.peers + 400   # each peer is a socket
    if descriptors > resource.getrlimit(resource.RLIMIT_NOFILE)[0]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    cluster = modes[options.mode](options)
    cluster.end()
    for fault in cluster.faults:
        print(f"fault: {fault}")
    print("FAIL" if cluster.faults else "PASS", flush=True)
    sys.exit(1 if cluster.faults else 0)


BEGAN = time.monotonic()
main()
