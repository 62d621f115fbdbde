using Akka.Cluster;
using Microsoft.Extensions.Logging;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Cluster.Members;

/// <summary>Opens and shuts the fence by what is heard. Outlives restarts of its actor, which alone uses it.</summary>
internal sealed class FenceKeeper(Fence fence, UniqueAddress self, TimeSpan timeout, ILogger log)
{
    private readonly long _timeout = TicksOf(timeout, fence.Clock);
    private readonly FenceQuorum _quorum = new(self, TicksOf(timeout, fence.Clock));
    private long _openUntil = long.MinValue;
    private long? _shutSince;
    private long? _noticedShut;
    private long? _looked;
    private long? _quarantined;
    private bool _wasOpen;

    public UniqueAddress Self => self;

    public Fence Fence => fence;

    /// <summary>Whom to ask.</summary>
    public IEnumerable<UniqueAddress> Others => _quorum.Others;

    /// <summary>By the fence's clock.</summary>
    public long Now => fence.Clock.GetTimestamp();

    /// <summary>Whether other members may be told that they are members. Not for the time-out after this one has
    /// noticed that it heard of no majority, or stood still for as long: two that have stood still together know of the
    /// same old members when they wake, may be a majority of those, and would open each other's fence, while others
    /// have removed both.</summary>
    public bool MayAnswer()
    {
        NoticeShut();
        return fence.IsOpen || _noticedShut is not { } since || Now - since >= _timeout;
    }

    /// <summary>Whether a member has lately said that this one is out, and no majority has answered since: it need not
    /// wait until it finds so itself. What was said lapses after twice the time-out, by when the fence of one that is
    /// out has been shut: else a pause of this process would end it, long after.</summary>
    public bool IsOut => !fence.IsOpen && _quarantined is { } since && Now - since <= 2 * _timeout;

    /// <summary>Somebody says that this actor system is out for it. That counts of members with listeners: others
    /// remove nobody.</summary>
    public void OnQuarantined(Address by)
    {
        if (Others.Any(other => other.Address.Equals(by)))
        {
            _quarantined = Now;
        }
    }

    /// <summary>Looks at the clock, and at who counts.</summary>
    public void Look(IReadOnlyList<FenceVoter> voters)
    {
        NoticeShut();
        _quorum.SetVoters(voters);
        Set();
    }

    /// <summary>A member has answered a question.</summary>
    /// <param name="member">Who.</param>
    /// <param name="sent">When the question was sent; one of later than now is none of ours.</param>
    public void Hear(UniqueAddress member, long sent)
    {
        NoticeShut();
        if (sent <= Now)
        {
            _quorum.Hear(member, sent);
            Set();
        }
    }

    private void Set()
    {
        var now = Now;
        if (_quorum.MajorityHeard(now) is not { } heard)
        {
            _openUntil = long.MinValue;   // it is not in, or leaves in order: others have its place
            fence.Set(_openUntil);
            _wasOpen = false;
            return;
        }

        // Never earlier than before: those who answered have promised it, whoever counts besides them now.
        _openUntil = Math.Max(_openUntil, heard + _timeout);
        fence.Set(_openUntil);
        if (!_wasOpen && _openUntil > now)
        {
            _wasOpen = true;
            var shutMs = _shutSince is { } since ? Milliseconds(since, now) : 0;
            ClusterLog.FenceOpen(log, shutMs, _quorum.HeardCount(now), _quorum.Count);
        }
    }

    /// <summary>Before anything opens it again.</summary>
    private void NoticeShut()
    {
        var now = Now;
        if (_looked is { } looked && now - looked >= _timeout)
        {
            _noticedShut = now;   // also of one that has just come, and whose fence has not been open yet
        }

        _looked = now;
        if (!_wasOpen || fence.IsOpen)
        {
            return;
        }

        _wasOpen = false;
        _noticedShut = now;
        _shutSince = _openUntil;
        fence.CountShut();
        ClusterLog.FenceShut(log, Milliseconds(_openUntil - _timeout, now), _quorum.HeardCount(now), _quorum.Count);
    }

    private static long TicksOf(TimeSpan time, TimeProvider clock) =>
        (long)(time.TotalSeconds * clock.TimestampFrequency);

    private long Milliseconds(long from, long to) => (long)fence.Clock.GetElapsedTime(from, to).TotalMilliseconds;
}
