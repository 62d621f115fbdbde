using System.Reflection;

namespace Router.Reporting;

/// <summary>The assembly's version, without the build's suffix.</summary>
internal static class RouterVersion
{
    public static string Text { get; } =
        typeof(RouterVersion).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? "unknown";
}
