using System.Runtime.CompilerServices;
using Router.Net;

namespace Router.Processes;

/// <summary>A network that brings child processes of its own.</summary>
internal interface IProcessNetwork : INetwork
{
    /// <summary>Child processes, whose channels are sockets of this network.</summary>
    IProcesses Processes { get; }
}

/// <summary>The child processes that go with a network.</summary>
internal static class NetworkProcesses
{
    private static readonly NoProcesses NotOnThis = new("child processes need the Linux network, see router.network");

    private static readonly NoProcesses NotWithThisLibrary =
        new("child processes need glibc 2.34 or later, to close what they must not have");

    private static readonly ConditionalWeakTable<LinuxNetwork, LinuxProcesses> OfLinux = [];

    /// <summary>The same ones for the same network, always. Any thread.</summary>
    public static IProcesses Of(INetwork network) => network switch
    {
        IProcessNetwork own => own.Processes,
        LinuxNetwork when !LinuxProcesses.IsSupported => NotWithThisLibrary,
        LinuxNetwork linux => OfLinux.GetValue(
            linux, static linux => new LinuxProcesses(linux.Calls, linux.DescriptorReserve)),
        _ => NotOnThis,
    };
}
