using System.Text.Json;
using Router.Configuration.Hocon;

namespace Router.Tests.Configuration.Hocon;

/// <summary>The reference implementation's equivalence data: every file of a folder equals its original.json.</summary>
public sealed class ConformanceTests
{
    private static readonly string Folder =
        Path.Combine(AppContext.BaseDirectory, "Configuration", "Hocon", "conformance");

    public static TheoryData<string> Files()
    {
        var files = Directory.GetDirectories(Folder, "equiv*")
            .SelectMany(d => Directory.GetFiles(d, "*.conf").Concat(Directory.GetFiles(d, "*.json")))
            .Select(f => Path.GetRelativePath(Folder, f))
            .Order(StringComparer.Ordinal);
        return [.. files];
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_file_of_a_folder_resolves_to_its_original(string file)
    {
        var path = Path.Combine(Folder, file);
        var expected = File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "original.json"));
        var actual = HoconJson.Print(Config.ParseFile(path, _ => null).Root);
        HoconAssert.SameJson(expected, actual);
    }

    [Fact]
    public void All_five_folders_are_there()
    {
        Assert.Equal(5, Directory.GetDirectories(Folder, "equiv*").Length);
        Assert.Equal(20, Files().Count);
    }
}

internal static class HoconAssert
{
    public static void SameJson(string expected, string actual)
    {
        using var left = JsonDocument.Parse(expected, new JsonDocumentOptions { MaxDepth = 1_000 });
        using var right = JsonDocument.Parse(actual, new JsonDocumentOptions { MaxDepth = 1_000 });
        Assert.True(
            JsonElement.DeepEquals(left.RootElement, right.RootElement), $"expected {expected}, found {actual}");
    }

    /// <summary>The text resolves to the JSON; variables are given as name and value.</summary>
    public static void Gives(string json, string hocon, params (string Name, string Value)[] environment) =>
        SameJson(json, HoconJson.Print(Parse(hocon, environment).Root));

    public static Config Parse(string hocon, params (string Name, string Value)[] environment) =>
        Config.Parse(
            hocon, name => environment.FirstOrDefault(v => v.Name == name).Value, "test.conf");

    /// <summary>The text is refused at that line and column; the reason holds the given words.</summary>
    public static void Refuses(string hocon, int line, int column, string words)
    {
        var refusal = Assert.Throws<HoconException>(() => Parse(hocon));
        Assert.Equal(new HoconOrigin("test.conf", line, column), refusal.Origin);
        Assert.Contains(words, refusal.Message);
        Assert.StartsWith($"test.conf:{line}:{column}: ", refusal.Message);
    }

    public static void Refuses(string hocon) => Assert.Throws<HoconException>(() => Parse(hocon));
}
