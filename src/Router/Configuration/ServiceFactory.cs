using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace Router.Configuration;

/// <summary>Makes objects of a program's type, whose constructor's parameters come from the host's services: each with
/// a scope of its own, which is disposed with it. Any thread.</summary>
/// <remarks>An object whose constructor has no parameters has no scope, and costs nothing more than itself.</remarks>
internal sealed class ServiceFactory
{
    private readonly IServiceProvider _services;
    private readonly IServiceScopeFactory? _scopes;
    private readonly IReadOnlyList<ParameterInfo> _parameters = [];
    private readonly ObjectFactory? _make;
    private readonly string? _fault;

    public ServiceFactory(IServiceProvider services, Type type)
    {
        (_services, Type) = (services, type);
        try
        {
            _make = ActivatorUtilities.CreateFactory(type, Type.EmptyTypes);
            _parameters = ConstructorOf(type).GetParameters();
            _scopes = _parameters.Count > 0 ? services.GetRequiredService<IServiceScopeFactory>() : null;
        }
        catch (Exception unfit) when (unfit is InvalidOperationException or ArgumentException or MemberAccessException)
        {
            _fault = unfit.Message;
        }
    }

    public Type Type { get; }

    /// <summary>Gets the services that the constructor wants once, from a scope that is disposed at once. The
    /// constructor itself is not called before there is somebody to make an object for.</summary>
    /// <returns>Why no object can be made; null if the services are there.</returns>
    public string? FindFault()
    {
        if (_fault is not null || _scopes is null)
        {
            return _fault;
        }

        try
        {
            var scope = _scopes.CreateAsyncScope();
            try
            {
                foreach (var parameter in _parameters)
                {
                    _ = Resolve(scope.ServiceProvider, parameter);
                }
            }
            finally
            {
                Release(scope);
            }

            return null;
        }
        catch (Exception missing) when (missing is not OutOfMemoryException)
        {
            return missing.Message.ReplaceLineEndings(" ");
        }
    }

    /// <summary>What routes are given. <see cref="Make"/> knows it again by its target, and gives objects a scope.
    /// </summary>
    public Func<T> FactoryOf<T>()
        where T : class => MakeWithoutScope<T>;

    /// <summary>Makes an object of the program.</summary>
    /// <param name="create">From a factory like this one, or of the program's own.</param>
    /// <param name="owner">Disposes the object, then its scope; null if there is nothing to dispose. It is set also
    /// where making the object throws.</param>
    public static T Make<T>(Func<T> create, out IAsyncDisposable? owner)
        where T : class
    {
        owner = null;
        T made;
        if (create.Target is ServiceFactory { _scopes: { } scopes } factory)
        {
            var scope = scopes.CreateAsyncScope();
            owner = scope;
            made = (T)factory._make!(scope.ServiceProvider, null);
            owner = new Ownership(made, scope);
        }
        else
        {
            made = create();
            owner = made is IAsyncDisposable or IDisposable ? new Ownership(made, scope: null) : null;
        }

        return made;
    }

    /// <summary>Does not wait for a disposal that is not over at once.</summary>
    public static void Release(IAsyncDisposable? owner) => _ = owner?.DisposeAsync().AsTask();

    private T MakeWithoutScope<T>()
        where T : class => (T)_make!(_services, null);

    /// <summary>The one that <see cref="ActivatorUtilities"/> takes: the only one, or the one that is marked.</summary>
    private static ConstructorInfo ConstructorOf(Type type)
    {
        var constructors = type.GetConstructors();
        return constructors.Length == 1
            ? constructors[0]
            : constructors.First(static each => each.IsDefined(typeof(ActivatorUtilitiesConstructorAttribute)));
    }

    private static object? Resolve(IServiceProvider services, ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        return parameter.GetCustomAttribute<FromKeyedServicesAttribute>() switch
        {
            { } keyed when parameter.HasDefaultValue => services.GetKeyedServices(type, keyed.Key).LastOrDefault(),
            { } keyed => services.GetRequiredKeyedService(type, keyed.Key),
            null when parameter.HasDefaultValue => services.GetService(type),
            null => services.GetRequiredService(type),
        };
    }

    private sealed class Ownership(object made, AsyncServiceScope? scope) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                if (made is IAsyncDisposable later)
                {
                    await later.DisposeAsync().ConfigureAwait(false);
                }
                else
                {
                    (made as IDisposable)?.Dispose();
                }
            }
            finally
            {
                if (scope is { } services)
                {
                    await services.DisposeAsync().ConfigureAwait(false);
                }
            }
        }
    }
}
