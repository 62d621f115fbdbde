using Router.Admission;
using Router.Configuration;
using Router.Listeners;
using Router.Sessions;

namespace Router.Running;

/// <summary>Turns validated options into what is to run.</summary>
internal sealed class RouterPlanner(RouterOptions options, ProgramParts parts, TimeProvider time)
{
    private readonly RouteEnvironment _environment = new(parts, time);

    /// <summary>The plan, or null and why not.</summary>
    public RouterPlan? Make(string source, out IReadOnlyList<string> faults)
    {
        foreach (var route in options.Routes.OrderBy(static route => route.InnerRoute is null ? 0 : 1))
        {
            if (route.Build(_environment) is { } made)
            {
                _environment.Routes.Add(made.Name, made);
            }
        }

        faults = _environment.Faults;
        if (_environment.Faults.Count > 0)
        {
            return null;
        }

        return new RouterPlan(
            source,
            options.LoopCount,
            options.Loop,
            options.Heap.PreparedSessions,
            options.Heap.SpareSessions,
            options.DrainTimeout,
            options.Log.StatsInterval == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : options.Log.StatsInterval,
            options.Log.SessionRecords,
            new PeerGuard(options.Guards.AnswerPrivilegedPorts, options.Guards.ResponderPorts),
            [.. options.Listeners.Select(listener => new ListenerPlan(
                listener.Name,
                [.. listener.Binds.Select(bind => MakeRequest(listener, bind))],
                _environment.Routes[listener.Route],
                listener.Sessions))],
            _environment.Groups,
            _environment.Routes);
    }

    private static BindRequest MakeRequest(ListenerOptions listener, BindOptions bind) => new(
        listener.Name,
        bind.Transport,
        bind.Address,
        listener.ReceiveBuffer,
        listener.SendBuffer,
        listener.Backlog,
        listener.DualStack,
        bind.Transport == SessionTransport.Udp && listener.Sessions.Socket == SessionSocket.Connected,
        bind.IsUnix ? listener.UnixFile : null);
}
