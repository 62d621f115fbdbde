using Router.Configuration;

namespace Router.Running;

/// <summary>The actor system that a router runs in, and who owns it.</summary>
/// <param name="System">The router's actor is at /user/NAME there.</param>
/// <param name="RouterName">NAME.</param>
/// <param name="IsOwned">The system was made for the router and ends with it; else it is the program's.</param>
internal sealed record ActorSystemHandle(ActorSystem System, string RouterName, bool IsOwned)
{
    public const string DefaultName = "router";

    /// <summary>Makes a system that the router owns.</summary>
    /// <param name="options">With the file's section <c>akka</c>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="fault">What Akka refuses of that section; null exactly if there is a system.</param>
    public static ActorSystemHandle? TryMake(RouterOptions options, TimeProvider time, out string? fault)
    {
        fault = null;
        try
        {
            var system = ActorSystemSettings.Create(DefaultName, time, options.Akka, options.Cluster);
            return new ActorSystemHandle(system, DefaultName, IsOwned: true);
        }
        catch (Exception refusal) when (options.Akka is not null)
        {
            fault = AkkaSection.FaultAt(options.Akka.Origin, "akka", refusal).ToString();
            return null;
        }
    }
}

/// <summary>Why a router stops that owns its actor system, in a word for the log.</summary>
internal sealed class StopReason(string cause) : CoordinatedShutdown.Reason
{
    public string Cause => cause;

    public override int ExitCode => 0;
}
