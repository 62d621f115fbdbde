using Router.Tests.Cluster.Checkpoints;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Members that no list names find one another, and make one cluster however they start.</summary>
[Collection(MemberTests.Name)]
public sealed class ClusterDiscoveryTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private static readonly string[] Hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];

    [RequiresToolFact(RequiredTools.Namespace, "knotd", "unshare")]
    public async Task By_a_name_that_has_an_address_for_each()
    {
        await File.WriteAllTextAsync(
            Path.Combine(Folder, "ex.test.zone"),
            """
            $ORIGIN ex.test.
            $TTL 1
            @ SOA ns.ex.test. admin.ex.test. 1 3600 600 86400 1
            @ NS ns.ex.test.
            ns A 127.0.0.1
            members A 127.0.0.3
            members A 127.0.0.1
            members A 127.0.0.2

            """);
        var server = Path.Combine(Folder, "knot.conf");
        await File.WriteAllTextAsync(
            server,
            $"""
            server:
              listen: 127.0.0.1@53
              rundir: "{Folder}"
            database:
              storage: "{Folder}"
            zone:
              - domain: ex.test
                storage: "{Folder}"
                file: "ex.test.zone"
            """);
        await ServerAsync("udp", 53, "knotd", "-c", server);
        var resolver = Path.Combine(Folder, "resolv.conf");
        await File.WriteAllTextAsync(resolver, "nameserver 127.0.0.1\n");
        string[] surroundings =
        [
            "unshare", "--mount", "--", "sh", "-c",
            $"mount --bind '{resolver}' \"$(readlink -f /etc/resolv.conf)\" && exec \"$@\"", "sh",
        ];

        await AssertOneClusterAsync(
            "discovery { dns = \"members.ex.test:27200\", stable-for = 1s }", surroundings);
    }

    [RequiresToolFact(RequiredTools.Namespace, "initdb", "postgres")]
    public async Task By_a_table()
    {
        var server = new PostgresServer();
        try
        {
            await server.StartAsync();
            var connection = $"discovery.postgres.connection = \"{server.Connection()}\"";

            var members = await AssertOneClusterAsync(connection, surroundings: null);

            members[0].Signal(TestLibc.SigTerm);
            Assert.Equal(0, await members[0].ExitAsync());
            Assert.Equal(2L, await server.QueryAsync("select count(*) from router_members"));
            Assert.Equal(2L, await server.QueryAsync("select count(*) from router_members where state = 'member'"));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private async Task<IReadOnlyList<RouterProcess>> AssertOneClusterAsync(
        string discovery, IReadOnlyList<string>? surroundings)
    {
        var members = new List<RouterProcess>();
        foreach (var host in Hosts)
        {
            var file = await RouterProcess.WriteAsync(
                Folder,
                $$"""
                router {
                  loops = 1
                  cluster {
                    host = {{host}}
                    {{discovery}}
                  }
                  listeners.e { bind = "udp://{{host}}:47001", route = e }
                  routes.e { type = echo }
                }
                """);
            members.Add(await CommandAsync(["run", "--config", file], surroundings: surroundings));
        }

        foreach (var member in members)
        {
            await member.RecordAsync("member-up", index: Hosts.Length - 1);
        }

        Assert.All(members, static member => Assert.Equal(
            Hosts.Select(static host => $"{host}:27200"),
            member.RecordsOf("member-up").Select(static up => up.GetProperty("member").GetString()).Order()));
        return members;
    }
}
