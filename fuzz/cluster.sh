#!/usr/bin/env bash
# Members of a cluster, each a process in a network of its own, under faults, while peers with an identity talk to them:
#   fuzz/cluster.sh MODE [--members N] [--peers N] [--seconds S] [--rounds N] [--seed N]
# partitions  random cuts between members, whole, partial and one-way, and heals: 600 s, 3 members, 1,000 peers
# cuts        one member after another is cut from all others, and started anew: 50 rounds
# kill        kill -9 of the oldest member, which has the sessions of all peers
# restart     kill -9 of one member after another, which a supervisor starts at once; --rounds 6 will do
# rolling     one member after another drains, and is started again, under load
# store       PostgreSQL answers 500 ms later, cuts its connections, is gone for 10 s, and is back
# clock       the clock of one member goes an hour on and two back; needs libfaketime
# Ends with 0 when nothing was found: no answer by an older epoch behind one by a newer, no epoch at two members, no
# count told twice, no peer without an answer at the end, no member that ended by itself without having been cut, and
# what the mode promises besides. Root; needs ip, nft, initdb and postgres. LIBFAKETIME: libfaketime.so.1, if it is not
# where Debian has it. ROUTER_BUILD: a folder with a build of src/Router.Tests instead of one made here. ROUTER_LOGS: a
# folder that gets the members' logs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')
[ $# -gt 0 ] || { sed -n '2,10s/^# \?//p' "${BASH_SOURCE[0]}"; exit 64; }
export MSBUILDDISABLENODEREUSE=1

work=$(mktemp -d)
server=
end() {
    [ -z "$server" ] || kill -INT "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    [ -z "${ROUTER_LOGS:-}" ] || { mkdir -p "$ROUTER_LOGS" && cp "$work"/*.log "$ROUTER_LOGS"; }
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM
build=${ROUTER_BUILD:-$here/../src/Router.Tests/bin/Debug/net10.0}
if [ -z "${ROUTER_BUILD:-}" ]; then
    dotnet build "$here/../src/Router.Tests" -v q --nologo >"$work/build.log" || { cat "$work/build.log"; exit 1; }
fi
ln -s "$build" "$work/router"

# The server refuses to run as root.
account=$(getent passwd postgres nobody | head -n 1 | cut -d: -f1)
as="setpriv --reuid $account --regid $(id -g "$account") --clear-groups --"
mkdir "$work/postgres"
chmod 711 "$work"
chown "$account" "$work/postgres"
$as initdb -D "$work/postgres/data" -U router -A trust -E UTF8 --locale=C --no-instructions >/dev/null
$as postgres -D "$work/postgres/data" -k "$work/postgres" -h '' >"$work/postgres.log" 2>&1 &
server=$!
tries=100
until grep -qs 'ready to accept connections' "$work/postgres.log"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { cat "$work/postgres.log"; exit 1; }
    sleep 0.1
done
unshare --net --mount sh -c '
    mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec python3 "$@"' \
    sh "$here/cluster.py" "$work" "$@"
