using System.Net;
using System.Net.Sockets;
using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Hosting;
using Router.Net;
using Router.Running;
using Router.Sessions;
using Router.Tests.Kit;
using Router.Tests.Running;

namespace Router.Tests.Hosting;

/// <summary>The library as the README shows it, on real sockets.</summary>
public sealed class RouterServiceTests
{
    private const string EchoConfig = """
        router {
          listeners.echo {
            bind = ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"], route = echo, session { dispatcher = DISPATCHER }
          }
          routes { echo { type = handler, name = echo } }
        }
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("io")]
    [InlineData("pool")]
    public async Task A_host_with_AddRouter_echoes_over_udp_and_tcp(string dispatcher)
    {
        using var file = new TextFile(EchoConfig.Replace("DISPATCHER", dispatcher));
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRouter(
            file.Path, router => router.AddHandler<EchoHandler>("echo").Set("router.drain-timeout=1s"));
        using var host = builder.Build();
        await host.StartAsync();
        var engine = host.Services.GetServices<IHostedService>().OfType<RouterService>().Single().Engine!;

        using var patience = new CancellationTokenSource(Patience);
        Assert.Equal("over udp", await AskUdp(engine.Bound[0].Address.ToIPEndPoint(), "over udp", patience.Token));
        Assert.Equal("over tcp", await AskTcp(engine.Bound[1].Address.ToIPEndPoint(), "over tcp", patience.Token));
        await host.StopAsync();
        Assert.Equal(0, engine.Stats.Sessions);
        Assert.Equal(2, engine.Stats.Read().Sum(figures => figures.Closed));
    }

    [Fact]
    public async Task A_host_with_AddRouter_stops_when_the_routers_actor_is_stopped()
    {
        using var file = new TextFile(EchoConfig.Replace("DISPATCHER", "io"));
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRouter(file.Path, router => router.AddHandler<EchoHandler>("echo"));
        using var host = builder.Build();
        await host.StartAsync();
        var engine = host.Services.GetServices<IHostedService>().OfType<RouterService>().Single().Engine!;
        using var patience = new CancellationTokenSource(Patience);
        await AskUdp(engine.Bound[0].Address.ToIPEndPoint(), "a", patience.Token);

        engine.System.Stop(engine.Actor);

        await host.WaitForShutdownAsync(patience.Token);
        Assert.Equal(RouterEnd.ActorStopped, await engine.Ended);
        Assert.Equal(0, engine.Stats.Sessions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_host_stops_without_a_drain_when_the_cluster_has_downed_its_member(bool withRouter)
    {
        const string Cluster = "router { cluster { port = 0 }, drain-timeout = 1h }\n";
        using var file = new TextFile(Cluster + EchoConfig.Replace("DISPATCHER", "io"));
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        if (withRouter)
        {
            builder.Services.AddAkka(
                "router", akka => akka.WithRouter(file.Path, router => router.AddHandler<EchoHandler>("echo")));
        }
        else
        {
            builder.Services.AddRouter(file.Path, router => router.AddHandler<EchoHandler>("echo"));
        }

        using var host = builder.Build();
        await host.StartAsync();
        var system = host.Services.GetRequiredService<ActorSystem>();
        var control = (RouterControl)system.GetRouterControl();
        using var patience = new CancellationTokenSource(Patience);
        await AskUdp(control.Engine!.Bound[0].Address.ToIPEndPoint(), "a", patience.Token);   // a session that stays
        var cluster = Akka.Cluster.Cluster.Get(system);
        var isUp = new TaskCompletionSource();
        cluster.RegisterOnMemberUp(isUp.SetResult);
        await isUp.Task.WaitAsync(Patience);

        cluster.Down(cluster.SelfAddress);

        await host.WaitForShutdownAsync(patience.Token);
        Assert.Equal(RouterEnd.Downed, await control.Engine!.Ended);
        Assert.Equal(0, control.Engine!.Stats.Sessions);
    }

    [Theory]
    [InlineData("io")]
    [InlineData("pool")]
    public async Task A_stream_of_a_megabyte_comes_back_whole_from_both_dispatchers(string dispatcher)
    {
        using var file = new TextFile(EchoConfig.Replace("DISPATCHER", dispatcher));
        var loaded = SetupLoader.Load(file.Path, [], Handlers(), TimeProvider.System);
        await using var engine = Start(loaded);
        using var patience = new CancellationTokenSource(Patience);
        var sent = new byte[1 << 20];
        new Random(7).NextBytes(sent);
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(engine.Bound[1].Address.ToIPEndPoint(), patience.Token);

        var sending = SendAll(client, sent, patience.Token);
        var got = await ReceiveAll(client, patience.Token);
        await sending;
        Assert.Equal(sent, got);
    }

    [Fact]
    public async Task A_refused_configuration_fails_the_hosts_start_with_every_fault()
    {
        using var file = new TextFile("""
            router {
              listeners { a { bind = "udp://127.0.0.1:0", route = nowhere } }
              routes { b { type = handler, name = missing }, c { type = ecko } }
            }
            """);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRouter(file.Path);
        using var host = builder.Build();
        var refused = await Assert.ThrowsAsync<RouterStartException>(() => host.StartAsync());
        Assert.Contains(refused.Faults, fault => fault.Contains("nowhere"));
        Assert.Contains(refused.Faults, fault => fault.Contains("ecko"));
        Assert.All(refused.Faults, fault => Assert.StartsWith(file.Path, fault));
    }

    [Fact]
    public void A_handler_the_program_did_not_add_is_named_with_its_place()
    {
        using var file = new TextFile("""
            router {
              listeners { a { bind = "udp://127.0.0.1:0", route = b } }
              routes { b { type = handler, name = missing } }
            }
            """);
        var loaded = SetupLoader.Load(file.Path, [], Handlers(), TimeProvider.System);
        Assert.Null(loaded.Setup);
        var fault = Assert.Single(loaded.Faults);
        Assert.StartsWith($"{file.Path}:3", fault);
        Assert.Contains("'missing'", fault);
        Assert.Contains("added: echo", fault);
    }

    [Theory]
    [InlineData("No.Such.Type, Nowhere", "is not found")]
    [InlineData("System.String", "is no SessionHandler")]
    public void A_handler_class_that_cannot_be_used_is_refused(string type, string why)
    {
        using var file = new TextFile($$"""
            router {
              listeners { a { bind = "udp://127.0.0.1:0", route = b } }
              routes { b { type = handler, class = "{{type}}" } }
            }
            """);
        var loaded = SetupLoader.Load(file.Path, [], Handlers(), TimeProvider.System);
        Assert.Contains(why, Assert.Single(loaded.Faults));
    }

    [Fact]
    public async Task A_handler_class_is_loaded_by_its_name()
    {
        using var file = new TextFile($$"""
            router {
              listeners { a { bind = "udp://127.0.0.1:0", route = b } }
              routes { b { type = handler, class = "{{typeof(EchoHandler).AssemblyQualifiedName}}" } }
            }
            """);
        await using var engine = Start(SetupLoader.Load(file.Path, [], Handlers(), TimeProvider.System));
        using var patience = new CancellationTokenSource(Patience);
        Assert.Equal("x", await AskUdp(engine.Bound[0].Address.ToIPEndPoint(), "x", patience.Token));
    }

    [Fact]
    public async Task The_program_is_told_before_any_peer_comes_that_all_prepared_sessions_are_there()
    {
        using var file = new TextFile("""
            router {
              loops = 2, heap.prepared-sessions = 20
              listeners { a { bind = "udp://127.0.0.1:0", route = echo } }
              routes { echo { type = echo } }
            }
            """);
        var loaded = SetupLoader.Load(file.Path, [], Handlers(), TimeProvider.System);
        var told = new List<int>();
        using var log = new EventLog();
        var setup = loaded.Setup! with { OnPrepared = () => told.Add(log.Count("sessions-prepared")) };

        await using var engine = setup.Start(TimeProvider.System, RandomSource.System, log, out _);
        await log.Seen("sessions-prepared").WaitAsync(Patience);

        Assert.Equal([0], told);
    }

    [Fact]
    public void Every_bind_that_fails_is_told_with_listener_address_errno_and_remedy()
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)holder.LocalEndPoint!).Port;
        using var file = new TextFile($$"""
            router {
              listeners {
                taken { bind = "udp://127.0.0.1:{{port}}", route = echo }
                foreign { bind = "tcp://192.0.2.77:{{port}}", route = echo }
              }
              routes { echo { type = echo } }
            }
            """);
        var setup = SetupLoader.Load(file.Path, [], Handlers(), TimeProvider.System).Setup!;
        var engine = setup.Start(TimeProvider.System, RandomSource.System, NoLog(), out var faults);
        Assert.Null(engine);
        Assert.Equal(2, faults.Count);
        Assert.Contains(faults, fault => fault.Contains("listener taken") && fault.Contains($"udp://127.0.0.1:{port}")
            && fault.Contains("EADDRINUSE, Address already in use") && fault.Contains("ss -lnptu"));
        Assert.Contains(faults, fault => fault.Contains("listener foreign") && fault.Contains("EADDRNOTAVAIL"));
    }

    private static ProgramParts Handlers() =>
        new ProgramParts().Add<SessionHandler>("echo", static () => new EchoHandler());

    private static ILogger NoLog() => LoggerFactory.Create(static _ => { }).CreateLogger("test");

    private static RouterEngine Start(LoadedSetup loaded)
    {
        Assert.Empty(loaded.Faults);
        var engine = loaded.Setup!.Start(TimeProvider.System, RandomSource.System, NoLog(), out var faults);
        Assert.Empty(faults);
        return engine!;
    }

    private static async Task<string> AskUdp(IPEndPoint router, string text, CancellationToken patience)
    {
        using var client = new Socket(router.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await client.ConnectAsync(router, patience);
        await client.SendAsync(System.Text.Encoding.UTF8.GetBytes(text), patience);
        var buffer = new byte[100];
        return System.Text.Encoding.UTF8.GetString(buffer, 0, await client.ReceiveAsync(buffer, patience));
    }

    private static async Task<string> AskTcp(IPEndPoint router, string text, CancellationToken patience)
    {
        using var client = new Socket(router.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(router, patience);
        await SendAll(client, System.Text.Encoding.UTF8.GetBytes(text), patience);
        return System.Text.Encoding.UTF8.GetString(await ReceiveAll(client, patience));
    }

    private static async Task SendAll(Socket client, byte[] bytes, CancellationToken patience)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await client.SendAsync(bytes.AsMemory(sent), patience);
        }

        client.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> ReceiveAll(Socket client, CancellationToken patience)
    {
        var received = new MemoryStream();
        var buffer = new byte[65_536];
        int count;
        while ((count = await client.ReceiveAsync(buffer, patience)) > 0)
        {
            received.Write(buffer, 0, count);
        }

        return received.ToArray();
    }
}
