#!/bin/sh
# Twice the load that a route can take: goodput, memory, and whether the drop counters say what the sender has lost.
#   ./overload.sh [ROUNDS]
# BENCH_SHARED: folder of udpload.c and its Makefile.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s -C "$shared" OUT="$work/bin"
dotnet publish "$here/../src/Router.Benchmarks/Router.Benchmarks.csproj" -c Release -o "$work/router" -v q --nologo
python3 "$here/overload.py" "$work/router/Router.dll" "$work/bin" "$here/overload.conf" "${1:-3}"
