using Router.Diagnostics;

namespace Router.Sessions;

/// <summary>Until when this member of a cluster may send for sessions that another member could take over. It is shut
/// unless a majority of the members has answered lately: docs/cluster.md says what follows.</summary>
/// <remarks>Written by one thread, read by all. A reader takes the clock anew each time, so that a process which was
/// stopped, and has been taken for dead meanwhile, finds it shut before it sends anything: what was read before the
/// stop can be sent after it, one batch a loop.</remarks>
internal sealed class Fence(TimeProvider clock)
{
    private long _openUntil = long.MinValue;
    private int _opened;
    private long _timesShut;

    /// <summary>Its clock goes on while the machine is suspended.</summary>
    public TimeProvider Clock => clock;

    public bool IsOpen => clock.GetTimestamp() < Volatile.Read(ref _openUntil);

    /// <summary>How often it has been opened. What was found out about the cluster under another number has to be asked
    /// again: others may have decided without this member meanwhile.</summary>
    public int Opened => Volatile.Read(ref _opened);

    /// <summary>How often it has shut after it was open.</summary>
    public long TimesShut => Volatile.Read(ref _timesShut);

    /// <summary>Sets its end, which may be an earlier one. The writer's thread.</summary>
    /// <param name="openUntil">By <see cref="Clock"/>.</param>
    public void Set(long openUntil)
    {
        var now = clock.GetTimestamp();
        var wasOpen = now < _openUntil;
        if (!wasOpen && now < openUntil)
        {
            Volatile.Write(ref _opened, _opened + 1);   // before it is open: who sees that sees this
        }

        Volatile.Write(ref _openUntil, openUntil);
    }

    /// <summary>The writer has found it shut.</summary>
    public void CountShut() => Volatile.Write(ref _timesShut, _timesShut + 1);
}

internal static class Isolation
{
    /// <summary>Ends a connection that is about to be sent something while the member may not: what it misses would be
    /// a hole in its stream. Its peer is told by a reset, and comes back to another member.</summary>
    /// <returns>Whether it has been ended.</returns>
    public static bool EndIsolated(this SessionContext session)
    {
        if (session.Shard.Fence is not { IsOpen: false })
        {
            return false;
        }

        session.CountDrop(DropReason.Isolated);
        session.CloseNow(CloseReason.Isolated);
        return true;
    }
}
