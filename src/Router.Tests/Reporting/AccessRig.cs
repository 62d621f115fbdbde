using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Reporting;
using Router.Tests.Configuration;

namespace Router.Tests.Reporting;

/// <summary>Access logs as a configuration makes them.</summary>
internal static class AccessRig
{
    public static AccessLog Plain(ILogger log) => new(log, Options(""));

    /// <param name="access">The keys of <c>log.access</c>.</param>
    public static AccessOptions Options(string access) => Load(access).Options!.Log.Access;

    public static LoadResult Load(string access) => Loaded.Result(
        "router {\n routes { web { type = echo }, dns { type = echo } }\n"
        + " listeners { a { bind = \"udp://127.0.0.1:1\", route = web }\n"
        + "  b { bind = \"udp://127.0.0.1:2\", route = dns } }\n"
        + $" log.access {{ {access} }}\n}}");
}
