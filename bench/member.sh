#!/bin/sh
# What it costs a router to be a member of a cluster, of one member: CPU of a datagram, memory, CPU while nothing happens, and
# the time from the start to the first echo. See member.py.
#   ./member.sh [ROUNDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${ROUTER_BENCH_BUILD:-}" ]; then
    ROUTER_BENCH_BUILD=$work/router
    "$here/publish.sh" "$ROUTER_BENCH_BUILD"
fi
export ROUTER_BENCH_BUILD
run="dotnet $ROUTER_BENCH_BUILD/Router.dll run --config $here/udp-echo.conf"
ROUTER_BENCH_PORT=27385 python3 "$here/first_echo.py" "${1:-10}" "alone=$run" \
    "member=$run --set router.cluster.port=27387 --set router.cluster.seeds='[\"127.0.0.1:27387\"]'"
"$here/million.sh" member "${1:-10}"
