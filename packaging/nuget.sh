#!/bin/sh
# Packs the library, its test kit and the tool for NuGet: nuget.sh OUT [OPTION OF dotnet pack ...]
#
# Router           the library: AddRouter, WithRouter, SessionHandler
# Router.TestKit   what its users test their handlers with
# Router.Tool      the program: dotnet tool install --global Router.Tool, then: router
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 1 ] || { echo "nuget.sh OUT [OPTION OF dotnet pack ...]" >&2; exit 64; }
out=$1
shift
for project in Router Router.TestKit; do
    dotnet pack "$root/src/$project/$project.csproj" -o "$out" -v q --nologo "$@"
done
dotnet pack "$root/src/Router/Router.csproj" -o "$out" -v q --nologo \
    -p:PackAsTool=true -p:ToolCommandName=router -p:PackageId=Router.Tool -p:PublishReadyToRun=false "$@"
