using System.Diagnostics.CodeAnalysis;

namespace Router.Net;

/// <summary>What the configuration asks for.</summary>
internal enum NetworkWish
{
    /// <summary>Linux's calls where they work, else the portable network.</summary>
    Auto,
    Linux,
    Portable,
}

/// <summary>Chooses the network once, at start.</summary>
internal static class NetworkSelection
{
    /// <param name="wish">What is asked for.</param>
    /// <param name="network">The choice.</param>
    /// <param name="reason">One sentence for the log: why this one, or why the one asked for cannot be had.</param>
    /// <returns>False if <see cref="NetworkWish.Linux"/> is asked for and does not work here.</returns>
    public static bool TrySelect(NetworkWish wish, [NotNullWhen(true)] out INetwork? network, out string reason) =>
        TrySelect(wish, LinuxNetwork.IsSupported ? LinuxCalls.Kernel : null, out network, out reason);

    /// <summary>The same, with the calls to try; null where the process is not on a Linux we know.</summary>
    internal static bool TrySelect(
        NetworkWish wish, LinuxCalls? calls, [NotNullWhen(true)] out INetwork? network, out string reason)
    {
        network = null;
        if (wish == NetworkWish.Portable)
        {
            network = new PortableNetwork();
            reason = "portable: asked for by the configuration";
            return true;
        }

        var fault = calls is null ? "the process is not on 64-bit Linux (x64, arm64)" : LinuxNetwork.FindFault(calls);
        if (fault is null)
        {
            var linux = new LinuxNetwork(calls!);
            var segments = linux.CoalescesDatagrams ? "with" : "without";
            var trains = linux.ReceivesTrains ? "with" : "without";
            reason = $"linux: epoll, recvmmsg and sendmmsg work here, {segments} UDP_SEGMENT, {trains} UDP_GRO";
            network = linux;
            return true;
        }

        if (wish == NetworkWish.Linux)
        {
            reason = $"network = linux cannot be had: {fault}";
            return false;
        }

        network = new PortableNetwork();
        reason = $"portable: {fault}";
        return true;
    }
}
