#!/bin/sh
# What idle UDP sessions of an echo cost: CPU while nothing happens, and memory per session.
#   ./idle.sh [SESSIONS]
# BENCH_SHARED: folder of udpload.c and its Makefile.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
shared=${BENCH_SHARED:-$here/../../shared/bench}
sessions=${1:-10000}
seconds=10
port=27199

work=$(mktemp -d)
router=
end() {
    [ -z "$router" ] || kill -KILL "$router" 2> /dev/null || true
    rm -rf "$work"
}
trap end EXIT
make -s -C "$shared" OUT="$work/bin"
"$here/publish.sh" "$work/router"

ROUTER_BENCH_PORT=$port dotnet "$work/router/Router.dll" run --config "$here/udp-echo.conf" \
    --set router.listener-defaults.idle-timeout=1h --set router.log.level=info --set router.log.stats-interval=2s \
    > "$work/log" 2>&1 &
router=$!
tries=100
until grep -q '"event":"listening"' "$work/log"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { cat "$work/log"; exit 1; }
    sleep 0.1
done

load() { "$work/bin/udpload" -p $port -m addr -s "$1" -w 1 -f 512 -b 64 -d 2 -W 0.5 > /dev/null; }
pss() { awk '/^Pss:/ { print $2 * 1024 }' "/proc/$router/smaps_rollup"; }
field() { grep '"event":"stats"' "$work/log" | tail -n 1 | sed "s/.*\"$1\":\([0-9]*\).*/\1/"; }
# Of the process, not summed over its threads: one that ends takes its time away with it.
cpu_ns() { awk '{ sub(/.*\) /, ""); printf "%.0f", ($12 + $13) * 10000000 }' "/proc/$router/stat"; }

load 100                 # compiled, and buffers made
sleep 3
before=$(pss)
managed=$(field managed-bytes)
open=$(field sessions)
load "$sessions"
sleep 5
after=$(pss)
managed=$(($(field managed-bytes) - managed))
open=$(($(field sessions) - open))

# The least of a few windows: the runtime compiles again, in the background, what the load made hot.
used=
for _ in 1 2 3; do
    start=$(cpu_ns)
    sleep $seconds
    window=$(($(cpu_ns) - start))
    [ -n "$used" ] && [ "$used" -le $window ] || used=$window
done

awk -v n="$open" -v used="$used" -v s=$seconds -v pss=$((after - before)) -v managed=$managed 'BEGIN {
    share = used / (s * 1e9) * 100
    printf "%d sessions open, idle for %d s: %.3f %% of a core (target < 0.5: %s)\n", n, s, share, share < 0.5 ? "PASS" : "FAIL"
    printf "memory per session: %.0f bytes of the process, %.0f bytes managed (garbage included)\n", pss / n, managed / n
}'
