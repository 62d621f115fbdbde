using Router.Configuration;
using Router.Tests.Cluster;

namespace Router.Tests.Configuration;

/// <summary>What members compare of their configurations.</summary>
public sealed class ConfigurationPrintTests
{
    private const string Salt = "00112233445566778899aabbccddeeff";

    private const string Text = """
        router {
          cluster {
            host = 127.0.0.1, port = 1, seeds = ["127.0.0.1:1"]
            checkpoints = postgres, postgres.connection = "Host=db;Username=u;Password=first"
          }
          listeners.l {
            bind = "udp://127.0.0.1:1", route = r, identity { offset = 0, length = 1 }
            proof = challenge, proof-secret = "0123456789abcdef"
          }
          routes.r { type = handler, name = x }
        }
        """;

    [Theory]
    [InlineData("router.cluster.host=127.0.0.2")]
    [InlineData("router.cluster.port=2")]
    [InlineData("router.cluster.bind-host=127.0.0.3")]
    [InlineData("router.cluster.seeds=[]")]
    [InlineData("router.cluster.roles=[edge]")]
    [InlineData("router.listeners.l.bind=\"tcp://127.0.0.1:2\"")]
    [InlineData("router.admin.bind=\"127.0.0.1:27125\"")]
    [InlineData("router.admin.bind=\"unix:///run/router/admin.sock\"")]
    [InlineData("router.loops=7")]
    [InlineData("router.heap.spare-sessions=1")]
    [InlineData("router.log.level=debug")]
    public void What_is_a_members_own_does_not_matter(string set)
    {
        Assert.Equal(Of().Hash, Of(set).Hash);
        Assert.Equal(Of().Salted(Salt), Of(set).Salted(Salt));
    }

    [Theory]
    [InlineData("router.cluster.shards=32")]
    [InlineData("router.listeners.l.max-sessions=7")]
    [InlineData("router.listener-defaults.idle-timeout=7s")]
    [InlineData("router.routes.r.name=y")]
    [InlineData("router.drain-timeout=7s")]
    [InlineData("router.admin.connections=100")]
    public void Everything_else_does(string set)
    {
        Assert.NotEqual(Of().Hash, Of(set).Hash);
        Assert.NotEqual(Of().Salted(Salt), Of(set).Salted(Salt));
    }

    [Theory]
    [InlineData("router.listeners.l.proof-secret=another-0123456789")]
    [InlineData("router.cluster.postgres.connection=\"Host=db;Username=u;Password=second\"")]
    public void A_secret_is_not_in_the_hash_but_in_what_is_salted(string set)
    {
        Assert.Equal(Of().Hash, Of(set).Hash);
        Assert.NotEqual(Of().Salted(Salt), Of(set).Salted(Salt));
        Assert.NotEqual(Of().Salted(Salt), Of().Salted(Salt.Replace('0', '1')));
    }

    [Fact]
    public void The_admin_endpoints_certificate_is_a_members_own()
    {
        var folder = Directory.CreateTempSubdirectory("router-tests-");
        try
        {
            var path = Path.Combine(folder.FullName, "127.0.0.1");
            TestCertificates.Make(folder.FullName, "127.0.0.1");
            var print = Of(
                "router.admin.bind=\"127.0.0.1:1\"", $"router.admin.tls.certificate=\"{path}.pem\"",
                $"router.admin.tls.key=\"{path}-key.pem\"");

            Assert.Equal(Of().Hash, print.Hash);
            Assert.Equal(Of().Salted(Salt), print.Salted(Salt));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_order_of_keys_does_not_matter() => Assert.Equal(
        ConfigurationPrint.Of(Loaded.Options(Loaded.Echo).Section.Section).Hash,
        ConfigurationPrint.Of(Loaded.Options(
            "router { routes.e.type = echo, listeners.e { route = e, bind = \"udp://127.0.0.1:1\" } }").Section.Section)
            .Hash);

    private static ConfigurationPrint Of(params string[] sets) =>
        ConfigurationPrint.Of(Loaded.Options(Text, sets).Section.Section);
}
