#!/bin/sh
# Measures the published Release build against its peers and judges the ratios: see README.md.
#   ./run.sh [udp|tcp] [options of run-peers.sh]
#   ./run.sh udp --rounds 1 --dur 1          a quick look; the figures that count take five rounds
# BENCH_SHARED: folder of peers.py and the generators.  BENCH_RESULTS: file that raw results are appended to, kept after the run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
only=
case ${1:-} in
    udp | tcp) only=$1; shift ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
BENCH_BIN=$work/bin
export BENCH_BIN
make -s -C "$shared" OUT="$BENCH_BIN"
"$here/publish.sh" "$work/router"
akka="dotnet $work/akka/AkkaEcho.dll"
if [ "$only" != tcp ] && ! dotnet publish "$here/akka/AkkaEcho.csproj" -c Release -o "$work/akka" -v q --nologo; then
    echo "AKKA IS NOT MEASURED: its package could not be had; the targets against it fail" >&2
    akka=
fi
results=${BENCH_RESULTS:-$work/results.jsonl}
run="dotnet $work/router/Router.dll run --config $here"

# Three proxies with 10,000 upstream sockets each need more ports than the 28,232 a machine gives out by itself. Where that
# may be done, all run in a network of their own that has more; it ends, with all that still runs in it, with this script.
within=
if unshare -n true 2> /dev/null; then
    within="unshare -n -p -f --kill-child --mount-proc $here/own-network.sh"
fi

# A protocol that is not wanted has no servers.
measure() {
    $within python3 "$here/peers.py" "$shared" --interleave --rounds 5 --json "$results" --udp-peers none --tcp-peers none "$@"
}
if [ "$only" != tcp ]; then
    measure --udp-peers c-batch,erlang,c-proxy,nginx --udp-cases 1x64,100x8,1000x1,10000x1,1x64/1200,100x8/1200,1000x1/1200,10000x1/1200 \
        --udp "router=env ROUTER_BENCH_PORT={port} $run/udp-echo.conf" \
        ${akka:+--udp "akka=$akka {port}"} \
        --udp "router-proxy=env ROUTER_BENCH_PORT={port} ROUTER_BENCH_BACKEND={backend} $run/udp-proxy.conf" "$@"
fi
if [ "$only" != udp ]; then
    measure --tcp-peers c-epoll,c-proxy,nginx,haproxy --tcp-cases 100x8,1000x1,9000x1,rate,bulk4 \
        --tcp "router=env ROUTER_BENCH_PORT={port} $run/tcp-echo.conf" \
        --tcp "router-proxy=env ROUTER_BENCH_PORT={port} ROUTER_BENCH_BACKEND={backend} $run/tcp-proxy.conf" "$@"
fi
python3 "$here/ratios.py" "$results"
