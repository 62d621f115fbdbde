using Router.Configuration.Hocon;
using Router.Diagnostics;

namespace Router.Configuration;

/// <summary>One thing that is wrong with a configuration, or that is a reason to warn.</summary>
/// <param name="Path">The key, or empty when the text could not be read so far.</param>
/// <param name="Message">What is wrong and what to do.</param>
internal sealed record ConfigurationFault(HoconOrigin Origin, string Path, string Message)
{
    /// <summary><c>file:line:column: path: message</c>.</summary>
    /// <remarks>One line. A message may quote a value: secrets in it are masked, and what cannot be seen is
    /// escaped.</remarks>
    public override string ToString() => LineText.Escape(Secrets.MaskText(
        Path.Length == 0 ? $"{Origin}: {Message}" : $"{Origin}: {Path}: {Message}"));
}

/// <summary>The outcome of reading a configuration.</summary>
/// <param name="Options">Null exactly if there are faults.</param>
/// <param name="Root">All layers resolved; null when they could not be read.</param>
/// <param name="Faults">All of them, sorted by file, line and column.</param>
/// <param name="Warnings">Sorted likewise; they refuse nothing. Beside faults only those that may explain one.</param>
internal sealed record LoadResult(
    RouterOptions? Options,
    HoconObject? Root,
    IReadOnlyList<ConfigurationFault> Faults,
    IReadOnlyList<ConfigurationFault> Warnings)
{
    /// <summary>Every file that was read or looked for, by full path, and the hash of what it held; null for one that
    /// was not there.</summary>
    public IReadOnlyDictionary<string, string?> Files { get; init; } = new Dictionary<string, string?>();
}
