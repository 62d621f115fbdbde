namespace Router.Sessions;

/// <summary>When nothing is under way for a session, as far as the router can tell: what a drain goes by where nobody
/// says more.</summary>
internal static class SessionQuiet
{
    /// <summary>How long a session has to be silent for, before it is taken as done.</summary>
    public const int QuietMs = 2_000;

    /// <summary>Nothing has come or gone for so long, and nothing waits to be handled or sent. Any thread.</summary>
    public static bool IsQuiet(this SessionContext session) =>
        session.SilentFor.TotalMilliseconds >= QuietMs
        && session is { WaitingPayloads: 0, PostedBytes: 0, Carrier: not { UnsentBytes: > 0 } };

    /// <summary>The same, but that messages are done with where they are handed over.</summary>
    public static bool HasNothingUnderWay(this SessionContext session) => session.KeepsMessages || session.IsQuiet();
}
