using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Router.CommandLine;
using Router.Tests.Cluster;
using Router.Tests.Configuration;

namespace Router.Tests.CommandLine;

public sealed partial class ClusterCertificatesTests : IDisposable
{
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly string _folder = Directory.CreateTempSubdirectory("router-tests-").FullName;

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Each_host_gets_a_certificate_that_names_it_and_a_key_that_only_its_owner_reads()
    {
        Assert.Equal(0, await InvokeAsync("--out", At("c"), "10.0.0.7", "m.example", "fd00::1"));

        Assert.Equal(
            ["10.0.0.7-key.pem", "10.0.0.7.pem", "ca-key.pem", "ca.pem", "fd00--1-key.pem", "fd00--1.pem",
                "m.example-key.pem", "m.example.pem"],
            Directory.GetFiles(At("c")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var host in new[] { "10.0.0.7", "m.example", "fd00::1" })
        {
            using var certificate = TestCertificates.Read(At("c"), host.Replace(':', '-'));
            Assert.True(certificate.MatchesHostname(host, allowWildcards: false, allowCommonName: false));
            Assert.False(certificate.MatchesHostname("10.0.0.8", allowWildcards: false, allowCommonName: false));
        }

        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in Directory.GetFiles(At("c"), "*-key.pem"))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
    }

    [Fact]
    public async Task What_it_prints_is_a_configuration_that_starts()
    {
        Assert.Equal(0, await InvokeAsync("--out", At("c"), "10.0.0.7", "fd00::1"));

        var sections = Section().Matches($"{_output}");
        Assert.Equal(2, sections.Count);
        foreach (Match section in sections)
        {
            var cluster = Loaded.Options($"{Loaded.Echo}\n{section.Value}").Cluster!;
            Assert.Equal(["10.0.0.7:27200", "[fd00::1]:27200"], cluster.Seeds.Select(static seed => $"{seed}"));
        }
    }

    [Fact]
    public async Task Nothing_is_replaced_and_the_same_authority_makes_more()
    {
        Assert.Equal(0, await InvokeAsync("--out", At("c"), "10.0.0.7"));
        var before = File.ReadAllText(At("c/ca.pem"));

        Assert.Equal(1, await InvokeAsync("--out", At("c"), "10.0.0.8"));
        Assert.Contains($"--ca {At("c")} has its authority make more", $"{_error}", StringComparison.Ordinal);
        Assert.Equal(1, await InvokeAsync("--out", At("c"), "--ca", At("c"), "10.0.0.8", "10.0.0.7"));
        Assert.False(File.Exists(At("c/10.0.0.8.pem")));

        Assert.Equal(0, await InvokeAsync("--out", At("c"), "--ca", At("c"), "10.0.0.8"));
        Assert.Equal(0, await InvokeAsync("--out", At("d"), "--ca", At("c"), "10.0.0.9"));
        Assert.Equal(0, await InvokeAsync("--out", At("d"), "--ca", At("c"), "10.0.0.10"));

        Assert.Equal(before, File.ReadAllText(At("c/ca.pem")));
        Assert.Equal(before, File.ReadAllText(At("d/ca.pem")));
        Assert.False(File.Exists(At("d/ca-key.pem")));
        foreach (var (folder, host) in new[] { ("c", "10.0.0.7"), ("c", "10.0.0.8"), ("d", "10.0.0.9") })
        {
            var section = TestCertificates.Section(At(folder), host);
            Assert.Empty(Loaded.Result($"{Loaded.Echo}\nrouter.cluster {{ host = {host}\n {section} }}").Faults);
        }
    }

