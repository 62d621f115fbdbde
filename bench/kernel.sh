#!/bin/sh
# The actor kernel's benchmarks: Tell, ping-pong, fan-in, start and stop, bytes of an idle actor; on a loop and on the pool; and
# a message to each of many actors. Two minutes.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
dotnet run -c Release --project "$root/src/Router.Benchmarks" -- --filter '*Kernel*' '*IdleActor*' '*ManyActors*'
