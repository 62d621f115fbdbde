using Router.Net;

namespace Router.Listeners;

/// <summary>Takes no new sessions and has those end that can; may be told again.</summary>
internal sealed class DrainListener
{
    public static readonly DrainListener Instance = new();
}

/// <summary>Asks the kernel for the figures that only it has.</summary>
internal sealed class RefreshFigures
{
    public static readonly RefreshFigures Instance = new();
}

/// <summary>The back-off is over: tries again what failed.</summary>
internal sealed class RetryListener
{
    public static readonly RetryListener Instance = new();
}

/// <summary>What goes wrong with a listener while it runs. Must not block; loop threads.</summary>
internal interface IListenerEvents
{
    void AcceptSuspended(string listener, SocketAddr address, Errno errno, long backoffMs);

    void AcceptResumed(string listener, SocketAddr address, long suspendedMs);

    void SocketLost(string listener, SocketAddr address, Errno errno, long backoffMs);

    void SocketRebound(string listener, SocketAddr address);

    void Restarted(string listener, SocketAddr address, Exception reason);
}
