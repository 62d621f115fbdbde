using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Router.Configuration;
using Router.Tests.Cluster;

namespace Router.Tests.Configuration.Validators;

public sealed class ClusterTlsRuleTests : IDisposable
{
    private const string Host = "10.1.2.3";

    private readonly string _folder = Directory.CreateTempSubdirectory("router-tests-").FullName;

    public ClusterTlsRuleTests() => TestCertificates.Make(_folder, Host, "m.example", "fe80--1");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("host = 127.0.0.9")]
    [InlineData("host = localhost, bind-host = \"::1\"")]
    public void On_one_machine_nothing_is_needed(string keys) => Assert.Empty(Load(keys).Faults);

    [Theory]
    [InlineData("host = 10.1.2.3", "host")]
    [InlineData("host = m.example", "host")]
    [InlineData("bind-host = 0.0.0.0", "bind-host")]
    [InlineData("bind-host = \"::\"", "bind-host")]
    public void Beyond_it_certificates_are_and_the_way_to_them_is_named(string keys, string key) =>
        Loaded.Refuses(Load(keys), $"router.cluster.{key}", "router cluster certificates --out DIR HOST...");

    [Fact]
    public void With_certificates_that_name_the_host_it_starts()
    {
        Assert.Empty(Load($"host = {Host}\n{TestCertificates.Section(_folder, Host)}").Faults);
        Assert.Empty(Load($"host = m.example\n{TestCertificates.Section(_folder, "m.example")}").Faults);
    }

    [Fact]
    public void The_three_keys_go_together() =>
        Loaded.Refuses(
            Load($"host = {Host}\n{TestCertificates.Section(_folder, Host)}\ntls.key = null"),
            "router.cluster.tls.key", "go together");

    [Theory]
    [InlineData("certificate")]
    [InlineData("key")]
    [InlineData("ca")]
    public void A_file_that_is_not_there_or_cannot_be_read_is_named(string key)
    {
        Loaded.Refuses(LoadWith($"tls.{key} = /no/such.pem"), $"router.cluster.tls.{key}", "'/no/such.pem' cannot be");
        Loaded.Refuses(LoadWith($"tls.{key} = \"{_folder}\""), $"router.cluster.tls.{key}", "no regular file");
        Loaded.Refuses(LoadWith($"tls.{key} = /dev/zero"), $"router.cluster.tls.{key}", "no regular file");
    }

    [Theory]
    [InlineData("certificate", "no certificate in PEM")]
    [InlineData("key", "no private key in PEM")]
    [InlineData("ca", "no certificate in PEM")]
    public void A_file_of_something_else_is_named(string key, string words) => Loaded.Refuses(
        LoadWith($"tls.{key} = \"{Write("junk.pem", "-----BEGIN NOTHING-----\nxx")}\""),
        $"router.cluster.tls.{key}", words);

    [Fact]
    public void A_key_with_a_passphrase_is_named() => Loaded.Refuses(
        LoadWith($"tls.key = \"{Write("k.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n")}\""),
        "router.cluster.tls.key", "without a passphrase");

    [Fact]
    public void A_key_of_another_certificate_is_named() => Loaded.Refuses(
        LoadWith($"tls.key = \"{Path.Combine(_folder, "m.example-key.pem")}\""),
        "router.cluster.tls.key", "is not the key of the certificate");

    [Fact]
    public void A_certificate_of_another_authority_or_an_expired_one_is_named()
    {
        var other = Directory.CreateDirectory(Path.Combine(_folder, "other")).FullName;
        TestCertificates.Make(other, Host);
        TestCertificates.MakeExpired(_folder, "10.1.2.4");

        Loaded.Refuses(
            LoadWith($"tls.ca = \"{Path.Combine(other, "ca.pem")}\""),
            "router.cluster.tls.certificate", "CN=10.1.2.3 is not of our authority");
        Loaded.Refuses(
            Load($"host = 10.1.2.4\n{TestCertificates.Section(_folder, "10.1.2.4")}"),
            "router.cluster.tls.certificate", "is valid from");
    }

    [Fact]
    public void A_certificate_that_names_another_host_is_named() => Loaded.Refuses(
        Load($"host = 10.9.9.9\n{TestCertificates.Section(_folder, Host)}"),
        "router.cluster.tls.certificate", "does not name 10.9.9.9");

    [Fact]
    public void An_authority_is_no_member() => Loaded.Refuses(
        Load($"host = {Host}\n{TestCertificates.Section(_folder, Host).Replace($"/{Host}", "/ca")}"),
        "router.cluster.tls.certificate", "does not name");

    [Fact]
    public void PEM_in_the_configuration_is_refused_and_not_shown()
    {
        var secret = File.ReadAllText(Path.Combine(_folder, $"{Host}-key.pem"));

        var result = LoadWith($"tls.key = \"\"\"{secret}\"\"\"");

        Loaded.Refuses(result, "router.cluster.tls.key", "the name of a file");
        var body = secret.Split('\n')[1];
        Assert.DoesNotContain(body, $"{result.Faults[0]}", StringComparison.Ordinal);
        Assert.DoesNotContain(body, Secrets.MaskText(secret), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_stranger_calls_itself_is_one_short_line()
    {
        using var key = ECDsa.Create();
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName($"a\u202e\n{new string('x', 60)}");
        name.AddOrganizationName(new string('y', 10_000));
        var now = DateTimeOffset.UnixEpoch;
        using var certificate = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now, now.AddDays(1));

        var subject = MemberCertificates.SubjectOf(certificate);

        Assert.InRange(subject.Length, 1, 123);
        Assert.All(subject, static c => Assert.InRange(c, ' ', '~'));
    }

    private LoadResult LoadWith(string key) =>
        Load($"host = {Host}\n{TestCertificates.Section(_folder, Host)}\n{key}");

    private static LoadResult Load(string keys) => Loaded.Result(
        $"router {{\n listeners.e {{ bind = \"udp://127.0.0.1:1\", route = e }}\n routes.e.type = echo\n"
        + $" cluster {{\n{keys}\n}}\n}}");

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
