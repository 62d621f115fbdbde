#!/bin/sh
# Publishes the Release build into a folder: publish.sh FOLDER. Used by run.sh and idle.sh.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dotnet publish "$root/src/Router/Router.csproj" -c Release -o "$1" -v q --nologo
