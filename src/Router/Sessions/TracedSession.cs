using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>A session under a trace: what it does is told to the log. Its loop, and the thread of its handler.
/// </summary>
/// <remarks>A session without a trace pays one look at a reference, where it hands payloads on and at a turn's two
/// ends.</remarks>
internal sealed class TracedSession(SessionContext session, SessionTrace trace)
{
    private long _turnBegan;

    public SessionTrace Trace => trace;

    public void BeginTurn() => _turnBegan = trace.Time.GetTimestamp();

    /// <param name="about">The turn's message, or what the loop ran it for.</param>
    public void EndTurn(object about)
    {
        if (_turnBegan != 0)   // else the trace began within the turn
        {
            var took = (long)trace.Time.GetElapsedTime(_turnBegan).TotalMicroseconds;
            Tell(new TraceLine(TraceStep.Turn, Detail: NameOf(about), TookUs: took));
        }
    }

    /// <summary>Datagrams that the handler is about to see.</summary>
    public void Received(DatagramRun run)
    {
        var place = -1;
        for (var i = 0; i < run.Count; i++)
        {
            place = run.PlaceAfter(place);
            Received(run.PayloadAt(place));
        }
    }

    public void Received(ReadOnlySpan<byte> payload) => TellPayload(TraceStep.Received, payload, payload.Length);

    public void Sent(ReadOnlySpan<byte> payload) => TellPayload(TraceStep.Sent, payload, payload.Length);

    /// <summary>Bytes that a proxy passes on.</summary>
    /// <param name="step">Which way.</param>
    /// <param name="payload">Empty where the router has not read them.</param>
    /// <param name="length">How many.</param>
    public void Passed(TraceStep step, ReadOnlySpan<byte> payload, int length) => TellPayload(step, payload, length);

    public void Dropped(DropReason reason, long payloads) => Tell(new TraceLine(
        TraceStep.Dropped, Payloads: payloads, Detail: ClosedSet<DropReason>.NameOf(reason)));

    public void Tell(TraceStep step, string? detail = null) => Tell(new TraceLine(step, Detail: detail));

    /// <summary>The session has ended, and with it a trace of it alone.</summary>
    public void Closed(CloseReason reason)
    {
        Tell(TraceStep.Closed, ClosedSet<CloseReason>.NameOf(reason));
        if (trace.Target.Session is not null)
        {
            trace.EndBy(TraceEnd.SessionClosed);
        }
    }

    private static string NameOf(object about) => about switch
    {
        DatagramRun => "datagrams",
        Net.IoSocket => "socket",
        SessionTick => "timer",
        SessionContext => "open",
        _ => about.GetType().Name,
    };

    private void TellPayload(TraceStep step, ReadOnlySpan<byte> payload, int length)
    {
        if (trace.TryTakeLine())
        {
            var head = payload[..Math.Min(payload.Length, trace.Limits.HeadBytes)];
            var text = head.IsEmpty ? null : Convert.ToHexStringLower(head);
            session.Shard.Events.Traced(trace, session, new TraceLine(step, Payloads: 1, Bytes: length, Head: text));
        }
        else
        {
            Leave();
        }
    }

    private void Tell(TraceLine line)
    {
        if (trace.TryTakeLine())
        {
            session.Shard.Events.Traced(trace, session, line);
        }
        else
        {
            Leave();
        }
    }

    /// <summary>The trace is over: the session pays for it no longer.</summary>
    private void Leave()
    {
        if (ReferenceEquals(session.Traced, this))
        {
            session.Extras.Traced = null;
        }
    }
}
