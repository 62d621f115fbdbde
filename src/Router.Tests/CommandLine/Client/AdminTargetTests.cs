using Router.CommandLine.Client;

namespace Router.Tests.CommandLine.Client;

/// <summary>Where a running router is looked for.</summary>
public sealed class AdminTargetTests
{
    [Theory]
    [InlineData("10.0.0.7:1", "10.0.0.8:2", true, "http://10.0.0.7:1")]
    [InlineData("https://router.example:27125", null, true, "https://router.example:27125")]
    [InlineData("unix:/tmp/a.sock", "10.0.0.8:2", true, "unix:///tmp/a.sock")]
    [InlineData(null, "10.0.0.8:2", true, "http://10.0.0.8:2")]
    [InlineData(null, "", true, "unix:///run/router/admin.sock")]
    [InlineData(null, null, true, "unix:///run/router/admin.sock")]
    [InlineData(null, null, false, "http://127.0.0.1:27124")]
    public void The_first_that_says_where_counts(string? option, string? variable, bool isService, string expected)
    {
        var target = AdminTarget.Find(
            option, null, null, name => name == "ROUTER_ADMIN" ? variable : null, _ => isService, out var fault);

        Assert.Null(fault);
        Assert.Equal(expected, target!.Name);
    }

    [Theory]
    [InlineData("127.0.0.1", "must end with a port")]
    [InlineData("https://", "is no address; write 127.0.0.1:27124")]
    [InlineData("ftp://10.0.0.1:1", "none of its forms")]
    public void What_is_no_address_is_told_with_the_ways_to_write_one(string option, string expected)
    {
        Assert.Null(AdminTarget.Find(option, null, null, static _ => null, static _ => false, out var fault));

        Assert.Contains(expected, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin.bind = \"127.0.0.1:7\"", "http://127.0.0.1:7", null)]
    [InlineData("admin { bind = \"[::1]:7\", token = TOKEN }", "http://[::1]:7", "T")]
    [InlineData("admin { bind = \"unix:///tmp/x\" }", "unix:///tmp/x", null)]
    public void A_configuration_says_where_its_router_is(string admin, string expected, string? token)
    {
        var secret = new string('t', 32);
        using var file = new TextFile($$"""
            router {
              listeners.a { bind = "udp://127.0.0.1:5300", route = b }, routes.b { type = echo }
              {{admin.Replace("TOKEN", secret)}}
            }
            """);

        var target = AdminTarget.Find(null, file.Path, null, static _ => null, static _ => true, out var fault);

        Assert.Null(fault);
        Assert.Equal(expected, target!.Name);
        Assert.Equal(token is null ? null : secret, target.Token);
    }

    [Fact]
    public void A_configuration_without_an_endpoint_says_so()
    {
        using var file = new TextFile("""
            router { listeners.a { bind = "udp://127.0.0.1:5300", route = b }, routes.b { type = echo } }
            """);

        Assert.Null(AdminTarget.Find(null, file.Path, null, static _ => null, static _ => true, out var fault));

        Assert.Contains("router.admin.bind is not set", fault, StringComparison.Ordinal);
    }
}
