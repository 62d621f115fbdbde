using Router.Admission;
using Router.Configuration;
using Router.Listeners;
using Router.Loop;
using Router.Net;
using Router.Sessions;

namespace Router.Running;

/// <summary>Turns validated options into what is to run.</summary>
internal sealed class RouterPlanner(RouterOptions options, ProgramParts parts, TimeProvider time)
{
    private readonly RouteEnvironment _environment = new(parts, time);

    /// <summary>The plan, or null and why not.</summary>
    public RouterPlan? Make(string source, out IReadOnlyList<string> faults)
    {
        foreach (var route in options.Routes.OrderBy(static route => route.Over is null ? 0 : 1))
        {
            if (route.Build(_environment) is { } made)
            {
                _environment.Routes.Add(made.Name, made);
            }
        }

        var files = options.Listeners.ToDictionary(static listener => listener, FileOf);
        faults = _environment.Faults;
        if (_environment.Faults.Count > 0)
        {
            return null;
        }

        return new RouterPlan(
            source,
            options.LoopCount,
            new IoLoopOptions(Pipes: options.Splice.Pipes, PipeBytes: options.Splice.PipeSize),
            options.Heap.PreparedSessions,
            options.Heap.SpareSessions,
            options.DrainTimeout,
            options.Log.StatsInterval == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : options.Log.StatsInterval,
            options.Log.SessionRecords,
            new PeerGuard(options.Guards.AnswerPrivilegedPorts, options.Guards.ResponderPorts),
            [.. options.Listeners.Select(listener =>
                MakeListener(listener, _environment.Routes[listener.Route], files[listener]))],
            _environment.Groups,
            _environment.Routes);
    }

    private static ListenerPlan MakeListener(ListenerOptions listener, Route route, UnixFileOptions? file) => new(
        listener.Name,
        [.. listener.Binds.Select(bind => MakeRequest(listener, bind, file))],
        route,
        new SessionSettings(
            (int)Milliseconds(listener.IdleTimeout),
            Milliseconds(listener.MaxLifetime),
            listener.MaxSessions,
            listener.Session.MailboxMessages,
            listener.Session.MailboxBytes,
            listener.WriteBuffer,
            listener.Session.MaxRestarts,
            listener.Session.RestartWindow,
            listener.Session.Dispatcher == SessionDispatcher.Pool,
            listener.SessionSocket));

    private static BindRequest MakeRequest(ListenerOptions listener, BindOptions bind, UnixFileOptions? file) => new(
        listener.Name,
        bind.Transport,
        bind.Address,
        listener.ReceiveBuffer,
        listener.SendBuffer,
        listener.Backlog,
        listener.DualStack,
        bind.Transport == SessionTransport.Udp && listener.SessionSocket == SessionSocket.Connected,
        bind.IsUnix ? file : null);

    /// <summary>0 stands for never.</summary>
    private static long Milliseconds(TimeSpan time) =>
        time == Timeout.InfiniteTimeSpan ? 0 : Math.Clamp((long)time.TotalMilliseconds, 1, int.MaxValue);

    /// <summary>The file's owner by number; one whom the system does not know is a fault.</summary>
    private UnixFileOptions? FileOf(ListenerOptions listener)
    {
        var choice = listener.Unix;
        if (!listener.Binds.Any(static bind => bind.IsUnix))
        {
            return null;
        }

        var (owner, group) = (-1, -1);
        if (choice.Owner is { } user && !UnixAccounts.TryUser(user, out owner))
        {
            RefuseOwner(listener, "owner", $"there is no user '{user}' on this system: see 'getent passwd'");
        }

        if (choice.Group is { } name && !UnixAccounts.TryGroup(name, out group))
        {
            RefuseOwner(listener, "group", $"there is no group '{name}' on this system: see 'getent group'");
        }

        return new UnixFileOptions(choice.Mode, owner, group);
    }

    private void RefuseOwner(ListenerOptions listener, string key, string why)
    {
        var fault = listener.Section.FaultAt($"unix.{key}", why);
        _environment.Faults.Add(fault.ToString());
    }
}