    [Fact]
    public async Task An_authority_that_is_not_there_is_named()
    {
        Assert.Equal(1, await InvokeAsync("--out", At("c"), "--ca", At("none"), "10.0.0.8"));
        Assert.Contains("ca.pem and ca-key.pem of an earlier run", $"{_error}", StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("c")));
    }

    [Theory]
    [InlineData("rsa", "ca-key.pem: its key is of no elliptic curve")]
    [InlineData("ended", "ca.pem: it has ended at ")]
    [InlineData("early", "ca.pem: it is valid from ")]
    [InlineData("leaf", "ca.pem: it is the certificate of no authority")]
    [InlineData("no-identifier", "ca.pem: it has no subject key identifier")]
    [InlineData("no-signing", "ca.pem: its key usage is not to sign certificates")]
    public async Task An_authority_that_can_make_no_members_is_named_with_what_is_wanted(string kind, string text)
    {
        MakeAuthority(At("a"), kind);

        Assert.Equal(1, await InvokeAsync("--out", At("c"), "--ca", At("a"), "10.0.0.8"));

        Assert.StartsWith(Path.Combine(At("a"), text), $"{_error}", StringComparison.Ordinal);
        Assert.Contains("as an earlier run has made them", $"{_error}", StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("c")));
    }

    [Fact]
    public async Task An_authority_of_another_program_that_can_make_members_does()
    {
        MakeAuthority(At("a"), "good");

        Assert.Equal(0, await InvokeAsync("--out", At("c"), "--ca", At("a"), "10.0.0.8"));
    }

    [Theory]
    [InlineData("ca.pem would be the file of the authority and of HOST ca", "ca")]
    [InlineData("ca-key.pem would be the file of the authority and of HOST ca", "ca")]
    [InlineData("a-key.pem would be the file of HOST a and of HOST a-key", "a", "a-key")]
    [InlineData("fd00--1.pem would be the file of HOST fd00::1 and of HOST fd00--1", "fd00::1", "fd00--1")]
    public async Task Hosts_whose_files_have_one_name_make_nothing(string text, params string[] hosts)
    {
        Assert.Equal(1, await InvokeAsync(["--out", At("c"), .. hosts]));

        Assert.Contains($"{text};", $"{_error}", StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("c")));
    }

    [Theory]
    [InlineData("10.0.0.7")]
    [InlineData("--out", "c")]
    [InlineData("--out", "", "10.0.0.7")]
    [InlineData("--out", "c", "10.0.0.7:27200")]
    [InlineData("--out", "c", "[::1]")]
    [InlineData("--out", "c", "a b")]
    [InlineData("--out", "c", "../x")]
    [InlineData("--out", "c", "--days", "0", "10.0.0.7")]
    [InlineData("--out", "c", "--days", "3651", "10.0.0.7")]
    [InlineData("--out", "c", "--days", "x", "10.0.0.7")]
    public async Task A_wrong_command_line_makes_nothing(params string[] arguments)
    {
        Assert.Equal(64, await InvokeAsync(arguments));
        Assert.NotEqual("", $"{_error}");
        Assert.False(Directory.Exists("c"));
    }

    private static void MakeAuthority(string folder, string kind)
    {
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        var request = kind == "rsa"
            ? new CertificateRequest("CN=other", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=other", curve, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(kind != "leaf", false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            kind == "no-signing" ? X509KeyUsageFlags.DigitalSignature : X509KeyUsageFlags.KeyCertSign, critical: true));
        if (kind != "no-identifier")
        {
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        }

        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(
            now.AddDays(kind == "early" ? 1 : -2), now.AddDays(kind == "ended" ? -1 : 2));
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "ca.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(
            Path.Combine(folder, "ca-key.pem"),
            kind == "rsa" ? rsa.ExportPkcs8PrivateKeyPem() : curve.ExportPkcs8PrivateKeyPem());
    }

    private string At(string name) => Path.Combine(_folder, name);

    private Task<int> InvokeAsync(params string[] arguments) =>
        new RouterCommand(_output, _error, static (_, _, _) => Task.FromResult(0), TimeProvider.System)
            .InvokeAsync(["cluster", "certificates", .. arguments]);

    [GeneratedRegex(@"^router\.cluster \{$.*?^\}$", RegexOptions.Multiline | RegexOptions.Singleline, 1000)]
    private static partial Regex Section();
}
