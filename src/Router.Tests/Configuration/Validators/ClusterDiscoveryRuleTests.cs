using Router.Configuration;

namespace Router.Tests.Configuration.Validators;

public sealed class ClusterDiscoveryRuleTests
{
    private const string Dns = "discovery.dns = \"members.example:27200\"";
    private const string Postgres = "discovery.postgres.connection = \"Host=db;Password=hush\"";
    private const string Seeds = "seeds = [\"127.0.0.2:27200\"]";

    [Theory]
    [InlineData("")]
    [InlineData(Seeds)]
    [InlineData(Dns)]
    [InlineData(Postgres)]
    [InlineData(Postgres + "\ndiscovery.postgres.table = routers.members_1")]
    public void One_way_to_find_members_is_fine(string keys) => Assert.Empty(Load(keys).Faults);

    [Theory]
    [InlineData(Seeds + "\n" + Dns, "discovery.dns")]
    [InlineData(Seeds + "\n" + Postgres, "discovery.postgres.connection")]
    [InlineData(Dns + "\n" + Postgres, "discovery.postgres.connection")]
    public void Two_are_refused(string keys, string key) =>
        Loaded.Refuses(Load(keys), $"router.cluster.{key}", "in one way only");

    [Fact]
    public void What_the_name_cannot_have_is_refused()
    {
        Loaded.Refuses(Load("discovery.dns = \"127.0.0.1:27200\""), "router.cluster.discovery.dns", "a name is wanted");
        Loaded.Refuses(Load("discovery.dns = members"), "router.cluster.discovery.dns", "members");
        Loaded.Refuses(Load($"host = localhost\n{Dns}"), "router.cluster.host", "must be the address");
        Loaded.Refuses(Load($"port = 0\n{Dns}"), "router.cluster.port", "must be 27200");
    }

    [Theory]
    [InlineData("members; drop table x")]
    [InlineData("a.b.c")]
    [InlineData("Members")]
    [InlineData("")]
    public void A_table_of_another_spelling_is_refused(string table) => Loaded.Refuses(
        Load($"{Postgres}\ndiscovery.postgres.table = \"{table}\""), "router.cluster.discovery.postgres.table",
        "letters, digits and _");

    [Fact]
    public void The_password_is_not_shown() =>
        Assert.DoesNotContain("hush", Secrets.MaskText("Host=db;Password=hush"), StringComparison.Ordinal);

    private static LoadResult Load(string keys) => Loaded.Result(
        $"router {{\n listeners.e {{ bind = \"udp://127.0.0.1:1\", route = e }}\n routes.e.type = echo\n"
        + $" cluster {{\n{keys}\n}}\n}}");
}
