#!/bin/sh
# From starting three processes at the same moment until each of them has three members up, with seeds, in another order
# each round: the slowest, in seconds.
#   ./cluster-form.sh [ROUNDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/publish.sh" "$work/router"
python3 "$here/cluster_form.py" "$work/router/Router.dll" "${1:-10}"
