#!/usr/bin/env python3
"""Installs the Debian package in a copy of this machine's file system, boots systemd there, and tries the service.

    try_systemd.py PACKAGE.deb

The copy is an overlay in memory, the processes are in namespaces of their own (systemd-nspawn, package systemd-container):
this machine keeps nothing of it. Needs root. Prints a line for each thing that was tried; exits with 1 at the first that
does not hold.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 60


class Machine:
    """The copy, booted."""

    def __init__(self, root):
        self.root = root
        # Its log is on the standard output of nspawn, where nobody looks unless it fails.
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--boot", "--directory", root,
             "--machine", "router-try", "systemd.unit=basic.target", "systemd.show_status=no"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.leader = until("systemd begins", self.find_leader)
        until("systemd is up", lambda: self.run("systemctl", "is-active", "basic.target").stdout.strip() == "active")

    def find_leader(self):
        if self.nspawn.poll() is not None:
            fail("systemd-nspawn: " + self.nspawn.stdout.read().decode(errors="replace"))
        children = subprocess.run(
            ["pgrep", "--parent", str(self.nspawn.pid)], capture_output=True, text=True, check=False).stdout.split()
        for child in children:
            try:
                with open(f"/proc/{child}/comm", encoding="utf-8") as comm:
                    name = comm.read().strip()
            except (FileNotFoundError, ProcessLookupError):
                # systemd-nspawn has helpers that end while they are looked at: gone when opened, or when read (ESRCH).
                continue
            if name == "systemd":
                return child
        return None

    def run(self, *command):
        return subprocess.run(
            ["nsenter", "--target", self.leader, "--all", "--root", "--wd", "--", *command],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=PATIENCE,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"})

    def must(self, *command):
        done = self.run(*command)
        if done.returncode != 0:
            fail(f"{' '.join(command)}: {done.stdout}{done.stderr}{self.journal()}")
        return done.stdout.strip()

    def show(self, what):
        return self.must("systemctl", "show", "router", "--property", what, "--value")

    def journal(self):
        return self.run("journalctl", "--unit", "router", "--output", "cat", "--no-pager").stdout

    def has_event(self, name):
        return self.run("journalctl", "--unit", "router", "--quiet", f"ROUTER_EVENT={name}").stdout != ""

    def ask(self, port):
        return self.run("sh", "-c", f"echo hello | socat -t 2 - UDP:127.0.0.1:{port}").stdout

    def end(self):
        # The end of its first process is the end of all in its namespace.
        os.kill(int(self.leader), signal.SIGKILL)
        self.nspawn.wait()


def fail(why):
    print(f"not so: {why}", flush=True)
    sys.exit(1)


def hold(claim, holds, otherwise=""):
    if not holds:
        fail(f"{claim} {otherwise}")
    print(f"ok: {claim}", flush=True)


def until(claim, holds):
    """Asks again until it holds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > deadline:
            fail(f"{claim}, within {PATIENCE} s")
        time.sleep(0.1)


def write(root, path, text):
    path = root + path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def configuration(ports, more=""):
    binds = ", ".join(f'"udp://127.0.0.1:{port}", "tcp://127.0.0.1:{port}"' for port in ports)
    return f"router {{ listeners.echo {{ bind = [{binds}], route = echo }}, routes.echo {{ type = echo }} }}\n{more}"


def try_start(machine):
    machine.must("systemctl", "start", "router")
    hold("it is ready when systemctl start returns", machine.ask(27123) == "hello\n", machine.journal())
    hold("it says where it stands", machine.show("StatusText") == "listens at 2 addresses", machine.show("StatusText"))
    pid = machine.show("MainPID")
    user = machine.must("ps", "-o", "user=", "-p", pid)
    hold("it is not root", user not in ("root", "0", ""), user)
    hold("its log is in the journal, with its fields", machine.has_event("started"), machine.journal())
    capabilities = machine.must("grep", "CapEff", f"/proc/{pid}/status").split()[1]
    hold("the commands find it", machine.run("router", "ready").stdout == "ready\n", machine.run("router", "ready").stderr)
    hold("it may bind low ports and nothing else", int(capabilities, 16) == 1 << 10, capabilities)


