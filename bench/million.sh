#!/bin/sh
# A million idle UDP sessions in one process: how fast they open, what they weigh, and what an established session feels
# before, while they open, while they are there, and while all of them expire at once.
#   ./million.sh [prepared] [SESSIONS]      prepared: they are prepared sessions
# BENCH_SHARED: folder of udpload.c and its Makefile.  ROUTER_BENCH_ENV: settings of the runtime, as in "DOTNET_x=1".
# ROUTER_BENCH_BUILD: folder of a published build, instead of publishing one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
what=million
case ${1:-} in
    churn | churn_echo | growth | member | monitored | scrape | sigterm | sweep | top) what=$1; shift ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make -s -C "$shared" OUT="$work/bin"
build=${ROUTER_BENCH_BUILD:-$work/router}
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$build"
python3 "$here/$what.py" "$work/bin/udpload" "$build/Router.dll" "$here/udp-echo.conf" "$@"
