using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Router.Configuration.Hocon;

/// <summary>Reads files and the files they include, within a budget. One loader serves one configuration.</summary>
internal sealed class HoconLoader
{
    private readonly List<string> _open = [];
    private readonly List<ConfigurationFault> _warnings = [];
    private readonly Dictionary<string, string?> _files = new(StringComparer.Ordinal);
    private int _included;
    private long _bytes;
    private long _values;

    /// <summary>Every file that was read or looked for, by full path, and the hash of what it held; null for one that
    /// is not there.</summary>
    public IReadOnlyDictionary<string, string?> Files => _files;

    /// <summary>Includes that named nothing, which is legal.</summary>
    public IReadOnlyList<ConfigurationFault> Warnings => _warnings;

    /// <summary>A text that is no file: its includes must be absolute.</summary>
    /// <param name="text">HOCON.</param>
    /// <param name="name">Stands for the file in messages.</param>
    public HoconNode LoadText(string text, string name) =>
        new HoconParser(new HoconLexer(text, name), this, file: null).ParseRoot();

    /// <summary>A file that must exist. Its extension tells the format: .json, .properties, all others HOCON.</summary>
    /// <param name="file">Relative names start from the working directory; messages show the name as given.</param>
    public HoconNode LoadFile(string file)
    {
        if (file.Length == 0)
        {
            throw new HoconException(new HoconOrigin("(no name)", 1, 1), "a file must be named");
        }

        var origin = new HoconOrigin(file, 1, 1);
        var full = Path.GetFullPath(file);
        _files[full] = null;
        if (!File.Exists(full))
        {
            throw new HoconException(origin, Directory.Exists(full) ? "this is a directory" : "no such file");
        }

        return Load(full, file, origin, scope: null, depth: 0);
    }

    /// <summary>The same for a file's object root.</summary>
    public ObjectNode LoadFileObject(string file) => AsObject(LoadFile(file));

    /// <summary>Takes what was just read off the budget of values.</summary>
    public void Count(HoconOrigin origin, int values)
    {
        _values += values;
        if (_values > HoconLimits.Values)
        {
            throw new HoconException(origin, $"a configuration may hold some {HoconLimits.Values} keys and values");
        }
    }

    public static ObjectNode AsObject(HoconNode root) => root as ObjectNode ?? throw new HoconException(
        root.Origin, "the root is an array; a configuration must be an object");

