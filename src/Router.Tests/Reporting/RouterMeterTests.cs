using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Router.Diagnostics;
using Router.Net;
using Router.Reporting;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Sessions;
using Router.Tests.Tidy;

namespace Router.Tests.Reporting;

/// <summary>The meter says what the stats line says, and docs/metrics.md lists it.</summary>
public sealed partial class RouterMeterTests
{
    [Fact]
    public void Every_instrument_is_listed_with_kind_and_unit_and_every_listed_one_exists()
    {
        using var meter = new RouterMeter(
            new ListenerStats(), static () => 0, fence: null, new PlainNetwork(), static () => { }, new NoRooms(),
            static () => [new SinkFigures("stdout", 1, 2, 3)]);
        meter.Observe(new NoRelay());
        var instruments = Collect(static _ => { });

        var listed = Row().Matches(Repository.Read("docs/metrics.md"))
            .Select(static row => $"{row.Groups[1]} {row.Groups[2]} {row.Groups[3]}");
        Assert.Equal(listed.Order(), instruments.Select(Describe).Distinct().Order());
    }

    [Fact]
    public void A_listeners_figures_are_observed_and_the_loops_are_asked_for_the_next()
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindTcp(() => new ScriptHandler(), limits: new ListenerLimits { Backlog = 4 });
        for (var i = 0; i < 7; i++)
        {
            kit.TcpPeer($"192.0.2.7:{5000 + i}", to: listener).Send("hello"u8);
        }

        kit.RunUntilIdle();
        var asked = 0;
        var seen = new List<string>();
        var stats = new ListenerStats();
        foreach (var shard in listener.Shards)
        {
            stats.Assign(shard, listener.Name);
        }

        using var meter = new RouterMeter(stats, static () => 7, fence: null, new PlainNetwork(), () => asked++);
        Collect(seen.Add);

        Assert.Equal(1, asked);
        Assert.Contains($"router.sessions=5 listener={listener.Name}", seen);
        Assert.Contains("router.sessions.spare=7", seen);
        Assert.Contains($"router.payloads.in=5 listener={listener.Name}", seen);
        Assert.Contains($"router.bytes.in=25 listener={listener.Name}", seen);
        Assert.Contains($"router.accept.backlog=4 listener={listener.Name}", seen);
        Assert.Contains($"router.accept.overflows=2 listener={listener.Name}", seen);
        Assert.Contains($"router.drops=2 listener={listener.Name} reason=accept-queue-full", seen);
        Assert.Contains("router.accept.overflows.namespace=-1", seen);
    }

    /// <summary>Of whatever meters of that name there are: other tests may run routers meanwhile.</summary>
    private static List<Instrument> Collect(Action<string> onMeasured)
    {
        var instruments = new List<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == RouterMeter.Name)
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

    private static string Describe(Instrument instrument) =>
        $"{instrument.Name} {(instrument is ObservableCounter<long> ? "counter" : "up-down")} {instrument.Unit}";

    [GeneratedRegex(@"^\| `([a-z.]+)` \| ([a-z-]+) \| `([^`]+)` \|", RegexOptions.Multiline, 1000)]
    private static partial Regex Row();

    private sealed class NoRelay : IRelaySpan
    {
        public RelayFigures Figures => default;
    }

    private sealed class NoRooms : IRoomSpan
    {
        public RoomSpanFigures Figures => default;

        public IRoomReach Open(string name, IRoomHearer room) => throw new NotSupportedException();
    }

    /// <summary>A network that knows of no namespace.</summary>
    private sealed class PlainNetwork : INetwork
    {
        public string Name => "plain";

        public IPoller CreatePoller() => throw new NotSupportedException();

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
