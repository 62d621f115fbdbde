#!/usr/bin/env python3
"""Runs a published program as the image of the Containerfile would: try_container.py PROGRAM-FOLDER

PROGRAM-FOLDER is a self-contained publish. Its root is made of the program, the system's libraries that it loads, and
nothing else: no shell, nothing to write to, no capability, the user 1654. Needs root. Prints a line for each thing that was
tried; exits with 1 at the first that does not hold.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

RUN = """
import ctypes, os, sys
root = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags):
    if libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), target)
mount(root, root, None, 4096)                      # MS_BIND
mount("proc", root + "/proc", "proc", 0)
mount(root, root, None, 4096 | 32 | 1)             # MS_BIND | MS_REMOUNT | MS_RDONLY
os.chroot(root)
os.chdir("/")
os.setgroups([])
os.setresgid(1654, 1654, 1654)
os.setresuid(1654, 1654, 1654)
os.execve("/app/Router", ["/app/Router", "run", "--config", "/etc/router/router.conf"], {"DOTNET_EnableDiagnostics": "0"})
"""


def fail(why):
    print(f"not so: {why}", flush=True)
    sys.exit(1)


def libraries(folder):
    """What the program and its own libraries are linked against, and what they open by name."""
    found = set(glob.glob("/usr/lib/*/libssl.so.3") + glob.glob("/usr/lib/*/libcrypto.so.3"))
    for file in [os.path.join(folder, "Router"), *glob.glob(os.path.join(folder, "*.so")), *found]:
        said = subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout
        for word in said.split():
            if word.startswith("/") and not word.startswith(folder) and os.path.exists(word):
                found.add(word)
    return sorted(found)


def make_root(folder, root):
    os.chmod(root, 0o755)
    shutil.copytree(folder, root + "/app")
    for library in libraries(folder):
        os.makedirs(root + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, root + library)
    for empty in ("/proc", "/tmp", "/etc/router"):
        os.makedirs(root + empty)
    shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "router.conf"), root + "/etc/router")


def main():
    folder = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as root:
        make_root(folder, root)
        program = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--net", "--kill-child", "sh", "-c",
             "ip link set lo up && exec python3 -c \"$0\" \"$1\"", RUN, root],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = []
        for line in program.stdout:
            lines.append(line)
            if '"event":"listening"' in line and "tcp" in line:
                break
        else:
            fail("it listens: " + "".join(lines))
        print("ok: it listens, without root, on a root that is read-only", flush=True)
        child = subprocess.run(
            ["pgrep", "--parent", str(program.pid)], capture_output=True, text=True, check=True).stdout.strip()
        said = subprocess.run(
            ["nsenter", "--target", child, "--net", "sh", "-c", "echo hello | socat -t 2 - UDP:127.0.0.1:27123"],
            capture_output=True, text=True, check=False).stdout
        if said != "hello\n":
            fail(f"it answers: {said}")
        print("ok: it answers", flush=True)
        began = time.monotonic()
        os.kill(int(child), signal.SIGTERM)
        rest = program.stdout.read()
        if program.wait() != 0 or '"event":"stopped"' not in rest:
            fail(f"it drains: {program.returncode} {rest}")
        print(f"ok: it drains, {time.monotonic() - began:.2f} s", flush=True)


main()
