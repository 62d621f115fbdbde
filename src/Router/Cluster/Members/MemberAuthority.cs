using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Router.Net;

namespace Router.Cluster.Members;

/// <summary>A private authority that makes members' certificates. Keys are of the curve P-256.</summary>
internal sealed class MemberAuthority : IDisposable
{
    private const int ValidYears = 10;

    private static readonly TimeSpan ClockMargin = TimeSpan.FromHours(1);

    /// <summary>For servers and for clients of TLS: RFC 5280, 4.2.1.12.</summary>
    private static readonly Oid[] BothEnds = [new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")];

    private readonly X509Certificate2 _certificate;
    private readonly RandomSource _random;

    private MemberAuthority(X509Certificate2 certificate, RandomSource random) =>
        (_certificate, _random) = (certificate, random);

    /// <summary>PEM.</summary>
    public string Certificate => _certificate.ExportCertificatePem();

    /// <summary>PEM; whoever has it makes members.</summary>
    public string Key
    {
        get
        {
            using var key = _certificate.GetECDsaPrivateKey();
            return key!.ExportPkcs8PrivateKeyPem();
        }
    }

    /// <summary>Makes a new one.</summary>
    /// <param name="time">Its certificate is valid from an hour before now.</param>
    /// <param name="random">Serial numbers come from it.</param>
    public static MemberAuthority Make(TimeProvider time, RandomSource random)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=router cluster authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        return new MemberAuthority(request.CreateSelfSigned(now - ClockMargin, now.AddYears(ValidYears)), random);
    }

    /// <summary>One that was made before.</summary>
    /// <exception cref="CryptographicException">The texts are no PEM, or the key is another's.</exception>
    /// <exception cref="ArgumentException">Likewise.</exception>
    public static MemberAuthority Of(string certificate, string key, RandomSource random) =>
        new(X509Certificate2.CreateFromPem(certificate, key), random);

    /// <summary>Why it can make no members; null if it can. One that <see cref="Make"/> has made can until its end.
    /// </summary>
    public AuthorityFault? FaultAt(DateTimeOffset now)
    {
        var extensions = _certificate.Extensions;
        var (from, until) = ((DateTimeOffset)_certificate.NotBefore, (DateTimeOffset)_certificate.NotAfter);
        using var key = _certificate.GetECDsaPrivateKey();
        return
            key is null ? new AuthorityFault(true, "its key is of no elliptic curve")
            : now < from ? new AuthorityFault(false, $"it is valid from {from:u} on")
            : now >= until ? new AuthorityFault(false, $"it has ended at {until:u}")
            : !extensions.OfType<X509BasicConstraintsExtension>().Any(static one => one.CertificateAuthority)
                ? new AuthorityFault(false, "it is the certificate of no authority")
            : !extensions.OfType<X509SubjectKeyIdentifierExtension>().Any()
                ? new AuthorityFault(false, "it has no subject key identifier")
            : extensions.OfType<X509KeyUsageExtension>()
                .Any(static one => !one.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign))
                ? new AuthorityFault(false, "its key usage is not to sign certificates")
            : null;
    }

    /// <summary>Makes a member's certificate and key, both PEM.</summary>
    /// <param name="host">An address or a name: where others connect to.</param>
    /// <param name="time">It is valid from an hour before now.</param>
    /// <param name="validFor">Never beyond the authority's own end.</param>
    public (string Certificate, string Key) MakeMember(string host, TimeProvider time, TimeSpan validFor)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = new X500DistinguishedNameBuilder();
        name.AddCommonName(host.Length <= 64 ? host : host[..64]);   // ub-common-name of RFC 5280
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. BothEnds], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            _certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var now = time.GetUtcNow();
        var (from, until) = (now - ClockMargin, now + validFor);
        var (first, last) = ((DateTimeOffset)_certificate.NotBefore, (DateTimeOffset)_certificate.NotAfter);
        using var made = request.Create(
            _certificate, from < first ? first : from, until > last ? last : until, MakeSerial());
        return (made.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => _certificate.Dispose();

    /// <summary>Positive, and not guessed: 126 bits of randomness.</summary>
    private byte[] MakeSerial()
    {
        var serial = new byte[16];
        BitConverter.TryWriteBytes(serial.AsSpan(0), _random.NextUInt64());
        BitConverter.TryWriteBytes(serial.AsSpan(8), _random.NextUInt64());
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return serial;
    }
}

/// <summary>Why an authority makes no members.</summary>
/// <param name="IsOfKey">Of its key; else of its certificate.</param>
internal sealed record AuthorityFault(bool IsOfKey, string Text);
