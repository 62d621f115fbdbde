using System.Net;

namespace Router.Upstreams;

/// <summary>The seam to name resolution.</summary>
internal interface INameResolver
{
    /// <summary>All addresses of a name, in any order.</summary>
    /// <returns>A task that fails when the name does not resolve; it may also end with no address.</returns>
    Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken);
}

/// <summary>The system's resolver: hosts file and DNS, as getaddrinfo(3) has them.</summary>
internal sealed class SystemNameResolver : INameResolver
{
    public Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellationToken) =>
        Dns.GetHostAddressesAsync(name, cancellationToken);
}
