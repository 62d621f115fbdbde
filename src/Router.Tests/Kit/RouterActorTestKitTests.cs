using System.Globalization;
using Router.Diagnostics;
using Router.TestKit;

namespace Router.Tests.Kit;

/// <summary>Akka's TestKit and the simulated network in one test.</summary>
public sealed class RouterActorTestKitTests() : RouterActorTestKit(seed: 7)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_handler_tells_a_probe_and_gets_its_reply()
    {
        var probe = CreateTestProbe("asked");
        var peer = Kit.UdpPeer("192.0.2.7:5000", to: Kit.BindUdp(() => new QuoteHandler(probe)));

        peer.Send("x"u8);
        probe.ExpectNoMsg(TimeSpan.Zero);   // nothing runs by itself
        Kit.RunUntilIdle();

        probe.ExpectMsg("x");
        Assert.Equal(Kit.OpenSessions.Single().Self, probe.Sender);
        probe.Sender.Tell("y", probe.Ref);
        Assert.Empty(peer.ReceivedText);
        Kit.RunUntilIdle();
        Assert.Equal(["y"], peer.ReceivedText);
    }

    [Fact]
    public void An_EventFilter_sees_what_an_actor_logs_and_nothing_else_does()
    {
        var logged = new List<string>();
        Kit.OnLog = entry => logged.Add(entry.Message.ToString()!);
        var actor = Sys.ActorOf(Props.Create(() => new Counting(TestActor)));

        EventFilter.Warning("enough").ExpectOne(() =>
        {
            actor.Tell("warn");
            Kit.RunUntilIdle();
        });
        EventFilter.Warning().Expect(0, Kit.RunUntilIdle);
        actor.Tell("warn");
        Kit.RunUntilIdle();

        Assert.Equal(["enough"], logged);
    }

    [Fact]
    public void Death_watch_of_a_session_tells_its_end()
    {
        var peer = Kit.UdpPeer("192.0.2.7:5000", to: Kit.BindUdp(() => new QuoteHandler(TestActor)));
        peer.Send("x"u8);
        Kit.RunUntilIdle();
        ExpectMsg("x");
        var session = LastSender;
        Watch(session);

        Kit.Advance(31 * Second);

        ExpectTerminated(session);
        Assert.Equal(CloseReason.Idle, Kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Fact]
    public void Timers_of_actors_go_by_virtual_time()
    {
        Sys.ActorOf(Props.Create(() => new Counting(TestActor)));
        Kit.RunUntilIdle();

        Kit.Advance(TimeSpan.FromMinutes(59));
        ExpectNoMsg();
        Kit.Advance(TimeSpan.FromMinutes(62));
        ExpectMsg("tick 1");
        ExpectMsg("tick 2");
        ExpectNoMsg();
    }

    [Fact]
    public void A_receive_timeout_goes_by_virtual_time()
    {
        Sys.ActorOf(Props.Create(() => new Impatient(TestActor)));
        Kit.RunUntilIdle();

        Kit.Advance(TimeSpan.FromMinutes(9));
        ExpectNoMsg();
        Kit.Advance(TimeSpan.FromMinutes(2));
        ExpectMsg("waited");
    }

    [Fact]
    public void A_message_scheduled_to_a_session_comes_at_its_time()
    {
        var peer = Kit.UdpPeer("192.0.2.7:5000", to: Kit.BindUdp(() => new QuoteHandler(TestActor)));
        peer.Send("x"u8);
        Kit.RunUntilIdle();
        Sys.Scheduler.ScheduleTellOnce(5 * Second, Kit.OpenSessions.Single().Self, "late", ActorRefs.NoSender);

        Kit.Advance(4 * Second);
        Assert.Empty(peer.ReceivedText);
        Kit.Advance(Second);
        Assert.Equal(["late"], peer.ReceivedText);
    }

    [Fact]
    public void An_Ask_with_a_token_of_the_kits_clock_ends_by_virtual_time()
    {
        using var timeout = new CancellationTokenSource(5 * Second, Kit.Time);
        var answer = CreateTestProbe().Ref.Ask<string>("anybody?", timeout.Token);

        Kit.Advance(4 * Second);
        Assert.False(answer.IsCompleted);
        Kit.Advance(Second);
        Assert.True(timeout.IsCancellationRequested);
        Assert.ThrowsAny<OperationCanceledException>(() => answer.GetAwaiter().GetResult());
    }

    [Fact]
    public void Stopping_the_kit_first_is_no_second_wait()
    {
        Kit.Stop();
        Shutdown(verifySystemShutdown: true);

        Assert.True(Sys.WhenTerminated.IsCompleted);
    }

    private sealed class Counting : UntypedActor, IWithTimers
    {
        private readonly IActorRef _to;
        private int _ticks;

        public Counting(IActorRef to) => _to = to;

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() =>
            Timers.StartPeriodicTimer("tick", "tick", TimeSpan.FromHours(1));

        protected override void OnReceive(object message)
        {
            if (message is "warn")
            {
                Context.GetLogger().Warning("enough");
                return;
            }

            _to.Tell("tick " + (++_ticks).ToString(CultureInfo.InvariantCulture));
        }
    }

    private sealed class Impatient : UntypedActor
    {
        private readonly IActorRef _to;

        public Impatient(IActorRef to)
        {
            _to = to;
            Context.SetReceiveTimeout(TimeSpan.FromMinutes(10));
        }

        protected override void OnReceive(object message)
        {
            Context.SetReceiveTimeout(null);
            _to.Tell(message is ReceiveTimeout ? "waited" : message);
        }
    }
}

/// <summary>A TestKit class of one's own over a kit, without the base class.</summary>
public sealed class OwnTestKitTests : ActorTestKit
{
    private readonly RouterTestKit _kit;

    public OwnTestKitTests()
        : this(new RouterTestKit(seed: 3))
    {
    }

    private OwnTestKitTests(RouterTestKit kit)
        : base(kit.Sys) => _kit = kit;

    [Fact]
    public void A_session_reaches_the_tests_own_actor()
    {
        _kit.UdpPeer("192.0.2.7:5000", to: _kit.BindUdp(() => new QuoteHandler(TestActor))).Send("x"u8);
        _kit.RunUntilIdle();
        ExpectMsg("x");
    }

    protected override void AfterAll() => _kit.Dispose();
}
