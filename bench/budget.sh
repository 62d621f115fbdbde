#!/bin/sh
# What each stage of a message's way costs: samples of the loop's thread under load, by stage, as ns of CPU per message.
#   ./budget.sh [echo|proxy|tcp-echo|tcp-proxy] [SESSIONS WINDOW]     100 sessions with 8 in flight by default
# Needs perf (linux-perf).  BENCH_SHARED: folder of the load generators, the C servers and their Makefile.
# ROUTER_BENCH_BUILD: folder of a published build, instead of publishing one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
case ${1:-echo} in
    tcp-*) protocol=tcp; route=${1#tcp-} ;;
    *) protocol=udp; route=${1:-echo} ;;
esac
sessions=${2:-100}
window=${3:-8}
port=27197
backend=27198
seconds=6

work=$(mktemp -d)
router=
upstream=
end() {
    for child in $router $upstream; do kill -KILL "$child" 2> /dev/null || true; done
    rm -rf "$work"
}
trap end EXIT
make -s -C "$shared" OUT="$work/bin"
build=${ROUTER_BENCH_BUILD:-$work/router}
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$build"

if [ "$route" = proxy ]; then
    mode=
    [ $protocol = tcp ] || mode="-m batch"
    taskset -c 1 "$work/bin/${protocol}echo_limit" -p $backend $mode &
    upstream=$!
fi
# perf reads the names of compiled methods from a map that the runtime writes; it needs them at their real addresses.
DOTNET_PerfMapEnabled=1 DOTNET_EnableWriteXorExecute=0 ROUTER_BENCH_PORT=$port ROUTER_BENCH_BACKEND=$backend \
    taskset -c 0 setsid dotnet "$build/Router.dll" run --config "$here/$protocol-$route.conf" > "$work/log" 2>&1 &
router=$!
tries=100
until grep -q ":$(printf %04X $port) " /proc/net/$protocol; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { cat "$work/log"; exit 1; }
    sleep 0.1
done

sources=
[ $protocol = tcp ] || sources="-m addr -f 512"
load() { "$work/bin/${protocol}load" -p $port -c 1 $sources -s "$sessions" -w "$window" -b 64 -P $router "$@"; }
load -d 4 -W 1 > /dev/null            # compiled
load -d $seconds -W 1 -j > "$work/result" &
loading=$!
perf record -q -F 2500 -e cpu-clock -g -p $router -o "$work/perf" -- sleep $((seconds - 1))
wait $loading
ns=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["srv_cpu_s_per_M"] * 1000)' "$work/result")
echo "$protocol $route, $sessions sessions x $window in flight, 64 bytes"
perf script -i "$work/perf" -F ip,sym,dso 2> /dev/null > "$work/samples"; [ -z "${KEEP:-}" ] || cp "$work/samples" "$KEEP"
python3 "$here/budget.py" "$ns" < "$work/samples"
