#!/bin/sh
# What metrics cost with 100,000 UDP sessions open: p99 of an echo with and without a scrape a second, CPU and bytes allocated
# of a datagram, size and time of a scrape.
#   ./scrape.sh [ROUNDS]
# BENCH_SHARED: folder of udpload.c and its Makefile.
# ROUTER_BENCH_BUILD: folder of a published build, instead of publishing one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s -C "$shared" OUT="$work/bin"
build=${ROUTER_BENCH_BUILD:-$work/router}
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$build"
python3 "$here/scrape.py" "$work/bin/udpload" "$build/Router.dll" "$here/udp-echo.conf" "${1:-10}"
