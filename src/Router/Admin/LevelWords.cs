using Router.Configuration;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Admin;

/// <summary>The levels of the log, as requests name them.</summary>
internal static class LevelWords
{
    private static readonly LogLevel[] Levels =
        [LogLevel.Trace, LogLevel.Debug, LogLevel.Information, LogLevel.Warning, LogLevel.Error];

    /// <exception cref="AdminFault">It is none of them.</exception>
    public static LogLevel Parse(string? word)
    {
        var words = Levels.Select(LogFields.LevelOf).ToList();
        var index = words.IndexOf(word ?? "");
        return index >= 0
            ? Levels[index]
            : throw AdminFault.BadRequest(
                $"level '{word}' is none of {string.Join(", ", words)}{Nearest.Hint(word ?? "", words)}");
    }
}
