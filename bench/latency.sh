#!/bin/sh
# Latency of UDP echo in an open loop, at 20,000 datagrams a second and at half of the peak, against C's batch server.
#   ./latency.sh [ROUNDS]
# BENCH_SHARED: folder of udpload.c, udpecho_limit.c and their Makefile.
# ROUTER_BENCH_BUILD: folder of a published build, instead of publishing one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s -C "$shared" OUT="$work/bin"
build=${ROUTER_BENCH_BUILD:-$work/router}
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$build"
python3 "$here/latency.py" "$build/Router.dll" "$work/bin" "$here/udp-echo.conf" "${1:-15}"
