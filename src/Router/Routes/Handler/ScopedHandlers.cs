using Microsoft.Extensions.DependencyInjection;
using Router.Sessions;

namespace Router.Routes;

/// <summary>
/// Makes handlers whose constructor's parameters come from a container: each in a scope of its own, disposed with it.
/// </summary>
/// <remarks>Any thread. A handler whose constructors want nothing has no scope, and costs nothing more than
/// itself.</remarks>
internal sealed class ScopedHandlers
{
    private readonly IServiceProvider _services;
    private readonly IServiceScopeFactory? _scopes;
    private readonly ObjectFactory _make;

    /// <param name="services">The container.</param>
    /// <param name="handlerType">A <see cref="SessionHandler"/>.</param>
    public ScopedHandlers(IServiceProvider services, Type handlerType)
    {
        _services = services;
        HandlerType = handlerType;
        _make = ActivatorUtilities.CreateFactory(handlerType, Type.EmptyTypes);
        var wantsServices = handlerType.GetConstructors().Any(static made => made.GetParameters().Length > 0);
        _scopes = wantsServices ? services.GetRequiredService<IServiceScopeFactory>() : null;
    }

    public Type HandlerType { get; }

    /// <summary>What routes are given: <see cref="HandlerRoute"/> knows it again by its target.</summary>
    public Func<SessionHandler> Factory => MakeUnowned;

    /// <summary>A handler for a session, which disposes it and its scope when it is over.</summary>
    public SessionHandler Create(SessionContext session)
    {
        if (_scopes is null)
        {
            var plain = MakeUnowned();
            if (plain is IAsyncDisposable or IDisposable)
            {
                session.Own(plain);
            }

            return plain;
        }

        var scope = _scopes.CreateAsyncScope();
        try
        {
            var handler = (SessionHandler)_make(scope.ServiceProvider, null);
            session.Own(new Ownership(handler, scope));
            return handler;
        }
        catch
        {
            session.Own(new Ownership(handler: null, scope));
            session.DisposeOwned();
            throw;
        }
    }

    private SessionHandler MakeUnowned() => (SessionHandler)_make(_services, null);

    /// <summary>The handler, then the scope that its services live in.</summary>
    private sealed class Ownership(SessionHandler? handler, AsyncServiceScope scope) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                if (handler is IAsyncDisposable later)
                {
                    await later.DisposeAsync().ConfigureAwait(false);
                }
                else
                {
                    (handler as IDisposable)?.Dispose();
                }
            }
            finally
            {
                await scope.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
