using Router.Admission;
using Router.Configuration;
using Router.Listeners;
using Router.Sessions;

namespace Router.Running;

/// <summary>Turns validated options into what is to run.</summary>
internal sealed class RouterPlanner(RouterOptions options, ProgramParts parts, TimeProvider time)
{
    private readonly RouteEnvironment _environment = new(parts, time);

    /// <returns>Null exactly if there are faults, a line each.</returns>
    public RouterPlan? Make(out IReadOnlyList<string> faults)
    {
        foreach (var route in options.Routes.OrderBy(static route => route.InnerRoute is null ? 0 : 1))
        {
            if (Build(route) is { } made)
            {
                _environment.Routes.Add(made.Name, made);
            }
        }

        faults = _environment.Faults;
        return faults.Count > 0
            ? null
            : new RouterPlan(
                new PeerGuard(options.Guards.AnswerPrivilegedPorts, options.Guards.ResponderPorts),
                [.. options.Listeners.Select(listener => new ListenerPlan(
                    listener.Name,
                    [.. listener.Binds.Select(bind => MakeRequest(listener, bind))],
                    _environment.Routes[listener.Route],
                    listener.Sessions))],
                _environment.Groups,
                _environment.Routes);
    }

    /// <summary>What code of the program throws is a fault like any other, so that a reload is refused and what runs
    /// goes on.</summary>
    private Route? Build(RouteOptions route)
    {
        try
        {
            return route.Build(_environment);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return _environment.Refuse(route, $"cannot be made: {failure.Message.ReplaceLineEndings(" ")}");
        }
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
        bind.IsUnix ? listener.UnixFile : null,
        listener.KeepAlive);
}
