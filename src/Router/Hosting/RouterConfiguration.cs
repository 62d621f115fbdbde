using Router.Configuration;
using Router.Routes;
using Router.Running;

namespace Router.Hosting;

/// <summary>Configuration files of a program that hosts the router.</summary>
public static class RouterConfiguration
{
    /// <summary>Reads and validates a file, as <c>router check</c> does, and starts nothing: neither handlers nor
    /// actors are made, and no address is bound. Any thread.</summary>
    /// <param name="configFile">A HOCON file; relative to the working directory.</param>
    /// <param name="configure">Adds what the file's routes name, as for <c>AddRouter</c>.</param>
    public static ConfigurationCheck Check(string configFile, Action<RouterBuilder>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(configFile);
        var builder = new RouterBuilder();
        configure?.Invoke(builder);
        var loaded = SetupLoader.Load(
            () => ConfigurationLoader.Load(
                RouteTypes.With(builder.RouteTypes), configFile, builder.Settings, Environment.GetEnvironmentVariable),
            configFile,
            builder.Names(),
            TimeProvider.System);
        return new ConfigurationCheck(loaded.Faults, loaded.Warnings);
    }
}

/// <summary>What a check of a configuration has found.</summary>
/// <param name="Faults">Why a router would not start with it, a line each, with its place and what to do. That an
/// address is in use, for example, is found only by starting.</param>
/// <param name="Warnings">What is legal but unwise, a line each.</param>
public sealed record ConfigurationCheck(IReadOnlyList<string> Faults, IReadOnlyList<string> Warnings)
{
    /// <summary>Whether there are no faults.</summary>
    public bool IsValid => Faults.Count == 0;
}