    /// <returns>Null when there is no such file and it is not required.</returns>
    public ObjectNode? Include(
        string name, bool required, string? from, HoconOrigin origin, HoconPlace place, int depth)
    {
        if (name.Contains("://"))
        {
            throw new HoconException(origin, $"include \"{name}\" is refused: configuration is read from files only");
        }

        if (name.Contains('\0'))
        {
            throw new HoconException(origin, "no file's name has a character U+0000 in it");
        }

        if (!Path.IsPathRooted(name) && from is null)
        {
            throw new HoconException(origin, $"include \"{name}\" is relative to a file, but this text is none");
        }

        var path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(from) ?? "/", name));
        if (Path.GetFileName(name) is "" or "." or "..")
        {
            return Missing($"{path} is no file");
        }

        foreach (var candidate in Candidates(path, onlyThere: false))
        {
            _files.TryAdd(candidate, null);
        }

        ObjectNode? all = null;
        foreach (var candidate in Candidates(path, onlyThere: true))
        {
            // Shown as the reader would look for it: beside the including file as that was named.
            var shown = Path.IsPathRooted(name)
                ? candidate
                : Path.Combine(Path.GetDirectoryName(origin.File) ?? "", name) + candidate[path.Length..];
            var root = Load(candidate, shown, origin, place, depth) as ObjectNode
                ?? throw new HoconException(
                    new HoconOrigin(shown, 1, 1), "an included file must be an object, not an array");
            if (all is null)
            {
                all = root;
            }
            else
            {
                all.Merge(root);
            }
        }

        return all ?? Missing(Directory.Exists(path) ? $"{path} is a directory" : $"no such file {path}");

        ObjectNode? Missing(string why)
        {
            if (required)
            {
                throw new HoconException(origin, $"required include \"{name}\": {why}");
            }

            var patterns = name.AsSpan().ContainsAny("*?[") ? ": an include names one file, and takes no patterns" : "";
            _warnings.Add(new ConfigurationFault(origin, "", $"include \"{name}\" adds nothing: {why}{patterns}"));
            return null;
        }
    }

    /// <summary>A name without extension stands for all that exist; HOCON comes last, so that it wins.</summary>
    private static IReadOnlyList<string> Candidates(string path, bool onlyThere)
    {
        string[] extensions = [".properties", ".json", ".conf"];
        if (extensions.Contains(Path.GetExtension(path)))
        {
            return !onlyThere || File.Exists(path) ? [path] : [];
        }

        List<string> all = [.. extensions.Select(e => path + e)];
        if (!onlyThere)
        {
            return [.. all, path];
        }

        all.RemoveAll(static candidate => !File.Exists(candidate));
        return all.Count == 0 && File.Exists(path) ? [path] : all;
    }

    private HoconNode Load(string full, string shown, HoconOrigin origin, HoconPlace? scope, int depth)
    {
        if (_open.Contains(full))
        {
            throw new HoconException(origin, $"{shown} includes itself: {string.Join(" -> ", _open.Append(full))}");
        }

        if (_open.Count >= HoconLimits.IncludeDepth)
        {
            throw new HoconException(origin, $"more than {HoconLimits.IncludeDepth} files include each other");
        }

        if (++_included > HoconLimits.Includes)
        {
            throw new HoconException(origin, $"more than {HoconLimits.Includes} files are included");
        }

        _open.Add(full);
        var bytes = Read(full, shown, origin);
        var text = Decode(bytes, shown);
        HoconNode root;
        if (full.EndsWith(".properties", StringComparison.Ordinal))
        {
            root = PropertiesParser.Parse(text, shown, this);
        }
        else
        {
            if (full.EndsWith(".json", StringComparison.Ordinal))
            {
                RequireJson(bytes, shown);
            }

            root = new HoconParser(new HoconLexer(text, shown), this, full, scope, depth).ParseRoot();
        }

        _open.RemoveAt(_open.Count - 1);
        return root;
    }

    private byte[] Read(string full, string shown, HoconOrigin origin)
    {
        byte[]? bytes;
        try
        {
            bytes = RegularFile.Read(full, HoconLimits.Bytes - _bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HoconException(origin, $"{shown} cannot be read: {e.Message}");
        }

        if (bytes is null)
        {
            throw new HoconException(
                origin, $"{shown}: a configuration may hold {HoconLimits.Bytes >> 20} MiB in all");
        }

        _bytes += bytes.Length;
        _files[full] = HashOf(bytes);
        return bytes;
    }

    /// <summary>What tells one content of a file from another.</summary>
    public static string HashOf(byte[] content) => Convert.ToHexString(SHA256.HashData(content));

    private static string Decode(byte[] bytes, string shown)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }

        var (line, column, at) = (1, 1, TextStart(bytes));
        while (Rune.DecodeFromUtf8(bytes.AsSpan(at), out var rune, out var length) == OperationStatus.Done)
        {
            (line, column) = rune.Value == '\n' ? (line + 1, 1) : (line, column + rune.Utf16SequenceLength);
            at += length;
        }

        throw new HoconException(
            new HoconOrigin(shown, line, column), $"byte 0x{bytes[at]:X2} at offset {at} is not valid UTF-8");
    }

    /// <summary>Where the text begins: a byte order mark before it is no part of its first line.</summary>
    private static int TextStart(byte[] bytes) =>
        bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0;

    /// <summary>A .json file is held to JSON's grammar; its meaning is then HOCON's, which is the same.</summary>
    private static void RequireJson(byte[] bytes, string shown)
    {
        var options = new JsonReaderOptions { MaxDepth = HoconLimits.Depth };
        var text = bytes.AsSpan(TextStart(bytes));
        var reader = new Utf8JsonReader(text, options);
        try
        {
            while (reader.Read())
            {
            }
        }
        catch (JsonException e)
        {
            var line = (int)(e.LineNumber ?? 0);
            for (var i = 0; i < line; i++)
            {
                text = text[(text.IndexOf((byte)'\n') + 1)..];
            }

            // The reader counts bytes; a column is counted as everywhere else.
            var before = text[..Math.Min((int)(e.BytePositionInLine ?? 0), text.Length)];
            var origin = new HoconOrigin(shown, line + 1, Encoding.UTF8.GetCharCount(before) + 1);
            var reason = e.Message.Split(" LineNumber:")[0].Split(" Path:")[0];
            throw new HoconException(origin, $"not JSON, as the file's extension claims: {reason}");
        }
    }
}
