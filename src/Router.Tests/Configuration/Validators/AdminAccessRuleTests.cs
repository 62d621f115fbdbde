using Router.Configuration;
using Router.Tests.Cluster;

namespace Router.Tests.Configuration.Validators;

public sealed class AdminAccessRuleTests : IDisposable
{
    private const string Token = "token = 0123456789abcdef";

    private readonly string _folder = Directory.CreateTempSubdirectory("router-tests-").FullName;

    public AdminAccessRuleTests() => TestCertificates.Make(_folder, "router.example");

    private string Tls => $"tls {{ certificate = \"{_folder}/router.example.pem\"\n"
        + $" key = \"{_folder}/router.example-key.pem\" }}";

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("bind = \"127.0.0.1:27124\"")]
    [InlineData("bind = \"127.1.2.3:0\"")]
    [InlineData("bind = \"[::1]:27124\"")]
    [InlineData("bind = \"unix:///run/router/admin.sock\"")]
    [InlineData("bind = \"unix:/run/router/admin.sock\", mode = \"0660\"")]
    [InlineData("bind = \"127.0.0.1:27124\", token = 0123456789abcdef")]
    public void On_this_machine_nothing_is_needed(string keys) => Assert.Empty(Load(keys).Faults);

    [Theory]
    [InlineData("0.0.0.0:27124")]
    [InlineData("192.0.2.7:27124")]
    [InlineData("[::]:27124")]
    public void Beyond_it_token_and_TLS_are(string bind)
    {
        var faults = Load($"bind = \"{bind}\"").Faults;

        Assert.Equal(
            ["router.admin.tls.certificate", "router.admin.token"],
            faults.Select(static fault => fault.Path).Order(StringComparer.Ordinal));
        Assert.All(faults, static fault => Assert.Contains("or bind to 127.0.0.1:27124", fault.Message));
        Loaded.Refuses(
            Load($"bind = \"{bind}\"\n{Token}"), "router.admin.tls.certificate", "since TLS hides the token");
        Loaded.Refuses(Load($"bind = \"{bind}\"\n{Tls}"), "router.admin.token", "every request needs the token");
        Assert.Empty(Load($"bind = \"{bind}\"\n{Token}\n{Tls}").Faults);
    }

    [Theory]
    [InlineData("27124", "must end with a port")]
    [InlineData("localhost:27124", "not a numeric address")]
    [InlineData("tcp://127.0.0.1:27124", "none of its forms")]
    [InlineData("unix://run/admin.sock", "three slashes")]
    [InlineData("unix://@router", "no file that says who may connect")]
    public void An_address_that_is_none_is_refused_with_its_forms(string bind, string words) =>
        Loaded.Refuses(Load($"bind = \"{bind}\""), "router.admin.bind", words);

    [Theory]
    [InlineData("short")]
    [InlineData("\"0123456789 abcdef\"")]
    [InlineData("\"0123456789abcde\u00e9\"")]
    public void A_token_fits_a_header_and_is_not_quoted(string token)
    {
        var result = Load($"bind = \"127.0.0.1:1\", token = {token}");

        Loaded.Refuses(result, "router.admin.token", "openssl rand -hex 32");
        Assert.DoesNotContain(token.Trim('"'), result.Faults[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mode_is_octal() => Loaded.Refuses(Load("mode = rw"), "router.admin.mode", "in octal");

    [Fact]
    public void Both_files_are_there_and_go_together()
    {
        Loaded.Refuses(Load($"{Tls}\ntls.key = null"), "router.admin.tls.key", "go together");
        Loaded.Refuses(Load($"{Tls}\ntls.key = /no/such.pem"), "router.admin.tls.key", "cannot be read");
        Loaded.Refuses(
            Load($"{Tls}\ntls.key = \"{_folder}/ca-key.pem\""),
            "router.admin.tls.key", "not the key of the certificate");
    }

    private static LoadResult Load(string keys) => Loaded.Result(
        $"router {{\n listeners.e {{ bind = \"udp://127.0.0.1:1\", route = e }}\n routes.e.type = echo\n"
        + $" admin {{\n{keys}\n}}\n}}");
}
