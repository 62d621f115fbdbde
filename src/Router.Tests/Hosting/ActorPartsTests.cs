using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Hosting;
using Router.Routes;
using Router.Running;
using Router.Sessions;

namespace Router.Tests.Hosting;

/// <summary>Actors and handlers that a program adds, with its services, on real sockets.</summary>
public sealed class ActorPartsTests
{
    private const int Patience = 30_000;   // ms
    private const string Hurry = "router.drain-timeout=0s";

    [Fact]
    public async Task A_route_names_an_actor_of_the_registry_or_one_that_a_function_finds()
    {
        using var file = new TextFile("""
            router {
              listeners {
                udp { bind = "udp://127.0.0.1:0", route = registered }
                tcp { bind = "tcp://127.0.0.1:0", route = found }
              }
              routes { registered { type = actor, key = registered }, found { type = actor, key = found } }
            }
            """);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddAkka("mine", akka => akka
            .ConfigureLoggers(static loggers => loggers.ClearLoggers())
            .WithActors(static (system, registry) =>
                registry.Register<Backend>(system.ActorOf(Props.Create<Backend>(), "backend")))
            .WithRouter(file.Path, static router => router
                .Set(Hurry)
                .AddActor<Backend>("registered")
                .AddActor("found", static services => services.GetRequiredService<ActorRegistry>().Get<Backend>())));
        using var host = builder.Build();
        await host.StartAsync();
        var engine = EngineOf(host);

        using var udp = Connect(engine, 0, SocketType.Dgram, ProtocolType.Udp);
        using var tcp = Connect(engine, 1, SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal("over udp", Ask(udp, "over udp"));
        Assert.Equal("over tcp", Ask(tcp, "over tcp"));
        await host.StopAsync();
    }

    [Fact]
    public async Task Messages_of_a_connection_are_told_one_by_one_and_all_come_back()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var name = $"@router-actor-{Environment.ProcessId}";
        using var file = new TextFile($$"""
            router {
              listeners.packets { bind = "unixpacket://{{name}}", route = found }
              routes.found { type = actor, key = found, max-unanswered = 1 }
            }
            """);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        using var system = ActorSystem.Create("mine", "akka { loggers = [], stdout-loglevel = OFF }");
        var backend = system.ActorOf(Props.Create<Backend>());
        builder.Services.AddRouter(file.Path, router => router.Set(Hurry).AddActor("found", _ => backend));
        using var host = builder.Build();
        await host.StartAsync();

        using var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified)
        {
            ReceiveTimeout = Patience,
        };
        socket.Connect(new UnixDomainSocketEndPoint(name.Replace('@', '\0')));
        var sent = Enumerable.Range(0, 40).Select(static at => $"message {at}").ToList();
        sent.ForEach(text => socket.Send(Encoding.UTF8.GetBytes(text)));
        var heard = new byte[64];
        Assert.Equal(sent, sent.Select(_ => Encoding.UTF8.GetString(heard, 0, socket.Receive(heard))).ToList());
        await host.StopAsync();
        await system.Terminate();
    }

    [Fact]
    public async Task A_handlers_services_live_as_long_as_its_session()
    {
        using var file = new TextFile("""
            router {
              listeners.udp { bind = "udp://127.0.0.1:0", route = scoped }
              routes.scoped { type = handler, name = scoped }
            }
            """);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        var events = new ConcurrentQueue<string>();
        builder.Services.AddSingleton(events);
        builder.Services.AddScoped<Service>();
        builder.Services.AddRouter(file.Path, static router => router.Set(Hurry).AddHandler<Scoped>("scoped"));
        using var host = builder.Build();
        await host.StartAsync();
        events.Clear();   // the start has tried whether the services can be had
        var engine = EngineOf(host);
        using var one = Connect(engine, 0, SocketType.Dgram, ProtocolType.Udp);
        using var two = Connect(engine, 0, SocketType.Dgram, ProtocolType.Udp);

        var first = Ask(one, "who");
        Assert.Equal(first, Ask(one, "who"));
        Assert.NotEqual(first, Ask(two, "who"));
        one.Send("close"u8);
        Assert.True(SpinWait.SpinUntil(() => events.Count == 2, Patience));
        Assert.Equal([$"closed {first}", $"disposed {first}"], events);
        await host.StopAsync();

        Assert.Equal(4, events.Count);
    }

    [Fact]
    public void An_actor_that_the_program_did_not_add_is_named_with_its_place()
    {
        using var file = new TextFile(
            "router { listeners.a { bind = \"udp://127.0.0.1:0\", route = b }\n routes.b { type = actor, key = c } }");
        var loaded = SetupLoader.Load(
            file.Path, [], ProgramParts.None, TimeProvider.System);

        Assert.Null(loaded.Setup);
        var fault = Assert.Single(loaded.Faults);
        Assert.StartsWith($"{file.Path}:2", fault, StringComparison.Ordinal);
        Assert.Contains("'c', which the program did not add; added: none", fault, StringComparison.Ordinal);
    }

    private static RouterEngine EngineOf(IHost host) =>
        ((RouterControl)host.Services.GetRequiredService<ActorSystem>().GetRouterControl("router")).Engine!;

    private static Socket Connect(RouterEngine engine, int listener, SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(type, protocol) { ReceiveTimeout = Patience };
        socket.Connect(engine.Bound[listener].Address.ToIPEndPoint());
        return socket;
    }

    private static string Ask(Socket socket, string text)
    {
        socket.Send(Encoding.UTF8.GetBytes(text));
        Span<byte> answer = stackalloc byte[64];
        return Encoding.UTF8.GetString(answer[..socket.Receive(answer)]);
    }

    private sealed class Backend : ReceiveActor
    {
        public Backend() => Receive<SessionReceived>(received => Sender.Tell(received.Reply(received.Payload)));
    }

    private sealed class Service(ConcurrentQueue<string> events) : IDisposable
    {
        private static int _made;

        public string Name { get; } = $"{Interlocked.Increment(ref _made)}";

        public void Dispose() => events.Enqueue($"disposed {Name}");
    }

    private sealed class Scoped(Service service, ConcurrentQueue<string> events) : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            if (batch.First.SequenceEqual("close"u8))
            {
                session.Close();
                return;
            }

            session.Reply(Encoding.UTF8.GetBytes(service.Name));
        }

        public override void OnClosed(SessionContext session, CloseReason reason) =>
            events.Enqueue($"closed {service.Name}");
    }
}
