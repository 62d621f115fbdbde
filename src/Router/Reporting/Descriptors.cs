using System.IO.Enumeration;

namespace Router.Reporting;

/// <summary>File descriptors of this process.</summary>
internal static class Descriptors
{
    private const string Folder = "/proc/self/fd";

    /// <summary>Counts those that are open, in time that grows with them: not on a loop.</summary>
    /// <returns>Null where the system does not say.</returns>
    public static int? CountOpen()
    {
        try
        {
            return Directory.Exists(Folder)
                ? new FileSystemEnumerable<bool>(Folder, static (ref FileSystemEntry _) => true).Count() - 1
                : null;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
