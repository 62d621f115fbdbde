using Router.Running;

namespace Router.Hosting;

/// <summary>A running router in the hands of the program that hosts it; a service that <c>AddRouter</c> adds; of a
/// router in the program's own actor system, <c>system.GetRouterControl(name)</c>. Any
/// thread.</summary>
public interface IRouterControl
{
    /// <summary>Reads the configuration again, as SIGHUP has the service do, and brings it into force as a
    /// whole.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the reload.</param>
    /// <returns>What has changed, or why nothing has. Calls before it begins share one reload.</returns>
    Task<ReloadResult> ReloadAsync(CancellationToken cancellationToken = default);
}

/// <summary>Leads to the engine while there is one.</summary>
internal sealed class RouterControl : IRouterControl
{
    private volatile RouterEngine? _engine;

    /// <summary>The running router; null before the start and after a failed one.</summary>
    public RouterEngine? Engine
    {
        get => _engine;
        set => _engine = value;
    }

    public Task<ReloadResult> ReloadAsync(CancellationToken cancellationToken = default) =>
        _engine is { } engine
            ? engine.ReloadAsync("program").WaitAsync(cancellationToken)
            : Task.FromResult(ReloadResult.Refused("the router is not running"));
}
