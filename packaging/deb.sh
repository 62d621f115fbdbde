#!/bin/sh
# Builds the Debian package: deb.sh [--from FOLDER] OUT
#
# OUT is a folder, where router_VERSION_ARCHITECTURE.deb is written; its path is printed. Without --from the program is
# published for it, self-contained: the package then needs no .NET. --from FOLDER packs a program that is built already and
# needs ASP.NET Core's runtime. The same input gives the same bytes (SOURCE_DATE_EPOCH, the last commit's time unless set).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
from=
if [ "${1:-}" = --from ]; then
    from=$2
    shift 2
fi
[ $# = 1 ] || { echo "deb.sh [--from FOLDER] OUT" >&2; exit 64; }
mkdir -p "$1"
out=$(cd "$1" && pwd)

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
architecture=$(dpkg --print-architecture)
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
lib=$tree/usr/lib/router
doc=$tree/usr/share/doc/router
umask 022
mkdir -p "$lib" "$doc/examples" "$tree/DEBIAN" "$tree/usr/bin" "$tree/lib/systemd/system" "$tree/etc/router" \
    "$tree/etc/logrotate.d" "$tree/usr/share/man/man1" "$tree/usr/share/router/grafana" "$tree/usr/share/router/prometheus"

case $architecture in
    amd64) rid=linux-x64 ;;
    arm64) rid=linux-arm64 ;;
    *) echo "no .NET for $architecture" >&2; exit 1 ;;
esac

needs="libc6, libgcc-s1, libstdc++6"
compress="-Zxz"
if [ -n "$from" ]; then
    # Nothing but the program: a folder of tests has more.
    python3 "$here/program_files.py" "$from" "$rid" | while read -r file; do
        mkdir -p "$lib/$(dirname "$file")"
        cp "$from/$file" "$lib/$file"
    done
    needs="$needs, aspnetcore-runtime-10.0 | dotnet-sdk-10.0"
    compress="-Zgzip -z1"   # to be tried, not to be shipped
else
    dotnet publish "$root/src/Router/Router.csproj" -c Release -r "$rid" --self-contained -o "$lib" -v q --nologo \
        -p:DebugType=none -p:GenerateDocumentationFile=false
    needs="$needs, libssl3 | libssl3t64 | libssl1.1, ca-certificates"
fi

find "$lib" -type f -exec chmod 644 {} +
chmod 755 "$lib/Router"
ln -s ../lib/router/Router "$tree/usr/bin/router"
install -m 644 "$here/router.service" "$tree/lib/systemd/system/router.service"
install -m 644 "$here/router.conf" "$tree/etc/router/router.conf"
install -m 644 "$here/router.logrotate" "$tree/etc/logrotate.d/router"
install -m 644 "$here/grafana/router.json" "$tree/usr/share/router/grafana/router.json"
install -m 644 "$here/prometheus/alerts.yml" "$tree/usr/share/router/prometheus/alerts.yml"
gzip -9n <"$here/router.1" >"$tree/usr/share/man/man1/router.1.gz"
gzip -9n <"$root/CHANGELOG.md" >"$doc/changelog.gz"
install -m 644 "$root/hocon/reference.conf" "$doc/reference.conf"
install -m 644 "$root/hocon/examples/"*.conf "$doc/examples/"
sed 's/^/ /; s/^ $/ ./' "$root/LICENSE" | cat "$here/deb/copyright" - >"$doc/copyright"
install -m 644 "$here/deb/conffiles" "$tree/DEBIAN/conffiles"
for script in postinst prerm postrm; do
    install -m 755 "$here/deb/$script" "$tree/DEBIAN/$script"
done

size=$(du -sk --exclude=DEBIAN "$tree" | cut -f1)
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/; s/@NEEDS@/$needs/" \
    "$here/deb/control" >"$tree/DEBIAN/control"
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
package=$out/router_${version}_$architecture.deb
# shellcheck disable=SC2086 # options
dpkg-deb --root-owner-group --build $compress "$tree" "$package" >/dev/null
echo "$package"
