#!/bin/sh
# What checkpoints cost: rows of 256 bytes a second with the check of their epochs, CPU a row, and the time to claim so
# many identities. PostgreSQL is a server of its own in a temporary folder, with its own defaults: fsync, and commits that
# wait for it. It is reached by a unix socket, over one connection.
#   ./checkpoints.sh [IDENTITIES] [SECONDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
identities=${1:-100000}
seconds=${2:-5}
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')

work=$(mktemp -d)
server=
end() {
    [ -z "$server" ] || kill -INT "$server" 2> /dev/null || true
    [ -z "$server" ] || wait "$server" 2> /dev/null || true
    rm -rf "$work"
}
trap end EXIT
dotnet publish "$here/../src/Router.Benchmarks/Router.Benchmarks.csproj" -c Release -o "$work/bench" -v q --nologo

# The runtime's settings are the router's own.
measure() {
    dotnet exec --runtimeconfig "$work/bench/Router.runtimeconfig.json" --depsfile "$work/bench/Router.Benchmarks.deps.json" \
        "$work/bench/Router.Benchmarks.dll" checkpoints "$@"
}

# The server refuses to run as root.
as=
if [ "$(id -u)" = 0 ]; then
    account=$(getent passwd postgres nobody | head -n 1 | cut -d: -f1)
    as="setpriv --reuid $account --regid $(id -g "$account") --clear-groups --"
fi
mkdir "$work/postgres"
chmod 711 "$work"
[ -z "$as" ] || chown "$account" "$work/postgres"
$as initdb -D "$work/postgres/data" -U owner -A trust -E UTF8 --locale=C --no-instructions > /dev/null
$as postgres -D "$work/postgres/data" -k "$work/postgres" -h '' > "$work/postgres.log" 2>&1 &
server=$!
tries=100
until grep -q 'ready to accept connections' "$work/postgres.log"; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { cat "$work/postgres.log"; exit 1; }
    sleep 0.1
done

measure memory "$identities" "$seconds"
measure sqlite "$identities" "$seconds" "$work/checkpoints.db"
measure postgres "$identities" "$seconds" "Host=$work/postgres;Username=owner;Database=postgres" "$server" |
    awk -v claims=2 -v rows=50000 '{ print }
        /claims of what is kept/ { split($0, f, " in "); took = f[2] + 0 }
        /: checkpoints:/ { match($0, /[0-9]+ rows\/s/); rate = substr($0, RSTART) + 0 }
        END {
            printf "%d rows/s (target >= %d: %s)\n", rate, rows, (rate >= rows) ? "PASS" : "FAIL"
            printf "claims in %.2f s (target for 100,000: <= %d: %s)\n", took, claims, (took <= claims) ? "PASS" : "FAIL"
        }'
