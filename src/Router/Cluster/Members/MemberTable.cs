using System.Collections.Immutable;
using Akka.Cluster;

namespace Router.Cluster.Members;

/// <summary>What this member knows of the others, as of its last event. Any thread reads; one actor writes.</summary>
internal sealed class MemberTable(TimeProvider time)
{
    private ImmutableDictionary<UniqueAddress, KnownMember> _members =
        ImmutableDictionary<UniqueAddress, KnownMember>.Empty;

    /// <summary>Members that are up.</summary>
    public int Count => _members.Count;

    public int UnreachableCount => _members.Values.Count(static member => member.UnreachableSince is not null);

    /// <summary>Members with listeners, this one included.</summary>
    public IEnumerable<UniqueAddress> Routers =>
        from member in _members
        where member.Value.IsRouter
        select member.Key;

    /// <summary>When a member was last removed, by <see cref="TimeProvider.GetTimestamp"/>; null for never.</summary>
    public long? LastRemoval { get; private set; }

    /// <summary>Told after each removal, on the actor's thread.</summary>
    public Action<UniqueAddress>? OnRemoved { get; set; }

    /// <summary>As the log has it: <c>10.0.0.7:27200</c>.</summary>
    public static string TextOf(Address address) => $"{address.Host}:{address.Port}";

    public bool Has(UniqueAddress member) => _members.ContainsKey(member);

    /// <summary>How long it has not been heard of; null for one that is heard of, or is no member.</summary>
    public TimeSpan? UnreachableFor(UniqueAddress member) =>
        _members.TryGetValue(member, out var known) && known.UnreachableSince is { } since
            ? time.GetElapsedTime(since)
            : null;

    public void Add(Member member) =>
        _members = _members.SetItem(member.UniqueAddress, new KnownMember(member.HasRole(ClusterSettings.Role), null));

    public void SetUnreachable(Member member, bool isUnreachable)
    {
        if (_members.TryGetValue(member.UniqueAddress, out var known))
        {
            long? since = isUnreachable ? time.GetTimestamp() : null;
            _members = _members.SetItem(member.UniqueAddress, known with { UnreachableSince = since });
        }
    }

    public void Remove(Member member)
    {
        _members = _members.Remove(member.UniqueAddress);
        LastRemoval = time.GetTimestamp();
        OnRemoved?.Invoke(member.UniqueAddress);
    }

    private sealed record KnownMember(bool IsRouter, long? UnreachableSince);
}
