using System.Net;
using System.Net.Sockets;
using System.Text;
using Akka.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Hosting;
using Router.Running;
using Router.Tests.Configuration;

namespace Router.Tests.Hosting;

/// <summary>Routers in a program's own actor system, on real sockets.</summary>
public sealed class AkkaHostingTests
{
    private const string Text = """
        router {
          loops = 1
          drain-timeout = 1s
          listeners.a { bind = "udp://127.0.0.1:0", route = r }
          routes.r { type = reply, text = one }
        }
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_router_runs_beside_the_programs_actors_and_is_found_by_its_key()
    {
        using var file = new TextFile(Text);
        using var log = new EventLog();
        using var host = Build(log, akka => akka
            .WithRouter(file.Path)
            .WithActors(static (system, registry) =>
                registry.Register<Upper>(system.ActorOf(Props.Create<Upper>(), "upper"))));
        using var patience = new CancellationTokenSource(Patience);
        await host.StartAsync(patience.Token);
        var system = host.Services.GetRequiredService<ActorSystem>();

        Assert.Equal("one", await AskAsync(EndPointOf(system, "router"), patience.Token));
        var upper = host.Services.GetRequiredService<IRequiredActor<Upper>>().ActorRef;
        Assert.Equal("ABC", await upper.Ask<string>("abc", patience.Token));
        var router = await host.Services.GetRequiredService<IRequiredActor<RouterActorKey>>().GetAsync(patience.Token);
        Assert.Equal("/user/router", router.Path.ToStringWithoutAddress());
        await File.WriteAllTextAsync(file.Path, Text.Replace("one", "two"), patience.Token);
        var reloaded = await router.Ask<ReloadResult>(ReloadRouter.Instance, patience.Token);
        Assert.Equal(["router.routes.r.text"], reloaded.ChangedKeys);
        await host.StopAsync(patience.Token);

        Assert.Equal(1, log.Count("draining"));
        Assert.Equal(1, log.Count("stopped"));
        Assert.True(system.WhenTerminated.IsCompleted);
    }

    [Fact]
    public async Task Two_routers_live_in_one_system_each_by_its_name_and_key()
    {
        using var file = new TextFile(Text);
        using var other = new TextFile(Text.Replace("one", "edge"));
        using var log = new EventLog();
        using var host = Build(log, akka => akka
            .WithRouter(file.Path)
            .WithRouter<EdgeKey>(other.Path, name: "edge"));
        using var patience = new CancellationTokenSource(Patience);
        await host.StartAsync(patience.Token);
        var system = host.Services.GetRequiredService<ActorSystem>();

        Assert.Equal("one", await AskAsync(EndPointOf(system, "router"), patience.Token));
        Assert.Equal("edge", await AskAsync(EndPointOf(system, "edge"), patience.Token));
        Assert.Equal(
            "/user/edge",
            host.Services.GetRequiredService<IRequiredActor<EdgeKey>>().ActorRef.Path.ToStringWithoutAddress());
        Assert.True((await system.GetRouterControl("edge").ReloadAsync(patience.Token)).IsApplied);
        Assert.Throws<ArgumentException>(() => system.GetRouterControl("none"));

        // One that ends by itself leaves the other, and the system, alone.
        await EngineOf(system, "edge").DisposeAsync();
        Assert.Equal("one", await AskAsync(EndPointOf(system, "router"), patience.Token));
        await host.StopAsync(patience.Token);
        Assert.Equal(2, log.Count("stopped"));
    }

    [Fact]
    public async Task Host_and_CoordinatedShutdown_are_one_drain_while_the_programs_actors_live()
    {
        using var file = new TextFile(Text);
        using var log = new EventLog();
        using var host = Build(log, akka => akka.WithRouter(file.Path).WithActors(static (system, registry) =>
            registry.Register<Upper>(system.ActorOf(Props.Create<Upper>(), "upper"))));
        using var patience = new CancellationTokenSource(Patience);
        await host.StartAsync(patience.Token);
        var system = host.Services.GetRequiredService<ActorSystem>();
        Assert.Equal("one", await AskAsync(EndPointOf(system, "router"), patience.Token));
        var upper = host.Services.GetRequiredService<IRequiredActor<Upper>>().ActorRef;
        var order = new List<string>();
        CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseServiceUnbind, "before", () =>
        {
            order.Add($"stopped {log.Count("stopped")}");
            return Task.FromResult(Akka.Done.Instance);
        });
        CoordinatedShutdown.Get(system).AddTask(CoordinatedShutdown.PhaseServiceRequestsDone, "after", async () =>
        {
            order.Add($"stopped {log.Count("stopped")}");
            order.Add(await upper.Ask<string>("alive", patience.Token));
            return Akka.Done.Instance;
        });

        await Task.WhenAll(
            CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance),
            host.StopAsync(patience.Token),
            EngineOf(system, "router").StopAsync("again", CancellationToken.None));

        Assert.Equal(["stopped 0", "stopped 1", "ALIVE"], order);
        Assert.Equal(1, log.Count("draining"));
        Assert.Equal(1, log.Count("stopped"));
    }

    [Fact]
    public async Task A_drain_may_take_longer_than_Akkas_phases_which_a_program_sees_in_its_own()
    {
        using var file = new TextFile(Text);
        using var log = new EventLog();
        using var host = Build(log, akka => akka.WithRouter(file.Path));
        using var patience = new CancellationTokenSource(Patience);
        await host.StartAsync(patience.Token);
        var shutdown = CoordinatedShutdown.Get(host.Services.GetRequiredService<ActorSystem>());
        Assert.True(shutdown.Timeout("router-drain") > TimeSpan.FromDays(1));
        Assert.Equal(TimeSpan.FromSeconds(5), shutdown.Timeout(CoordinatedShutdown.PhaseServiceUnbind));
        await host.StopAsync(patience.Token);
    }

    [Fact]
    public async Task What_the_file_says_under_akka_reaches_the_system_and_the_programs_word_later_wins()
    {
        using var file = new TextFile(
            Text + "\nakka.actor.default-dispatcher.throughput = 51, akka.loglevel = DEBUG\n");
        using var log = new EventLog();
        using var host = Build(log, akka => akka
            .WithRouter(file.Path)
            .AddHocon("akka.loglevel = ERROR", HoconAddMode.Prepend));
        using var patience = new CancellationTokenSource(Patience);
        await host.StartAsync(patience.Token);
        var system = host.Services.GetRequiredService<ActorSystem>();
        Assert.Equal(51, system.Settings.Config.GetInt("akka.actor.default-dispatcher.throughput"));
        Assert.Equal("ERROR", system.Settings.LogLevel);
        Assert.IsType<Router.Loop.ClockScheduler>(system.Scheduler);

        await File.WriteAllTextAsync(
            file.Path, Text + "\nakka.actor.default-dispatcher.throughput = 52\n", patience.Token);
        var reloaded = await system.GetRouterControl().ReloadAsync(patience.Token);
        Assert.Equal(["akka.actor.default-dispatcher.throughput", "akka.loglevel"], reloaded.NeedRestart.Order());
        await host.StopAsync(patience.Token);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_value_that_Akka_refuses_is_a_fault_with_its_place(bool isGuest)
    {
        using var file = new TextFile(
            Text + "\nakka.stdout-loglevel = OFF\n"
            + "akka.actor.default-dispatcher.throughput = many\nakka.loglevel = LOUD");
        using var log = new EventLog();
        using var host = isGuest ? Build(log, akka => akka.WithRouter(file.Path)) : BuildAlone(log, file.Path);
        var refused = await Assert.ThrowsAsync<RouterStartException>(() => host.StartAsync());
        Assert.Equal(2, refused.Faults.Count);
        Assert.StartsWith(
            $"{file.Path}:8:1: akka.actor.default-dispatcher.throughput: Akka refuses it: ", refused.Faults[0]);
        Assert.StartsWith($"{file.Path}:9:1: akka.loglevel: Akka refuses it: ", refused.Faults[1]);
    }

    [Fact]
    public async Task An_extension_that_cannot_be_loaded_is_a_fault_with_its_place()
    {
        using var file = new TextFile(Text + "\nakka.stdout-loglevel = OFF\nakka.extensions = [\"nope\"]");
        using var log = new EventLog();
        using var host = BuildAlone(log, file.Path);
        var refused = await Assert.ThrowsAsync<RouterStartException>(() => host.StartAsync());
        Assert.StartsWith($"{file.Path}:8:1: akka.extensions: 'nope' is no type", Assert.Single(refused.Faults));
    }

    [Fact]
    public async Task What_Akka_refuses_only_when_it_starts_is_a_refused_configuration()
    {
        using var file = new TextFile(Text + "\nakka.actor.provider = nope\n");
        using var errors = new StringWriter();
        using var signals = new ProcessSignals();
        var code = await RouterRunner.RunAsync(file.Path, [], errors, signals);
        Assert.Equal(RouterRunner.ExitRefused, code);
        Assert.Contains(": akka: Akka refuses it: ", errors.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("akka.loglevel = ERROR")]
    public async Task A_port_of_the_cluster_that_is_taken_ends_as_one_of_a_listener_does(string akka)
    {
        using var holder = new TcpListener(IPAddress.Loopback, 0);
        holder.Start();
        var address = $"{holder.LocalEndpoint}";
        using var file = new TextFile(
            Text + $"\nrouter.cluster.port = {address.Split(':')[1]}\nrouter.cluster.seeds = []\n{akka}\n");
        var line = $"{file.Path}:7:1: router.cluster.port: tcp://{address}: EADDRINUSE, Address already in use: ";
        using var errors = new StringWriter();
        using var signals = new ProcessSignals();
        using var log = new EventLog();
        using var host = BuildAlone(log, file.Path);

        var code = await RouterRunner.RunAsync(file.Path, [], errors, signals);
        var refused = await Assert.ThrowsAsync<RouterStartException>(() => host.StartAsync());

        Assert.Equal(RouterRunner.ExitNotBound, code);
        Assert.StartsWith(line, Assert.Single($"{errors}".TrimEnd().Split('\n')));
        Assert.StartsWith(line, Assert.Single(refused.Faults));
    }

    [Theory]
    [InlineData("", SocketError.AddressNotAvailable, "router.cluster.host: tcp://127.0.0.1:27200: EADDRNOTAVAIL, ")]
    [InlineData(
        "bind-host = localhost", SocketError.AddressNotAvailable,
        "router.cluster.bind-host: tcp://localhost:27200: EADDRNOTAVAIL, ")]
    [InlineData(
        "bind-host = localhost", SocketError.HostNotFound,
        "router.cluster.bind-host: tcp://localhost:27200: the name cannot be resolved: ")]
    [InlineData("port = 1", SocketError.AccessDenied, "router.cluster.port: tcp://127.0.0.1:1: EACCES, ")]
    public void What_cannot_be_bound_of_a_member_has_its_place(string keys, SocketError error, string text)
    {
        using var file = new TextFile($"{Text}\nrouter.cluster {{ seeds = [], {keys} }}\n");
        var options = SetupLoader.Load(file.Path, [], ProgramParts.None, TimeProvider.System).Setup!.Options;
        var failure = new AggregateException(
            new InvalidOperationException("no remoting", new SocketException((int)error)));

        var fault = ActorSystemFault.Of(options, failure)!;

        Assert.True(fault.IsNotBound);
        Assert.Contains($": {text}", fault.Text, StringComparison.Ordinal);
        Assert.Null(ActorSystemFault.Of(Loaded.Options(Loaded.Echo), failure));
    }

    [Fact]
    public async Task Akkas_own_log_is_events_of_ours_and_dead_letters_are_summed_up()
    {
        using var file = new TextFile(Text);
        using var log = new EventLog();
        using var host = Build(log, akka => akka.WithRouter(file.Path));
        using var patience = new CancellationTokenSource(Patience);
        using var output = new OutputWatch();
        await host.StartAsync(patience.Token);
        var system = host.Services.GetRequiredService<ActorSystem>();
        var gone = system.ActorOf(Props.Create<Upper>(), "gone");
        await gone.GracefulStop(Patience);
        for (var i = 0; i < 1_000; i++)
        {
            gone.Tell("lost");
        }

        system.EventStream.Publish(new Warning("a source", typeof(Upper), "something odd"));
        await log.Seen("dead-letters").WaitAsync(patience.Token);
        await log.Seen("actor-log").WaitAsync(patience.Token);
        await host.StopAsync(patience.Token);

        Assert.InRange(log.Count("dead-letters"), 1, 3);
        Assert.Contains(log.Texts("dead-letters"), static text =>
            text.EndsWith("a String to /user/gone", StringComparison.Ordinal));
        Assert.Contains("a source: something odd (0 not logged)", log.Texts("actor-log"));
        Assert.DoesNotContain("something odd", output.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("akka://mine", output.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_actor_system_is_refused_with_the_way_out()
    {
        var services = new ServiceCollection();
        services.AddAkka("mine", static _ => { });
        var refused = Assert.Throws<InvalidOperationException>(() => services.AddRouter("router.conf"));
        Assert.Contains("WithRouter", refused.Message);
    }

    [Fact]
    public async Task A_name_that_is_taken_fails_the_start()
    {
        using var file = new TextFile(Text);
        using var log = new EventLog();
        using var host = Build(log, akka => akka.WithRouter(file.Path).WithRouter(file.Path));
        var refused = await Assert.ThrowsAsync<RouterStartException>(() => host.StartAsync());
        Assert.Contains("router of this name", Assert.Single(refused.Faults));
    }

    [Fact]
    public async Task A_second_router_with_a_cluster_fails_the_start_before_it_binds()
    {
        const string Cluster = "\nrouter.cluster { port = 0, seeds = [] }\n";
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));   // else that it cannot be bound would be a fault, too
        using var file = new TextFile(Text + Cluster);
        using var other = new TextFile(Text.Replace("127.0.0.1:0", $"{holder.LocalEndPoint}") + Cluster);
        using var log = new EventLog();
        using var host = Build(log, akka => akka.WithRouter(file.Path).WithRouter(other.Path, name: "edge"));

        var refused = await Assert.ThrowsAsync<RouterStartException>(() => host.StartAsync());

        Assert.StartsWith(
            $"{other.Path}:7:1: router.cluster: the actor system is a member already, by router router: ",
            Assert.Single(refused.Faults));
    }

    private static IHost Build(EventLog log, Action<AkkaConfigurationBuilder> add) =>
        Build(log, services => services.AddAkka("mine", add));

    private static IHost BuildAlone(EventLog log, string path) => Build(log, services => services.AddRouter(path));

    private static IHost Build(EventLog log, Func<IServiceCollection, IServiceCollection> add)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        add(builder.Services);
        return builder.Build();
    }

    private static RouterEngine EngineOf(ActorSystem system, string name) =>
        ((RouterControl)system.GetRouterControl(name)).Engine!;

    private static IPEndPoint EndPointOf(ActorSystem system, string name) =>
        EngineOf(system, name).Bound[0].Address.ToIPEndPoint();

    private static async Task<string> AskAsync(IPEndPoint router, CancellationToken patience)
    {
        using var client = new Socket(router.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await client.ConnectAsync(router, patience);
        await client.SendAsync("?"u8.ToArray(), patience);
        var buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, await client.ReceiveAsync(buffer, patience));
    }

    private sealed class EdgeKey;

    /// <summary>Sees what is written to standard output meanwhile, by whoever.</summary>
    private sealed class OutputWatch : IDisposable
    {
        private readonly TextWriter _before = Console.Out;
        private readonly StringWriter _seen = new();

        public OutputWatch() => Console.SetOut(TextWriter.Synchronized(_seen));

        public string Text
        {
            get
            {
                Console.SetOut(_before);
                return _seen.ToString();
            }
        }

        public void Dispose()
        {
            Console.SetOut(_before);
            _seen.Dispose();
        }
    }

    private sealed class Upper : ReceiveActor
    {
        public Upper() => Receive<string>(text => Sender.Tell(text.ToUpperInvariant()));
    }
}
