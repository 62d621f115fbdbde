using System.Security.Cryptography.X509Certificates;

namespace Router.Configuration;

/// <summary>The certificate that the admin endpoint shows. Immutable; any thread.</summary>
/// <param name="Own">With its private key.</param>
/// <param name="Chain">What stands behind it in the file: intermediate authorities.</param>
internal sealed record AdminCertificate(X509Certificate2 Own, X509Certificate2Collection Chain)
{
    /// <summary>Reads both files of <c>admin.tls</c>.</summary>
    /// <returns>Null exactly if there are faults.</returns>
    public static AdminCertificate? Read(
        string certificate, string key, out IReadOnlyList<CertificateFault> faults)
    {
        var found = new List<CertificateFault>();
        faults = found;
        var text = PemFiles.TextOf("certificate", certificate, found);
        var secret = PemFiles.TextOf("key", key, found);
        var all = text is null ? null : PemFiles.CertificatesOf("certificate", text, certificate, found);
        var own = all is null || secret is null
            ? null
            : PemFiles.PairOf(text!, certificate, secret, key, found);
        return own is null ? null : new AdminCertificate(own, [.. all!.Skip(1)]);
    }
}
