using System.Globalization;

namespace Router.Configuration;

/// <summary>What the system grants at most; null where it does not say. A seam: rules never ask the system.</summary>
/// <param name="Backlog">Connections waiting to be accepted: net.core.somaxconn, listen(2).</param>
/// <param name="ReceiveBuffer">Bytes that SO_RCVBUF may ask for: net.core.rmem_max, socket(7).</param>
/// <param name="SendBuffer">Bytes that SO_SNDBUF may ask for: net.core.wmem_max, socket(7).</param>
/// <param name="Descriptors">Open descriptors of this process: RLIMIT_NOFILE, getrlimit(2).</param>
internal sealed record SystemLimits(long? Backlog, long? ReceiveBuffer, long? SendBuffer, long? Descriptors)
{
    public static SystemLimits Unknown { get; } = new(null, null, null, null);

    /// <summary>Of the machine this runs on, as far as it has Linux's files.</summary>
    public static SystemLimits Read(string proc = "/proc") => new(
        Number($"{proc}/sys/net/core/somaxconn"),
        Number($"{proc}/sys/net/core/rmem_max"),
        Number($"{proc}/sys/net/core/wmem_max"),
        OpenFiles($"{proc}/self/limits"));

    private static long? Number(string file) => Lines(file) is [var line, ..] ? Parse(line) : null;

    /// <summary>The soft limit: the number that follows the name.</summary>
    private static long? OpenFiles(string file)
    {
        const string Name = "Max open files";
        var line = Array.Find(Lines(file), l => l.StartsWith(Name, StringComparison.Ordinal));
        return line?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var soft, ..]
            ? Parse(soft)
            : null;
    }

    private static long? Parse(string text) =>
        long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
