using System.Diagnostics.CodeAnalysis;

namespace Router.Net;

/// <summary>The value of <c>router.network</c>.</summary>
internal enum NetworkChoice
{
    /// <summary>Linux's calls where they work, else the portable network.</summary>
    Auto,
    Linux,
    Portable,
}

/// <summary>Chooses the network once, at start.</summary>
internal static class NetworkSelection
{
    /// <param name="choice">The configured network.</param>
    /// <param name="network">The network to use.</param>
    /// <param name="reason">One sentence for the log: why this one, or why the configured one does not work.</param>
    /// <returns>False if <see cref="NetworkChoice.Linux"/> is asked for and does not work here.</returns>
    public static bool TrySelect(NetworkChoice choice, [NotNullWhen(true)] out INetwork? network, out string reason) =>
        TrySelect(choice, LinuxNetwork.IsSupported ? LinuxCalls.Kernel : null, out network, out reason);

    /// <param name="calls">The calls to try; null where the process is not on a Linux that we know.</param>
    internal static bool TrySelect(
        NetworkChoice choice, LinuxCalls? calls, [NotNullWhen(true)] out INetwork? network, out string reason)
    {
        network = null;
        if (choice == NetworkChoice.Portable)
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

        if (choice == NetworkChoice.Linux)
        {
            reason = $"network = linux cannot be had: {fault}";
            return false;
        }

        network = new PortableNetwork();
        reason = $"portable: {fault}; it is for some hundreds of sessions";
        return true;
    }
}
