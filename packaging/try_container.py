#!/usr/bin/env python3
"""Makes an image of the Containerfile without any registry, runs it, and tries it: try_container.py [--from FOLDER]

What the Containerfile's first stage publishes is published by the same command here; --from FOLDER takes a program that is
built already instead, with this machine's .NET. The base image, which no registry gives here, is stood in for by one with the
system's libraries that the program loads and nothing else: no shell. All else is the Containerfile's own: podman builds its
last stage, and runs it on a root that is read-only, without a capability, as its user, and asks its health check.

Where podman is missing or cannot run a container, that is said, and the same is tried in a root of its own by chroot. Needs
root. Prints a line for each thing that was tried; exits with 1 at the first that does not hold.
"""
import glob
import json
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DOTNET = "/usr/share/dotnet"
PATIENCE = 60

# The root is entered by root, who then is nobody: argv are the root, the user and the command.
ENTER = """
import ctypes, os, sys
root, user, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags):
    if libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), target)
mount(root, root, None, 4096)                      # MS_BIND
mount("proc", root + "/proc", "proc", 0)
mount(root, root, None, 4096 | 32 | 1)             # MS_BIND | MS_REMOUNT | MS_RDONLY
os.chroot(root)
os.chdir("/tmp")
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
os.execve(command[0], command, dict(pair.split("=", 1) for pair in os.environ["IMAGE_ENV"].split()))
"""


def fail(why):
    print(f"not so: {why}", flush=True)
    sys.exit(1)


def hold(claim, holds, otherwise=""):
    if not holds:
        fail(f"{claim}: {otherwise}")
    print(f"ok: {claim}", flush=True)


