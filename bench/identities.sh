#!/bin/sh
# What identities cost: attachments a second over so many members, which are actor systems of one process on real
# remoting, their latency one at a time, and the heap an identity takes. Targets over three members: 15,000/s, p50 and p99
# of 1 and 5 ms, 1.5 KB.
#   ./identities.sh [MEMBERS] [IDENTITIES]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish "$here/../src/Router.Benchmarks/Router.Benchmarks.csproj" -c Release -o "$work/bench" -v q --nologo
# As a member has: heap.young-budget.
DOTNET_GCGen0MaxBudget=800000 dotnet exec --runtimeconfig "$work/bench/Router.runtimeconfig.json" \
    --depsfile "$work/bench/Router.Benchmarks.deps.json" \
    "$work/bench/Router.Benchmarks.dll" identities "${1:-3}" "${2:-60000}"
