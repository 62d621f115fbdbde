#!/bin/sh
# What records of sessions cost, for each format: nanoseconds of the thread that logs, lines a second that a sink's writer
# does into a file with rotation, and CPU of the process per record.
#   ./log-writer.sh [RECORDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish "$here/../src/Router.Benchmarks/Router.Benchmarks.csproj" -c Release -o "$work/bench" -v q --nologo
dotnet exec --runtimeconfig "$work/bench/Router.runtimeconfig.json" \
    --depsfile "$work/bench/Router.Benchmarks.deps.json" \
    "$work/bench/Router.Benchmarks.dll" log "$work" "${1:-300000}"
