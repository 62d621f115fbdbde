using System.Net;

namespace Router.Configuration.Validators;

/// <summary>Members are found in one way, and one that is found by its address has to know which one it is.</summary>
internal sealed class ClusterDiscoveryRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        context.Options.Cluster is { } cluster ? Check(cluster) : [];

    private static IEnumerable<ConfigurationFault> Check(ClusterOptions cluster)
    {
        var discovery = cluster.Discovery;
        (string Key, bool IsSet)[] ways =
        [
            ("seeds", cluster.Seeds.Count > 0), ("discovery.dns", discovery.Dns is not null),
            ("discovery.postgres.connection", discovery.Connection is not null),
        ];
        if (ways.Where(static way => way.IsSet).ToList() is { Count: > 1 } set)
        {
            yield return cluster.Section.FaultAt(
                set[^1].Key, $"members are found in one way only: unset {string.Join(" or ", set.Select(w => w.Key))}");
        }

        if (discovery.Dns is { } dns)
        {
            if (IPAddress.TryParse(dns.Host, out _))
            {
                yield return discovery.Section.FaultAt(
                    "dns", $"'{dns.Host}' is an address; a name is wanted, whose addresses are the members'");
            }

            if (!IPAddress.TryParse(cluster.Host, out _))
            {
                yield return cluster.Section.FaultAt(
                    "host", $"must be the address that '{dns.Host}' has for this member, not '{cluster.Host}'");
            }

            if (cluster.Port != dns.Port)
            {
                yield return cluster.Section.FaultAt(
                    "port", $"must be {dns.Port}, as all members that '{dns.Host}' has are reached at that port");
            }
        }

        if (discovery.Connection is not null && !CheckpointOptions.IsTable(discovery.Table))
        {
            yield return discovery.Section.FaultAt(
                "postgres.table", "is a name of at most 63 letters, digits and _, with its schema and a dot before it");
        }
    }
}
