using System.Runtime.CompilerServices;
using Router.Net;

namespace Router.Processes;

/// <summary>A network that starts child processes itself, whose channels are its sockets.</summary>
internal interface IProcessNetwork : INetwork
{
    IProcesses Processes { get; }
}

/// <summary>Finds who starts child processes for a network.</summary>
internal static class NetworkProcesses
{
    private static readonly NoProcesses NeedsLinux = new("child processes need the Linux network, see router.network");

    private static readonly NoProcesses NeedsNewerLibrary =
        new("child processes need glibc 2.34 or later, to close what they must not have");

    private static readonly ConditionalWeakTable<LinuxNetwork, LinuxProcesses> OfLinux = [];

    /// <summary>The same object each time it is asked for the same network. Any thread.</summary>
    public static IProcesses Of(INetwork network) => network switch
    {
        IProcessNetwork own => own.Processes,
        LinuxNetwork when !LinuxProcesses.IsSupported => NeedsNewerLibrary,
        LinuxNetwork linux => OfLinux.GetValue(
            linux, static linux => new LinuxProcesses(linux.Calls, linux.DescriptorReserve)),
        _ => NeedsLinux,
    };
}
