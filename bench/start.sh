#!/bin/sh
# From starting the process to the first echoed datagram: the published build, compiled ahead, against the same code left
# to the just-in-time compiler, in turn.
#   ./start.sh [ROUNDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/publish.sh" "$work/ahead"
"$here/publish.sh" "$work/jit" -p:PublishReadyToRun=false
run="Router.dll run --config $here/udp-echo.conf"
ROUTER_BENCH_PORT=27301 python3 "$here/first_echo.py" "${1:-15}" \
    "compiled ahead=dotnet $work/ahead/$run" "just in time=dotnet $work/jit/$run"
