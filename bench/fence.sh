#!/bin/sh
# Cuts and stops of one of three members, in networks of their own: how long it goes on answering, when the others have
# removed it, and whether the fence of a healthy member ever shut. Root; needs ip and nft.
#   ./fence.sh [ROUNDS [BUSY]]
# BUSY: processes that do nothing but compute meanwhile, 0 by default.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish "$here/../src/Router.Benchmarks/Router.Benchmarks.csproj" -c Release -o "$work/router" -v q --nologo
unshare --net --mount sh -c '
    mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec python3 "$@"' \
    sh "$here/fence.py" "$work" "${1:-50}" "${2:-0}"
