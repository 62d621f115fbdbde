using Router.Net;

namespace Router.Upstreams;

/// <summary>An upstream as configured: a name or a literal address, and a port.</summary>
/// <param name="Host">A DNS name, an IPv4 or IPv6 address without brackets, or a unix socket with its scheme:
/// <c>unix:///run/app.sock</c>.</param>
/// <param name="Port">1..65535; 0 for a unix socket.</param>
internal sealed record UpstreamTarget(string Host, int Port)
{
    public override string ToString() =>
        Port == 0 ? Host
        : Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>A group as configured. Immutable.</summary>
/// <param name="Name">Of the group, for records and for its actor.</param>
/// <param name="Targets">In the order of configuration; a name that resolves to several addresses is several
/// upstreams.</param>
/// <param name="ResolveInterval">How long an answer is used before the names are asked again.</param>
/// <param name="ResolveTimeout">How long one round of asking may take; a name without an answer by then counts as
/// unresolved.</param>
/// <param name="FailTimeout">How long an upstream that refused or could not be reached is picked only if nothing else
/// is left; 0 for not at all.</param>
internal sealed record UpstreamGroupSettings(
    string Name,
    IReadOnlyList<UpstreamTarget> Targets,
    TimeSpan ResolveInterval,
    TimeSpan ResolveTimeout,
    TimeSpan FailTimeout);

/// <summary>Upstreams that share a pick policy's figures. Picking: any thread, no locks, no allocation.</summary>
/// <remarks>
/// Its actor alone publishes; a session keeps the upstream it was given, whatever is published later.
/// </remarks>
internal sealed class UpstreamGroup
{
    private readonly TimeProvider _time;
    private readonly long _failTicks;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile UpstreamSnapshot _current = UpstreamSnapshot.Empty;
    private uint _turn = uint.MaxValue;   // the first pick's turn is 0

