using Akka.Cluster;

namespace Router.Cluster.Members;

/// <summary>How far a member is in.</summary>
internal enum FenceStanding
{
    /// <summary>Others may count it already.</summary>
    Joining,

    /// <summary>It is in, or leaves.</summary>
    Member,

    /// <summary>Others may count it no more.</summary>
    Exiting,
}

/// <summary>A member whose answer counts: one with listeners that is not down.</summary>
internal readonly record struct FenceVoter(UniqueAddress Address, FenceStanding Standing);

/// <summary>Until when a majority of the members is known to take this one for a member: the arithmetic of the fence.
/// </summary>
/// <remarks>
/// <para>A member is heard as of the time that its latest answer's question was sent at. The fence is open until the
/// time that the majority was heard at, and the time-out. An answer is a promise: whoever gave it lets nobody have this
/// member's place before.</para>
/// <para>Of an even number, half are a majority if the lowest address is among them, as for keep-majority. So two
/// majorities of the same members have one in common.</para>
/// <para>Members may know of different members. A member joins, and is out, only when all have seen that it joins or
/// exits. So there has to be a majority with and without those that join, and with and without those that exit: it has
/// one in common with each majority of others, whatever they have seen.</para>
/// <para>A member that is new here is heard when it answers, and not before: what told of it may have waited while this
/// process stood still.</para>
/// </remarks>
/// <param name="self">This member.</param>
/// <param name="timeout">By the clock that all times here are of.</param>
internal sealed class FenceQuorum(UniqueAddress self, long timeout)
{
    private const long Never = long.MinValue;

    private readonly Dictionary<UniqueAddress, long> _heard = [];
    private IReadOnlyList<FenceVoter> _voters = [];

    /// <summary>Members with listeners, this one included.</summary>
    public int Count => _voters.Count;

    /// <summary>The others.</summary>
    public IEnumerable<UniqueAddress> Others =>
        _voters.Select(static voter => voter.Address).Where(voter => !voter.Equals(self));

    /// <summary>Sets who counts from now on.</summary>
    public void SetVoters(IReadOnlyList<FenceVoter> voters)
    {
        _voters = voters;
        var addresses = voters.Select(static voter => voter.Address).ToHashSet();
        foreach (var gone in _heard.Keys.Where(known => !addresses.Contains(known)).ToList())
        {
            _heard.Remove(gone);
        }

        foreach (var address in addresses)
        {
            _heard.TryAdd(address, Never);
        }
    }

    /// <summary>A member has answered.</summary>
    /// <param name="voter">Who; one that does not count is not heard.</param>
    /// <param name="sent">When the question was sent.</param>
    public void Hear(UniqueAddress voter, long sent)
    {
        if (_heard.TryGetValue(voter, out var before) && sent > before)
        {
            _heard[voter] = sent;
        }
    }

    /// <summary>When the majority was heard.</summary>
    /// <returns>Far back if none has answered yet. Null if this member does not count itself: it is not in yet, or no
    /// more.</returns>
    public long? MajorityHeard(long now)
    {
        if (!_voters.Any(voter => voter.Address.Equals(self) && voter.Standing == FenceStanding.Member))
        {
            return null;
        }

        _heard[self] = now;
        var least = now;
        foreach (var (withJoining, withExiting) in new[] { (false, false), (false, true), (true, false), (true, true) })
        {
            least = Math.Min(least, MajorityHeardOf(_voters.Where(voter => voter.Standing switch
            {
                FenceStanding.Joining => withJoining,
                FenceStanding.Exiting => withExiting,
                _ => true,
            })));
        }

        return least;
    }

    /// <summary>How many have answered within the time-out, this one included.</summary>
    public int HeardCount(long now) =>
        _voters.Count(voter => voter.Address.Equals(self) || _heard[voter.Address] + timeout > now);

    /// <summary>Each counts 2 and the lowest 3, which tells in a tie alone.</summary>
    private long MajorityHeardOf(IEnumerable<FenceVoter> voters)
    {
        var addresses = voters.Select(static voter => voter.Address).ToList();
        var lowest = addresses.Min(Comparer<UniqueAddress>.Create(static (a, b) => Compare(a, b)));
        var needed = addresses.Count + 1;
        foreach (var address in addresses.OrderByDescending(address => _heard[address]))
        {
            needed -= address.Equals(lowest) ? 3 : 2;
            if (needed <= 0)
            {
                return _heard[address];
            }
        }

        throw new InvalidOperationException("all together are a majority");
    }

    private static int Compare(UniqueAddress a, UniqueAddress b) =>
        Member.AddressOrdering.Compare(a.Address, b.Address) is var order and not 0 ? order : a.Uid.CompareTo(b.Uid);
}
