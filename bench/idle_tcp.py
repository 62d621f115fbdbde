"""Memory and CPU of idle TCP connections: see idle-tcp.sh.

    idle_tcp.py - ROUTER.DLL CONF [CONNECTIONS]

Each client process holds some thousand connections from an address of its own; every connection is used once, for 64 bytes
and their echo. Before anything counts, a hundredth as many connections are opened and closed, so that what the code and the
buffers take is there already, and little that the others could use again. Memory is the growth of what the process has resident, collected
garbage included; the kernel's is that of the slabs that grow with connections, both ends of which are on this machine.
"""

import multiprocessing
import resource
import socket
import sys
import time

from router_process import Router

PORT = 27341
PER_CLIENT = 5_000
IDLE_S = 5
BOUND_BYTES = 1024
SLABS = ("TCP", "sock_inode_cache", "eventpoll_epi", "eventpoll_pwq", "filp", "dentry", "tcp_bind_bucket", "tcp_bind2_bucket")


def hold(address, count, ready, end):
    """Opens connections, uses each once, and keeps them until told to end."""
    connections = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", PORT), source_address=(address, 0))
        connection.sendall(b"x" * 64)
        left = 64
        while left > 0:
            left -= len(connection.recv(left)) or sys.exit("closed by the router")
        connections.append(connection)
    ready.set()
    end.wait()


class Clients:
    """Processes that hold connections. A context: they are closed at its end."""

    def __init__(self, count):
        self._end = multiprocessing.Event()
        self._processes = []
        for number, first in enumerate(range(0, count, PER_CLIENT)):
            ready = multiprocessing.Event()
            arguments = (f"127.0.1.{number + 1}", min(PER_CLIENT, count - first), ready, self._end)
            process = multiprocessing.Process(target=hold, args=arguments)
            process.start()
            self._processes.append(process)
            while not ready.wait(0.1):
                if not process.is_alive():
                    self._end.set()
                    raise SystemExit("a client has failed")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end.set()
        for process in self._processes:
            process.join()


def slab_bytes():
    """Bytes of the kernel's slabs for connections; 0 where they may not be read."""
    try:
        with open("/proc/slabinfo") as file:
            rows = [line.split() for line in file]
    except OSError:
        return 0
    return sum(int(row[1]) * int(row[3]) for row in rows if row[0] in SLABS)


def settled(router, connections):
    """Memory once the collector and the kernel have settled, and the managed bytes then."""
    for _ in range(60):
        stats = router.stats()
        if stats["sessions"] == connections:
            time.sleep(3)
            return router.memory()["rss"], router.stats()["managed-bytes"], slab_bytes()
    raise SystemExit(f"{stats['sessions']} sessions, not {connections}")


def cpu_share(pid):
    """Per cent of a core, of the quietest of three windows: the runtime compiles again meanwhile what the load made hot."""
    def used():
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100
    shares = []
    for _ in range(3):
        before = used()
        time.sleep(IDLE_S)
        shares.append((used() - before) / IDLE_S * 100)
    return min(shares)


def main():
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 15_000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Router(PORT, processors="0,1", idle_timeout="1h", max_sessions=2 * count) as router:
        with Clients(count // 100):
            pass
        before = settled(router, 0)
        with Clients(count):
            after = settled(router, count)
            share = cpu_share(router.pid)
    resident, managed, kernel = ((now - then) / count for now, then in zip(after, before))
    print(f"{count:,} connections open, idle: {share:.2f} % of a core")
    print(f"memory of the process per connection: {resident:.0f} B resident, {managed:.0f} B of it managed; "
          f"target <= {BOUND_BYTES}: {'PASS' if resident <= BOUND_BYTES else 'FAIL'}")
    print(f"memory of the kernel per connection, both ends of it: {kernel:.0f} B")


if __name__ == "__main__":
    main()
