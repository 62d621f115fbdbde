#!/usr/bin/env python3
"""Where a message's time goes, by stage: reads `perf script -F ip,sym,dso` of the loop's thread from standard input.

  budget.py NANOSECONDS-PER-MESSAGE      of CPU, all told, as measured in the same run

A sample counts for the stage of its innermost frame; a sample in the kernel for the system call that led there. A method
that was compiled into its caller counts for the caller's stage.
"""
import collections
import re
import sys

KERNEL = [
    ("kernel: poll", re.compile(r"epoll")),
    ("kernel: send, delivery into the peer's socket", re.compile(r"net_rx_action|__do_softirq|do_softirq|handle_softirqs")),
    ("kernel: send", re.compile(r"sendmmsg|sendmsg|sendto|splice")),
    ("kernel: receive", re.compile(r"recvmmsg|recvmsg|recvfrom|sys_recv")),
]
# The first that matches. Compiled methods are named "type [assembly] Namespace.Class::Method(...)".
USER = [
    ("poll and pass of the loop", re.compile(r"\.(EpollPoller|IoLoop|LoopRunQueue|IoDispatcher|LoopScheduler)")),
    ("timers", re.compile(r"\.(TimerWheel|.*Timer)")),
    ("sockets, around the system calls", re.compile(
        r"\.(Linux(Datagram|ConnectedDatagram|Stream)Socket|LinuxDatagramReceiver|LinuxStreamPipe|LinuxCalls|DatagramBatch)")),
    ("split by session key", re.compile(r"Router\.(Listeners|Admission)\.|\.(SessionTable|SessionKey|PeerHash|XxHash)")),
    ("mailbox and turn", re.compile(r"Router\.Actors\.")),
    ("session, its route and its replies", re.compile(r"Router\.(Sessions|Routes)\.|\.(DatagramQueue|LinuxDatagramSender)")),
]
ORDER = ["poll and pass of the loop", "sockets, around the system calls", "split by session key", "mailbox and turn",
         "session, its route and its replies", "timers", "runtime and C library", "kernel: poll", "kernel: receive", "kernel: send",
         "kernel: send, delivery into the peer's socket", "kernel: other"]


def stage(frames):
    symbol, where = frames[0]
    symbol = symbol.partition("(")[0]          # not what its parameters are called
    if "kernel" in where or where == "unknown" and not symbol:
        names = " ".join(name for name, _ in frames)
        return next((label for label, pattern in KERNEL if pattern.search(names)), "kernel: other")
    # Stubs of the runtime (system calls' transitions) belong to no method of ours.
    return next((label for label, pattern in USER if pattern.search(symbol)), "runtime and C library")


def samples(lines):
    frames = []
    for line in lines:
        if not line.strip():
            if frames:
                yield frames
            frames = []
            continue
        match = re.match(r"\s*[0-9a-f]+ (.*) \(([^()]*(?:\([^()]*\))?[^()]*)\)\s*$", line)
        if match:
            frames.append((match.group(1), match.group(2)))
    if frames:
        yield frames


def main():
    total_ns = float(sys.argv[1])
    counts = collections.Counter(stage(frames) for frames in samples(sys.stdin))
    seen = sum(counts.values())
    if not seen:
        sys.exit("no samples")
    print(f"{total_ns:.0f} ns of CPU per message, {seen} samples")
    for label in ORDER:
        print(f"  {label:<48}{total_ns * counts[label] / seen:>7.0f} ns {100 * counts[label] / seen:>6.1f} %")
    ours = sum(counts[label] for label in ORDER if not label.startswith("kernel"))
    print(f"  {'user mode in all':<48}{total_ns * ours / seen:>7.0f} ns {100 * ours / seen:>6.1f} %")


if __name__ == "__main__":
    main()
