#!/bin/sh
# A UDP proxy with a session per query: the router with responses = 1 against nginx with proxy_responses 1, interleaved:
# see churn_proxy.py.
#   ./churn-proxy.sh [options of run-peers.sh]      for instance: ./churn-proxy.sh --rounds 3 --dur 1
# BENCH_SHARED: folder of peers.py and the generators.  ROUTER_BENCH_BUILD: folder of a published build, instead of
# publishing one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
BENCH_BIN=${BENCH_BIN:-$work/bin}
export BENCH_BIN
make -s -C "$shared" OUT="$BENCH_BIN"
build=${ROUTER_BENCH_BUILD:-$work/router}
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$build"
python3 "$here/churn_proxy.py" "$shared" "$here" "$build/Router.dll" "$work/rows.jsonl" "$@"
