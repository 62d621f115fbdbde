using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Tests.Configuration.Hocon;

namespace Router.Tests.Configuration;

public sealed class SecretsTests
{
    [Theory]
    [InlineData("password")]
    [InlineData("db-password")]
    [InlineData("dbPassword")]
    [InlineData("peer-secret")]
    [InlineData("token")]
    [InlineData("api-key")]
    public void A_key_of_such_a_name_holds_a_secret(string key) => Assert.True(Secrets.IsSecret(key));

    [Theory]
    [InlineData("key-file")]
    [InlineData("password-file")]
    [InlineData("token-timeout")]
    [InlineData("keys")]
    [InlineData("max-sessions")]
    public void Others_do_not(string key) => Assert.False(Secrets.IsSecret(key));

    [Theory]
    [InlineData("postgres://user:pa@ss@db:5432/x?y=1", "postgres://***@db:5432/x?y=1")]
    [InlineData("see https://u@h/ and udp://127.0.0.1:1", "see https://***@h/ and udp://127.0.0.1:1")]
    [InlineData("Host=db;Password=ab;Username=u", "Host=db;Password=***;Username=u")]
    [InlineData("'me:hush@127.0.0.1' is no address", "'***@127.0.0.1' is no address")]
    [InlineData("udp://127.0.0.1:1", "udp://127.0.0.1:1")]
    [InlineData("mail me@example.net", "mail me@example.net")]
    public void Secrets_inside_text_are_masked(string text, string shown) =>
        Assert.Equal(shown, Secrets.MaskText(text));

    [Theory]
    [InlineData("Host=db;Password=a b c;Username=u", "Host=db;Password=***;Username=u")]
    [InlineData("Host=db;Password='a;b ''c';Username=u", "Host=db;Password=***;Username=u")]
    [InlineData("Host=db;PWD = \"a;b\";Username=u", "Host=db;PWD = ***;Username=u")]
    [InlineData("Host=db;psw=x y", "Host=db;psw=***")]
    [InlineData("Host=db;SSL Password=x y;Username=u", "Host=db;SSL Password=***;Username=u")]
    public void The_passwords_of_a_connection_string_are_masked_whole(string connection, string shown)
    {
        var root = HoconAssert.Parse($"connection = \"\"\"{connection}\"\"\"").Root;

        Assert.Equal(
            shown, ((HoconScalar)Assert.Single(Secrets.Without(root, out _).Fields).Value).Text);
    }

    [Fact]
    public void A_tree_is_masked_below_secret_keys_and_inside_its_texts()
    {
        var root = HoconAssert.Parse("""
            a { password = x, token = 5, secret { any = thing, list = [1, {b = y}] }, secrets = fine }
            url = "tcp://u:p@h:1", key-file = "/etc/key", api-key = null, n = 7, keep-token = off
            """).Root;

        var shown = Secrets.Without(root, out var masked);

        HoconAssert.SameJson(
            """
            {"a":{"password":"***","token":"***","secret":{"any":"***","list":["***",{"b":"***"}]},"secrets":"fine"},
             "url":"tcp://***@h:1","key-file":"/etc/key","api-key":null,"n":7,"keep-token":"off"}
            """,
            HoconJson.Print(shown));
        Assert.Equal(6, masked);
    }

    [Fact]
    public void A_fault_does_not_show_what_a_url_hides() =>
        Assert.DoesNotContain("hush", string.Join('\n',
            Loaded.Pair("bind = \"udp://me:hush@127.0.0.1:5\"", "type = echo").Faults), StringComparison.Ordinal);
}