def until(holds):
    """Asks again until it holds, or for as long as patience lasts."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **options)


class Containerfile:
    """What the file says of the image."""

    def __init__(self):
        with open(os.path.join(HERE, "Containerfile"), encoding="utf-8") as file:
            text = file.read()
        self.publish = re.search(r"^RUN (dotnet publish .*) -o /app(.*)$", text, re.M)
        self.user = int(re.search(r"^USER (\d+):", text, re.M).group(1))
        self.environment = re.findall(r"^ENV (\S+=\S+)$", text, re.M)
        self.health = json.loads(re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", text, re.M).group(1))
        self.command = [*json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", text, re.M).group(1)),
                        *json.loads(re.search(r"^CMD (\[.*\])$", text, re.M).group(1))]


def make_program(file, built, app):
    """/app of the image, and what it needs besides of the base."""
    if built is None:
        command, more = file.publish.groups()
        done = run("sh", "-c", f"{command} -o {app}{more} -v q --nologo", cwd=os.path.dirname(HERE))
        hold("it is published as the Containerfile says", done.returncode == 0, done.stdout + done.stderr)
        return []
    rid = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}[os.uname().machine]
    for name in run(sys.executable, os.path.join(HERE, "program_files.py"), built, rid).stdout.split("\n"):
        if name:
            os.makedirs(os.path.dirname(os.path.join(app, name)), exist_ok=True)
            shutil.copy(os.path.join(built, name), os.path.join(app, name))
    return [DOTNET + "/host", DOTNET + "/shared"]


def libraries(folders):
    """What the program and its own libraries are linked against, and what they open by name."""
    found = set(glob.glob("/usr/lib/*/libssl.so.3") + glob.glob("/usr/lib/*/libcrypto.so.3"))
    ours = [file for folder in folders for file in glob.glob(folder + "/**/*.so", recursive=True)]
    for file in [os.path.join(folders[0], "Router"), *ours, *found]:
        for word in run("ldd", file).stdout.split():
            if word.startswith("/") and not word.startswith(tuple(folders)) and os.path.exists(word):
                found.add(word)
    return sorted(found)


def make_base(base, app, runtime):
    for folder in runtime:
        shutil.copytree(folder, base + folder)
    for library in libraries([app, *runtime]):
        os.makedirs(base + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, base + library)
    os.mkdir(base + "/tmp", mode=0o777)


class Podman:
    """The image, run by an engine, with storage of its own that ends with it."""

    how = "podman"

    def __init__(self, work, runtime):
        # No driver but vfs is there in every sandbox. Limits beyond the machine's own it may not set.
        self._podman = ["podman", "--runtime", runtime, "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs",
                        "--root", work + "/storage", "--runroot", work + "/run", "--tmpdir", work + "/libpod"]
        self._limits = []
        for name, limit in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
            most = resource.getrlimit(limit)[1]
            most = 20_000 if most == resource.RLIM_INFINITY else min(most, 20_000)
            self._limits += ["--ulimit", f"{name}={most}:{most}"]
        self.why_not = ""

    def podman(self, *arguments):
        return run(*self._podman, *arguments)

    def can(self, base):
        """Whether it builds and runs anything here: a base of nothing but a program that says hello."""
        done = self.podman("import", "--change", "CMD [\"/bin/echo\", \"hello\"]", base, "localhost/hello")
        done = done if done.returncode != 0 else self.podman("run", "--rm", "--network", "none", *self._limits, "localhost/hello")
        self.why_not = (done.stderr or done.stdout).strip().split("\n")[-1]
        return done.stdout.endswith("hello\n")

    def build(self, base, built, environment):
        for name, folder in (("base", base), ("built", built)):
            tar = folder + ".tar"
            run("tar", "-C", folder, "-cf", tar, "--owner=0", "--group=0", ".")
            changes = [word for pair in environment if name == "base" for word in ("--change", f"ENV {pair}")]
            done = self.podman("import", *changes, tar, f"localhost/{name}")
            if done.returncode != 0:
                fail("an image is imported: " + done.stderr)
        done = self.podman(
            "build", "--format", "docker", "--pull=never", "--build-arg", "BASE=localhost/base",
            "--build-context", "build=container-image://localhost/built",
            "-f", HERE + "/Containerfile", "-t", "localhost/router", os.path.dirname(HERE))
        hold("podman builds the Containerfile", done.returncode == 0, done.stdout + done.stderr)

    def start(self):
        # As docs/install.md has it, but for a network of its own.
        done = self.podman(
            "run", "--detach", "--name", "router", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "all",
            "--network", "none", *self._limits, "localhost/router")
        if done.returncode != 0:
            fail("it starts: " + done.stderr)

    def show(self, what):
        return self.podman("inspect", "--format", "{{" + what + "}}", "router").stdout.strip()

    def pid(self):
        return self.show(".State.Pid")

    def log(self):
        done = self.podman("logs", "router")
        return done.stdout + done.stderr

    def check_health(self):
        done = self.podman("healthcheck", "run", "router")
        return done.returncode == 0, done.stdout + done.stderr

    def stop(self):
        self.podman("stop", "--time", "20", "router")
        return int(self.show(".State.ExitCode"))

    def end(self):
        self.podman("rm", "--force", "router")


class Chroot:
    """The same root without an engine: namespaces by unshare."""

    how = "chroot"

    def __init__(self, work, file):
        self._root, self._log, self._file = work + "/root", work + "/log", file
        self._environment = ""
        self._program = None

    def build(self, base, built, environment):
        os.rename(base, self._root)
        shutil.copytree(built + "/app", self._root + "/app")
        os.makedirs(self._root + "/etc/router")
        os.mkdir(self._root + "/proc")
        os.mkdir(self._root + "/dev")
        for name, minor in (("null", 3), ("zero", 5), ("urandom", 9)):   # as an engine has them
            os.mknod(f"{self._root}/dev/{name}", 0o666 | stat.S_IFCHR, os.makedev(1, minor))
            os.chmod(f"{self._root}/dev/{name}", 0o666)
        os.chmod(self._root, 0o755)
        shutil.copy(HERE + "/container.conf", self._root + "/etc/router/router.conf")
        self._environment = " ".join([*environment, *self._file.environment])

    def start(self):
        command = ["unshare", "--mount", "--pid", "--fork", "--net", "--kill-child", "sh", "-c",
                   "ip link set lo up && exec \"$@\"", "sh", sys.executable, "-c", ENTER, self._root,
                   str(self._file.user), *self._file.command]
        with open(self._log, "w", encoding="utf-8") as log:
            self._program = subprocess.Popen(
                command, stdout=log, stderr=log, env=dict(os.environ, IMAGE_ENV=self._environment))

    def pid(self):
        return run("pgrep", "--parent", str(self._program.pid)).stdout.strip()

    def log(self):
        with open(self._log, encoding="utf-8") as log:
            return log.read()

    def check_health(self):
        # In the program's namespaces: its root is read-only already, and mounted.
        enter = ENTER.replace("\nmount(", "\n0 and mount(")
        done = run("nsenter", "--target", self.pid(), "--mount", "--net", "--pid", sys.executable, "-c", enter, self._root,
                   str(self._file.user), *self._file.health, env=dict(os.environ, IMAGE_ENV=self._environment))
        return done.returncode == 0, done.stdout + done.stderr

    def stop(self):
        os.kill(int(self.pid()), signal.SIGTERM)
        return self._program.wait(timeout=PATIENCE)

    def end(self):
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()


def choose(work, file):
    """An engine that can run something here, else what comes closest to it."""
    why = "podman is not installed"
    if shutil.which("podman"):
        hello = work + "/hello"
        os.makedirs(hello + "/bin")
        shutil.copy("/bin/echo", hello + "/bin/echo")
        for word in run("ldd", "/bin/echo").stdout.split():
            if os.path.exists(word):
                os.makedirs(hello + os.path.dirname(word), exist_ok=True)
                shutil.copy(word, hello + word)
        run("tar", "-C", hello, "-cf", hello + ".tar", ".")
        for runtime in ("runc", "crun"):
            engine = Podman(work, runtime)
            if shutil.which(runtime) and engine.can(hello + ".tar"):
                return engine
            why = f"podman with {runtime}: {engine.why_not}"
    print(f"SKIPPED: NO CONTAINER ENGINE RUNS HERE, the Containerfile itself is not built ({why}); a chroot stands in",
          flush=True)
    return Chroot(work, file)


def try_all(engine, file):
    engine.start()
    try:
        listens = until(lambda: '"event":"admin-listening"' in engine.log())
        hold(f"it listens, on a root that is read-only ({engine.how})", listens, engine.log())
        with open(f"/proc/{engine.pid()}/status", encoding="utf-8") as status:
            fields = dict(line.split(":", 1) for line in status)
        hold("it is the image's user, without a capability",
             fields["Uid"].split() == 4 * [str(file.user)] and int(fields["CapEff"], 16) == 0, str(fields))
        inside = run("nsenter", "--target", engine.pid(), "--mount", "--root", "--", "/bin/sh", "-c", "true")
        hold("there is no shell in it", inside.returncode == 127, inside.stderr)
        said = run("nsenter", "--target", engine.pid(), "--net", "sh", "-c",
                   "echo hello | socat -t 2 - UDP:127.0.0.1:27123").stdout
        hold("it answers", said == "hello\n", said + engine.log())
        healthy, why = engine.check_health()
        hold("the health check finds it healthy", healthy, why)
        began = time.monotonic()
        code = engine.stop()
        hold("a stop is a drain", code == 0 and '"event":"stopped"' in engine.log(), f"{code} {engine.log()}")
        print(f"   {time.monotonic() - began:.2f} s", flush=True)
    finally:
        engine.end()


def main():
    options = sys.argv[1:]
    if options and (len(options) != 2 or options[0] != "--from"):
        sys.exit("try_container.py [--from FOLDER]")
    built = os.path.abspath(options[1]) if options else None
    file = Containerfile()
    with tempfile.TemporaryDirectory() as work:
        base, stage = work + "/base", work + "/built"
        os.makedirs(base)
        os.makedirs(stage + "/app")
        runtime = make_program(file, built, stage + "/app")
        make_base(base, stage + "/app", runtime)
        engine = choose(work, file)
        engine.build(base, stage, [f"DOTNET_ROOT={DOTNET}"] if runtime else [])
        try_all(engine, file)


main()
