using Akka.Cluster.Hosting;
using Akka.Hosting;
using Akka.Remote.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Cluster;
using Router.Cluster.Identities;
using Router.Tests.Cluster;
using Router.Tests.Functional;
using Router.Tests.Hosting;
using Tracker;
using static Router.Tests.Cluster.HostedMember;

namespace Router.Tests.Examples;

/// <summary>The gateway of hocon/examples/cluster-tracker.conf on two members, and the backend of
/// docs/cluster-backend.md, which is a member without listeners.</summary>
public sealed class TrackerTests
{
    /// <summary>A port that nobody has.</summary>
    private const string NoRouter = "127.0.0.1:1";

    private const string Listener = "identity { offset = 0, length = 8 }, checkpoint-sync = on";

    [Fact]
    public async Task A_device_is_counted_on_across_members_and_the_backend_reaches_it_at_whichever_it_is()
    {
        await using var one = await StartAsync(null, Listener, handler: static () => new TrackerHandler());
        await using var two = await StartAsync(one.Seed, Listener, handler: static () => new TrackerHandler());
        using var backend = await BackendAsync(one.Seed);
        await one.IsAmongAsync(3);
        await two.IsAmongAsync(3);
        var device = RouterCluster.Get(backend.Services.GetRequiredService<ActorSystem>()).Identity("dev-0042");
        using var here = one.Client();
        using var there = two.Client();

        device.Tell("wait for me");
        await here.SendAsync("dev-0042 52.1,4.3"u8.ToArray());
        Assert.Equal(["1", "do wait for me"], new[] { await HearAsync(here), await HearAsync(here) }.Order());
        Assert.Equal("2", await HostedMember.AskAsync(here, "dev-0042 52.1,4.4"));
        Assert.Equal(Delivery.Delivered, await device.AskAsync("stop", RunningProcess.Patience));
        Assert.Equal("do stop", await HearAsync(here));

        Assert.Equal("3", await HostedMember.AskAsync(there, "dev-0042 52.1,4.5"));
        Assert.Equal(Delivery.Delivered, await device.AskAsync("go", RunningProcess.Patience));
        Assert.Equal("do go", await HearAsync(there));
        Assert.Equal(
            Delivery.NotAttached,
            await RouterCluster.Get(backend.Services.GetRequiredService<ActorSystem>())
                .Identity("dev-0043").AskAsync("stop", RunningProcess.Patience));
        await backend.StopAsync();
    }

    [Fact]
    public async Task A_backend_that_finds_no_router_says_that_a_device_is_unreachable()
    {
        using var backend = await BackendAsync(NoRouter);
        var system = backend.Services.GetRequiredService<ActorSystem>();

        Assert.Equal(
            Delivery.Unreachable,
            await RouterCluster.Get(system).Identity("dev-0042").AskAsync("stop", TimeSpan.FromMilliseconds(500)));
        await backend.StopAsync();
    }

    /// <summary>Where members talk TLS, the program shows a certificate too; one of another authority is refused, and
    /// both sides say so.</summary>
    [Fact]
    public async Task A_backend_with_certificates_reaches_a_device_of_a_cluster_with_tls()
    {
        const string Host = "127.0.0.1";
        var folder = Directory.CreateTempSubdirectory("router-test-");
        var ours = folder.CreateSubdirectory("ours").FullName;
        var theirs = folder.CreateSubdirectory("theirs").FullName;
        TestCertificates.Make(ours, Host);
        TestCertificates.Make(theirs, Host);
        await using var router = await StartAsync(
            null, Listener, TestCertificates.Section(ours, Host), handler: static () => new TrackerHandler());
        using var client = router.Client();
        Assert.Equal("1", await HostedMember.AskAsync(client, "dev-0042 52.1,4.3"));

        var strangerLog = new EventLog();
        using (var stranger = await BackendAsync(router.Seed, FilesOf(theirs), strangerLog))
        {
            await router.Log.Seen("member-refused");
            await strangerLog.Seen("member-refused");
            await stranger.StopAsync();
        }

        using var backend = await BackendAsync(router.Seed, FilesOf(ours));
        await router.IsAmongAsync(2);
        var device = RouterCluster.Get(backend.Services.GetRequiredService<ActorSystem>()).Identity("dev-0042");
        Assert.Equal(Delivery.Delivered, await device.AskAsync("stop", RunningProcess.Patience));
        Assert.Equal("do stop", await HearAsync(client));
        await backend.StopAsync();
        folder.Delete(recursive: true);

        static RouterCertificates FilesOf(string folder) => new(
            Path.Combine(folder, $"{Host}.pem"), Path.Combine(folder, $"{Host}-key.pem"),
            Path.Combine(folder, "ca.pem"));
    }

    [Fact]
    public async Task A_backend_whose_files_cannot_be_read_says_which_and_why()
    {
        var refused = await Assert.ThrowsAsync<ArgumentException>(
            static () => BackendAsync(NoRouter, new RouterCertificates("/nowhere/me.pem", "k.pem", "ca.pem")));

        Assert.Contains("certificate: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("/nowhere/me.pem", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>What any member must have alike is, too, in the program of <see cref="BackendAsync"/>: it may be the
    /// one that decides who is in the cluster.</summary>
    [Fact]
    public async Task A_backend_decides_as_routers_do()
    {
        await using var router = await StartAsync(null, Listener, handler: static () => new TrackerHandler());
        using var backend = await BackendAsync(router.Seed);
        var own = backend.Services.GetRequiredService<ActorSystem>().Settings.Config;
        var routers = router.System.Settings.Config;

        foreach (var key in (string[])
        [
            "akka.cluster.downing-provider-class",
            "akka.cluster.split-brain-resolver.active-strategy",
            "akka.cluster.split-brain-resolver.keep-majority.role",
            "akka.cluster.split-brain-resolver.stable-after",
            "akka.cluster.failure-detector.acceptable-heartbeat-pause",
            "akka.cluster.failure-detector.heartbeat-interval",
            "akka.cluster.leader-actions-interval",
            "akka.cluster.gossip-interval",
            "akka.cluster.sharding.state-store-mode",
            "akka.remote.dot-netty.tcp.maximum-frame-size",
        ])
        {
            Assert.Equal((key, routers.GetString(key)), (key, own.GetString(key)));
        }

        await backend.StopAsync();
    }

    /// <summary>The listing of docs/cluster-backend.md, at ports that the kernel chooses.</summary>
    /// <param name="seed">A router.</param>
    /// <param name="certificates">Of a cluster with TLS.</param>
    /// <param name="log">What the program logs; null for nowhere.</param>
    private static async Task<IHost> BackendAsync(
        string seed, RouterCertificates? certificates = null, EventLog? log = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }

        builder.Services.AddAkka("router", akka => akka
            .WithRemoting("127.0.0.1", 0)
            .WithClustering(new ClusterOptions
            {
                Roles = ["backend"],
                SeedNodes = [$"akka.{(certificates is null ? "" : "ssl.")}tcp://router@{seed}"],
            })
            .WithRouterIdentities(certificates: certificates));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
