namespace Router.Configuration;

/// <summary>The keys of <c>cluster.discovery</c>: where members are found that no list names.</summary>
internal sealed class ClusterDiscovery
{
    public ClusterDiscovery(SectionReader discovery)
    {
        Section = discovery;
        Dns = discovery.List<ClusterAddress>("dns", Reload.No, ClusterAddress.Parse, optional: true) is [var name, ..]
            ? name
            : null;
        StableFor = discovery.Duration("stable-for", TimeSpan.Zero, TimeSpan.FromMinutes(10), Reload.No);
        RetryMax = discovery.Duration(
            "retry-max", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10), Reload.No);
        var postgres = discovery.Child("postgres");
        Connection = postgres.OptionalText("connection", Reload.No);
        Table = postgres.Text("table", Reload.No);
        StaleAfter = postgres.Duration("stale-after", Limit.Second, Limit.Day, Reload.No);
    }

    public SectionReader Section { get; }

    /// <summary>A name whose addresses are the members', and the port of all of them.</summary>
    public ClusterAddress? Dns { get; }

    /// <summary>How long the name's addresses must have been the same before the lowest begins a cluster.</summary>
    public TimeSpan StableFor { get; }

    /// <summary>The longest time between two looks; the first ones are closer together.</summary>
    public TimeSpan RetryMax { get; }

    /// <summary>Of Npgsql.</summary>
    public string? Connection { get; }

    public string Table { get; }

    /// <summary>A row that was not renewed for so long is of a member that is gone. It is renewed five times as
    /// often.</summary>
    public TimeSpan StaleAfter { get; }
}
