using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Hosting;
using Router.Loop;
using Router.Running;
using Router.Sessions;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;
using Router.Tests.Hosting;

namespace Router.Tests.Running;

/// <summary>A loop that does not turn is reported with what holds it.</summary>
public sealed class LoopWatchTests : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Stall = 4 * Period;

    private readonly VirtualTimeProvider _time = new();
    private readonly LineLogger _log = new("Router");
    private readonly IoLoop _loop;
    private readonly LoopWatch _watch;
    private TimeSpan _cpu;

    public LoopWatchTests()
    {
        _loop = new IoLoop(3, Network(_time), _time, new IoLoopOptions());
        _watch = new LoopWatch([_loop], Stall, Period, _time, _ => new ThreadFigures("running", _cpu), _log);
    }

    public void Dispose()
    {
        _watch.Dispose();
        _loop.Dispose();
    }

    [Fact]
    public void A_loop_that_turns_is_not_reported()
    {
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(Period);
            Assert.InRange(_watch.OldestTurn, TimeSpan.Zero, Period);
            _loop.RunOnce(block: false);
        }

        Assert.Empty(_log.Lines);
        Assert.Equal(0, _watch.Stalls);
    }

    [Fact]
    public void A_loop_that_does_not_is_reported_once_and_again_when_it_turns()
    {
        _time.Advance(Period);   // its pulse is sent here
        Advance(Stall - Period, cpuShare: 0.75);
        Assert.Empty(_log.Lines);

        Advance(Period, cpuShare: 0.75);
        var stalled = Assert.Single(_log.Lines);
        Assert.Contains(
            "\"event\":\"loop-stalled\",\"loop\":3,\"stalled-ms\":2000,\"handler\":null,\"session\":null,"
            + $"\"listener\":null,\"thread\":{_loop.ThreadId},\"state\":\"running\",\"cpu-percent\":75}}",
            stalled, StringComparison.Ordinal);
        Assert.Equal(Stall + Period, _watch.OldestTurn);

        Advance(10 * Stall, cpuShare: 0);
        Assert.Single(_log.Lines);
        Assert.Equal(1, _watch.Stalls);

        _loop.RunOnce(block: false);
        _time.Advance(Period);
        Assert.Contains("\"event\":\"loop-turns\",\"loop\":3,", _log.Lines[1], StringComparison.Ordinal);
        Advance(Stall, cpuShare: 0);
        Assert.Equal(2, _watch.Stalls);
    }

    /// <summary>As after SIGSTOP and SIGCONT, or a machine that was suspended.</summary>
    [Fact]
    public void A_watch_that_stood_still_itself_says_nothing_of_the_loop()
    {
        var clock = new JumpingClock();
        using var loop = new IoLoop(0, Network(new VirtualTimeProvider()), clock, new IoLoopOptions());
        using var watch = new LoopWatch([loop], Stall, Period, clock, static _ => null, _log);
        clock.FireAfter(Period);

        clock.FireAfter(TimeSpan.FromHours(1));
        Assert.Empty(_log.Lines);

        for (var passed = TimeSpan.Zero; passed < Stall; passed += Period)
        {
            clock.FireAfter(Period);
        }

        Assert.Contains("loop-stalled", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_look_is_told_of_until_the_watch_ends()
    {
        var looks = 0;
        _watch.OnLook = () => looks++;
        Advance(2 * Period, cpuShare: 0);
        Assert.Equal(2, looks);

        _watch.Dispose();
        Advance(2 * Period, cpuShare: 0);
        Assert.Equal(2, looks);
    }

    [Theory]
    [InlineData("7 (router-loop-0) R 1 7 7 0 -1 64 9 8 7 6 150 50 0 0 20 0", "running", 2_000)]
    [InlineData("7 (a) S 9 (b) D 1 7 7 0 -1 64 9 8 7 6 1 2 0 0 20 0", "disk", 30)]
    [InlineData("7 (a) S 1 7 7 0 -1 64 9 8 7 6 0 0", "sleeping", 0)]
    public void A_threads_line_is_read_behind_its_name(string line, string state, int cpuMs) =>
        Assert.Equal(new ThreadFigures(state, TimeSpan.FromMilliseconds(cpuMs)), ThreadFigures.Parse(line));

    [Fact]
    public void A_line_that_is_short_or_a_thread_that_is_not_there_says_nothing()
    {
        Assert.Null(ThreadFigures.Parse("7 (a) S 1"));
        Assert.Null(ThreadFigures.Parse("7 (a) S 1 7 7 0 -1 64 9 8 7 6 x 0"));
        Assert.Null(ThreadFigures.Read(0));
        Assert.Null(ThreadFigures.Read(int.MaxValue));
    }

    [Fact]
    public void The_schedulers_times_are_read_in_nanoseconds()
    {
        Assert.Equal(
            new ThreadTimes(TimeSpan.FromMilliseconds(1500), TimeSpan.FromMicroseconds(20)),
            ThreadTimes.Parse("1500000000 20000 77\n"));
        Assert.Null(ThreadTimes.Parse("1500000000"));
        Assert.Null(ThreadTimes.Read(0));
    }

    [Fact]
    public async Task A_handler_that_blocks_its_loop_is_named()
    {
        using var file = new TextFile("""
            router {
              loops = 1
              stall-timeout = 100ms
              listeners.slow { bind = "udp://127.0.0.1:0", route = block }
              routes.block { type = handler, name = block }
            }
            """);
        using var end = new ManualResetEventSlim();
        using var log = new EventLog();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddSingleton(end);
        builder.Services.AddRouter(file.Path, router => router.AddHandler<BlockingHandler>("block"));
        using var host = builder.Build();
        await host.StartAsync();
        var engine = host.Services.GetServices<IHostedService>().OfType<RouterService>().Single().Engine!;
        using var client = new UdpClient();
        var address = engine.Bound[0].Address.ToIPEndPoint();
        await client.SendAsync("block"u8.ToArray(), new IPEndPoint(address.Address, address.Port));

        await log.Seen("loop-stalled").WaitAsync(TimeSpan.FromSeconds(20));
        var said = log.Texts("loop-stalled")[0];
        Assert.Contains($"handler {typeof(BlockingHandler).FullName}, session ", said, StringComparison.Ordinal);
        Assert.Contains(", listener slow, thread ", said, StringComparison.Ordinal);

        end.Set();
        await log.Seen("loop-turns").WaitAsync(TimeSpan.FromSeconds(20));
        await host.StopAsync();
    }

    private static SimulatedNetwork Network(VirtualTimeProvider time) => new(time, new SeededRandom(1));

    private void Advance(TimeSpan time, double cpuShare)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += Period)
        {
            _cpu += Period * cpuShare;
            _time.Advance(Period);
        }
    }

    private sealed class BlockingHandler(ManualResetEventSlim end) : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch) => end.Wait();
    }

    /// <summary>Its one timer fires when the test says so, however late.</summary>
    private sealed class JumpingClock : TimeProvider, ITimer
    {
        private TimerCallback? _callback;
        private object? _state;
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_callback, _state) = (callback, state);
            return this;
        }

        public void FireAfter(TimeSpan time)
        {
            _now += time.Ticks;
            _callback!(_state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
