using Akka.Hosting;
using Router.Running;

namespace Router.Hosting;

/// <summary>The key of the router's actor: <c>IRequiredActor&lt;RouterActorKey&gt;</c>, or
/// <c>registry.Get&lt;RouterActorKey&gt;()</c>. Of several routers in one actor system it is the first; the others are
/// found by a key of their own, given to <see cref="AkkaRouterExtensions.WithRouter{TKey}"/>.</summary>
/// <remarks>The actor may be watched, and answers <see cref="ReloadRouter"/>.</remarks>
public sealed class RouterActorKey
{
    private RouterActorKey()
    {
    }
}
