using Router.Diagnostics;
using Router.Net;

namespace Router.Sessions;

/// <summary>The traces of a router that are under way. Any thread.</summary>
/// <param name="time">The clock.</param>
/// <param name="onEnded">Called once for each, when it is over.</param>
internal sealed class SessionTraces(TimeProvider time, Action<SessionTrace> onEnded) : IDisposable
{
    private readonly Lock _lock = new();
    private SessionTrace[] _all = [];
    private SessionTrace[] _ofPeers = [];
    private int _last;

    /// <summary>Those that go on, the oldest first.</summary>
    public IReadOnlyList<SessionTrace> All => Volatile.Read(ref _all);

    /// <summary>New sessions, and peers that get none, have to be looked at.</summary>
    public bool HasPeers => Volatile.Read(ref _ofPeers).Length > 0;

    /// <summary>Begins one.</summary>
    /// <param name="target">Of which sessions.</param>
    /// <param name="limits">What it may use up.</param>
    /// <param name="max">Traces at once.</param>
    /// <returns>Null if there are so many.</returns>
    public SessionTrace? Begin(TraceTarget target, TraceLimits limits, int max)
    {
        lock (_lock)
        {
            if (_all.Length >= max)
            {
                return null;
            }

            var trace = new SessionTrace(++_last, target, limits, time, OnEnded);
            Set([.. _all, trace]);
            return trace;
        }
    }

    /// <returns>The trace, which is over now; null if none of that number goes on.</returns>
    public SessionTrace? End(int number)
    {
        var trace = All.FirstOrDefault(trace => trace.Number == number);
        trace?.EndBy(TraceEnd.Asked);
        return trace;
    }

    /// <summary>Has a session told of, unless another trace has it. Its loop.</summary>
    /// <returns>Whether this one has it now.</returns>
    public static bool Attach(SessionContext session, SessionTrace trace)
    {
        if (session.Traced is { Trace: { End: TraceEnd.None } other })
        {
            return ReferenceEquals(other, trace);
        }

        session.Extras.Traced = new TracedSession(session, trace);
        return true;
    }

    /// <summary>A session begins whose peer may be under a trace. Its loop.</summary>
    public void OnBegins(SessionContext session)
    {
        if (Find(session.PeerAddr) is { } trace)
        {
            Attach(session, trace);
        }
    }

    /// <summary>A peer that may be under a trace gets no session. The shard's loop.</summary>
    public void OnRefused(Shard shard, in SocketAddr peer, DropReason reason, int payloads, ReadOnlySpan<byte> first)
    {
        if (Find(peer) is not { } trace || !trace.TryTakeLine())
        {
            return;
        }

        var head = first[..Math.Min(first.Length, trace.Limits.HeadBytes)];
        shard.Events.TracedPeer(trace, shard.Listener, peer, new TraceLine(
            TraceStep.Dropped, payloads, first.Length, head.IsEmpty ? null : Convert.ToHexStringLower(head),
            ClosedSet<DropReason>.NameOf(reason)));
    }

    public void Dispose()
    {
        foreach (var trace in All)
        {
            trace.Dispose();
        }
    }

    private SessionTrace? Find(in SocketAddr peer)
    {
        foreach (var trace in Volatile.Read(ref _ofPeers))
        {
            if (trace.Target.Matches!(peer))
            {
                return trace;
            }
        }

        return null;
    }

    private void OnEnded(SessionTrace trace)
    {
        lock (_lock)
        {
            Set([.. _all.Where(each => each != trace)]);
        }

        onEnded(trace);
    }

    private void Set(SessionTrace[] all)
    {
        Volatile.Write(ref _all, all);
        Volatile.Write(ref _ofPeers, [.. all.Where(static trace => trace.Target.Matches is not null)]);
    }
}
