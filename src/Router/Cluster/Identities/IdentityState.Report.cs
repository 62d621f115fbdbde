namespace Router.Cluster.Identities;

/// <summary>Asks an entity what it knows: answered with <see cref="IdentityFacts"/>. Never told by way of the shard
/// region, which would make an entity for it.</summary>
internal sealed class DescribeIdentity
{
    public static readonly DescribeIdentity Instance = new();
}

/// <summary>What an entity knows.</summary>
/// <param name="State">What it does: <c>attached</c>, <c>resting</c> without a session, or <c>asking</c>,
/// <c>releasing</c>, <c>claiming</c> on the way to an attachment.</param>
/// <param name="Owner">The session that speaks for the identity; null for none.</param>
/// <param name="Epoch">The latest that it knows.</param>
/// <param name="Revision">Of the newest checkpoint; 0 for none.</param>
/// <param name="Bytes">Of that.</param>
/// <param name="Queued">Messages that wait for a session.</param>
/// <param name="KeptAgo">When it was last given a checkpoint; null if it has not been since it is there.</param>
internal sealed record IdentityFacts(
    string State, Attachment? Owner, long Epoch, long Revision, int Bytes, int Queued, TimeSpan? KeptAgo);

/// <content>What operators are told.</content>
internal sealed partial class IdentityState
{
    /// <summary>Whether no session has spoken for it, as far as is known here, and nothing waits for one.</summary>
    private bool IsUnknown => _kept is { Epoch: 0, Revision: 0 } && _claimsLost == 0 && Queued == 0;

    public IdentityFacts Describe(TimeSpan? keptAgo) => new(
        _phase switch
        {
            Phase.Asking => "asking",
            Phase.Releasing => "releasing",
            Phase.Claiming => "claiming",
            _ => _owner is null ? "resting" : "attached",
        },
        _owner,
        Math.Max(_kept.Epoch, _owner?.Epoch ?? 0),
        _kept.Revision,
        _kept.State.Length,
        Queued,
        keptAgo);
}
