#!/bin/sh
# From starting the process to the first echoed datagram, in turn: the published build, compiled ahead, without and with an
# admin endpoint, which has to cost less than a tenth; and the same code left to the just-in-time compiler.
#   ./start.sh [ROUNDS]
# ROUTER_BENCH_BUILD: folder of a published build, instead of publishing one; the just-in-time compiler is then left out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ahead=${ROUTER_BENCH_BUILD:-$work/ahead}
run="Router.dll run --config $here/udp-echo.conf"
set -- "${1:-15}" "compiled ahead=dotnet $ahead/$run" \
    "with admin=dotnet $ahead/$run --set router.admin.bind='\"127.0.0.1:27302\"'"
if [ -z "${ROUTER_BENCH_BUILD:-}" ]; then
    "$here/publish.sh" "$ahead"
    "$here/publish.sh" "$work/jit" -p:PublishReadyToRun=false
    set -- "$@" "just in time=dotnet $work/jit/$run"
fi
ROUTER_BENCH_PORT=27301 BENCH_BOUND="with admin/compiled ahead/1.1" python3 "$here/first_echo.py" "$@"
