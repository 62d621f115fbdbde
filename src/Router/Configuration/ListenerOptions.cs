using System.Net;
using Router.Configuration.Hocon;
using Router.Net;
using Router.Sessions;

namespace Router.Configuration;

/// <summary>One entry of <c>router.listeners</c>, with what it inherits from <c>router.listener-defaults</c>. Each key
/// is declared here once. What it means: hocon/reference.conf.</summary>
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
        KeepAlive = TcpSection.Read(listener, Reload.No);
        var session = listener.Child("session");
        Proof = IdentitySection.ReadProof(listener);
        Sessions = new SessionSettings(
            IdleTimeoutMs: listener.Milliseconds(
                "idle-timeout", Limit.Tick, Limit.Year, Reload.AtOnce, orInfinite: true),
            MaxLifetimeMs: listener.Milliseconds(
                "max-lifetime", Limit.Tick, Limit.Year, Reload.AtOnce, orInfinite: true),
            MaxSessions: listener.Int("max-sessions", 1, 10_000_000, Reload.AtOnce),
            MailboxMessages: session.Int("mailbox-messages", 1, 1_000_000, Reload.AtOnce),
            MailboxBytes: session.Size("mailbox-bytes", 64 << 10, 1 << 30, Reload.AtOnce),
            WriteBuffer: listener.Size("write-buffer", 1 << 10, 64 << 20, Reload.AtOnce),
            MaxRestarts: session.Int("max-restarts", 0, 1_000, Reload.No),
            RestartWindow: session.Duration("restart-window", Limit.Tick, Limit.Day, Reload.No),
            OnPool: session.Choice("dispatcher", Reload.No, ("io", false), ("pool", true)),
            Socket: listener.Choice<SessionSocket>("session-socket", Reload.No),
            ReceiveBuffer: listener.Size("session-receive-buffer", 4 << 10, 1 << 30, Reload.NewSessions),
            PeerIdleTimeoutMs: listener.Milliseconds(
                "peer-idle-timeout", Limit.Tick, PeerIdleMax, Reload.AtOnce, orInfinite: true),
            Identity: IdentitySection.Read(listener, Proof),
            Strays: ReadStrays(listener));
        var file = listener.Child("unix");
        UnixFile = new UnixFileOptions(
            file.Parsed("mode", Reload.No, UnixFileModes.Parse),
            AccountOf(file, "owner", "user", "passwd", UnixAccounts.TryUser),
            AccountOf(file, "group", "group", "group", UnixAccounts.TryGroup));
    }

    /// <summary>The session keeps 32 bits of when its peer last sent something: 49 days in milliseconds.</summary>
    private static readonly TimeSpan PeerIdleMax = TimeSpan.FromDays(30);

    private delegate bool TryAccount(string name, out int id);

    public SectionReader Section { get; }

    public string Name => Section.Name;

    /// <summary>At least one, in the order of the file.</summary>
    public IReadOnlyList<BindOptions> Binds { get; }

    public string Route { get; }

    public int Backlog { get; }

    public int ReceiveBuffer { get; }

    public int SendBuffer { get; }

    public bool DualStack { get; }

    public KeepAliveOptions KeepAlive { get; }

    public SessionSettings Sessions { get; }

    /// <summary>Of identities, whether its sessions have one or not.</summary>
    public IdentityProof Proof { get; }

    /// <summary>Of its unix sockets; the mode is negative where the text was no octal number.</summary>
    public UnixFileOptions UnixFile { get; }

    private static StraySettings? ReadStrays(SectionReader listener)
    {
        var isDirect = listener.Choice("return", Reload.NewSessions, ("ingress", false), ("direct", true));
        return listener.Choice("strays", Reload.NewSessions, ("new", false), ("relay", true))
            ? new StraySettings(isDirect)
            : null;
    }

    /// <summary>The number of a user or group; -1 for none. One whom the system does not know is a fault, if there is a
    /// socket for it to own.</summary>
    private int AccountOf(SectionReader file, string key, string kind, string database, TryAccount tryFind)
    {
        var id = -1;
        if (file.OptionalText(key, Reload.No) is { } name && Binds.Any(static bind => bind.IsUnix)
            && !tryFind(name, out id))
        {
            file.Fault(key, $"there is no {kind} '{name}' on this system: see 'getent {database}'");
        }

        return id;
    }
}

/// <param name="EndPoint">A numeric address; port 0 lets the kernel choose. Of a unix socket nothing.</param>
/// <param name="Origin">Where it is written.</param>
internal sealed record BindOptions(SessionTransport Transport, IPEndPoint EndPoint, HoconOrigin Origin)
{
    private static readonly IPEndPoint NoEndPoint = new(IPAddress.None, 0);

    /// <summary>Of a unix socket: its path, or '@' and its abstract name; null for IP.</summary>
    public string? Name { get; init; }

    public bool IsUnix => Name is not null;

    /// <summary>Whether datagrams of other machines reach it, whose source addresses may be forged.</summary>
    public bool IsOpenUdp =>
        Transport == SessionTransport.Udp && !IPAddress.IsLoopback(Endpoints.Plain(EndPoint.Address));

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
        if (UnixEndpoints.IsUnix(text))
        {
            fault = UnixEndpoints.Parse(text, out var kind, out var name);
            bind = new BindOptions(kind, NoEndPoint, origin) { Name = name };
        }
        else
        {
            fault = Endpoints.ParseBind(text, out var transport, out var endPoint);
            bind = new BindOptions(transport, endPoint, origin);
        }

        return fault;
    }

    /// <summary>As in the file: <c>udp://127.0.0.1:53</c>, <c>unix:///run/app.sock</c>.</summary>
    public override string ToString() =>
        $"{Transport.Scheme()}://{Name ?? EndPoint.ToString()}";
}
