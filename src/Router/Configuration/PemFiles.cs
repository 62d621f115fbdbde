using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>What is wrong with one of the files of a section <c>tls</c>.</summary>
/// <param name="Key">Of the section.</param>
/// <param name="Message">What is wrong and what to do; quotes nothing of a file.</param>
internal sealed record CertificateFault(string Key, string Message);

/// <summary>Reads certificates and private keys in PEM. What is wrong goes into a list of faults.</summary>
internal static class PemFiles
{
    /// <summary>A file of certificates holds a few KiB.</summary>
    private const int BytesMax = 1 << 20;

    /// <summary>What a file holds; null, with a fault, where it cannot be had.</summary>
    public static string? TextOf(string key, string file, List<CertificateFault> faults)
    {
        if (file.Contains("-----BEGIN", StringComparison.Ordinal))
        {
            faults.Add(new CertificateFault(key, "holds PEM itself; the name of a file with it is wanted"));
            return null;
        }

        try
        {
            if (file.Length > 0 && RegularFile.Read(Path.GetFullPath(file), BytesMax) is { } bytes)
            {
                return Encoding.Latin1.GetString(bytes);
            }

            faults.Add(new CertificateFault(
                key, file.Length == 0 ? "a file must be named" : $"'{file}' has more than 1 MiB and is no PEM file"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            faults.Add(new CertificateFault(key, $"'{file}' cannot be read: {e.Message}"));
        }

        return null;
    }

    /// <summary>All certificates of a text; null, with a fault, where it has none.</summary>
    public static X509Certificate2Collection? CertificatesOf(
        string key, string text, string file, List<CertificateFault> faults)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            all.Clear();
        }

        if (all.Count > 0)
        {
            return all;
        }

        faults.Add(new CertificateFault(
            key, $"'{file}' holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----"));
        return null;
    }

    /// <summary>A certificate with its private key; null, with a fault, where they are none.</summary>
    public static X509Certificate2? PairOf(
        string text, string file, string? secret, string keyFile, List<CertificateFault> faults)
    {
        if (CertificatesOf("certificate", text, file, faults) is null || secret is null)
        {
            return null;
        }

        if (!secret.Contains("PRIVATE KEY-----", StringComparison.Ordinal)
            || secret.Contains("ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal))
        {
            faults.Add(new CertificateFault(
                "key",
                $"'{keyFile}' holds no private key in PEM, which begins with -----BEGIN PRIVATE KEY-----, without a "
                + "passphrase"));
            return null;
        }

        try
        {
            var pair = X509Certificate2.CreateFromPem(text, secret);
            // Windows' TLS does not take a key that is in memory alone.
            return OperatingSystem.IsWindows()
                ? X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null)
                : pair;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            faults.Add(new CertificateFault(
                "key", $"'{keyFile}' is not the key of the certificate '{file}', or is damaged"));
            return null;
        }
    }
}
