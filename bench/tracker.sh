#!/bin/sh
# The gateway of hocon/examples/cluster-tracker.conf under kills: devices report to three members, which are processes in
# networks of their own, move between addresses and members, and are told commands by a backend, while one member after
# another is killed and started again. No device's count may go back, and every command has to arrive. PostgreSQL is a
# server of its own in a temporary folder. Root; needs ip, initdb and postgres.
#   ./tracker.sh [DEVICES] [SECONDS]
# ROUTER_BENCH_BUILD: a folder with a build of Router.Benchmarks and Tracker.dll, instead of one made here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
devices=${1:-2000}
seconds=${2:-300}
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')

work=$(mktemp -d)
server=
end() {
    [ -z "$server" ] || kill -INT "$server" 2> /dev/null || true
    [ -z "$server" ] || wait "$server" 2> /dev/null || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM
if [ -n "${ROUTER_BENCH_BUILD:-}" ]; then
    ln -s "$ROUTER_BENCH_BUILD" "$work/router"
else
    dotnet publish "$here/../src/Router.Benchmarks/Router.Benchmarks.csproj" -c Release -o "$work/router" -v q --nologo
    dotnet publish "$here/../examples/Tracker/Tracker.csproj" -c Release -o "$work/tracker" -v q --nologo
    cp "$work/tracker/Tracker.dll" "$work/router"
fi
cp "$here/../hocon/examples/cluster-tracker.conf" "$work"

# The server refuses to run as root.
account=$(getent passwd postgres nobody | head -n 1 | cut -d: -f1)
as="setpriv --reuid $account --regid $(id -g "$account") --clear-groups --"
mkdir "$work/postgres"
chmod 711 "$work"
chown "$account" "$work/postgres"
$as initdb -D "$work/postgres/data" -U router -A trust -E UTF8 --locale=C --no-instructions > /dev/null
nice -n -15 $as postgres -D "$work/postgres/data" -k "$work/postgres" -h '' > "$work/postgres.log" 2>&1 &
server=$!
tries=100
until grep -q 'ready to accept connections' "$work/postgres.log"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { cat "$work/postgres.log"; exit 1; }
    sleep 0.1
done
unshare --net --mount sh -c '
    mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns && exec nice -n -10 python3 "$@"' \
    sh "$here/tracker.py" "$work" "$devices" "$seconds"
