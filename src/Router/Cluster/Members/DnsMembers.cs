using System.Net;
using Router.Configuration;
using Router.Upstreams;

namespace Router.Cluster.Members;

/// <summary>Members are the addresses of a name, such as that of a headless service. The lowest one begins the cluster,
/// once the name has had the same addresses for a while.</summary>
/// <remarks>That two do not begin two clusters is promised where all of them are given the same addresses within that
/// while. A member that the name does not have, yet or any more, never begins one.</remarks>
internal sealed class DnsMembers(
    ClusterAddress name, IPAddress self, TimeSpan stableFor, INameResolver resolver, TimeProvider time) : IMemberSource
{
    /// <summary>A name with more is a mistake.</summary>
    private const int MembersMax = 256;

    private IReadOnlyList<IPAddress> _last = [];
    private long _since;

    public string Name => $"{name}";

    public TimeSpan? RenewEvery => null;

    /// <inheritdoc/>
    public async Task<MemberLook> LookAsync(bool isMember, CancellationToken end)
    {
        var answer = await resolver.ResolveAsync(name.Host, end).ConfigureAwait(false);
        IReadOnlyList<IPAddress> addresses =
        [
            .. answer.Select(static one => one.IsIPv4MappedToIPv6 ? one.MapToIPv4() : one)
                .Where(one => one.AddressFamily == self.AddressFamily)
                .Distinct()
                .Order(Lowest)
                .Take(MembersMax),
        ];
        if (addresses.Count == 0)
        {
            throw new InvalidOperationException("it has no address of the kind of this member's");
        }

        if (!addresses.SequenceEqual(_last))
        {
            (_last, _since) = (addresses, time.GetTimestamp());
        }

        var isLowest = addresses[0].Equals(self) && time.GetElapsedTime(_since) >= stableFor;
        return new MemberLook(
            [.. addresses.Where(one => !one.Equals(self)).Select(one => new ClusterAddress($"{one}", name.Port))],
            isLowest);
    }

    public Task LeaveAsync(CancellationToken end) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Comparer<IPAddress> Lowest { get; } = Comparer<IPAddress>.Create(static (one, other) =>
        one.GetAddressBytes().AsSpan().SequenceCompareTo(other.GetAddressBytes()));
}
