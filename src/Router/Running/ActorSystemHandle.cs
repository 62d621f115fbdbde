using System.Net.Sockets;
using Router.Configuration;
using Router.Net;

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
    /// <param name="fault">Why there is no system; null exactly if there is one.</param>
    public static ActorSystemHandle? TryMake(RouterOptions options, TimeProvider time, out ActorSystemFault? fault)
    {
        fault = null;
        try
        {
            var system = ActorSystemSettings.Create(DefaultName, time, options.Akka, options.Cluster);
            return new ActorSystemHandle(system, DefaultName, IsOwned: true);
        }
        catch (Exception failure) when (ActorSystemFault.Of(options, failure) is { } found)
        {
            fault = found;
            return null;
        }
    }
}

/// <summary>Why no actor system could be made.</summary>
/// <param name="Text">A line with its place.</param>
/// <param name="IsNotBound">The address of a member could not be bound, which the next start may find free. False where
/// Akka refuses the configuration.</param>
internal sealed record ActorSystemFault(string Text, bool IsNotBound)
{
    /// <summary>Of a configuration that passed all checks.</summary>
    /// <param name="options">What the system was to be made with.</param>
    /// <param name="failure">As Akka throws it, with its cause somewhere within.</param>
    /// <returns>Null where neither the cluster nor the section <c>akka</c> can be the reason.</returns>
    public static ActorSystemFault? Of(RouterOptions options, Exception failure)
    {
        var refusal = SocketFault(failure);
        return options switch
        {
            { Cluster: { } cluster } when refusal is not null => new(NotBound(cluster, refusal), IsNotBound: true),
            { Akka: { } akka } => new(
                AkkaSection.FaultAt(akka.Origin, "akka", failure).ToString(), IsNotBound: refusal is not null),
            { Cluster: { } cluster } => new(
                new ConfigurationFault(
                    cluster.Section.Origin, cluster.Section.Path,
                    $"the actor system of the member does not start: {AkkaSection.MessageOf(failure)}").ToString(),
                IsNotBound: true),
            _ => null,
        };
    }

    private static SocketException? SocketFault(Exception? failure) => failure switch
    {
        SocketException socket => socket,
        AggregateException all => all.InnerExceptions.Select(SocketFault).FirstOrDefault(static one => one is not null),
        _ => failure is null ? null : SocketFault(failure.InnerException),
    };

    private static string NotBound(ClusterOptions cluster, SocketException refusal)
    {
        var address = new ClusterAddress(cluster.BindHost ?? cluster.Host, cluster.Port);
        var key = refusal.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied ? "port"
            : cluster.BindHost is null ? "host"
            : "bind-host";
        var why = refusal.SocketErrorCode is SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData
            ? $"the name cannot be resolved: {refusal.Message}"
            : ErrnoText.Describe(PortableErrors.From(refusal.SocketErrorCode), SocketOperation.Bind);
        return cluster.Section.FaultAt(key, $"tcp://{address}: {why}").ToString();
    }
}

/// <summary>Why a router stops that owns its actor system, in a word for the log.</summary>
internal sealed class StopReason(string cause) : CoordinatedShutdown.Reason
{
    public string Cause => cause;

    public override int ExitCode => 0;
}
