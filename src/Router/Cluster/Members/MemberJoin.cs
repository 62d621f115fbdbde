using System.Net;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Upstreams;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Router.Cluster.Members;

/// <summary>How this process asks to be let into its cluster: by a list, by a name's addresses, by a table.</summary>
internal static class MemberJoin
{
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Begins to ask, and does so until this member is in.</summary>
    /// <param name="system">The member's.</param>
    /// <param name="table">What it knows of others.</param>
    /// <param name="seeds">Told whom it asks.</param>
    /// <param name="options">The configuration's section.</param>
    /// <param name="time">The clock.</param>
    /// <param name="resolver">For members that are found by a name.</param>
    /// <param name="log">The router's.</param>
    public static void Start(
        ActorSystem system, MemberTable table, AskedSeeds seeds, ClusterOptions options, TimeProvider time,
        INameResolver resolver, ILogger log)
    {
        var cluster = AkkaCluster.Get(system);
        SecondClusterActor.Start(system, seeds, table, log);
        if (SourceOf(options, cluster.SelfAddress, resolver, time) is not { } source)
        {
            Ask(options.Seeds, begins: options.Seeds.Count == 0);
            return;
        }

        var retryMax = options.Discovery.RetryMax;
        var discovery = system.ActorOf(
            DiscoveryActor.PropsOf(
                source, Ask, source.RenewEvery is { } renew && renew < retryMax ? renew : retryMax, time, log),
            "router-discovery");
        cluster.RegisterOnMemberUp(() => discovery.Tell(new DiscoveryActor.Joined()));
        if (source.RenewEvery is not null)
        {
            CoordinatedShutdown.Get(system).AddTask(
                CoordinatedShutdown.PhaseClusterExitingDone, "router-discovery", async () =>
                    await discovery.Ask<Akka.Done>(new DiscoveryActor.Leave(), LeaveTimeout).ConfigureAwait(false));
        }

        void Ask(IReadOnlyList<ClusterAddress> others, bool begins)
        {
            var asked = others.Select(other => AddressOf(cluster.SelfAddress, other)).ToList();
            if (begins)
            {
                asked.Insert(0, cluster.SelfAddress);
            }

            if (asked.Count > 0)
            {
                ClusterLog.Joining(
                    log, MemberTable.TextOf(cluster.SelfAddress), string.Join(' ', asked.Select(MemberTable.TextOf)));
                seeds.Addresses = asked;
                cluster.JoinSeedNodes(asked);
            }
        }
    }

    /// <summary>A member's address in Akka's writing, which has IPv6 in brackets.</summary>
    internal static Address AddressOf(Address self, ClusterAddress member)
    {
        var host = IPAddress.TryParse(member.Host, out var address) ? $"{address}" : member.Host;
        return self.WithHost(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host).WithPort(member.Port);
    }

    private static IMemberSource? SourceOf(
        ClusterOptions options, Address self, INameResolver resolver, TimeProvider time) => options.Discovery switch
        {
            { Dns: { } dns } found => new DnsMembers(
                dns, IPAddress.Parse(options.Host), found.StableFor, resolver, time),
            { Connection: { } connection } found => new PostgresMembers(
                connection, found.Table, new ClusterAddress(options.Host, self.Port!.Value), found.StaleAfter),
            _ => null,
        };
}
