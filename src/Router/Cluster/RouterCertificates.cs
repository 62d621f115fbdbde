namespace Router.Cluster;

/// <summary>The files by which a program without listeners shows the members of a cluster with <c>cluster.tls</c> that
/// it is one of them, and knows them: names of PEM files, as <c>router cluster certificates</c> makes them.</summary>
/// <param name="Certificate">Its own certificate, for both TLS servers and clients; it names the host that others
/// connect to.</param>
/// <param name="Key">The private key of that.</param>
/// <param name="Authority">The authorities whose certificates are members.</param>
public sealed record RouterCertificates(string Certificate, string Key, string Authority)
{
    /// <summary>Names of which a member's certificate may have any, instead of the host that is connected to: the name
    /// of the routers' <c>discovery.dns</c>.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];
}
