using System.Diagnostics.Metrics;
using Router.Diagnostics;
using Router.Loop;
using Router.Net;
using Router.Reporting;
using Router.Running;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Sessions;

namespace Router.Tests.Reporting;

/// <summary>The meter says what the stats line says, and docs/metrics.md lists it.</summary>
public sealed class RouterMeterTests
{
    [Fact]
    public void Every_instrument_is_listed_with_kind_and_unit_and_every_listed_one_exists()
    {
        using var loop = new IoLoop(0, new PlainNetwork { Poller = new NoPoller() }, TimeProvider.System, new());
        using var meter = new RouterMeter();
        Observe(meter, new ListenerStats());
        meter.Observe(static () => [new SinkFigures("stdout", 1, 2, 3)]);
        using var loops = new LoopMeter(meter, [loop], TimeProvider.System, static () => 0);
        new UpstreamMeter(meter.Meter, static () => [], TimeProvider.System).Observe();
        ProcessMeter.Observe(meter.Meter, static () => default, static () => 0);
        ClusterMeter.Observe(meter.Meter, fence: null, new NoRooms(), new NoRelay());
        MemberMeter.Observe(meter.Meter, static () => default);

        var instruments = Collect(meter, static _ => { });

        var listed = MetricsTable.Rows.Where(static row => row.IsOurs)
            .Select(static row => $"{row.Instrument} {row.Kind} {row.Unit}");
        Assert.Equal(listed.Order(), instruments.Select(Describe).Order());
        Assert.All(instruments, static instrument => Assert.EndsWith(".", instrument.Description));
    }

