"""How long three members take to form a cluster; argv[1] is Router.dll, argv[2] the number of rounds."""

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time

LIMIT = 60
SEEDS = ", ".join(f'"127.0.0.{i}:27200"' for i in (1, 2, 3))
CONFIG = """
router {
  loops = 1
  cluster {
    host = 127.0.0.%d
    seeds = [%s]
  }
  listeners.e { bind = "udp://127.0.0.%d:27301", route = e }
  routes.e { type = echo }
}
"""


def start(number, folder):
    path = f"{folder}/{number}.conf"
    with open(path, "w") as file:
        file.write(CONFIG % (number, SEEDS, number))
    return subprocess.Popen(
        ["dotnet", sys.argv[1], "run", "--config", path, "--set", "router.log.format=json"],
        stdout=subprocess.PIPE, text=True)


def wait_for_three(process, began, times):
    ups = 0
    for line in process.stdout:
        if line.startswith("{") and json.loads(line)["event"] == "member-up":
            ups += 1
            if ups == 3:
                times.append(time.monotonic() - began)
                return


def measure(order, folder):
    began, times = time.monotonic(), []
    processes = [start(number, folder) for number in order]
    readers = [threading.Thread(target=wait_for_three, args=(process, began, times)) for process in processes]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(LIMIT)
    for process in processes:
        process.kill()
        process.wait()
    if len(times) < 3:
        raise SystemExit(f"order {order}: {len(times)} of 3 members saw three within {LIMIT} s")
    return max(times)


def main():
    orders = itertools.cycle(itertools.permutations((1, 2, 3)))
    with tempfile.TemporaryDirectory(prefix="router-bench-") as folder:
        figures = [measure(next(orders), folder) for _ in range(int(sys.argv[2]))]
    print(f"three members formed in s: median {statistics.median(figures):.2f}, least {min(figures):.2f}, "
          f"most {max(figures):.2f}, {len(figures)} rounds")


main()
