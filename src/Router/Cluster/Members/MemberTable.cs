using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Akka.Cluster;

namespace Router.Cluster.Members;

/// <summary>What this member knows of the others, as of its last event. Any thread reads; one actor writes.</summary>
/// <param name="self">This member, as <see cref="TextOf"/> has it.</param>
/// <param name="time">The clock.</param>
internal sealed class MemberTable(string self, TimeProvider time)
{
    /// <summary>Removed members that are remembered, and for how long: older ones are long gone.</summary>
    private const int RemovedMax = 1_000;

    private static readonly TimeSpan RememberedFor = TimeSpan.FromMinutes(1);

    /// <summary>A member that is not known is taken for gone only when it has not been for so long, while this one was
    /// up: one of both may have just come, and its sessions be heard of before it is.</summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(10);

    /// <summary>Members that were asked about and are not known; with more the time of all begins anew.</summary>
    private const int UnknownMax = 1_000;

    private readonly ConcurrentDictionary<UniqueAddress, long> _unknown = [];

    private long? _upSince;
    private ImmutableDictionary<UniqueAddress, KnownMember> _members =
        ImmutableDictionary<UniqueAddress, KnownMember>.Empty;

    /// <summary>Since when they have sent nothing; null for those that left in order.</summary>
    private ImmutableDictionary<UniqueAddress, long?> _removed = ImmutableDictionary<UniqueAddress, long?>.Empty;

    public string Self => self;

    /// <summary>How long this member has been up: removals before that it has not seen. 0 until it is.</summary>
    public TimeSpan Age => _upSince is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>Members that are up.</summary>
    public int Count => _members.Count;

    public int UnreachableCount => _members.Values.Count(static member => member.UnreachableSince is not null);

    /// <summary>Members with listeners, this one included.</summary>
    public IEnumerable<UniqueAddress> Routers =>
        from member in _members
        where member.Value.IsRouter
        select member.Key;

    /// <summary>Members that were removed because they were not heard of, and may not have ended.</summary>
    public IEnumerable<UniqueAddress> Downed => DownedUnheard.Select(static member => member.Key);

    /// <summary>The latest time since when one of <see cref="Downed"/> has not been heard of; null if there was none.
    /// </summary>
    public long? LastDownedUnheard => DownedUnheard.Max(static member => member.Value);

    /// <summary>Each with the time since when. Of one look at the table, which may change meanwhile.</summary>
    private IEnumerable<KeyValuePair<UniqueAddress, long?>> DownedUnheard =>
        _removed.Where(member => member.Value is not null && !IsReplaced(member.Key));

    /// <summary>When a member was last removed, by <see cref="TimeProvider.GetTimestamp"/>; null for never.</summary>
    public long? LastRemoval { get; private set; }

    /// <summary>Told after each removal, and whether it left in order; on the actor's thread.</summary>
    public Action<UniqueAddress, bool>? OnRemoved { get; set; }

    /// <summary>As the log has it: <c>10.0.0.7:27200</c>.</summary>
    public static string TextOf(Address address) => $"{address.Host}:{address.Port}";

    /// <summary>How long a member that is out of the cluster has not been heard of; without end for one that left in
    /// order, or whose address another one has; null for one that is in it, or not known yet.</summary>
    public TimeSpan? GoneFor(UniqueAddress member)
    {
        if (_members.ContainsKey(member))
        {
            return null;
        }

        if (_removed.TryGetValue(member, out var since))
        {
            return since is { } unheard && !IsReplaced(member) ? time.GetElapsedTime(unheard) : TimeSpan.MaxValue;
        }

        return IsOfOwnAddress(member) || IsUnknownForLong(member) ? TimeSpan.MaxValue : null;
    }

    /// <summary>All that are up, as far as is known here.</summary>
    public IEnumerable<UniqueAddress> All => _members.Keys;

    /// <param name="member">Who is up.</param>
    /// <param name="isRouter">It has listeners.</param>
    /// <returns>Whether that is new.</returns>
    public bool Add(UniqueAddress member, bool isRouter)
    {
        var isNew = !_members.ContainsKey(member);
        _members = _members.SetItem(member, new KnownMember(isRouter, null));
        _unknown.TryRemove(member, out _);
        if (TextOf(member.Address) == self)
        {
            _upSince ??= time.GetTimestamp();
        }

        return isNew;
    }

    public void SetUnreachable(UniqueAddress member, bool isUnreachable)
    {
        if (_members.TryGetValue(member, out var known))
        {
            long? since = isUnreachable ? time.GetTimestamp() : null;
            _members = _members.SetItem(member, known with { UnreachableSince = since });
        }
    }

    /// <param name="member">Who is out.</param>
    /// <param name="inOrder">It left by itself.</param>
    public void Remove(UniqueAddress member, bool inOrder)
    {
        var now = time.GetTimestamp();
        var since = _members.GetValueOrDefault(member)?.UnreachableSince ?? now;
        ForgetOld();
        _removed = _removed.SetItem(member, inOrder ? null : since);
        _members = _members.Remove(member);
        LastRemoval = now;
        OnRemoved?.Invoke(member, inOrder);
    }

    /// <summary>Whether a member that was removed has another process at its address: one binds it at a time, so the
    /// one before has ended, and nobody waits for its fence. A name may lead to another machine, and proves nothing.
    /// </summary>
    /// <remarks>Of one that was not removed it would not be known which of the two comes later.</remarks>
    private bool IsReplaced(UniqueAddress removed) =>
        _members.Keys.Any(other => other.Address.Equals(removed.Address)) && IsNumeric(removed);

    /// <summary>Whether it was this member's process before, which this one has not seen removed.</summary>
    private bool IsOfOwnAddress(UniqueAddress member) =>
        _upSince is not null && TextOf(member.Address) == self && IsNumeric(member);

    private bool IsUnknownForLong(UniqueAddress member)
    {
        if (_unknown.Count >= UnknownMax)
        {
            _unknown.Clear();
        }

        var since = _unknown.GetOrAdd(member, static (_, now) => now, time.GetTimestamp());
        return Age >= SettleTime && time.GetElapsedTime(since) >= SettleTime;
    }

    private static bool IsNumeric(UniqueAddress member) => IPAddress.TryParse(member.Address.Host, out _);

    private void ForgetOld()
    {
        if (_removed.Count >= RemovedMax)
        {
            var recent =
                from member in _removed
                where member.Value is { } since && time.GetElapsedTime(since) < RememberedFor
                orderby member.Value descending
                select member;
            _removed = recent.Take(RemovedMax - 1).ToImmutableDictionary();
        }
    }

    private sealed record KnownMember(bool IsRouter, long? UnreachableSince);
}
