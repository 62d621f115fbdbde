using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Router.Diagnostics;

namespace Router.Configuration;

/// <summary>This member's certificate, and the authorities that it takes others' from. Immutable; any thread.</summary>
internal sealed class MemberCertificates
{
    /// <summary>Of a name that a certificate has; what a peer sends could be of any length.</summary>
    private const int SubjectCharsMax = 120;

    private const string ForServers = "1.3.6.1.5.5.7.3.1";   // RFC 5280, 4.2.1.12
    private const string ForClients = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection _authorities;

    private MemberCertificates(X509Certificate2 own, X509Certificate2Collection authorities) =>
        (Own, _authorities) = (own, authorities);

    /// <summary>With its private key.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>Reads the three files.</summary>
    /// <returns>Null exactly if there are faults.</returns>
    public static MemberCertificates? Read(
        string certificate, string key, string authority, out IReadOnlyList<CertificateFault> faults)
    {
        var found = new List<CertificateFault>();
        faults = found;
        var own = PemFiles.TextOf("certificate", certificate, found);
        var secret = PemFiles.TextOf("key", key, found);
        var trusted = PemFiles.TextOf("ca", authority, found);
        var pair = own is null ? null : PemFiles.PairOf(own, certificate, secret, key, found);
        var authorities = trusted is null ? null : PemFiles.CertificatesOf("ca", trusted, authority, found);
        if (pair is null || authorities is null || found.Count > 0)
        {
            return null;
        }

        var read = new MemberCertificates(pair, authorities);
        var fault = read.FaultOf(pair, isServer: true) ?? read.FaultOf(pair, isServer: false);
        if (fault is not null)
        {
            found.Add(new CertificateFault(
                "certificate",
                $"'{certificate}' would be refused by other members: {fault}; the authority is '{authority}'"));
        }

        return fault is null ? read : null;
    }

    /// <summary>Why a certificate is not a member's.</summary>
    /// <param name="certificate">A peer's, or this member's own.</param>
    /// <param name="isServer">Whether its owner was connected to.</param>
    /// <returns>Null if there is nothing wrong.</returns>
    public string? FaultOf(X509Certificate2 certificate, bool isServer)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(_authorities);
        policy.ExtraStore.AddRange(_authorities);
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;   // a certificate names addresses to ask, and a stranger wrote it
        policy.ApplicationPolicy.Add(new Oid(isServer ? ForServers : ForClients));
        if (chain.Build(certificate))
        {
            return null;
        }

        var subject = SubjectOf(certificate);
        var own = chain.ChainElements.FirstOrDefault()?.ChainElementStatus ?? [];
        if (own.Any(static one => one.Status == X509ChainStatusFlags.NotTimeValid))
        {
            return $"the certificate {subject} is valid from {DayOf(certificate.NotBefore)} to "
                + $"{DayOf(certificate.NotAfter)} only";
        }

        const X509ChainStatusFlags Foreign = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain
            | X509ChainStatusFlags.NotSignatureValid;
        return chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status) switch
        {
            var status when (status & Foreign) != 0 => $"the certificate {subject} is not of our authority",
            var status when (status & X509ChainStatusFlags.NotTimeValid) != 0 =>
                $"an authority of the certificate {subject} has expired",
            var status when (status & X509ChainStatusFlags.NotValidForUsage) != 0 =>
                $"the certificate {subject} is not for both TLS servers and clients",
            var status => $"the certificate {subject} does not hold: {Kebab.From($"{status}")}",
        };
    }

    /// <summary>Whether a certificate names one of the hosts.</summary>
    public static bool Names(X509Certificate2 certificate, params IEnumerable<string> hosts) =>
        hosts.Select(static host => host.Trim('[', ']')).Any(host =>
            Uri.CheckHostName(host) != UriHostNameType.Unknown
            && certificate.MatchesHostname(host, allowWildcards: true, allowCommonName: false));

    /// <summary>Its subject as one short line.</summary>
    public static string SubjectOf(X509Certificate2 certificate)
    {
        var subject = LineText.Escape(certificate.Subject.Length == 0 ? "without a name" : certificate.Subject);
        return subject.Length <= SubjectCharsMax ? subject : $"{subject[..SubjectCharsMax]}...";
    }

    private static string DayOf(DateTime time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
