using System.Net;
using Router.Configuration.Hocon;
using Router.Net;
using Router.Sessions;

namespace Router.Configuration;

/// <summary>One entry of <c>router.listeners</c>, with what it inherits from <c>router.listener-defaults</c>. Each key
/// is declared here once.</summary>
internal sealed class ListenerOptions
{
    public ListenerOptions(SectionReader listener)
    {
        Section = listener;
        Binds = listener.List<BindOptions>("bind", Reload.RestartsListener, BindOptions.Parse, atLeastOne: true);
        Route = listener.Text("route", Reload.NewSessions);
        Backlog = listener.Int("backlog", 1, 65_535, Reload.No);
        ReceiveBuffer = listener.Size("receive-buffer", 4 << 10, 1 << 30, Reload.No);
        SendBuffer = listener.Size("send-buffer", 4 << 10, 1 << 30, Reload.No);
        DualStack = listener.Bool("dual-stack", Reload.No);
        IdleTimeout = listener.Duration("idle-timeout", Limit.Tick, Limit.Year, Reload.AtOnce, orInfinite: true);
        MaxLifetime = listener.Duration("max-lifetime", Limit.Tick, Limit.Year, Reload.AtOnce, orInfinite: true);
        MaxSessions = listener.Int("max-sessions", 1, 10_000_000, Reload.AtOnce);
        WriteBuffer = listener.Size("write-buffer", 1 << 10, 64 << 20, Reload.AtOnce);
        var file = listener.Child("unix");
        Unix = new UnixFileChoice(
            file.Parsed("mode", Reload.No, ModeOf),
            file.OptionalText("owner", Reload.No),
            file.OptionalText("group", Reload.No));
        SessionSocket = listener.Choice<SessionSocket>("session-socket", Reload.No);
        var session = listener.Child("session");
        Session = new SessionOptions(
            session.Choice<SessionDispatcher>("dispatcher", Reload.No),
            session.Int("mailbox-messages", 1, 1_000_000, Reload.AtOnce),
            session.Size("mailbox-bytes", 64 << 10, 1 << 30, Reload.AtOnce),
            session.Int("max-restarts", 0, 1_000, Reload.No),
            session.Duration("restart-window", Limit.Tick, Limit.Day, Reload.No));
    }

    /// <summary>The entry as read, defaults included.</summary>
    public SectionReader Section { get; }

    public string Name => Section.Name;

    /// <summary>At least one, in the order of the file.</summary>
    public IReadOnlyList<BindOptions> Binds { get; }

    /// <summary>The name of an entry of <c>router.routes</c>.</summary>
    public string Route { get; }

    /// <summary>Connections waiting to be accepted, asked of the kernel.</summary>
    public int Backlog { get; }

    /// <summary>Bytes asked of the kernel per socket.</summary>
    public int ReceiveBuffer { get; }

    /// <summary>Bytes asked of the kernel per socket.</summary>
    public int SendBuffer { get; }

    /// <summary>Whether a bind to [::] takes IPv4 as well.</summary>
    public bool DualStack { get; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
    public TimeSpan IdleTimeout { get; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/> for none.</summary>
    public TimeSpan MaxLifetime { get; }

    /// <summary>Sessions at once, over all binds and loops of this listener.</summary>
    public int MaxSessions { get; }

    /// <summary>Bytes a stream session may hold unsent before reading stops.</summary>
    public int WriteBuffer { get; }

    /// <summary>The file of a unix socket.</summary>
    public UnixFileChoice Unix { get; }

    /// <summary>What a datagram session sends and receives by.</summary>
    public SessionSocket SessionSocket { get; }

    public SessionOptions Session { get; }

    private static int ModeOf(string text) =>
        text.Length is 3 or 4 && text.All(static c => c is >= '0' and <= '7') ? Convert.ToInt32(text, 8) : -1;
}

/// <param name="Transport">What is bound.</param>
/// <param name="EndPoint">A numeric address; port 0 lets the kernel choose. Of a unix socket nothing.</param>
/// <param name="Origin">Where it is written.</param>
internal sealed record BindOptions(SessionTransport Transport, IPEndPoint EndPoint, HoconOrigin Origin)
{
    private static readonly IPEndPoint NoEndPoint = new(IPAddress.None, 0);

    /// <summary>Of a unix socket: its path, or '@' and its abstract name; null for IP.</summary>
    public string? Name { get; init; }

    public bool IsUnix => Name is not null;

    /// <summary>As it is bound.</summary>
    public SocketAddr Address => Transport switch
    {
        SessionTransport.Unix => UnixAddress.Of(Name!, UnixSocketType.Stream),
        SessionTransport.Unixpacket => UnixAddress.Of(Name!, UnixSocketType.Packet),
        SessionTransport.Unixgram => UnixAddress.Of(Name!, UnixSocketType.Datagram),
        _ => SocketAddr.From(EndPoint),
    };

    /// <inheritdoc cref="ParseElement{T}"/>
    public static string? Parse(string text, HoconOrigin origin, out BindOptions? bind)
    {
        string? fault;
        bool isRead;
        if (UnixEndpoints.IsUnix(text))
        {
            isRead = UnixEndpoints.TryParse(text, out var kind, out var name, out fault);
            bind = new BindOptions(kind, NoEndPoint, origin) { Name = name };
        }
        else
        {
            isRead = Endpoints.TryParseBind(text, out var transport, out var endPoint, out fault);
            bind = new BindOptions(transport, endPoint, origin);
        }

        return isRead ? null : fault;
    }

    /// <summary>As in the file: <c>udp://127.0.0.1:53</c>, <c>unix:///run/app.sock</c>.</summary>
    public override string ToString() =>
        $"{Transport.Scheme()}://{Name ?? EndPoint.ToString()}";
}

/// <param name="Mode">Permission bits; negative where the text was no octal number.</param>
/// <param name="Owner">A user's name or number; null for the router's own.</param>
/// <param name="Group">A group's; null for the router's own.</param>
internal sealed record UnixFileChoice(int Mode, string? Owner, string? Group);

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
