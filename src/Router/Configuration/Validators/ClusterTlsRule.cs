namespace Router.Configuration.Validators;

/// <summary>Whoever reaches a member's port could give it orders, so beyond this machine members show one another
/// certificates. What is wrong with the files is told before anything starts.</summary>
internal sealed class ClusterTlsRule : IConfigurationRule
{
    private const string Way =
        "'router cluster certificates --out DIR HOST...' makes an authority and a certificate for each member";

    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Cluster is not { } cluster
        ? []
        : cluster.Tls.IsSet ? CheckFiles(cluster) : CheckPlain(cluster);

    private static IEnumerable<ConfigurationFault> CheckPlain(ClusterOptions cluster)
    {
        (string Key, string? Host)[] hosts = [("host", cluster.Host), ("bind-host", cluster.BindHost)];
        foreach (var (key, host) in hosts)
        {
            if (host is not null && !ClusterAddress.IsLoopback(host))
            {
                yield return cluster.Section.FaultAt(
                    key, $"'{host}' is not of this machine alone, so members need certificates: set tls; {Way}");
            }
        }
    }

    private static IEnumerable<ConfigurationFault> CheckFiles(ClusterOptions cluster)
    {
        var tls = cluster.Tls;
        if (tls is not { Certificate: { } certificate, Key: { } secret, Authority: { } authority })
        {
            (string Key, string? File)[] files =
                [("certificate", tls.Certificate), ("key", tls.Key), ("ca", tls.Authority)];
            return files.Where(static file => file.File is null).Select(file => tls.Section.FaultAt(
                file.Key, $"must be set, as certificate, key and ca go together; {Way}"));
        }

        var read = MemberCertificates.Read(certificate, secret, authority, out var faults);
        IReadOnlyList<string> names = [cluster.Host, .. cluster.SharedNames];
        if (read is not null && !MemberCertificates.Names(read.Own, names))
        {
            faults = [new CertificateFault(
                "certificate",
                $"'{certificate}' does not name {string.Join(" or ", names)}, where other members connect to; "
                + Way)];
        }

        return faults.Select(fault => tls.Section.FaultAt(fault.Key, fault.Message));
    }
}
