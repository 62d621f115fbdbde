#!/bin/sh
# What is said in a room on one member and heard on another: payloads a second, and CPU of both members for each.
#   ./rooms.sh [SECONDS] [BYTES]
# A stream says lines of 100 bytes, or of BYTES, as fast as they are taken; a UDP peer of the other member hears them,
# without reading. For comparison the same on one member, at half of the speed, and at 100,000 a second.
# ROUTER_BENCH_BUILD: a build by publish.sh, instead of one made here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${ROUTER_BENCH_BUILD:-$work/router}
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$build"
python3 "$here/rooms.py" "$build/Router.dll" "$work" "${1:-5}" "${2:-100}"
