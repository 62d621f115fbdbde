using System.Diagnostics.CodeAnalysis;

namespace Router.Net;

public enum NetworkWish
{
    Auto,
    Linux,
    Portable,
}

public static class NetworkSelection
{
    public static bool TrySelect(NetworkWish wish, [NotNullWhen(true)] out INetwork? network, out string reason)
    {
        network = new LinuxNetwork();
        reason = "system calls of Linux";
        return true;
    }
}
