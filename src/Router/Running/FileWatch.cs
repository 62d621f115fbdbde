using Router.Configuration.Hocon;

namespace Router.Running;

/// <summary>Tells when files hold something else than was read. It compares contents, because editors replace files,
/// mounts swap links, and clocks are coarse.</summary>
internal sealed class FileWatch
{
    private IReadOnlyDictionary<string, string?> _read = new Dictionary<string, string?>();
    private IReadOnlyDictionary<string, string?> _seen = new Dictionary<string, string?>();

    /// <summary>These files were read, with these hashes; null for one that was not there.</summary>
    public void Reset(IReadOnlyDictionary<string, string?> files) => _read = _seen = files;

    /// <returns>Whether the files differ from what was read and have not changed since the last look.</returns>
    public bool Look()
    {
        var before = _seen;
        _seen = _read.Keys.ToDictionary(static path => path, HashOf, StringComparer.Ordinal);
        return !AreSame(_seen, _read) && AreSame(_seen, before);
    }

    private static bool AreSame(IReadOnlyDictionary<string, string?> one, IReadOnlyDictionary<string, string?> other) =>
        one.All(file => other[file.Key] == file.Value);

    /// <summary>Stands for a file that cannot be read by the reason.</summary>
    private static string? HashOf(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            return RegularFile.Read(path, HoconLimits.Bytes) is { } content ? HoconLoader.HashOf(content) : "too long";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return unreadable.Message;
        }
    }
}
