using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using Router.Loop;
using Router.Running;

namespace Router.Hosting;

/// <summary>Tells the service manager that started this process, systemd, how the router stands: sd_notify(3). Where
/// the manager asks for it, it feeds the manager's watchdog as long as all loops turn.</summary>
/// <remarks>Any thread. A manager that cannot be told is left alone: it acts by its own time-outs.</remarks>
internal sealed class ServiceManager : IDisposable
{
    private const string SocketVariable = "NOTIFY_SOCKET";
    private const string WatchdogVariable = "WATCHDOG_USEC";
    private const string WatchdogProcessVariable = "WATCHDOG_PID";

    /// <summary>What a stop takes besides the drain: children, files, the actor system.</summary>
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(20);

    private readonly Action<ServiceState> _tell;
    private readonly TimeProvider _time;
    private LoopWatch? _watch;

    /// <param name="tell">Sends to the manager.</param>
    /// <param name="time">The clock; its timestamps are of CLOCK_MONOTONIC.</param>
    internal ServiceManager(Action<ServiceState> tell, TimeProvider time) => (_tell, _time) = (tell, time);

    /// <returns>Null without a manager that wants to be told.</returns>
    public static ServiceManager? Find(TimeProvider time) =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable(SocketVariable)) ? null : Make(time);

    /// <summary>The time within which the watchdog has to be fed; null where there is none, or it is another
    /// process's.</summary>
    internal static TimeSpan? WatchdogOf(Func<string, string?> variable, int process)
    {
        var isOurs = variable(WatchdogProcessVariable) is not { Length: > 0 } pid
            || pid == process.ToString(CultureInfo.InvariantCulture);
        var isSet = long.TryParse(
            variable(WatchdogVariable), NumberStyles.None, CultureInfo.InvariantCulture, out var micros);
        return isOurs && isSet && micros > 0
            ? TimeSpan.FromMicroseconds(micros)
            : null;
    }

    /// <summary>Everything listens.</summary>
    public void Ready(RouterEngine engine, ILogger log)
    {
        engine.OnDraining = Stopping;
        if (WatchdogOf(Environment.GetEnvironmentVariable, Environment.ProcessId) is { } interval)
        {
            StartWatchdog(engine.Loops, interval, log);
        }

        Tell($"READY=1\nSTATUS=listens at {engine.Bound.Count} addresses");
    }

    /// <summary>Runs a reload, which the manager waits for.</summary>
    public async Task ReloadAsync(Func<Task<ReloadResult>> reload)
    {
        var now = _time.GetElapsedTime(0, _time.GetTimestamp());
        Tell(string.Create(
            CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={now.Ticks / TimeSpan.TicksPerMicrosecond}"));
        var result = await reload().ConfigureAwait(false);
        var status = result.IsApplied ? "" : "\nSTATUS=the file was refused, the configuration of before is in force";
        Tell($"READY=1{status}");
    }

    /// <summary>The router drains.</summary>
    /// <param name="sessions">Open now.</param>
    /// <param name="drainTimeout">The longest that it may take; the manager is asked for it, whatever its own limit.
    /// </param>
    public void Stopping(int sessions, TimeSpan drainTimeout)
    {
        var micros = (drainTimeout + StopMargin).Ticks / TimeSpan.TicksPerMicrosecond;
        Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"STOPPING=1\nEXTEND_TIMEOUT_USEC={micros}\nSTATUS=drains {sessions} sessions"));
    }

    public void Dispose() => _watch?.Dispose();

    /// <summary>Four looks an interval. A loop counts as turning until two of them have found it late, so that a
    /// stalled one is ended after one to one and a half intervals.</summary>
    internal void StartWatchdog(IReadOnlyList<IoLoop> loops, TimeSpan interval, ILogger log)
    {
        _watch = new LoopWatch(loops, TimeSpan.MaxValue, interval / 4, _time, static _ => null, log);
        _watch.OnLook = () =>
        {
            if (_watch.OldestTurn <= interval / 2)
            {
                Tell("WATCHDOG=1");
            }
        };
    }

    /// <summary>A method of its own: without a manager the library is not loaded.</summary>
    private static ServiceManager Make(TimeProvider time) => new(new SystemdNotifier().Notify, time);

    private void Tell(string state)
    {
        try
        {
            _tell(new ServiceState(state));
        }
        catch (SocketException)
        {
            // Its socket is gone: nobody is there to be told, and the router goes on.
        }
    }
}
