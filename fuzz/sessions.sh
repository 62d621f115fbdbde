#!/usr/bin/env bash
# Mixes direct turns, messages, failures, restarts and ends of sessions: fuzz/sessions.sh [SEEDS]; 10,000 without.
# Ends with 0 when order held in each and no reference of an ended session reached another peer; else the failing seed
# is printed, which replays it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export ROUTER_SEEDS=${1:-10000}
export MSBUILDDISABLENODEREUSE=1

log=$(mktemp)
trap 'rm -f "$log"' EXIT
dotnet build src/Router.Tests -v q --nologo >"$log" || { cat "$log"; exit 1; }
dotnet test src/Router.Tests --no-build --filter FullyQualifiedName~SessionOrderTests >"$log" || { cat "$log"; exit 1; }
tail -1 "$log"
echo "seeds of each test: $ROUTER_SEEDS"
