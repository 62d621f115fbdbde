#!/bin/sh
# What idle TCP connections of an echo cost: memory per connection, and CPU while nothing happens. About 30 s.
#   ./idle-tcp.sh [CONNECTIONS]      15,000 by default; a process has 20,000 descriptors at most on the usual machine
# ROUTER_BENCH_BUILD: folder of a published build, instead of publishing one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${ROUTER_BENCH_BUILD:-$work/router}
[ -n "${ROUTER_BENCH_BUILD:-}" ] || "$here/publish.sh" "$build"
python3 "$here/idle_tcp.py" - "$build/Router.dll" "$here/tcp-echo.conf" "$@"
