#!/bin/sh
# What it costs two members of a cluster to relay a datagram of a UDP proxy: CPU of both for each, and the time it adds.
#   ./relay.sh [SECONDS] [BYTES] [BATCH]
# Peers send bursts of 32 datagrams, or of BATCH, of 100 bytes or of BYTES, first to the member that has their sessions,
# then to the other one. The difference of the CPU of both members is what relaying costs: of datagrams that nobody
# answers, and of datagrams with as many answers. Then single datagrams, one after the other: the time to the answer.
# ROUTER_BENCH_BUILD: a build by publish.sh, instead of one made here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${ROUTER_BENCH_BUILD:-$work/router}
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$build"
python3 "$here/relay.py" "$build/Router.dll" "$work" "${1:-4}" "${2:-100}" "${3:-32}"
