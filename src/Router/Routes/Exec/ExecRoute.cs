using System.Globalization;
using Router.Admission;
using Router.Net;
using Router.Processes;
using Router.Sessions;

namespace Router.Routes;

/// <summary>What follows a child's exit while its session is open.</summary>
internal enum ExecRestart
{
    /// <summary>The session closes, whatever the exit status.</summary>
    Never,

    /// <summary>Status 0 closes the session; any other, or a signal, has a fresh child started.</summary>
    OnFailure,

    /// <summary>A fresh child, whatever the exit status.</summary>
    Always,
}

/// <summary>Settings of an <see cref="ExecRoute"/>. Immutable.</summary>
/// <param name="Command">The program's absolute path, then its arguments. Nothing of it comes from a peer.</param>
/// <param name="Directory">Where it starts, absolute.</param>
/// <param name="Environment"><c>NAME=value</c>, or <c>NAME</c> for one that the router has itself; besides the facts of
/// the session.</param>
/// <param name="MaxProcesses">Children of the route at once, over all loops.</param>
/// <param name="Grace">Between SIGTERM and SIGKILL once the session, or the child, has ended.</param>
/// <param name="Restart">What follows a child's exit; as often as the listener's max-restarts allows.</param>
/// <param name="ErrorLines">Lines of standard error a second that each child may have in the log.</param>
/// <param name="Limits">What each child may use.</param>
/// <param name="Validation">What a UDP peer must prove before a child is started for it.</param>
internal sealed record ExecRouteSettings(
    IReadOnlyList<string> Command,
    string Directory,
    IReadOnlyList<string> Environment,
    int MaxProcesses,
    TimeSpan Grace,
    ExecRestart Restart,
    int ErrorLines,
    ProcessLimits Limits,
    PeerValidation Validation);

/// <summary>A supervised child process for every session: what the peer sends is its standard input, what it writes is
/// sent to the peer.</summary>
internal sealed class ExecRoute(string name, ExecRouteSettings settings) : Route(name)
{
    private const int ReportIntervalMs = 1_000;

    private readonly string[] _environment = [.. settings.Environment.Select(VariableOf).OfType<string>()];
    private readonly Lock _reportLock = new();
    private long _reportedMs = -ReportIntervalMs;
    private long _unreported;

    public ExecRouteSettings Settings => settings;

    /// <summary>Children that are asked for, run, or are not waited for yet.</summary>
    internal SessionCount Processes { get; } = new(settings.MaxProcesses);

    /// <summary>
    /// A challenge does, and so may the child: an echo service elsewhere would return the one and feed the other.
    /// </summary>
    internal override bool AnswersByItself => true;

    internal override SessionHandler CreateHandler(SessionContext session) =>
        session.Stream is not null ? new ExecStreamHandler(this)
        : session.Packets is not null ? new ExecPacketHandler(this)
        : new ExecDatagramHandler(this);

    /// <summary>What is started for a session. Nothing in the facts is the peer's to choose but a unix socket's name,
    /// of which control characters, blanks and backslashes are written as \xNN.</summary>
    internal ProcessStart StartFor(SessionContext session) => new(
        settings.Command, settings.Directory,
        [.. _environment, .. session.PeerAddr.IsUnix ? UnixFactsOf(session) : FactsOf(session)],
        settings.Limits, session.Transport.KeepsMessages());

    private static string[] FactsOf(SessionContext session)
    {
        var local = session.LocalAddr.IsEmpty ? session.Shard.Address.Address : session.LocalAddr.Address;
        return
        [
            session.Transport == SessionTransport.Udp ? "PROTO=UDP" : "PROTO=TCP",
            $"REMOTE_ADDR={session.PeerAddr.Address}",
            string.Create(CultureInfo.InvariantCulture, $"REMOTE_PORT={session.PeerAddr.Port}"),
            $"LOCAL_ADDR={local}",
            string.Create(CultureInfo.InvariantCulture, $"LOCAL_PORT={session.Shard.Address.Port}"),
            $"SESSION_ID={session.Id}",
        ];
    }

    /// <summary>Names instead of addresses, no ports, and who the peer is.</summary>
    private static string[] UnixFactsOf(SessionContext session)
    {
        var credentials = session.PeerCredentials ?? default;
        return
        [
            $"PROTO={session.Transport.Scheme().ToUpperInvariant()}",
            $"REMOTE_ADDR={UnixAddress.NameOf(session.PeerAddr)}",
            string.Create(CultureInfo.InvariantCulture, $"REMOTE_PID={credentials.ProcessId}"),
            string.Create(CultureInfo.InvariantCulture, $"REMOTE_UID={credentials.UserId}"),
            string.Create(CultureInfo.InvariantCulture, $"REMOTE_GID={credentials.GroupId}"),
            $"LOCAL_ADDR={UnixAddress.NameOf(session.Shard.Address)}",
            $"SESSION_ID={session.Id}",
        ];
    }

    /// <summary>A name alone stands for the router's own value; null where it has none.</summary>
    private static string? VariableOf(string variable) =>
        variable.Contains('=', StringComparison.Ordinal) ? variable
        : Environment.GetEnvironmentVariable(variable) is { } value ? $"{variable}={value}"
        : null;

    /// <summary>Logs that a child could not be started, at most once a second for the route. Any loop.</summary>
    internal void ReportFailure(SessionContext session, int result)
    {
        long suppressed;
        lock (_reportLock)   // a failure to start, not the way of payloads
        {
            var now = session.Loop.NowMs;
            if (now - _reportedMs < ReportIntervalMs)
            {
                _unreported++;
                return;
            }

            (_reportedMs, suppressed, _unreported) = (now, _unreported, 0);
        }

        session.Shard.Events.ChildNotStarted(session, settings.Command[0], (Errno)(-result), suppressed);
    }
}

/// <summary>Counts the fresh children of one session within the listener's restart window.</summary>
internal struct ExecRestarts
{
    private long _windowStartMs;
    private int _count;

    /// <summary>Whether a child that ended so is followed by another.</summary>
    public static bool Wanted(ExecRestart restart, ProcessExit exit) => restart switch
    {
        ExecRestart.Always => true,
        ExecRestart.OnFailure => !exit.IsSuccess,
        _ => false,
    };

    /// <summary>Takes one restart, if the budget has any left.</summary>
    public bool TryTake(SessionContext session)
    {
        var settings = session.Shard.Settings;
        if (_count == 0 || session.Loop.NowMs - _windowStartMs >= settings.RestartWindow.TotalMilliseconds)
        {
            _windowStartMs = session.Loop.NowMs;
            _count = 0;
        }

        return ++_count <= settings.MaxRestarts;
    }

    /// <summary>How long until the window is over, at least 1 ms.</summary>
    public readonly TimeSpan UntilOver(SessionContext session) => TimeSpan.FromMilliseconds(Math.Max(
        1, _windowStartMs + session.Shard.Settings.RestartWindow.TotalMilliseconds - session.Loop.NowMs));
}
