using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>What is counted of a session that most sessions never need.</summary>
internal static class SessionCounts
{
    /// <summary>Counts discarded payloads, of the session and of its listener on this loop. Any thread.</summary>
    public static void CountDrop(this SessionContext session, DropReason reason, long count = 1)
    {
        if (!session.Loop.IsCurrent)
        {
            session.OnLoop(static (session, drop) => session.CountDrop(drop.reason, drop.count), (reason, count));
            return;
        }

        var extras = session.Extras;
        (extras.Drops ??= new DropCounters()).Add(reason, count);
        session.Shard.Counters.Drops.Add(reason, count);
        extras.Traced?.Dropped(reason, count);
    }

    /// <summary>The session goes to an upstream from now on, where its payloads are counted; the first one it has gets
    /// what was counted before. Loop thread.</summary>
    /// <param name="session">Which.</param>
    /// <param name="upstream">The loop's figures of the upstream; null for none.</param>
    public static void GoTo(this SessionContext session, UpstreamTraffic? upstream)
    {
        if (session.UpstreamTraffic is null && upstream is not null)
        {
            upstream.CountIn(session.PayloadsReceived, session.BytesReceived);
            upstream.CountOut(session.PayloadsSent, session.BytesSent);
        }

        session.UpstreamTraffic = upstream;
    }

    /// <summary>Counts a payload message in, if the mailbox has room for it. Loop thread.</summary>
    public static bool TryEnter(this SessionContext session, int messages, int bytes) =>
        session.Extras.TryEnter(session.Shard.Settings, messages, bytes);

    /// <summary>Counts it out again: handled or dropped. Any thread.</summary>
    public static void Leave(this SessionContext session, int messages, int bytes) =>
        session.Extras.Leave(messages, bytes);

    /// <summary>Counts some payloads of a message out, whose others still wait in its buffer. Any thread.</summary>
    public static void LeavePart(this SessionContext session, int messages, int bytes) =>
        session.Extras.LeavePart(messages, bytes);
}
