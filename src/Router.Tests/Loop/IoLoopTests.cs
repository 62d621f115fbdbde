using Router.Loop;
using Router.Net;

namespace Router.Tests.Loop;

/// <summary>The loop's own rules, with a poller that does nothing and a clock that the test turns.</summary>
public sealed class IoLoopTests : IDisposable
{
    private readonly TurnedClock _time = new();
    private readonly StillNetwork _network = new();
    private readonly List<string> _trace = [];
    private readonly List<Exception> _faults = [];
    private readonly IoLoop _loop;

    public IoLoopTests()
    {
        _loop = new IoLoop(0, _network, _time, new IoLoopOptions(RunsPerPass: 1024, TimersPerPass: 10));
        _loop.OnFault = _faults.Add;
    }

    public void Dispose() => _loop.Dispose();

    [Fact]
    public void A_run_that_does_not_return_does_not_hold_up_who_stops_the_loop()
    {
        using var entered = new ManualResetEventSlim();
        using var mayReturn = new ManualResetEventSlim();
        using var loop = new IoLoop(0, _network, _time, new IoLoopOptions(StopMs: 1));
        loop.Enqueue(new IoLoopContract.Run(() =>
        {
            entered.Set();
            mayReturn.Wait();
        }));
        loop.Start();
        entered.Wait();

        Assert.False(loop.Stop());
        loop.Dispose();   // frees nothing that the run may use
        Assert.True(loop.IsStarted);

        mayReturn.Set();
        Assert.True(SpinWait.SpinUntil(loop.Stop, TimeSpan.FromSeconds(20)));
        Assert.False(loop.IsStarted);
    }

    /// <summary>Else it would be told of no more: its receiver thinks that the turn is still to come.</summary>
    [Fact]
    public void A_socket_that_is_taken_off_before_its_turn_is_as_one_that_was_never_ready()
    {
        using var socket = new StillSocket { Pending = IoReadiness.Readable };
        _loop.Enqueue(socket);

        _loop.RunOnce(block: false);

        Assert.Equal(IoReadiness.None, socket.Pending);
    }

    [Fact]
    public void Runs_keep_their_order_while_the_ring_grows_and_wraps()
    {
        var ran = new List<int>();
        var next = 0;
        for (var round = 0; round < 6; round++)
        {
            for (var i = 0; i < 100 + (round * 150); i++)
            {
                var number = next++;
                _loop.Enqueue(new IoLoopContract.Run(() => ran.Add(number)));
            }

            _loop.RunOnce(block: false);
        }

        while (_loop.RunOnce(block: false))
        {
        }

        Assert.Equal(Enumerable.Range(0, next), ran);
    }

    [Fact]
    public void A_loop_is_busy_in_its_passes_and_not_in_its_waits()
    {
        var during = TimeSpan.Zero;
        _loop.RunOnce(block: false);
        _loop.Enqueue(new IoLoopContract.Run(() => _time.Advance(30)));
        _loop.RunOnce(block: false);
        Assert.Equal(30, _loop.Busy.TotalMilliseconds);

        _network.DuringWait = () => _time.Advance(50);
        _loop.RunOnce(block: true);
        Assert.Equal(30, _loop.Busy.TotalMilliseconds);

        _network.DuringWait = null;
        _loop.Enqueue(new IoLoopContract.Run(() =>
        {
            _time.Advance(20);
            during = _loop.Busy;
        }));
        _loop.RunOnce(block: false);
        Assert.Equal((50, 50), (during.TotalMilliseconds, _loop.Busy.TotalMilliseconds));
    }

    [Fact]
    public void A_run_that_enqueues_itself_does_not_keep_the_loop_from_its_sockets()
    {
        var ran = 0;
        IRunnable? self = null;
        self = new IoLoopContract.Run(() =>
        {
            ran++;
            _loop.Enqueue(self!);
        });
        _loop.Enqueue(self);

        _loop.RunOnce(block: false);
        Assert.InRange(ran, 1, 1024);
        _loop.RunOnce(block: true);   // does not sleep: a run is ready

        Assert.Equal([0, 0], _network.Timeouts);
    }

    [Fact]
    public void The_end_of_a_pass_comes_after_its_runs_and_once()
    {
        var end = new EndOfPass(() => _trace.Add("end"));
        _loop.Enqueue(new IoLoopContract.Run(() =>
        {
            _trace.Add("run");
            _loop.AtEndOfPass(end);
            _loop.Enqueue(new IoLoopContract.Run(() => _trace.Add("run")));
        }));

        _loop.RunOnce(block: false);
        _loop.RunOnce(block: false);

        Assert.Equal(["run", "run", "end"], _trace);
    }

    [Fact]
    public void What_is_enqueued_at_the_end_of_a_pass_keeps_the_loop_awake()
    {
        _loop.Enqueue(new IoLoopContract.Run(() => _loop.AtEndOfPass(
            new EndOfPass(() => _loop.Enqueue(new IoLoopContract.Run(() => _trace.Add("late")))))));

        _loop.RunOnce(block: false);
        _loop.RunOnce(block: true);

        Assert.Equal(["late"], _trace);
        Assert.Equal([0, 0], _network.Timeouts);
    }

