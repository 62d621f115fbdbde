using System.Net;
using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>One entry of <c>router.listeners</c>, with what it inherits from <c>router.listener-defaults</c>.</summary>
internal sealed record ListenerOptions
{
    public required string Name { get; init; }

    /// <summary>At least one, in the order of the file.</summary>
    public required IReadOnlyList<BindOptions> Binds { get; init; }

    /// <summary>The name of an entry of <c>router.routes</c>.</summary>
    public required string Route { get; init; }

    /// <summary>Connections waiting to be accepted, asked of the kernel.</summary>
    public required int Backlog { get; init; }

    /// <summary>Bytes asked of the kernel per socket.</summary>
    public required int ReceiveBuffer { get; init; }

    /// <summary>Bytes asked of the kernel per socket.</summary>
    public required int SendBuffer { get; init; }

    /// <summary>Whether a bind to [::] takes IPv4 as well.</summary>
    public required bool DualStack { get; init; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
    public required TimeSpan IdleTimeout { get; init; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
    public required TimeSpan MaxLifetime { get; init; }

    /// <summary>Sessions at once, over all binds and loops of this listener.</summary>
    public required int MaxSessions { get; init; }

    /// <summary>Bytes a stream session may hold unsent before reading stops.</summary>
    public required int WriteBuffer { get; init; }

    /// <summary>The file of a unix socket.</summary>
    public required UnixFileChoice Unix { get; init; }

    /// <summary>What a datagram session sends and receives by.</summary>
    public required SessionSocketChoice SessionSocket { get; init; }

    public required SessionOptions Session { get; init; }

    /// <summary>Where the listener's name stands.</summary>
    public required HoconOrigin Origin { get; init; }

    /// <summary>The entry as read, defaults included, for the places of its keys.</summary>
    public required HoconObject Source { get; init; }
}

/// <param name="Transport">What is bound.</param>
/// <param name="EndPoint">A numeric address; port 0 lets the kernel choose. Of a unix socket nothing.</param>
/// <param name="Origin">Where it is written.</param>
internal sealed record BindOptions(Transport Transport, IPEndPoint EndPoint, HoconOrigin Origin)
{
    /// <summary>Of a unix socket: its path, or '@' and its abstract name; null for IP.</summary>
    public string? Name { get; init; }

    public bool IsUnix => Name is not null;

    /// <summary>As in the file: <c>udp://127.0.0.1:53</c>, <c>unix:///run/app.sock</c>.</summary>
    public override string ToString() =>
        $"{UnixEndpoints.SchemeOf(Transport)}://{Name ?? EndPoint.ToString()}";
}

/// <param name="Mode">Permission bits; negative where the text was no octal number.</param>
/// <param name="Owner">A user's name or number; null for the router's own.</param>
/// <param name="Group">A group's; null for the router's own.</param>
internal sealed record UnixFileChoice(int Mode, string? Owner, string? Group);

internal enum Transport
{
    Udp,
    Tcp,
    Unix,
    Unixpacket,
    Unixgram,
}

/// <param name="Dispatcher">What schedules the session's turns.</param>
/// <param name="MailboxMessages">Payloads that may wait in one session's mailbox.</param>
/// <param name="MailboxBytes">Bytes that may wait in one session's mailbox.</param>
/// <param name="MaxRestarts">Restarts within the window before the session closes as failed.</param>
/// <param name="RestartWindow">The window.</param>
internal sealed record SessionOptions(
    SessionDispatcher Dispatcher, int MailboxMessages, int MailboxBytes, int MaxRestarts, TimeSpan RestartWindow);

internal enum SessionDispatcher
{
    /// <summary>Inline on the I/O loop.</summary>
    Io,

    /// <summary>On the pool, payloads copied.</summary>
    Pool,
}

internal enum SessionSocketChoice
{
    /// <summary>The listener's socket.</summary>
    Shared,

    /// <summary>One of its own on the listener's port.</summary>
    Connected,

    /// <summary>One of its own on a port of its own.</summary>
    OwnPort,
}
