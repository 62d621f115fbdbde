using Router.Net;

namespace Router.Sessions;

/// <summary>What a line of a trace tells.</summary>
internal enum TraceStep
{
    /// <summary>The session began.</summary>
    Opened,

    /// <summary>A payload of the peer's, before its handler sees it.</summary>
    Received,

    /// <summary>A payload for the peer, handed over for sending.</summary>
    Sent,

    /// <summary>Payloads were discarded; the detail is the reason.</summary>
    Dropped,

    /// <summary>A turn of the session has ended; the detail is what it was about.</summary>
    Turn,

    /// <summary>It has a connection, or a socket, to its upstream.</summary>
    Connected,

    /// <summary>It speaks for its peer's identity.</summary>
    Attached,

    /// <summary>Its handler has thrown.</summary>
    Failed,

    /// <summary>It has a fresh handler.</summary>
    Restarted,

    /// <summary>It has ended; the detail is the reason.</summary>
    Closed,
}

/// <summary>Why a trace is over.</summary>
internal enum TraceEnd
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>It has told all that it may.</summary>
    Lines,

    /// <summary>Its time has passed.</summary>
    Time,

    /// <summary>The session that it was of has ended.</summary>
    SessionClosed,

    /// <summary>Somebody has taken it back.</summary>
    Asked,
}

/// <summary>One line of a trace.</summary>
/// <param name="Step">What happened.</param>
/// <param name="Payloads">How many.</param>
/// <param name="Bytes">Of all of them.</param>
/// <param name="Head">The first bytes, in hexadecimal.</param>
/// <param name="Detail">A word or a sentence, by the step.</param>
/// <param name="TookUs">How long a turn took.</param>
internal readonly record struct TraceLine(
    TraceStep Step,
    long? Payloads = null,
    long? Bytes = null,
    string? Head = null,
    string? Detail = null,
    long? TookUs = null);

/// <summary>What a trace may use up.</summary>
/// <param name="Lines">It ends behind so many.</param>
/// <param name="Time">It ends after that.</param>
/// <param name="HeadBytes">Of a payload that are shown.</param>
internal sealed record TraceLimits(int Lines, TimeSpan Time, int HeadBytes);

/// <summary>Whose sessions a trace is of.</summary>
/// <param name="Session">One session; null for those of some peers.</param>
/// <param name="Peers">Which peers, as they were asked for; null for one session.</param>
/// <param name="Matches">Whether a peer is one of them.</param>
internal sealed record TraceTarget(SessionId? Session, string? Peers, PeerMatch? Matches);

/// <summary>Whether a peer is meant.</summary>
internal delegate bool PeerMatch(in SocketAddr peer);

/// <summary>A trace that somebody has asked for: what one session does, or those of some peers, is told to the log
/// until its lines or its time are used up, or it is taken back. Any thread.</summary>
internal sealed class SessionTrace : IDisposable
{
    private readonly long _began;
    private readonly Action<SessionTrace> _onEnded;
    private readonly ITimer _timer;
    private int _lines;
    private int _end;

    /// <param name="number">By which it is known.</param>
    /// <param name="target">Whose sessions.</param>
    /// <param name="limits">What it may use up.</param>
    /// <param name="time">The clock.</param>
    /// <param name="onEnded">Called once, when it is over; any thread.</param>
    public SessionTrace(
        int number, TraceTarget target, TraceLimits limits, TimeProvider time, Action<SessionTrace> onEnded)
    {
        (Number, Target, Limits, Time, _onEnded) = (number, target, limits, time, onEnded);
        _began = time.GetTimestamp();
        _timer = time.CreateTimer(
            static trace => ((SessionTrace)trace!).EndBy(TraceEnd.Time), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        _timer.Change(limits.Time, Timeout.InfiniteTimeSpan);   // now, since its end disposes of it
    }

    public int Number { get; }

    public TraceTarget Target { get; }

    public TraceLimits Limits { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Told so far.</summary>
    public int Lines => Math.Min(Volatile.Read(ref _lines), Limits.Lines);

    /// <summary>None while it goes on.</summary>
    public TraceEnd End => (TraceEnd)Volatile.Read(ref _end);

    /// <summary>Since it began.</summary>
    public TimeSpan Age => Time.GetElapsedTime(_began);

    /// <summary>Whether a line may be told; the one behind the last ends the trace.</summary>
    public bool TryTakeLine()
    {
        if (End != TraceEnd.None)
        {
            return false;
        }

        if (Interlocked.Increment(ref _lines) <= Limits.Lines)
        {
            return true;
        }

        EndBy(TraceEnd.Lines);
        return false;
    }

    /// <summary>Ends it, unless it is over.</summary>
    public void EndBy(TraceEnd reason)
    {
        if (Interlocked.CompareExchange(ref _end, (int)reason, (int)TraceEnd.None) == (int)TraceEnd.None)
        {
            _timer.Dispose();
            _onEnded(this);
        }
    }

    public void Dispose() => _timer.Dispose();
}
