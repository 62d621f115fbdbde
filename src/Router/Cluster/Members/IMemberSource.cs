using Router.Configuration;

namespace Router.Cluster.Members;

/// <summary>Where members are found.</summary>
internal interface IMemberSource : IAsyncDisposable
{
    /// <summary>What it is, for the log.</summary>
    string Name { get; }

    /// <summary>Between two looks once this member is in the cluster; null for a source that needs no more.</summary>
    TimeSpan? RenewEvery { get; }

    /// <summary>Looks once.</summary>
    /// <param name="isMember">Whether this member is in the cluster by now.</param>
    /// <param name="end">Cancelled: nobody waits for it any more.</param>
    /// <returns>A task that fails when there is no answer.</returns>
    Task<MemberLook> LookAsync(bool isMember, CancellationToken end);

    /// <summary>This member leaves in order.</summary>
    Task LeaveAsync(CancellationToken end);
}

/// <summary>What a source has said.</summary>
/// <param name="Others">Whom to ask to be let in, in this order; without this member.</param>
/// <param name="MayBegin">Whether this member begins a cluster if none of them answers.</param>
internal sealed record MemberLook(IReadOnlyList<ClusterAddress> Others, bool MayBegin)
{
    public bool IsSame(MemberLook? other) =>
        other is not null && MayBegin == other.MayBegin && Others.SequenceEqual(other.Others);
}
