using Router.Configuration;

namespace Router.Running;

/// <summary>The actor system that a router lives in.</summary>
/// <param name="System">Its actor is at /user/NAME there.</param>
/// <param name="Name">Of the router.</param>
/// <param name="IsOwn">The system was made for it and ends with it; else it is the program's.</param>
internal sealed record HostSystem(ActorSystem System, string Name, bool IsOwn)
{
    public const string DefaultName = "router";

    /// <summary>Makes a system of the router's own.</summary>
    /// <param name="options">With what the file says about Akka.</param>
    /// <param name="time">The clock.</param>
    /// <param name="fault">What Akka refuses; null exactly if there is a system.</param>
    public static HostSystem? TryMakeOwn(RouterOptions options, TimeProvider time, out string? fault)
    {
        fault = null;
        try
        {
            var system = ActorSystemSettings.Create(DefaultName, time, options.Akka);
            return new HostSystem(system, DefaultName, IsOwn: true);
        }
        catch (Exception refusal) when (options.Akka is not null)
        {
            fault = AkkaSection.FaultAt(options.Akka.Origin, "akka", refusal).ToString();
            return null;
        }
    }
}

/// <summary>Why a router's own actor system ends, in a word.</summary>
internal sealed class StopReason(string cause) : CoordinatedShutdown.Reason
{
    public string Cause => cause;

    public override int ExitCode => 0;
}