    [Fact]
    public void A_listeners_figures_are_observed_and_the_loops_are_asked_for_the_next()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler(), limits: new ListenerLimits { Backlog = 4 });
        var peers = Enumerable.Range(0, 7).Select(i => kit.TcpPeer($"192.0.2.7:{5000 + i}", to: listener)).ToList();
        peers.ForEach(static peer => peer.Send("hello"u8));
        kit.RunUntilIdle();
        peers[0].Reset();
        kit.RunUntilIdle();
        var asked = 0;
        var seen = new List<string>();
        var stats = new ListenerStats();
        foreach (var shard in listener.Shards)
        {
            stats.Assign(shard, listener.Name, "way");
        }

        using var meter = new RouterMeter();
        Observe(meter, stats, () => asked++);
        Collect(meter, seen.Add);

        Assert.Equal(1, asked);
        var tags = $"listener={listener.Name} route=way";
        Assert.Contains($"router.sessions=4 {tags}", seen);
        Assert.Contains("router.sessions.spare=7", seen);
        Assert.Contains($"router.sessions.closed=1 {tags} reason=reset", seen);
        Assert.Contains($"router.payloads=5 {tags} direction=in", seen);
        Assert.Contains($"router.io=25 {tags} direction=in", seen);
        Assert.Contains($"router.accept.backlog=4 {tags}", seen);
        Assert.Contains($"router.accept.overflows=2 {tags}", seen);
        Assert.Contains($"router.drops=2 {tags} reason=accept-queue-full", seen);
        Assert.DoesNotContain(
            seen, static figure => figure.StartsWith("router.accept.overflows.namespace", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_collection_has_figures_of_its_own()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler());
        var stats = new ListenerStats();
        stats.Assign(listener.Shards[0], "a", "b");
        using var meter = new RouterMeter();
        Observe(meter, stats);
        var seen = new List<string>();

        Collect(meter, seen.Add);
        kit.UdpPeer("192.0.2.7:5000", to: listener).Send("hello"u8);
        kit.RunUntilIdle();
        Collect(meter, seen.Add);

        Assert.Contains("router.sessions=0 listener=a route=b", seen);
        Assert.Contains("router.sessions=1 listener=a route=b", seen);
    }

    [Fact]
    public void What_is_counted_under_one_route_stays_there_when_the_listener_leads_to_another()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler());
        var peer = kit.UdpPeer("192.0.2.7:5000", to: listener);
        var stats = new ListenerStats();
        stats.Assign(listener.Shards[0], "a", "before");
        peer.Send("hello"u8);
        kit.RunUntilIdle();

        stats.Assign(listener.Shards[0], "a", "after");
        peer.Send("hi"u8);
        kit.RunUntilIdle();

        Assert.Equal(
            [("after", 2, 1), ("before", 5, 0)],
            stats.ReadByRoute().Select(static each => (each.Route, (int)each.BytesIn, each.Sessions)).Order());
        var sum = Assert.Single(stats.Read());
        Assert.Equal((7L, 1), (sum.BytesIn, sum.Sessions));
    }

    [Fact]
    public void Each_figure_of_a_member_is_observed_by_its_own_name()
    {
        using var meter = new RouterMeter();
        MemberMeter.Observe(
            meter.Meter, static () => new MemberFigures(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14));
        var seen = new List<string>();

        Collect(meter, seen.Add);

        Assert.Equal(
            [
                "router.checkpoints.failures=14", "router.checkpoints.lost=13", "router.checkpoints.queued=11",
                "router.checkpoints.written=12", "router.cluster.members=1",
                "router.cluster.unreachable=2", "router.identities.attached=3", "router.identities.attachments=6",
                "router.identities.detaches.lost=10", "router.identities.queue.dropped=9",
                "router.identities.queued=8", "router.identities.superseded=7", "router.identities.waiting=4",
                "router.identities=5",
            ],
            seen.Order(StringComparer.Ordinal));
    }

    private static void Observe(RouterMeter meter, ListenerStats stats, Action? refresh = null) =>
        meter.Observe(stats, static () => 7, new PlainNetwork(), refresh ?? (static () => { }));

    private static List<Instrument> Collect(RouterMeter meter, Action<string> onMeasured)
    {
        var instruments = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter, meter.Meter))
                {
                    instruments.Add(instrument);
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var text = string.Concat(tags.ToArray().Select(static tag => $" {tag.Key}={tag.Value}"));
            onMeasured($"{instrument.Name}={value}{text}");
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return instruments;
    }

    private static string Describe(Instrument instrument)
    {
        var kind = instrument.GetType().GetGenericTypeDefinition().Name switch
        {
            "ObservableCounter`1" => "counter",
            "ObservableUpDownCounter`1" => "up-down",
            "ObservableGauge`1" => "gauge",
            _ => "histogram",
        };
        return $"{instrument.Name} {kind} {instrument.Unit}";
    }

    private sealed class NoRelay : IRelaySpan
    {
        public RelayFigures Figures => default;
    }

    private sealed class NoRooms : IRoomSpan
    {
        public RoomSpanFigures Figures => default;

        public IRoomReach Open(string name, IRoomHearer room) => throw new NotSupportedException();
    }

    private sealed class NoPoller : IPoller
    {
        public int Add(IoSocket socket, IoReadiness interest) => 0;

        public void Modify(IoSocket socket, IoReadiness interest)
        {
        }

        public void Remove(IoSocket socket)
        {
        }

        public void Forget(IoSocket socket)
        {
        }

        public int Wait(int timeoutMs) => 0;

        public void Wake()
        {
        }

        public void Dispose()
        {
        }
    }

    /// <summary>A network that knows of no namespace.</summary>
    private sealed class PlainNetwork : INetwork
    {
        public string Name => "plain";

        public IPoller CreatePoller() => Poller!;

        public IPoller? Poller { get; init; }

        public int BindDatagram(
            in SocketAddr local,
            DatagramOptions options,
            out DatagramSocket? socket) => throw new NotSupportedException();

        public int ConnectDatagram(
            in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0) =>
            throw new NotSupportedException();

        public int Listen(
            in SocketAddr local,
            StreamListenOptions options,
            out StreamListener? socket) => throw new NotSupportedException();

        public int ConnectStream(in SocketAddr remote, out StreamSocket? socket) =>
            throw new NotSupportedException();
    }
}
