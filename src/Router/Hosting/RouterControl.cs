using Router.Running;

namespace Router.Hosting;

/// <summary>Controls a running router from the program that hosts it. <c>AddRouter</c> adds it as a service;
/// <c>system.GetRouterControl(name)</c> gives that of a router in the program's own actor system. Any thread.</summary>
public interface IRouterControl
{
    /// <summary>Reads the configuration again, as the service does on SIGHUP, and brings it into force as a whole, or
    /// not at all.</summary>
    /// <param name="cancellationToken">Ends the waiting, not the reload.</param>
    /// <returns>What has changed, or why nothing has. Calls before it begins share one reload.</returns>
    Task<ReloadResult> ReloadAsync(CancellationToken cancellationToken = default);
}

internal sealed class RouterControl : IRouterControl
{
    private volatile RouterEngine? _engine;

    /// <summary>The running router; null before the start and after a failed one.</summary>
    public RouterEngine? Engine
    {
        get => _engine;
        set => _engine = value;
    }

    public async Task<ReloadResult> ReloadAsync(CancellationToken cancellationToken = default)
    {
        if (_engine is not { } engine)
        {
            return ReloadResult.Refused("the router is not running");
        }

        var reload = engine.ReloadAsync("program");
        cancellationToken.ThrowIfCancellationRequested();   // also where the reload is over already
        return await reload.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
