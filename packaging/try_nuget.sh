#!/bin/sh
# Uses the packages as a stranger would, with nothing of this repository in reach: try_nuget.sh [OPTION OF dotnet pack ...]
#
# A program with a handler of its own runs a router from the package and tests the handler with the test kit; the tool is
# installed and asked for its version. Prints a line for each; exits with another code than 0 at the first that fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
packages=$work/packages
mkdir -p "$packages" "$work/program"
# Packages of these versions may have been restored on this machine before: these go into a folder of their own. The others
# come from where they were restored to when this repository was built, and nothing from any network.
cache=$(dotnet nuget locals global-packages --list | sed 's/^[^:]*: //')
sh "$here/nuget.sh" "$packages" "$@"
echo "ok: Router, Router.TestKit and Router.Tool are packed"

cd "$work/program"
cat >program.csproj <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
    <WarningsNotAsErrors>NU1900</WarningsNotAsErrors>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Router" Version="*" />
    <PackageReference Include="Router.TestKit" Version="*" />
  </ItemGroup>
</Project>
EOF
cat >../nuget.config <<EOF
<configuration>
  <config><add key="globalPackagesFolder" value="$work/restored" /></config>
  <fallbackPackageFolders><clear /><add key="built" value="$cache" /></fallbackPackageFolders>
  <packageSources><clear /><add key="packed" value="$packages" /></packageSources>
</configuration>
EOF
cat >program.conf <<'EOF'
router { listeners.upper { bind = "udp://127.0.0.1:0", route = upper }, routes.upper { type = handler, name = upper } }
EOF
cat >Program.cs <<'EOF'
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Router.Sessions;
using Router.TestKit;

using (var kit = new RouterTestKit(seed: 42))
{
    var peer = kit.UdpPeer("192.0.2.7:5000", to: kit.BindUdp(() => new UpperHandler()));
    peer.Send("kit"u8);
    kit.RunUntilIdle();
    Console.WriteLine(string.Join(' ', peer.ReceivedText));
}

var host = Host.CreateApplicationBuilder(args);
host.Services.AddRouter("program.conf", router => router.AddHandler<UpperHandler>("upper"));
using var built = host.Build();
await built.StartAsync();
await built.StopAsync();
Console.WriteLine("STOPPED");

/// <summary>Answers in capitals.</summary>
public sealed class UpperHandler : SessionHandler
{
    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            session.Reply(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload).ToUpperInvariant()));
        }
    }
}
EOF
unset NUGET_PACKAGES
dotnet build -v q --nologo >build.log || { cat build.log >&2; exit 1; }
said=$(dotnet bin/Debug/net10.0/program.dll)
for word in KIT 'listens on' STOPPED; do
    echo "$said" | grep -q "$word" || { echo "not so: the program says $word: $said" >&2; exit 1; }
done
echo "ok: a program with the packages runs a router and tests its handler"

version=$(ls "$packages" | sed -n 's/^Router.Tool\.\(.*\)\.nupkg$/\1/p')
dotnet tool install Router.Tool --tool-path "$work/bin" --configfile "$work/nuget.config" --version "$version" \
    -v q >/dev/null
"$work/bin/router" --version | grep -q '^[0-9]' || { echo "not so: the tool runs" >&2; exit 1; }
"$work/bin/router" check | grep -q ok || { echo "not so: the tool checks" >&2; exit 1; }
echo "ok: the tool is installed and runs"
