namespace Router.Configuration.Validators;

/// <summary>Whoever reaches the admin endpoint may end sessions and stop the router. So beyond this machine a request
/// needs a token, and TLS, which hides the token. What is wrong with the files is told before anything starts.
/// </summary>
internal sealed class AdminAccessRule : IConfigurationRule
{
    /// <summary>Short enough for a header, long enough not to be guessed.</summary>
    private const int TokenCharsMin = 16, TokenCharsMax = 1_024;

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var admin = context.Options.Admin;
        if (!UnixFileModes.IsMode(admin.Mode))
        {
            yield return admin.Section.FaultAt("mode", UnixFileModes.Words);
        }

        if (admin.Token is { } token && !IsToken(token))
        {
            yield return admin.Section.FaultAt(
                "token",
                $"a token is {TokenCharsMin} to {TokenCharsMax} visible ASCII characters without blanks; "
                + "'openssl rand -hex 32' makes one");
        }

        if (admin.Bind is { IsLocal: false } bind)
        {
            foreach (var (key, reason) in Missing(admin))
            {
                yield return admin.Section.FaultAt(
                    key,
                    $"must be set, as other machines reach {bind}: {reason}; or bind to 127.0.0.1:27124 or "
                    + "unix:///run/router/admin.sock");
            }
        }

        foreach (var fault in admin.IsTls ? CheckFiles(admin) : [])
        {
            yield return fault;
        }
    }

    private static bool IsToken(string token) =>
        token.Length is >= TokenCharsMin and <= TokenCharsMax && token.All(static c => c is > ' ' and <= '~');

    private static IEnumerable<(string Key, string Reason)> Missing(AdminOptions admin)
    {
        if (admin.Token is null)
        {
            yield return ("token", "there every request needs the token; 'openssl rand -hex 32' makes one");
        }

        if (!admin.IsTls)
        {
            yield return ("tls.certificate", "with tls.key, since TLS hides the token");
        }
    }

    private static IEnumerable<ConfigurationFault> CheckFiles(AdminOptions admin)
    {
        if (admin is not { Certificate: { } certificate, Key: { } key })
        {
            var missing = admin.Certificate is null ? "certificate" : "key";
            return [admin.Tls.FaultAt(missing, "must be set, as certificate and key go together")];
        }

        AdminCertificate.Read(certificate, key, out var faults);
        return faults.Select(fault => admin.Tls.FaultAt(fault.Key, fault.Message));
    }
}
