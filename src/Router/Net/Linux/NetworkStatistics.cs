using System.Globalization;

namespace Router.Net;

/// <summary>Figures of /proc/net/netstat: pairs of lines, one of names and one of values, each behind its group. See
/// proc_pid_net(5).</summary>
internal static class NetworkStatistics
{
    private const string Path = "/proc/net/netstat";

    /// <summary>A figure of the process's network namespace, since the boot; -1 if it is not there.</summary>
    public static long Read(string group, string name)
    {
        try
        {
            return Find(File.ReadAllLines(Path), group, name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }

    internal static long Find(IReadOnlyList<string> lines, string group, string name)
    {
        var rows = lines
            .Where(line => line.StartsWith(group + ":", StringComparison.Ordinal))
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .ToList();
        if (rows is not [var names, var values] || Array.IndexOf(names, name) is not (> 0 and var at))
        {
            return -1;
        }

        return at < values.Length && long.TryParse(values[at], CultureInfo.InvariantCulture, out var value)
            ? value
            : -1;
    }
}
