using Microsoft.Extensions.DependencyInjection;
using Router.Configuration;
using Router.Diagnostics;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>A handler's services live as long as it does: until its session ends, or it is replaced.</summary>
public sealed class HandlerScopeTests
{
    private readonly List<string> _events = [];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_session_has_its_own_scope_which_is_disposed_after_the_end_was_told(bool onPool)
    {
        using var services = Services();
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(Route<Scoped>(services), limits: kit.Limits with { OnPool = onPool });
        var one = kit.UdpPeer("192.0.2.7:5000", listener);
        var two = kit.UdpPeer("192.0.2.8:5000", listener);
        one.Send("a"u8);
        kit.RunUntilIdle();
        two.Send("b"u8);
        kit.RunUntilIdle();
        one.Send("c"u8);
        kit.RunUntilIdle();
        Assert.Equal(["made 1", "made 2"], _events);
        Assert.Equal(["1a", "1c"], one.ReceivedText);
        Assert.Equal(["2b"], two.ReceivedText);

        one.Send("close"u8);
        kit.RunUntilIdle();

        Assert.Equal(["closed 1", "handler 1", "service 1"], _events[2..]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_failed_handlers_scope_ends_before_the_fresh_one_begins(bool onPool)
    {
        using var services = Services();
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.UdpPeer(
            "192.0.2.7:5000", kit.BindUdp(Route<Scoped>(services), limits: kit.Limits with { OnPool = onPool }));
        peer.Send("boom"u8);
        kit.RunUntilIdle();
        peer.Send("a"u8);
        kit.RunUntilIdle();

        Assert.Equal(["2a"], peer.ReceivedText);
        Assert.Equal(["made 1", "handler 1", "service 1", "made 2"], _events);

        kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(["closed 2", "handler 2", "service 2"], _events[4..]);
    }

    [Fact]
    public void A_listener_that_fails_leaves_scopes_alone()
    {
        using var services = Services();
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(Route<Scoped>(services));
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("a"u8);
        kit.RunUntilIdle();
        kit.Sys.ActorSelection($"{listener.Actor.Path}/*").Tell(Kill.Instance);
        kit.RunUntilIdle();
        peer.Send("b"u8);
        kit.RunUntilIdle();

        Assert.Equal(["1a", "1b"], peer.ReceivedText);
        Assert.Equal(["made 1"], _events);
    }

    [Fact]
    public void A_constructor_that_throws_leaves_no_scope_behind()
    {
        using var services = Services();
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.UdpPeer(
            "192.0.2.7:5000", kit.BindUdp(Route<Failing>(services), limits: kit.Limits with { MaxRestarts = 2 }));
        peer.Send("a"u8);
        kit.RunUntilIdle();

        Assert.Equal(CloseReason.Failed, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.NotEmpty(_events);
        Assert.Equal(
            _events.Count(static line => line.StartsWith("made", StringComparison.Ordinal)),
            _events.Count(static line => line.StartsWith("service", StringComparison.Ordinal)));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_handler_that_wants_nothing_needs_no_scope_and_is_disposed_all_the_same()
    {
        using var services = Services();
        using var kit = new RouterTestKit(seed: 1);
        Plain.Disposals = 0;
        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(Route<Plain>(services)));
        peer.Send("a"u8);
        kit.RunUntilIdle();
        Assert.Equal(0, Plain.Disposals);
        kit.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(1, Plain.Disposals);
    }

    [Fact]
    public void A_handler_of_a_factory_is_disposed_with_its_session_and_when_it_is_replaced()
    {
        using var kit = new RouterTestKit(seed: 1);
        var disposals = new List<int>();
        var made = 0;
        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(() => new Own(++made, disposals)));
        peer.Send("boom"u8);
        kit.RunUntilIdle();
        Assert.Equal([1], disposals);
        kit.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal([1, 2], disposals);
    }

    [Fact]
    public void A_disposal_that_throws_is_recorded_and_the_session_has_ended()
    {
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(() => new Own(1, disposals: null)));
        peer.Send("a"u8);
        kit.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(CloseReason.Idle, kit.ExpectSessionClosed(peer.EndPoint));
        Assert.IsType<InvalidOperationException>(Assert.Single(kit.FailedEndRecords).Reason);
        kit.AssertNoLeakedBuffers();
    }

    private static HandlerRoute Route<T>(IServiceProvider services)
        where T : SessionHandler =>
        new("scoped", new ServiceFactory(services, typeof(T)).FactoryOf<SessionHandler>());

    private ServiceProvider Services() => new ServiceCollection()
        .AddSingleton(_events)
        .AddScoped<Service>()
        .BuildServiceProvider(validateScopes: true);

    private sealed class Service : IAsyncDisposable
    {
        private readonly List<string> _events;

        public Service(List<string> events)
        {
            _events = events;
            Number = 1 + events.Count(static line => line.StartsWith("made", StringComparison.Ordinal));
            events.Add($"made {Number}");
        }

        public int Number { get; }

        public ValueTask DisposeAsync()
        {
            _events.Add($"service {Number}");
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Scoped(Service service, List<string> events) : SessionHandler, IDisposable
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                if (payload.SequenceEqual("boom"u8))
                {
                    throw new InvalidOperationException("boom");
                }

                if (payload.SequenceEqual("close"u8))
                {
                    session.Close();
                    return;
                }

                session.Reply([(byte)('0' + service.Number), .. payload]);
            }
        }

        public override void OnClosed(SessionContext session, CloseReason reason) =>
            events.Add($"closed {service.Number}");

        public void Dispose() => events.Add($"handler {service.Number}");
    }

    private sealed class Failing : SessionHandler
    {
        public Failing(Service service) => throw new InvalidOperationException($"made with {service.Number}");
    }

    private sealed class Plain : SessionHandler, IAsyncDisposable
    {
        public static int Disposals { get; set; }

        public ValueTask DisposeAsync()
        {
            Disposals++;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Own(int number, List<int>? disposals) : SessionHandler, IDisposable
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            if (batch.First.SequenceEqual("boom"u8))
            {
                throw new InvalidOperationException("boom");
            }
        }

        public void Dispose()
        {
            if (disposals is null)
            {
                throw new InvalidOperationException("cannot be disposed");
            }

            disposals.Add(number);
        }
    }
}
