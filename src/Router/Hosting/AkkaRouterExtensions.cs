using Microsoft.Extensions.Logging;
using Router.Cluster;
using Router.Cluster.Members;
using Router.Configuration;
using Router.Hosting;
using Router.Reporting;
using Router.Running;

// The namespace that a program with actors imports already.
namespace Akka.Hosting;

/// <summary>Adds routers to a program's own actor system.</summary>
public static class AkkaRouterExtensions
{
    /// <summary>Runs a router in this actor system, beside its other actors, as /user/NAME: it starts with them, and
    /// drains in <c>CoordinatedShutdown</c>'s phase <c>router-drain</c> while they still live. Its actor is registered
    /// under <see cref="RouterActorKey"/>, if no other is.</summary>
    /// <param name="akka">The system's configuration.</param>
    /// <param name="configFile">A HOCON file; relative to the working directory. What it says under <c>akka</c> goes on
    /// top of what the system's configuration has so far. A refused one fails the host's start with a
    /// <see cref="RouterStartException"/>.</param>
    /// <param name="configure">Adds the handlers that the file's routes name.</param>
    /// <param name="name">Of the router; several in one system need different ones.</param>
    public static AkkaConfigurationBuilder WithRouter(
        this AkkaConfigurationBuilder akka,
        string configFile,
        Action<RouterBuilder>? configure = null,
        string name = ActorSystemHandle.DefaultName) =>
        akka.WithRouter(
            LaunchOf(configFile, configure, name),
            static (registry, actor) => registry.TryRegister<RouterActorKey>(actor));

    /// <summary>The same with a key of the program's own for the router's actor:
    /// <c>IRequiredActor&lt;TKey&gt;</c>.</summary>
    /// <typeparam name="TKey">Any type that is no other actor's key.</typeparam>
    /// <param name="akka">The system's configuration.</param>
    /// <param name="configFile">A HOCON file.</param>
    /// <param name="configure">Adds the handlers that the file's routes name.</param>
    /// <param name="name">Of the router.</param>
    public static AkkaConfigurationBuilder WithRouter<TKey>(
        this AkkaConfigurationBuilder akka,
        string configFile,
        Action<RouterBuilder>? configure = null,
        string name = ActorSystemHandle.DefaultName) =>
        akka.WithRouter(
            LaunchOf(configFile, configure, name), static (registry, actor) => registry.Register<TKey>(actor));

    /// <summary>Lets a program without listeners, that is a member of a cluster of routers by another role, reach the
    /// cluster's identities: <see cref="RouterCluster.Get"/>. What all members must have alike is set on
    /// top of what the system's configuration has so far: how members are found to be dead, who is downed, and the size
    /// of messages. A router with <c>cluster { }</c> has all this already.</summary>
    /// <param name="akka">The system's configuration, with Akka.Cluster. The system's name is the routers', as
    /// <c>router</c> is that of the service.</param>
    /// <param name="shards">As <c>cluster.shards</c> of the routers.</param>
    /// <param name="fastDetection">Whether <c>cluster.detection</c> of the routers is <c>fast</c>.</param>
    /// <param name="certificates">The program's files where the routers have <c>cluster.tls</c>; seeds begin with
    /// <c>akka.ssl.tcp://</c> then. Who is refused, or refuses, is logged as <c>member-refused</c>. Null without TLS.
    /// </param>
    /// <exception cref="ArgumentException">One of the certificates' files cannot be used; the message says which, and
    /// why.</exception>
    public static AkkaConfigurationBuilder WithRouterIdentities(
        this AkkaConfigurationBuilder akka,
        int shards = 64,
        bool fastDetection = true,
        RouterCertificates? certificates = null)
    {
        if (certificates is not null)
        {
            Check(certificates);
            akka.WithActors(static (system, _, resolver) =>
            {
                var log = resolver.GetService<ILoggerFactory>().CreateLogger(RouterLogging.Category);
                system.EventStream.Subscribe(
                    new RefusalLog(system, log, TimeProvider.System), typeof(MemberRefused));
            });
        }

        var detection = fastDetection ? ClusterDetection.Fast : ClusterDetection.Default;
        return akka
            .AddHocon(ClusterSettings.WithoutListeners(detection, certificates), HoconAddMode.Prepend)
            .AddHocon(ClusterSettings.IdentitiesOf(shards), HoconAddMode.Append);
    }

    /// <summary>The control of a router in this system, as <c>AddRouter</c> has it as a service.</summary>
    /// <param name="system">The router's.</param>
    /// <param name="name">Of the router.</param>
    /// <exception cref="ArgumentException">There is no router of this name, or it has not been started yet.</exception>
    public static IRouterControl GetRouterControl(
        this ActorSystem system, string name = ActorSystemHandle.DefaultName) =>
        RouterRegistry.Of(system).GetValueOrDefault(name)
        ?? throw new ArgumentException($"there is no router {name} in the actor system {system.Name}", nameof(name));

    internal static AkkaConfigurationBuilder WithRouter(
        this AkkaConfigurationBuilder akka, RouterLaunch launch, Action<IActorRegistry, IActorRef> register)
    {
        var said = launch.ReadAkka();
        if (!said.IsEmpty)
        {
            akka.AddHocon(said, HoconAddMode.Prepend);
        }

        akka.AddHocon(ActorSystemSettings.ProgramSettings, HoconAddMode.Append);
        return akka
            .WithActors((system, registry, resolver) =>
                register(registry, launch.Start(system, resolver.GetService<IServiceProvider>()).Actor))
            .AddStartup((system, _) => launch.CheckActorRoutesAsync(system));
    }

    private static void Check(RouterCertificates files)
    {
        var read = MemberCertificates.Read(files.Certificate, files.Key, files.Authority, out var faults);
        if (read is null)
        {
            throw new ArgumentException(
                string.Join("; ", faults.Select(static fault => $"{fault.Key}: {fault.Message}")),
                nameof(files));
        }
    }

    private static RouterLaunch LaunchOf(string configFile, Action<RouterBuilder>? configure, string name)
    {
        if (!ActorPath.IsValidPathElement(name))
        {
            throw new ArgumentException($"'{name}' cannot be an actor's name", nameof(name));
        }

        var builder = new RouterBuilder();
        configure?.Invoke(builder);
        return new RouterLaunch(configFile, builder, name, new RouterControl(), TimeProvider.System);
    }
}
