#!/bin/sh
# What records of sessions cost, for each format: nanoseconds of the thread that logs, lines a second that a sink's writer
# does into a file with rotation, and CPU of the process per record. Each format has to do at least as many lines a second as
# records are let through by default (log.session-records).
#   ./log-writer.sh [RECORDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish "$here/../src/Router.Benchmarks/Router.Benchmarks.csproj" -c Release -o "$work/bench" -v q --nologo
dotnet exec --runtimeconfig "$work/bench/Router.runtimeconfig.json" \
    --depsfile "$work/bench/Router.Benchmarks.deps.json" \
    "$work/bench/Router.Benchmarks.dll" log "$work" "${1:-300000}" | awk -v least=20000 '
        { print }
        match($0, /[0-9]+ lines\/s/) { rate = substr($0, RSTART) + 0; slowest = slowest == "" || rate < slowest ? rate : slowest }
        END {
            good = slowest != "" && slowest >= least
            printf "target lines a second of the slowest format >= %d: %d: %s\n", least, slowest, good ? "PASS" : "FAIL"
            exit !good
        }'