    public UpstreamGroup(UpstreamGroupSettings settings, TimeProvider time)
    {
        Settings = settings;
        _time = time;
        _failTicks = (long)(settings.FailTimeout.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>As configured last. The group's actor changes them.</summary>
    public UpstreamGroupSettings Settings { get; internal set; }

    public string Name => Settings.Name;

    /// <summary>What the names lead to now; empty until the first of them has resolved.</summary>
    public UpstreamSnapshot Current => _current;

    /// <summary>All that the names lead to, those that are disabled too. Any thread.</summary>
    public IReadOnlyList<Upstream> Known { get; internal set; } = [];

    /// <summary>Those too that no name leads to any more, while sessions are left there. Any thread.</summary>
    public IReadOnlyList<Upstream> Held { get; internal set; } = [];

    /// <summary>Called when the group has lost an upstream, on its actor's thread. Set before the actor
    /// starts.</summary>
    public Action? OnRemoved { get; set; }

    /// <summary>Called once, when <see cref="Ready"/> completes, on the group's actor's thread. Set before the actor
    /// starts.</summary>
    public Action? OnReady { get; set; }

    /// <summary>Completes when there is an upstream for the first time, or every name has been asked for once; never
    /// fails.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Picks an upstream for a session and counts the session there.</summary>
    /// <param name="policy">By which.</param>
    /// <param name="peer">The session's peer.</param>
    /// <param name="tried">Upstreams the session must not get again.</param>
    /// <returns>An upstream to be given back by <see cref="Upstream.Return"/>, or null when none is left.</returns>
    public Upstream? Pick(PickPolicy policy, in SocketAddr peer, ReadOnlySpan<Upstream> tried)
    {
        var snapshot = _current;
        var upstreams = snapshot.Upstreams;
        Span<bool> excluded = stackalloc bool[upstreams.Length];
        if (!Exclude(upstreams, tried, alsoFailed: true, excluded)
            && !Exclude(upstreams, tried, alsoFailed: false, excluded))
        {
            return null;
        }

        var index = snapshot.HasWeights ? PickWeighted(policy, peer, snapshot, excluded) : policy switch
        {
            PickPolicy.LeastSessions => PickLeast(upstreams, excluded),
            PickPolicy.Hash => PeerHash.Pick(
                PeerHash.KeyOf(UpstreamAddress.Bytes(peer, stackalloc byte[16])), snapshot.Keys, excluded),
            _ => RoundRobin.Pick(NextTurn(), excluded),
        };
        var picked = upstreams[index];
        picked.Take();
        return picked;
    }

    /// <summary>Where failures are logged; set by who publishes upstreams.</summary>
    internal IUpstreamEvents? Events { get; set; }

    /// <summary>Logs that a session met a failure on its way to the upstream. Any thread.</summary>
    /// <param name="upstream">The upstream.</param>
    /// <param name="local">The session's own end of its socket; empty if it had none.</param>
    /// <param name="errno">Why.</param>
    /// <param name="operation">What was being done.</param>
    public void ReportFailure(Upstream upstream, in SocketAddr local, Errno errno, SocketOperation operation)
    {
        if (Events is { } events && upstream.MayReport(_time, out var count))
        {
            events.Failed(Name, upstream, local, errno, operation, count);
        }
    }

    /// <summary>A session is connected to the upstream, by a connection that takes time. Loop thread.</summary>
    public void OnConnected(Upstream upstream, TimeSpan time) => Events?.Connected(Name, upstream, time);

    /// <summary>The upstream refused, could not be reached, or timed out: others are preferred for a while.</summary>
    public void MarkFailed(Upstream upstream)
    {
        upstream.CountFailure();
        if (_failTicks > 0)
        {
            upstream.FailUntil(_time.GetTimestamp() + _failTicks);
        }
    }

    /// <summary>Replaces the upstreams that are picked from. The group's actor only.</summary>
    internal void Publish(Upstream[] upstreams)
    {
        var before = _current;
        _current = new UpstreamSnapshot(upstreams, before.Revision + 1);
        if (upstreams.Length > 0)
        {
            EndFirstRound();
        }

        foreach (var upstream in before.Upstreams)
        {
            if (!_current.Contains(upstream))
            {
                OnRemoved?.Invoke();
                break;
            }
        }
    }

    internal void EndFirstRound()
    {
        if (_ready.TrySetResult())
        {
            OnReady?.Invoke();
        }
    }

    private uint NextTurn() => Interlocked.Increment(ref _turn);

    private int PickWeighted(
        PickPolicy policy, in SocketAddr peer, UpstreamSnapshot snapshot, ReadOnlySpan<bool> excluded)
    {
        var upstreams = snapshot.Upstreams;
        Span<int> weights = stackalloc int[upstreams.Length];
        Span<int> sessions = stackalloc int[upstreams.Length];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = excluded[i] ? 0 : upstreams[i].Share;
            sessions[i] = upstreams[i].Sessions;
        }

        var index = policy switch
        {
            PickPolicy.LeastSessions => WeightedPick.LeastSessions(sessions, NextTurn(), weights),
            PickPolicy.Hash => WeightedPick.Hash(
                PeerHash.KeyOf(UpstreamAddress.Bytes(peer, stackalloc byte[16])), snapshot.Keys, weights),
            _ => WeightedPick.RoundRobin(NextTurn(), weights),
        };
        return index >= 0 ? index : excluded.IndexOf(false);   // a share has become 0 just now
    }

    private int PickLeast(ReadOnlySpan<Upstream> upstreams, ReadOnlySpan<bool> excluded)
    {
        Span<int> sessions = stackalloc int[upstreams.Length];
        for (var i = 0; i < sessions.Length; i++)
        {
            sessions[i] = upstreams[i].Sessions;
        }

        return LeastSessions.Pick(sessions, NextTurn(), excluded);
    }

    /// <summary>Flags what must not be picked; false if that is all.</summary>
    private bool Exclude(
        ReadOnlySpan<Upstream> upstreams, ReadOnlySpan<Upstream> tried, bool alsoFailed, Span<bool> excluded)
    {
        var left = false;
        for (var i = 0; i < excluded.Length; i++)
        {
            var upstream = upstreams[i];
            excluded[i] = upstream.Share == 0
                || (alsoFailed && upstream.HasFailed(_time))
                || Contains(tried, upstream);
            left |= !excluded[i];
        }

        return left;
    }

    private static bool Contains(ReadOnlySpan<Upstream> tried, Upstream upstream)
    {
        foreach (var other in tried)
        {
            // By endpoint: a refresh may have replaced the object meanwhile.
            if (other.Address == upstream.Address)
            {
                return true;
            }
        }

        return false;
    }
}
