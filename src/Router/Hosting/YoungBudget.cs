using System.Globalization;
using Router.Configuration;
using Router.Processes;

namespace Router.Hosting;

/// <summary>The collector's budget for young collections, which the runtime reads once, as it begins.</summary>
/// <remarks>A message between members allocates several times its bytes, and next to none of them survive: with the
/// small budget, which keeps pauses short while sessions open, a member collects hundreds of times a second and takes
/// twice the CPU for an attachment or a relayed datagram (docs/cluster.md, figures).</remarks>
internal static class YoungBudget
{
    public const int OfMembers = 8 << 20;

    /// <summary>In bytes, hexadecimal.</summary>
    public const string Variable = "DOTNET_GCGen0MaxBudget";

    private const string BuildSetting = "System.GC.Gen0MaxBudget";

    /// <summary>Starts the program anew, in this process, if the runtime has another budget than it should. The process
    /// must not have begun anything yet.</summary>
    /// <param name="options">What is configured.</param>
    /// <param name="signals">Those that have come would be forgotten: then it is left as it is.</param>
    public static void Apply(RouterOptions options, ProcessSignals signals)
    {
        if (OperatingSystem.IsLinux() && !signals.IsAsked
            && int.TryParse(AppContext.GetData(BuildSetting) as string, CultureInfo.InvariantCulture, out var built)
            && ValueFor(options, built, Environment.GetEnvironmentVariable(Variable)) is { } value)
        {
            ProcessImage.TryStartAnew(Variable, value);
        }
    }

    /// <param name="options">What is configured.</param>
    /// <param name="built">Bytes that the build has.</param>
    /// <param name="variable">What the environment has.</param>
    /// <returns>What the environment is to have; null if it is left as it is.</returns>
    internal static string? ValueFor(RouterOptions options, int built, string? variable)
    {
        var wanted = options.Heap.YoungBudget ?? (options.Cluster is null ? built : OfMembers);
        return wanted == built || !string.IsNullOrEmpty(variable)
            ? null
            : wanted.ToString("x", CultureInfo.InvariantCulture);
    }
}
