#!/bin/sh
# Publishes the Release build into a folder: publish.sh FOLDER [OPTION OF dotnet publish ...]. Used by the other scripts.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$1
shift
dotnet publish "$root/src/Router/Router.csproj" -c Release -o "$folder" -v q --nologo "$@"
