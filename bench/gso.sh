#!/bin/sh
# Senders that coalesce (UDP_SEGMENT): the router's echo and proxy against C and nginx, interleaved: see gso.py.
#   ./gso.sh [echo|proxy] [options of run-peers.sh]      for instance: ./gso.sh echo --rounds 3 --dur 1
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
BENCH_BIN=${BENCH_BIN:-$work/bin}
export BENCH_BIN
make -s -C "$shared" OUT="$BENCH_BIN"
"$here/publish.sh" "$work/router"
python3 "$here/gso.py" "$shared" "$here" "$work" "$@"
