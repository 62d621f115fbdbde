using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Router.Cluster.Members;
using Router.Configuration;
using Router.Loop;
using Router.Net;
using Router.Routes;
using Router.Running;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Benchmarks;

/// <summary>What identities cost: attachments a second over members that are actor systems of this process, on real
/// remoting, their latency, and the heap that one takes. Sessions are stood for by actors that do nothing else. See
/// bench/identities.sh.</summary>
internal sealed class IdentityBench(int members, int identities, TextWriter output)
{
    private readonly List<(ActorSystem System, ClusterMember Member)> _members = [];
    private ulong _session;

    public async Task RunAsync()
    {
        for (var i = 0; i < members; i++)
        {
            Start();
        }

        await WaitAsync(() => _members.TrueForAll(each => each.Member.Table.Count == members), "the members");
        await AttachAsync("while members are asked, as in the first 10 s and after a death", 3_000, inFlight: 32);
        await WaitAsync(
            () => _members.TrueForAll(static each => each.Member.Table.Age > TimeSpan.FromSeconds(11)), "ten seconds");
        GC.Collect();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var ended = await AttachAsync("rate", identities, inFlight: 64);
        var attached = GC.GetTotalMemory(forceFullCollection: true);
        await AttachAsync("latency", identities / 20, inFlight: 1);
        foreach (var some in ended.Chunk(500))   // all at once would measure the queues that they fill
        {
            foreach (var (id, hub) in some)
            {
                hub.Tell(new EndSession(id, 0, default));
            }

            await WaitAsync(
                () => _members.TrueForAll(static each => each.Member.Figures.Waiting == 0), "the ends");
        }

        var detached = GC.GetTotalMemory(forceFullCollection: true);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"heap: {(attached - before) / identities} B an identity and its session's place in the hub, " +
            $"{(detached - before) / identities} B an identity alone, without a checkpoint"));
        foreach (var (system, _) in _members)
        {
            await system.Terminate();
        }
    }

    private static async Task WaitAsync(Func<bool> condition, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > TimeSpan.FromMinutes(2))
            {
                throw new TimeoutException($"{what} are not there");
            }

            await timer.WaitForNextTickAsync();
        }
    }

    private void Start()
    {
        var seed = _members.Count == 0 ? "" : $"\"{_members[0].Member.Table.Self}\"";
        var read = ConfigurationLoader.LoadText(
            RouteTypes.All,
            $$"""
            router {
              cluster { port = 0, seeds = [{{seed}}] }
              listeners.l { bind = "udp://127.0.0.1:0", route = r }
              routes.r { type = echo }
            }
            """,
            [], static _ => null, []);
        var options = read.Options!.Cluster!;
        var system = ActorSystemSettings.Create("router", TimeProvider.System, null, options);
        system.Settings.InjectTopLevelFallback(ConfigurationFactory.ParseString(SessionMailbox.Setting));
        var fence = new Fence(BootClock.For(TimeProvider.System));
        var member = new ClusterMember(
            system, options, TimeProvider.System, fence, RandomSource.System, NullLogger.Instance);
        member.Join(TimeProvider.System, new SystemNameResolver());
        _members.Add((system, member));
    }

    /// <returns>The sessions, with the hub of each.</returns>
    private async Task<List<(SessionId Id, IActorRef Hub)>> AttachAsync(string what, int count, int inFlight)
    {
        var tally = new Tally(count, $"{what}-");
        var (cpu, start) = (Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
        foreach (var (system, member) in _members)
        {
            for (var i = 0; i < inFlight; i++)
            {
                var first = ++_session << 32;
                system.ActorOf(Props.Create(() => new Asker(tally, member.Hub, first)));
            }
        }

        await tally.Done.Task.WaitAsync(TimeSpan.FromMinutes(5));
        var took = TimeProvider.System.GetElapsedTime(start);
        var used = Environment.CpuUsage.TotalTime - cpu;
        lock (tally)
        {
            tally.LatenciesUs.Sort();
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{what}: {count / took.TotalSeconds:0} attachments/s over {members} members, {inFlight} in flight " +
                $"at each; p50 {tally.LatenciesUs[count / 2] / 1e3:0.00} ms, p99 " +
                $"{tally.LatenciesUs[count * 99 / 100] / 1e3:0.00} ms; " +
                $"{used.TotalMicroseconds / count:0.0} us CPU each"));
            return tally.Sessions;
        }
    }

    private sealed class Tally(int count, string prefix)
    {
        private int _asked;

        public List<double> LatenciesUs { get; } = new(count);

        public List<(SessionId, IActorRef)> Sessions { get; } = new(count);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <returns>Null when enough have been asked for.</returns>
        public string? Next() =>
            Interlocked.Increment(ref _asked) is var next && next <= count ? $"{prefix}{next:D8}" : null;

        public void Add(TimeSpan took, SessionId id, IActorRef hub)
        {
            lock (this)
            {
                LatenciesUs.Add(took.TotalMicroseconds);
                Sessions.Add((id, hub));
                if (LatenciesUs.Count == count)
                {
                    Done.TrySetResult();
                }
            }
        }
    }

    /// <summary>Has one session after the other attached.</summary>
    private sealed class Asker : ReceiveActor
    {
        private readonly Tally _tally;
        private readonly IActorRef _hub;
        private readonly ulong _first;
        private ulong _asked;
        private long _askedAt;

        public Asker(Tally tally, IActorRef hub, ulong first)
        {
            (_tally, _hub, _first) = (tally, hub, first);
            Receive<IdentityAttached>(_ =>
            {
                _tally.Add(TimeProvider.System.GetElapsedTime(_askedAt), Id, _hub);
                Ask();
            });
            ReceiveAny(static _ => { });
        }

        private SessionId Id => new(_first, _asked);

        protected override void PreStart() => Ask();

        private void Ask()
        {
            if (_tally.Next() is { } identity)
            {
                _asked++;
                _askedAt = TimeProvider.System.GetTimestamp();
                _hub.Tell(new AttachSession(Self, Id, identity, "192.0.2.7:5000", 60_000));
            }
        }
    }
}
