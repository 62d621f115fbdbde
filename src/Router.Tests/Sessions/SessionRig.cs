using System.Net;
using Router.Loop;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.TestKit.Simulation;
using Router.Tests.Loop;

namespace Router.Tests.Sessions;

/// <summary>A shard without sockets or actors, for what is tested beneath them.</summary>
internal sealed class SessionRig : IDisposable
{
    private readonly BareShard _shard;

    public SessionRig(ulong seed = 1)
    {
        Random = new SeededRandom(seed);
        Time = new VirtualTimeProvider();
        Network = new SimulatedNetwork(Time, Random.Fork());
        Loop = new IoLoop(0, Network, Time, new IoLoopOptions());
        var settings = new SessionSettings(
            IdleTimeoutMs: 1_000, MaxLifetimeMs: 0, MaxSessions: 1_000_000, MailboxMessages: 16, MailboxBytes: 65_536,
            WriteBuffer: 65_536, MaxRestarts: 5, RestartWindow: TimeSpan.FromMinutes(1), OnPool: false);
        Table = new SessionTable(Random.Fork());
        _shard = new BareShard(Table, new ShardSetup(
            new ShardConfiguration("rig", new EchoRoute("echo"), settings, new SessionCount(1_000_000)),
            Loop,
            new SessionIdSource(7, 0),
            new SpareSessions(Loop, limit: 8, prepared: 0),
            Random,
            new Silent()));
    }

    public SeededRandom Random { get; }

    public VirtualTimeProvider Time { get; }

    public SimulatedNetwork Network { get; }

    public IoLoop Loop { get; }

    public Shard Shard => _shard;

    /// <summary>The shard's sessions.</summary>
    public SessionTable Table { get; }

    public SessionContext Session(in SocketAddr peer, in LocalAddr local = default) =>
        SessionStart.ForPeer(_shard, SessionTransport.Udp, peer, local);

    public void RunOnLoop(Action step)
    {
        Loop.Enqueue(new IoLoopContract.Run(step));
        Loop.RunOnce(block: false);
    }

    public static SocketAddr At(string endPoint) => SocketAddr.From(IPEndPoint.Parse(endPoint));

    public void Dispose() => Loop.Dispose();

    private sealed class BareShard(SessionTable table, ShardSetup setup) : Shard(setup)
    {
        public override bool IsSocketClosed => true;

        public override SessionList OpenSessions => table.Sessions;

        public override void Release()
        {
        }

        public override void OnClosing(SessionContext session)
        {
        }
    }

    private sealed class Silent : ISessionEvents
    {
        public DateTimeOffset Now => DateTimeOffset.UnixEpoch;

        public void Opened(SessionContext session)
        {
        }

        public void Restarted(SessionContext session, Exception reason, long suppressed)
        {
        }

        public void Failed(SessionContext session, Exception reason, long suppressed)
        {
        }

        public void EndFailed(SessionContext session, Exception reason, long suppressed)
        {
        }

        public void Closed(SessionContext session, Router.Diagnostics.CloseReason reason)
        {
        }
    }
}
