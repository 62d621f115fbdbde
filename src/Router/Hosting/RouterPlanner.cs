using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using Router.Admission;
using Router.Configuration;
using Router.Listeners;
using Router.Loop;
using Router.Net;
using Router.Processes;
using Router.Routes;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Hosting;

/// <summary>
/// Turns validated options into what is to run: each folder gets its own small settings, none sees the configuration.
/// </summary>
internal sealed partial class RouterPlanner(
    RouterOptions options, IReadOnlyDictionary<string, Func<SessionHandler>> handlers, TimeProvider time,
    RouterParts parts)
{
    /// <summary>
    /// How long one round of name resolution may take; resolvers give up later (resolv.conf(5): 5 s a try).
    /// </summary>
    private static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Between two resolutions of the name of a collect route's upstream.</summary>
    private static readonly TimeSpan ResolveInterval = TimeSpan.FromSeconds(30);

    /// <summary>How long an upstream that refused is only a last resort.</summary>
    private static readonly TimeSpan FailTimeout = TimeSpan.FromSeconds(10);

    private readonly List<string> _faults = [];
    private readonly Dictionary<string, UpstreamGroup> _groups = new(StringComparer.Ordinal);

    /// <summary>The plan, or null and why not.</summary>
    public RouterPlan? Make(string source, out IReadOnlyList<string> faults)
    {
        var routes = options.Routes
            .Where(static route => route is not FlowRouteOptions)
            .Select(MakeRoute)
            .OfType<Route>()
            .ToDictionary(static route => route.Name, StringComparer.Ordinal);
        foreach (var flow in options.Routes.OfType<FlowRouteOptions>())
        {
            if (MakeFlow(flow, routes.GetValueOrDefault(flow.Route)) is { } route)
            {
                routes.Add(route.Name, route);
            }
        }

        var files = options.Listeners.ToDictionary(static listener => listener, FileOf);
        faults = _faults;
        if (_faults.Count > 0)
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
            [.. options.Listeners.Select(listener => MakeListener(listener, routes[listener.Route], files[listener]))],
            _groups,
            routes);
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
            SocketOf(listener.SessionSocket)));

    private static SessionSocket SocketOf(SessionSocketChoice choice) => choice switch
    {
        SessionSocketChoice.Connected => SessionSocket.Connected,
        SessionSocketChoice.OwnPort => SessionSocket.OwnPort,
        _ => SessionSocket.Shared,
    };

    private static BindRequest MakeRequest(ListenerOptions listener, BindOptions bind, UnixFileOptions? file) => new(
        listener.Name,
        TransportOf(bind),
        AddressOf(bind),
        listener.ReceiveBuffer,
        listener.SendBuffer,
        listener.Backlog,
        listener.DualStack,
        bind.Transport == Transport.Udp && listener.SessionSocket == SessionSocketChoice.Connected,
        bind.IsUnix ? file : null);

    /// <summary>0 stands for never.</summary>
    private static long Milliseconds(TimeSpan time) =>
        time == Timeout.InfiniteTimeSpan ? 0 : Math.Clamp((long)time.TotalMilliseconds, 1, int.MaxValue);

    private Route? MakeRoute(RouteOptions route) => route switch
    {
        EchoRouteOptions echo => new EchoRoute(echo.Name),
        ReplyRouteOptions reply => MakeReply(reply),
        ProxyRouteOptions proxy => MakeProxy(proxy),
        ExecRouteOptions exec => MakeExec(exec),
        HandlerRouteOptions handler => MakeHandler(handler),
        ActorRouteOptions actor => MakeActor(actor),
        CollectRouteOptions collect => MakeCollect(collect),
        RoomRouteOptions room => MakeRoom(room),
        _ => Refuse(route, $"has a type that is not known here: {route.GetType().Name}"),
    };

    private static ReplyRoute MakeReply(ReplyRouteOptions reply) => new(
        reply.Name,
        new ReplyTemplate(reply.Parts.Select(static part => part.Field switch
        {
            ReplyField.Peer => Routes.ReplyPart.Peer,
            ReplyField.Time => Routes.ReplyPart.Time,
            ReplyField.Count => Routes.ReplyPart.Count,
            _ => Routes.ReplyPart.Of(part.Literal.ToArray()),
        })));

    /// <summary>Null if the route it names was refused itself, or is a handler that knows no flows.</summary>
    private Route? MakeFlow(FlowRouteOptions flow, Route? inner)
    {
        if (inner is null || (inner is HandlerRoute handler && !MakesFlowHandlers(flow, handler)))
        {
            return null;
        }

        return new FlowRoute(flow.Name, inner, new FlowRouteSettings(
            flow.Join == FlowJoinChoice.Token ? FlowJoin.Token : FlowJoin.Address,
            flow.KeepToken,
            flow.MaxFlows,
            flow.JoinTimeout,
            flow.EndWithLastFlow), RandomSource.System);
    }

    /// <summary>Made once to see: a factory does not tell what it makes.</summary>
    private bool MakesFlowHandlers(FlowRouteOptions flow, HandlerRoute handler)
    {
        if (handler.Makes<FlowHandler>())
        {
            return true;
        }

        Refuse(flow, $"route '{handler.Name}' makes handlers that are no FlowHandler");
        return false;
    }

    private Route? MakeHandler(HandlerRouteOptions route)
    {
        if (route.HandlerName is { } name)
        {
            return handlers.TryGetValue(name, out var create)
                ? new HandlerRoute(route.Name, create)
                : Refuse(
                    route, $"names handler '{name}', which the program did not add; added: {Listed(handlers.Keys)}");
        }

        return FindClass<SessionHandler>(route, route.Class!) is { } made ? new HandlerRoute(route.Name, made) : null;
    }

    /// <summary>What makes instances of a class that the configuration names; null if that is a fault.</summary>
    private Func<T>? FindClass<T>(RouteOptions route, string name)
        where T : class
    {
        var type = Type.GetType(name, LoadBesideProgram, typeResolver: null, throwOnError: false);
        if (type is null)
        {
            Refuse(route, $"class '{name}' is not found; write it as 'Namespace.Type, Assembly'");
            return null;
        }

        if (!type.IsSubclassOf(typeof(T)) || type.IsAbstract || type.GetConstructor(Type.EmptyTypes) is null)
        {
            Refuse(route, $"class '{name}' is no {typeof(T).Name} with a public constructor without parameters");
            return null;
        }

        return () => (T)Activator.CreateInstance(type)!;
    }

    /// <summary>Assemblies with handlers lie beside the program, which was built without knowing them.</summary>
    private static Assembly? LoadBesideProgram(AssemblyName name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, name.Name + ".dll");
        try
        {
            return File.Exists(path) ? AssemblyLoadContext.Default.LoadFromAssemblyPath(path) : Assembly.Load(name);
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            return null;   // reported as a class that is not found
        }
    }

    private static string Listed(IEnumerable<string> names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal)) is { Length: > 0 } list ? list : "none";

    private Route? Refuse(RouteOptions route, string why)
    {
        _faults.Add($"{route.Section.Origin}: router.routes.{route.Name}: {why}");
        return null;
    }

    private ProxyRoute MakeProxy(ProxyRouteOptions proxy)
    {
        var targets = proxy.Upstreams.Select(static upstream => new UpstreamTarget(
            upstream.Unix is null ? upstream.Host : upstream.ToString(), upstream.Port));
        var group = new UpstreamGroup(
            new UpstreamGroupSettings(
                proxy.Name, [.. targets], proxy.ResolveInterval, ResolveTimeout, FailTimeout), time);
        return new ProxyRoute(proxy.Name, new ProxyRouteSettings(
            group,
            PolicyOf(proxy.Pick),
            proxy.Responses,
            proxy.ConnectTimeout,
            proxy.UpstreamIdleTimeout,
            proxy.NextUpstreamTries,
            proxy.UpstreamReplies == UpstreamReplies.Follow,
            RemovalOf(proxy.OnUpstreamRemoved)));
    }

    private static ExecRoute MakeExec(ExecRouteOptions exec)
    {
        var limits = exec.Limits;
        var cpuSeconds = limits.CpuTime == Timeout.InfiniteTimeSpan ? 0 : (long)limits.CpuTime.TotalSeconds;
        return new ExecRoute(exec.Name, new ExecRouteSettings(
            exec.Command,
            exec.Directory,
            [.. exec.Environment.Select(VariableOf).OfType<string>()],
            exec.MaxProcesses,
            exec.Grace,
            exec.Restart switch
            {
                RestartChoice.OnFailure => ExecRestart.OnFailure,
                RestartChoice.Always => ExecRestart.Always,
                _ => ExecRestart.Never,
            },
            exec.StderrLines,
            new ProcessLimits(cpuSeconds, limits.Memory, limits.FileSize, limits.OpenFiles),
            ValidationOf(exec.Proof)));
    }

    /// <summary>What a route asks of its UDP peers.</summary>
    private static PeerValidation ValidationOf(ProofOptions proof) => new(
        proof.Validate switch
        {
            ProofChoice.Token => PeerProof.Token,
            ProofChoice.None => PeerProof.None,
            _ => PeerProof.RoundTrip,
        },
        Encoding.UTF8.GetBytes(proof.Token ?? ""),
        proof.AllowUnvalidated,
        proof.ValidateTimeout,
        RandomSource.System);

    /// <summary>A name alone stands for the router's own value; null where it has none.</summary>
    private static string? VariableOf(string variable)
    {
        if (variable.Contains('=', StringComparison.Ordinal))
        {
            return variable;
        }

        return Environment.GetEnvironmentVariable(variable) is { } value ? $"{variable}={value}" : null;
    }

    private static Routes.UpstreamRemoval RemovalOf(Configuration.UpstreamRemoval removal) => removal switch
    {
        Configuration.UpstreamRemoval.Close => Routes.UpstreamRemoval.Close,
        Configuration.UpstreamRemoval.RePick => Routes.UpstreamRemoval.RePick,
        _ => Routes.UpstreamRemoval.Finish,
    };

    private static Upstreams.PickPolicy PolicyOf(Configuration.PickPolicy pick) => pick switch
    {
        Configuration.PickPolicy.LeastSessions => Upstreams.PickPolicy.LeastSessions,
        Configuration.PickPolicy.Hash => Upstreams.PickPolicy.Hash,
        _ => Upstreams.PickPolicy.RoundRobin,
    };
}
