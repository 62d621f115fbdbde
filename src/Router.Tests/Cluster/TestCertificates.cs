using System.Security.Cryptography.X509Certificates;
using Router.Cluster.Members;
using Router.CommandLine;
using Router.Net;

namespace Router.Tests.Cluster;

/// <summary>Files of <c>cluster.tls</c> for tests, as the command makes them.</summary>
internal static class TestCertificates
{
    /// <summary>Makes an authority and members of it; the hosts name the files.</summary>
    public static void Make(string folder, params IReadOnlyList<string> hosts)
    {
        using var errors = new StringWriter();
        var made = new ClusterCertificates(TextWriter.Null, errors, TimeProvider.System);
        Assert.True(made.Run(folder, authorityFolder: null, hosts, days: 2) == 0, $"{errors}");
    }

    /// <summary>Adds a member of the folder's authority that was valid until an hour ago.</summary>
    public static void MakeExpired(string folder, string host)
    {
        using var authority = MemberAuthority.Of(
            File.ReadAllText(Path.Combine(folder, "ca.pem")), File.ReadAllText(Path.Combine(folder, "ca-key.pem")),
            RandomSource.System);
        var (certificate, key) = authority.MakeMember(host, TimeProvider.System, TimeSpan.FromMinutes(-30));
        File.WriteAllText(Path.Combine(folder, $"{host}.pem"), certificate);
        File.WriteAllText(Path.Combine(folder, $"{host}-key.pem"), key);
    }

    /// <summary>The section <c>tls</c> for one of them.</summary>
    public static string Section(string folder, string host) =>
        $$"""
        tls {
          certificate = "{{Path.Combine(folder, $"{host}.pem")}}"
          key = "{{Path.Combine(folder, $"{host}-key.pem")}}"
          ca = "{{Path.Combine(folder, "ca.pem")}}"
        }
        """;

    public static X509Certificate2 Read(string folder, string host) =>
        X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(folder, $"{host}.pem")));
}
