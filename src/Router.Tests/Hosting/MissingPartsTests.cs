using System.Collections.Concurrent;
using System.Net.Sockets;
using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Hosting;
using Router.Routes;
using Router.Running;
using Router.Sessions;

namespace Router.Tests.Hosting;

/// <summary>What a program has added and cannot be made is found at the start; what is made is disposed.</summary>
public sealed class MissingPartsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("type = handler", "Production", false, "handler 'part' cannot be made: ")]
    [InlineData("type = handler", "Production", true, "handler 'part' cannot be made: ")]
    [InlineData("type = handler", "Development", false, "handler 'part' cannot be made: ")]
    [InlineData("type = collect, to = handler", "Production", true, "window handler 'part' cannot be made: ")]
    [InlineData("type = room, join = handler", "Development", false, "room join 'part' cannot be made: ")]
    public async Task A_service_that_is_missing_is_a_fault_of_the_start(
        string route, string environment, bool isDeeper, string words)
    {
        using var file = new TextFile(
            "router { loops = 1, listeners.a { bind = \"udp://127.0.0.1:0\", route = b }\n "
            + $"routes.b {{ {route}, name = part }} }}");
        var builder = BuilderOf(environment);
        if (isDeeper)
        {
            builder.Services.AddScoped<Scoped>();   // which wants a service itself
        }

        builder.Services.AddRouter(file.Path, static router => router
            .AddHandler<Handler>("part").AddWindowHandler<Windows>("part").AddRoomJoin<Lobby>("part"));
        using var host = builder.Build();

        var refused = await Assert.ThrowsAsync<RouterStartException>(() => host.StartAsync());

        var fault = Assert.Single(refused.Faults);
        Assert.StartsWith($"{file.Path}:2", fault, StringComparison.Ordinal);
        Assert.Contains(words, fault, StringComparison.Ordinal);
        Assert.Contains(isDeeper ? "ConcurrentQueue" : nameof(Scoped), fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_window_handler_and_a_room_join_have_services_of_their_own_which_end_with_them()
    {
        using var file = new TextFile("""
            router {
              loops = 1
              drain-timeout = 0s
              listeners {
                gather { bind = "udp://127.0.0.1:0", route = windows }
                talk { bind = "tcp://127.0.0.1:0", route = rooms }
              }
              routes {
                windows { type = collect, to = handler, name = part, window = 1h, per = listener }
                rooms { type = room, join = handler, name = part, to-sender = on }
              }
            }
            """);
        var events = new ConcurrentQueue<string>();
        var builder = BuilderOf("Development");   // a scoped service of the root is refused here
        builder.Services.AddSingleton(events);
        builder.Services.AddScoped<Scoped>();
        builder.Services.AddRouter(
            file.Path, static router => router.AddWindowHandler<Windows>("part").AddRoomJoin<Lobby>("part"));
        using var host = builder.Build();
        await host.StartAsync();
        Assert.DoesNotContain("lobby disposed", events);
        var engine = host.Services.GetServices<IHostedService>().OfType<RouterService>().Single().Engine!;
        using var tcp = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        tcp.Connect(engine.Bound[1].Address.ToIPEndPoint());
        tcp.Send("anything\nsaid\n"u8);
        var heard = new byte[16];
        Assert.Equal(5, tcp.Receive(heard));
        Assert.True(SpinWait.SpinUntil(() => events.Contains("windows made"), Patience));
        events.Clear();   // services that were looked for at the start have come and gone

        await host.StopAsync();

        Assert.Equal(["windows disposed", "scoped disposed", "lobby disposed", "scoped disposed"], events);
    }

    [Theory]
    [InlineData("key = late", null)]
    [InlineData("key = nobody", "router.routes.b.key: the program knows no actor of this key")]
    [InlineData("key = failing", "router.routes.b.key: the program failed to find its actor: not made yet")]
    [InlineData("path = /user/late", null)]
    [InlineData("path = /user/nobody", "router.routes.b.path: there is no actor at this path")]
    public async Task An_actor_route_without_an_actor_is_warned_of_once_the_programs_actors_have_started(
        string target, string? words)
    {
        using var file = new TextFile(
            $"router {{ loops = 1, listeners.a {{ bind = \"udp://127.0.0.1:0\", route = b }}\n "
            + $"routes.b {{ type = actor, {target} }} }}");
        using var log = new EventLog();
        var builder = BuilderOf("Production");
        builder.Logging.AddProvider(log).SetMinimumLevel(Microsoft.Extensions.Logging.LogLevel.Information);
        builder.Services.AddAkka("mine", akka => akka
            .ConfigureLoggers(static loggers => loggers.ClearLoggers())
            .WithRouter(file.Path, static router => router
                .AddActor<Late>("late")
                .AddActor("nobody", static _ => ActorRefs.Nobody)
                .AddActor("failing", static _ => throw new InvalidOperationException("not made yet")))
            .WithActors(static (system, registry) =>
                registry.Register<Late>(system.ActorOf(Props.Create<Late>(), "late"))));
        using var host = builder.Build();
        await host.StartAsync();
        await host.StopAsync();

        var warnings = log.Texts("config-warning");
        if (words is null)
        {
            Assert.Empty(warnings);
        }
        else
        {
            var warning = Assert.Single(warnings);
            Assert.StartsWith($"{file.Path}:2", warning, StringComparison.Ordinal);
            Assert.Contains(words, warning, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_a_program_throws_while_its_route_is_made_is_a_fault()
    {
        using var file = new TextFile("""
            router {
              listeners.a { bind = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"], route = b }
              routes { b { type = flow, route = inner }, inner { type = handler, name = failing } }
            }
            """);
        var parts = new ProgramParts().Add<SessionHandler>(
            "failing", static () => throw new InvalidOperationException("no handlers today"));

        var loaded = SetupLoader.Load(file.Path, [], parts, TimeProvider.System);

        Assert.Null(loaded.Setup);
        Assert.EndsWith(
            "router.routes.b: cannot be made: no handlers today",
            Assert.Single(loaded.Faults),
            StringComparison.Ordinal);
    }

    private static HostApplicationBuilder BuilderOf(string environment)
    {
        var builder = Host.CreateApplicationBuilder(
            new HostApplicationBuilderSettings { EnvironmentName = environment });
        builder.Logging.ClearProviders();
        return builder;
    }

    private sealed class Scoped(ConcurrentQueue<string> events) : IDisposable
    {
        public void Add(string happened) => events.Enqueue(happened);

        public void Dispose() => Add("scoped disposed");
    }

    private sealed class Handler(Scoped scoped) : SessionHandler
    {
        public override void OnOpened(SessionContext session) => scoped.Add("opened");
    }

    private sealed class Windows : WindowHandler, IAsyncDisposable
    {
        private readonly Scoped _scoped;

        public Windows(Scoped scoped)
        {
            _scoped = scoped;
            scoped.Add("windows made");
        }

        public override void OnWindow(CollectedWindow window) => _scoped.Add("window");

        public ValueTask DisposeAsync()
        {
            _scoped.Add("windows disposed");
            return default;
        }
    }

    private sealed class Lobby(Scoped scoped) : RoomJoin, IDisposable
    {
        public override string? RoomOf(SessionContext session, ReadOnlySpan<byte> payload) => "lobby";

        public void Dispose() => scoped.Add("lobby disposed");
    }

    private sealed class Late : ReceiveActor;
}