    [Fact]
    public void Faults_are_told_and_end_nothing()
    {
        _loop.Enqueue(new IoLoopContract.Run(() => throw new InvalidOperationException("run")));
        _loop.Enqueue(new IoLoopContract.Run(() => _trace.Add("next run")));
        _loop.Schedule(new Timer(() => throw new InvalidOperationException("timer")), 0);
        _loop.Schedule(new Timer(() => _trace.Add("next timer")), 0);
        _loop.Enqueue(new IoLoopContract.Run(() =>
        {
            _loop.AtEndOfPass(new EndOfPass(() => throw new InvalidOperationException("end")));
            _loop.AtEndOfPass(new EndOfPass(() => _trace.Add("next end")));
        }));

        _loop.RunOnce(block: false);
        _loop.RunOnce(block: false);

        Assert.Equal(["end", "run", "timer"], _faults.Select(fault => fault.Message).Order());
        Assert.Equal(["next end", "next run", "next timer"], _trace.Order());
    }

    [Fact]
    public void The_sleep_is_computed_after_a_long_pass_not_before_it()
    {
        _loop.Schedule(new Timer(() => { }), 100);
        _loop.Enqueue(new IoLoopContract.Run(() => _time.Advance(60)));

        _loop.RunOnce(block: false);
        _loop.RunOnce(block: true);

        Assert.Equal(104 - 60, _network.Timeouts[^1]);   // 104: the first slot border at or after the deadline
    }

    [Fact]
    public void Without_deadlines_the_loop_sleeps_until_woken()
    {
        _loop.RunOnce(block: true);

        Assert.Equal([-1], _network.Timeouts);
    }

    [Fact]
    public void A_run_enqueued_from_another_thread_while_falling_asleep_is_not_slept_over()
    {
        var other = new Thread(() => _loop.Enqueue(new IoLoopContract.Run(() => _trace.Add("ran"))));
        other.Start();
        other.Join();

        _loop.RunOnce(block: true);

        Assert.Equal([0], _network.Timeouts);
        Assert.Equal(["ran"], _trace);
    }

    [Fact]
    public void A_run_enqueued_from_another_thread_during_the_sleep_wakes_it_once()
    {
        _network.DuringWait = () =>
        {
            var other = new Thread(() =>
            {
                _loop.Enqueue(new IoLoopContract.Run(() => _trace.Add("one")));
                _loop.Enqueue(new IoLoopContract.Run(() => _trace.Add("two")));
            });
            other.Start();
            other.Join();
        };

        _loop.RunOnce(block: true);

        Assert.Equal(1, _network.Wakes);
        Assert.Equal(["one", "two"], _trace);
    }

    [Fact]
    public void Deadlines_of_one_moment_are_spread_over_bounded_passes()
    {
        var fired = 0;
        for (var i = 0; i < 35; i++)
        {
            _loop.Schedule(new Timer(() => fired++), 50);
        }

        _time.Advance(60);
        int[] counts = new int[4];
        for (var pass = 0; pass < 4; pass++)
        {
            _loop.RunOnce(block: true);
            counts[pass] = fired;
        }

        Assert.Equal([10, 20, 30, 35], counts);
    }

    [Fact]
    public void Current_is_the_loop_within_a_pass_only()
    {
        IoLoop? seen = null;
        _loop.Enqueue(new IoLoopContract.Run(() => seen = IoLoop.Current));

        _loop.RunOnce(block: false);

        Assert.Same(_loop, seen);
        Assert.Null(IoLoop.Current);
    }

    private sealed class EndOfPass(Action action) : IEndOfPass
    {
        public void OnEndOfPass() => action();
    }

    private sealed class Timer(Action action) : LoopTimer
    {
        internal override void OnTimer() => action();
    }

    private sealed class TurnedClock : TimeProvider
    {
        private long _ticks = 12_345;

        public override long TimestampFrequency => 3_000;   // three per millisecond: an odd one shows wrong assumptions

        public override long GetTimestamp() => _ticks;

        public void Advance(int milliseconds) => _ticks += milliseconds * 3L;
    }

    private sealed class StillNetwork : INetwork, IPoller
    {
        public string Name => "still";

        public List<int> Timeouts { get; } = [];

        public Action? DuringWait { get; set; }

        public int Wakes { get; private set; }

        public IPoller CreatePoller() => this;

        public int BindDatagram(in SocketAddr local, DatagramOptions options, out DatagramSocket? socket) =>
            Refuse(out socket);

        public int ConnectDatagram(
            in SocketAddr remote, out ConnectedDatagramSocket? socket, int receiveBuffer = 0) => Refuse(out socket);

        public int Listen(in SocketAddr local, StreamListenOptions options, out StreamListener? socket) =>
            Refuse(out socket);

        public int ConnectStream(in SocketAddr remote, out StreamSocket? socket) => Refuse(out socket);

        public int Add(IoSocket socket, IoReadiness interest) => 0;

        public void Modify(IoSocket socket, IoReadiness interest)
        {
        }

        public void Remove(IoSocket socket)
        {
        }

        public int Wait(int timeoutMs)
        {
            Timeouts.Add(timeoutMs);
            DuringWait?.Invoke();
            return 0;
        }

        public void Wake() => Wakes++;

        public void Dispose()
        {
        }

        private static int Refuse<T>(out T? socket)
            where T : class
        {
            socket = null;
            return -(int)Errno.ENETDOWN;
        }
    }

    private sealed class StillSocket : IoSocket
    {
        public override SocketAddr LocalAddress => default;

        protected override void Close()
        {
        }
    }
}