def try_reload(machine):
    write(machine.root, "/etc/router/router.conf", configuration([27123, 53]))
    machine.must("systemctl", "reload", "router")
    # systemctl may be back before the router has had the signal.
    until("a reload comes into force, and port 53 is bound", lambda: machine.ask(53) == "hello\n")
    hold("a reload comes into force, and port 53 is bound", True)
    write(machine.root, "/etc/router/router.conf", configuration([27123], "no: {"))
    machine.must("systemctl", "reload", "router")
    until("a refused file is told of", lambda: "refused" in machine.show("StatusText"))
    hold("a refused file is told of", True)
    hold("and what was there before goes on", machine.ask(53) == "hello\n", machine.journal())
    write(machine.root, "/etc/router/router.conf", configuration([27123]))


def try_watchdog(machine):
    # What stands still by SIGSTOP does not end by the watchdog's SIGABRT either: systemd kills it when that has had its time.
    write(machine.root, "/etc/systemd/system/router.service.d/try.conf",
          "[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\n")
    machine.must("systemctl", "daemon-reload")
    machine.must("systemctl", "restart", "router")
    pid = machine.show("MainPID")
    time.sleep(3)   # more than two intervals: what is fed lives
    hold("the watchdog is fed", machine.show("MainPID") == pid and machine.show("NRestarts") == "0", machine.journal())
    machine.must("kill", "-STOP", pid)
    until("a router that stands still is started anew", lambda: machine.show("NRestarts") == "1")
    until("it answers again", lambda: machine.ask(27123) == "hello\n")
    hold("a router that stands still is started anew", machine.show("MainPID") != pid)


def try_stop(machine):
    machine.must("systemctl", "stop", "router")
    hold("a stop is a drain", machine.has_event("stopped") and machine.show("Result") == "success", machine.journal())
    write(machine.root, "/etc/router/router.conf", configuration([27123], "no: {"))
    machine.run("systemctl", "start", "router")
    until("a refused file ends it", lambda: machine.show("ActiveState") == "failed")
    hold("a refused file is not tried again", machine.show("ExecMainStatus") == "1", machine.show("ExecMainStatus"))
    write(machine.root, "/etc/router/router.conf", configuration([27123]))
    machine.must("systemctl", "restart", "router")


def try_purge(machine):
    machine.must("dpkg", "--purge", "router")
    left = machine.run(
        "sh", "-c",
        "ls -d /usr/lib/router /usr/bin/router /etc/router /usr/share/router /lib/systemd/system/router.service").stdout
    hold("a purge stops it and leaves nothing", left == "" and machine.run("pgrep", "-f", "lib/router").stdout == "", left)


def try_monitoring(root):
    """What Grafana and Prometheus take is where docs/install.md says, and any user may read it."""
    with open(root + "/usr/share/router/grafana/router.json", encoding="utf-8") as dashboard:
        panels = json.load(dashboard)["panels"]
    rules = subprocess.run(
        ["chroot", root, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         "promtool", "check", "rules", "/usr/share/router/prometheus/alerts.yml"],
        capture_output=True, text=True, check=False)
    hold("a dashboard and fourteen alert rules are in /usr/share/router",
         panels and "14 rules found" in rules.stdout, rules.stdout + rules.stderr)


def try_all(package, folder):
    root = os.path.join(folder, "root")
    os.mkdir(root)
    memory = os.path.join(folder, "memory")
    os.mkdir(memory)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", memory], check=True)
    for layer in ("upper", "work"):
        os.mkdir(os.path.join(memory, layer))
    subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={memory}/upper,workdir={memory}/work", root], check=True)
    shutil.copy(package, root + "/router.deb")
    # The machine's .NET may not be of a package, so what the package depends on is not asked for.
    done = subprocess.run(
        ["chroot", root, "dpkg", "--force-depends", "--install", "/router.deb"], capture_output=True, text=True, check=False)
    hold("the package installs", done.returncode == 0, done.stderr)
    try_monitoring(root)
    security = subprocess.run(
        ["chroot", root, "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
         "/lib/systemd/system/router.service"],
        capture_output=True, text=True, check=False)
    hold("systemd-analyze security: " + security.stdout.strip().split("\n")[-1], security.returncode == 0, security.stdout)
    machine = Machine(root)
    try:
        for attempt in (try_start, try_reload, try_watchdog, try_stop, try_purge):
            attempt(machine)
    finally:
        machine.end()


def main():
    if len(sys.argv) == 2:
        # Mounts in a namespace of their own: they end with it.
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv, "--inside"])
    with tempfile.TemporaryDirectory() as folder:
        try:
            try_all(sys.argv[1], folder)
        finally:
            for mount in ("root", "memory"):
                subprocess.run(["umount", "--lazy", os.path.join(folder, mount)], check=False, stderr=subprocess.DEVNULL)


main()
