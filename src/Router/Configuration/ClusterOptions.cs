using System.Net;
using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>How soon a member that is not heard of any more is taken for dead.</summary>
internal enum ClusterDetection
{
    /// <summary>Some two seconds until it is, and some four until another one has its place.</summary>
    Fast,

    /// <summary>Akka's own timings: for networks that stand still for seconds.</summary>
    Default,
}

/// <summary>What sessions without identity do on a member that has lost the majority.</summary>
internal enum WhenIsolated
{
    /// <summary>They go on as before, until the member is downed.</summary>
    GoOn,

    /// <summary>They send nothing either.</summary>
    Stop,
}

/// <summary>The section <c>router.cluster</c>, with what it inherits from <c>router.cluster-defaults</c>. Each key is
/// declared here once. What it means: hocon/reference.conf.</summary>
internal sealed class ClusterOptions
{
    public ClusterOptions(SectionReader cluster)
    {
        Section = cluster;
        Host = cluster.Text("host", Reload.No);
        Port = cluster.Int("port", 0, ushort.MaxValue, Reload.No);
        BindHost = cluster.OptionalText("bind-host", Reload.No);
        Seeds = cluster.List<ClusterAddress>("seeds", Reload.No, ClusterAddress.Parse);
        Discovery = new ClusterDiscovery(cluster.Child("discovery"));
        Tls = new ClusterTls(cluster.Child("tls"));
        Roles = cluster.Words("roles", Reload.No);
        Detection = cluster.Choice<ClusterDetection>("detection", Reload.No);
        Shards = cluster.Int("shards", 1, 1_024, Reload.No);
        FenceTimeout = cluster.Duration("fence-timeout", TimeSpan.FromMilliseconds(500), Limit.Day, Reload.No);
        WhenIsolated = cluster.Choice<WhenIsolated>("when-isolated", Reload.No);
        IdentityQueue = cluster.Int("identity-queue", 0, 100_000, Reload.No);
        ForgetAfter = cluster.Duration("forget-after", Limit.Second, Limit.Year, Reload.No);
        RoomWindow = cluster.Size("room-window", 512 << 10, 256 << 20, Reload.No);
        RelayWindow = cluster.Size("relay-window", 512 << 10, 256 << 20, Reload.No);
        StraysFor = cluster.Duration("strays-for", TimeSpan.Zero, Limit.Year, Reload.No, orInfinite: true);
        StrayTimeout = cluster.Duration(
            "stray-timeout", TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1), Reload.No);
        StraysAsked = cluster.Int("strays-asked", 1, 1_000_000, Reload.No);
        Checkpoints = new CheckpointOptions(cluster);
    }

    public SectionReader Section { get; }

    /// <summary>Where other members reach this one: an address or a name.</summary>
    public string Host { get; }

    /// <summary>0 lets the kernel choose.</summary>
    public int Port { get; }

    /// <summary>What is bound where that is not <see cref="Host"/>; null for the same.</summary>
    public string? BindHost { get; }

    /// <summary>In their order; empty for a member that begins a cluster by itself.</summary>
    public IReadOnlyList<ClusterAddress> Seeds { get; }

    public ClusterDiscovery Discovery { get; }

    public ClusterTls Tls { get; }

    /// <summary>What a member's certificate may name instead of its host: the name that all members are found by.
    /// </summary>
    public IReadOnlyList<string> SharedNames => Discovery.Dns is { } dns ? [dns.Host] : [];

    /// <summary>Besides <c>router</c>, which every member with listeners has.</summary>
    public IReadOnlyList<string> Roles { get; }

    public ClusterDetection Detection { get; }

    /// <summary>Into how many parts the identities are shared out; the same on all members.</summary>
    public int Shards { get; }

    /// <summary>How long after the last word of a majority this member still sends for identified sessions.</summary>
    public TimeSpan FenceTimeout { get; }

    public WhenIsolated WhenIsolated { get; }

    /// <summary>Messages that wait for an identity that no session speaks for.</summary>
    public int IdentityQueue { get; }

    /// <summary>How long such an identity is kept.</summary>
    public TimeSpan ForgetAfter { get; }

    /// <summary>Bytes of rooms that may be on the way to each other member, and from others to each loop.</summary>
    public int RoomWindow { get; }

    /// <summary>Bytes of relayed datagrams that may be on the way to each other member, and from others to each
    /// loop.</summary>
    public int RelayWindow { get; }

    /// <summary>How long after a change of the members other members are asked for new peers.</summary>
    public TimeSpan StraysFor { get; }

    /// <summary>How long a new peer waits for their answers.</summary>
    public TimeSpan StrayTimeout { get; }

    /// <summary>New peers of one loop that are asked for at once.</summary>
    public int StraysAsked { get; }

    public CheckpointOptions Checkpoints { get; }
}

/// <summary>A member's address as the configuration writes it: <c>HOST:PORT</c>.</summary>
/// <param name="Host">An address, IPv6 without brackets, or a name.</param>
/// <param name="Port">1 to 65535.</param>
internal sealed record ClusterAddress(string Host, int Port)
{
    /// <inheritdoc cref="ParseElement{T}"/>
    public static string? Parse(string text, HoconOrigin origin, out ClusterAddress? address)
    {
        var fault = Endpoints.ParseUpstream(text, out var host, out var port, out _);
        address = new ClusterAddress(host, port);
        return fault;
    }

    /// <summary>Whether it is of this machine alone: an address of loopback. A name is not known to be.</summary>
    public static bool IsLoopback(string host) =>
        host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
