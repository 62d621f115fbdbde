using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Hosting;
using Akka.Remote.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Cluster;

namespace Router.Benchmarks;

/// <summary>The backend of docs/cluster-backend.md, a member without listeners: tells devices what stands on its
/// standard input, a line each: the device's identity, a blank, and the command. See bench/tracker.sh.</summary>
/// <param name="host">Its own address, at which the others reach it.</param>
/// <param name="folder">Of the certificates.</param>
/// <param name="seeds">Routers.</param>
internal sealed class TrackerBackend(string host, string folder, IReadOnlyList<string> seeds)
{
    public async Task RunAsync(TextReader commands, TextWriter output)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddAkka("router", akka => akka
            .AddHocon("akka { loggers = [], stdout-loglevel = OFF }", HoconAddMode.Prepend)
            .WithRemoting(host, 27_210)
            .WithClustering(new ClusterOptions
            {
                Roles = ["backend"],
                SeedNodes = [.. seeds.Select(static seed => $"akka.ssl.tcp://router@{seed}")],
            })
            .WithRouterIdentities(certificates: new RouterCertificates(
                Path.Combine(folder, $"{host}.pem"), Path.Combine(folder, $"{host}-key.pem"),
                Path.Combine(folder, "ca.pem"))));
        using var started = builder.Build();
        await started.StartAsync();
        var system = started.Services.GetRequiredService<ActorSystem>();
        var routers = RouterCluster.Get(system);
        _ = EndWithAsync(system);
        await output.WriteLineAsync("ready");
        await output.FlushAsync();
        while (await commands.ReadLineAsync() is { } line)
        {
            if (line.Split(' ', 2) is [var device, var command])
            {
                routers.Identity(device).Tell(command);
            }
        }

        await started.StopAsync();
    }

    /// <summary>One that was downed is no member any more, and is started anew.</summary>
    private static async Task EndWithAsync(ActorSystem system)
    {
        await system.WhenTerminated;
        Environment.Exit(75);
    }
}
