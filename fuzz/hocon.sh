#!/usr/bin/env bash
# Reads random HOCON for a while: fuzz/hocon.sh [SECONDS] [SEED]; ten minutes and a seed of the clock without them.
# Ends with 0 when every text was a value or a refusal with its place, none in more than a second; else the failing
# seed and its text are printed. The last line tells the seed and how many texts there were.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export ROUTER_FUZZ_SECONDS=${1:-600}
export ROUTER_FUZZ_SEED=${2:-$(date +%s)}
export MSBUILDDISABLENODEREUSE=1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet build src/Router.Tests -v q --nologo >"$log" || { cat "$log"; exit 1; }
dotnet test src/Router.Tests --no-build --filter FullyQualifiedName~Hocon.FuzzTests \
    --logger "console;verbosity=detailed" >"$log" || { cat "$log"; exit 1; }
sed -n 's/^ *\(seed [0-9]*: .*\)/\1/p' "$log"
