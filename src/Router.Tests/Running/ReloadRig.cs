using System.Collections.Frozen;
using System.Net;
using Router.Configuration;
using Router.Listeners;
using Router.Reporting;
using Router.Routes;
using Router.Running;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Diagnostics;
using Router.Tests.Upstreams;

namespace Router.Tests.Running;

/// <summary>A whole router from a configuration, in a kit: /user/router, its tree, and what is read again.</summary>
internal sealed class ReloadRig : IDisposable
{
    private readonly HashSet<Shard> _shards = [];
    private readonly IActorRef _router;
    private readonly Func<LoadResult> _read;
    private readonly StatsWriter _writer;
    private readonly Reloader _reloader;
    private string _text;

    public ReloadRig(
        string text,
        RouterTestKit? kit = null,
        Func<LoadResult>? read = null,
        int loops = 1,
        ProgramParts? parts = null,
        ScriptedResolver? resolver = null)
    {
        Resolver = resolver ?? new ScriptedResolver();
        _text = text;
        _read = read ?? (() => ConfigurationLoader.LoadText(
            RouteTypes.All, $"router.loops = {loops}\n{_text}", [], _ => null, []));
        Kit = kit ?? new RouterTestKit(loops: loops);
        var loaded = SetupLoader.Load(() => _read(), "test", parts ?? ProgramParts.None, Kit.Time);
        Assert.Empty(loaded.Faults);
        var setup = loaded.Setup!;
        Running = new RunningRouter(
            setup, new RouterSeams(Kit.Network, "a test", Kit.Time, Kit.Random), Kit.ListenerEnvironment, Log,
            Resolver);
        var bound = Running.Listeners.Bind(setup.Plan.Listeners.SelectMany(listener => listener.Binds), out var faults);
        Assert.Empty(faults);
        _writer = new StatsWriter(Log, Kit.Time, Kit.Network, new SessionSummary(Log, Kit.Time, 1_000), static () => 0);
        _reloader = new Reloader(Running);
        _router = Kit.Sys.ActorOf(RouterActor.PropsOf(Running, _reloader, _writer), "router");
        _router.Tell(
            Running.Commit(
                setup, FrozenSet<string>.Empty, FrozenDictionary<RunningBind, ListenerPlan>.Empty, bound, _router),
            ActorRefs.NoSender);
        Track();
        Kit.RunUntilIdle();
    }

    public RouterTestKit Kit { get; }

    public RunningRouter Running { get; }

    public LineLogger Log { get; } = new("Router", isText: true);

    public ScriptedResolver Resolver { get; }

    /// <summary>Lines of one event.</summary>
    public IReadOnlyList<string> LinesOf(string name) =>
        [.. Log.Lines.Where(line => line.Contains($" {name} ", StringComparison.Ordinal))];

    /// <summary>Has another text read, and waits for nothing.</summary>
    public Task<ReloadResult> Ask(string text, string cause = "SIGHUP")
    {
        _text = text;
        var result = _reloader.Queue.Ask(cause, out var isNew);
        if (isNew)
        {
            _router.Tell(new ReloadQueued(), ActorRefs.NoSender);
        }

        return result;
    }

    /// <summary>Has another text read, and runs until it is in force or refused.</summary>
    public ReloadResult Reload(string text)
    {
        var result = Ask(text);
        Kit.RunUntilIdle();
        Track();
        return ResultOf(result);
    }

    /// <summary>What a reload that has run came to.</summary>
    public static ReloadResult ResultOf(Task<ReloadResult> reload)
    {
        Assert.True(reload.IsCompleted);
        return reload.Result;
    }

    /// <summary>Reloads, and sees to it that nothing was wrong.</summary>
    public ReloadResult Apply(string text)
    {
        var result = Reload(text);
        Assert.Empty(result.Faults);
        return result;
    }

    /// <summary>As the engine does when it is told to stop.</summary>
    public void TellStop() => _router.Tell(new DrainListener(), ActorRefs.NoSender);

    public UdpPeer Peer(string endPoint, string to) => Kit.UdpPeer(endPoint, IPEndPoint.Parse(to));

    public TcpPeer Stream(string endPoint, string to) => Kit.TcpPeer(endPoint, IPEndPoint.Parse(to));

    public UdpPeer Echo(string endPoint)
    {
        var peer = Kit.UdpPeer(endPoint);
        peer.OnReceived = datagram => peer.SendTo(datagram.From, datagram.Payload);
        return peer;
    }

    public ListenerFigures FiguresOf(string listener) =>
        Running.Listeners.Stats.Read().Single(figures => figures.Listener == listener);

    /// <summary>Stops everything and confirms that nothing is left.</summary>
    public void AssertNothingLeftAfterStop()
    {
        Track();
        Kit.Stop();
        Running.Listeners.Release();
        Assert.Empty(Kit.OpenSessions);
        Assert.Equal(Kit.SessionsOpened, Kit.ClosedSessions.Count);
        Assert.Equal(0, Kit.Network.OpenSockets);
        Assert.All(Kit.Loops, loop => Assert.Equal((0, 0, 0), (loop.Buffers.Rented, loop.ArmedTimers, loop.Sockets)));
        Assert.All(_shards, shard => Assert.True(shard is not DatagramShard { Batch.IsDisposed: false }));
        Assert.All(_shards, shard => Assert.Equal((0, 0), (shard.SessionsOpen, shard.SessionCount.Count)));
    }

    public void Dispose()
    {
        Kit.Dispose();
        _writer.Dispose();
    }

    public void Track() => _shards.UnionWith(Running.Listeners.Binds.SelectMany(bind => bind.Shards));
}
