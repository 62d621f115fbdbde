using Akka.Hosting;

namespace Router.Hosting;

/// <summary>What the router's actor is found by: <c>IRequiredActor&lt;RouterActorKey&gt;</c>, or
/// <c>registry.Get&lt;RouterActorKey&gt;()</c>. Of several routers in one actor system it is the first; the others are
/// found by a key of their own, given to <see cref="AkkaRouterExtensions.WithRouter{TKey}"/>.</summary>
/// <remarks>The actor may be watched, and answers <see cref="ReloadRouter"/>.</remarks>
public sealed class RouterActorKey
{
    private RouterActorKey()
    {
    }
}

/// <summary>Told to the router's actor: reads the configuration again, as SIGHUP has the service do. The sender is
/// answered with a <see cref="ReloadResult"/>.</summary>
public sealed class ReloadRouter
{
    /// <summary>The message.</summary>
    public static ReloadRouter Instance { get; } = new();

    private ReloadRouter()
    {
    }
}
