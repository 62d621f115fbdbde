#!/bin/sh
# A million idle UDP sessions in one process: how fast they open, what they weigh, and what an established session feels
# before, while they open, while they are there, and while all of them expire at once.
#   ./million.sh [SESSIONS]
# BENCH_SHARED: folder of udpload.c and its Makefile.  ROUTER_BENCH_ENV: settings of the runtime, as in "DOTNET_x=1".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s -C "$shared" OUT="$work/bin"
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$work/router"
python3 "$here/million.py" "$work/bin/udpload" "${ROUTER_BENCH_BUILD:-$work/router}/Router.dll" "$here/udp-echo.conf" "${1:-1000000}"
