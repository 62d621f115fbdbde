using Akka.Cluster.Sharding;
using Router.Cluster.Identities;
using Router.Cluster.Members;

namespace Router.Cluster;

/// <summary>The identities of a cluster of routers, from an actor system that is a member of it: a router's, or that
/// of any program with other roles, for which it is the client of the cluster. Any thread.</summary>
public sealed class RouterCluster : IExtension
{
    internal const string TypeName = "router-identity";

    private readonly ExtendedActorSystem _system;
    private readonly Lock _lock = new();
    private IActorRef? _entities;

    internal RouterCluster(ExtendedActorSystem system) => _system = system;

    /// <summary>That of an actor system.</summary>
    /// <param name="system">A member of the cluster: a router's with <c>cluster { }</c>, or one whose configuration has
    /// <see cref="Akka.Hosting.AkkaRouterExtensions.WithRouterIdentities"/>.</param>
    public static RouterCluster Get(ActorSystem system) => system.WithExtension<RouterCluster, Id>();

    /// <summary>Who has this name in the whole cluster.</summary>
    /// <param name="name">As sessions have it in <see cref="Sessions.SessionContext.Identity"/>.</param>
    /// <exception cref="InvalidOperationException">The actor system is not set up for it.</exception>
    public IdentityRef Identity(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new IdentityRef(name, Entities());
    }

    /// <summary>Of a router: what takes messages to identities, started with it.</summary>
    internal void Use(IActorRef entities) => _entities = entities;

    private IActorRef Entities()
    {
        lock (_lock)
        {
            if (_entities is not null)
            {
                return _entities;
            }

            var shards = _system.Settings.Config.GetInt(ClusterSettings.ShardsKey);
            return _entities = shards > 0
                ? ClusterSharding.Get(_system).StartProxy(
                    TypeName, ClusterSettings.Role, new IdentityExtractor(shards))
                : throw new InvalidOperationException(
                    "the actor system has no identities: call akka.WithRouterIdentities() where it is configured");
        }
    }

    private sealed class Id : ExtensionIdProvider<RouterCluster>
    {
        public override RouterCluster CreateExtension(ExtendedActorSystem system) => new(system);
    }
}

/// <summary>An identity by its name: whichever session speaks for it now, at whichever member. Any thread.</summary>
public sealed class IdentityRef
{
    private readonly IActorRef _entities;

    internal IdentityRef(string name, IActorRef entities) => (Name, _entities) = (name, entities);

    /// <summary>As sessions have it.</summary>
    public string Name { get; }

    /// <summary>Tells the handler of the session that speaks for the identity, in
    /// <see cref="Sessions.SessionHandler.OnMessage"/>. While there is none the message waits, within
    /// <c>cluster.identity-queue</c>, for the next one. It is delivered at most once.</summary>
    /// <param name="message">Anything that Akka can serialize.</param>
    /// <param name="sender">Whom the handler sees as the sender.</param>
    public void Tell(object message, IActorRef? sender = null)
    {
        ArgumentNullException.ThrowIfNull(message);
        _entities.Tell(new Tell(Name, message, sender ?? ActorRefs.Nobody, null), ActorRefs.NoSender);
    }

    /// <summary>The same, with word of what became of it. Such a message does not wait for a session.</summary>
    /// <param name="message">Anything that Akka can serialize.</param>
    /// <param name="timeout">When to give up.</param>
    /// <param name="sender">Whom the handler sees as the sender.</param>
    public async Task<Delivery> AskAsync(object message, TimeSpan timeout, IActorRef? sender = null)
    {
        ArgumentNullException.ThrowIfNull(message);
        try
        {
            var answer = await _entities
                .Ask<object>(
                    asker => new Tell(Name, message, sender ?? ActorRefs.Nobody, asker),
                    timeout,
                    CancellationToken.None)
                .ConfigureAwait(false);
            return answer is Answered answered ? answered.Delivery : Delivery.Delivered;
        }
        catch (AskTimeoutException)
        {
            return Delivery.Unreachable;
        }
    }
}
