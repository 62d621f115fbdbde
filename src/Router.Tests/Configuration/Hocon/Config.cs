using Router.Configuration.Hocon;

namespace Router.Tests.Configuration.Hocon;

/// <summary>A resolved text, whose values are looked up by path expressions.</summary>
internal sealed class Config(HoconObject root)
{
    public HoconObject Root => root;

    public static Config Parse(string hocon, Func<string, string?> environment, string name = "(text)") =>
        new(HoconResolver.Resolve([HoconLoader.AsObject(new HoconLoader().LoadText(hocon, name))], environment));

    public static Config ParseFile(string file, Func<string, string?> environment) =>
        new(HoconResolver.Resolve([new HoconLoader().LoadFileObject(file)], environment));

    public HoconField? Find(string path)
    {
        var lexer = new HoconLexer(path, "(path)");
        var elements = new HoconPathReader();
        var token = lexer.Next();
        for (; token.Kind != HoconTokenKind.End; token = lexer.Next())
        {
            elements.Add(token);
        }

        return root.TryGet(elements.End(token.Origin), out var field) ? field : null;
    }

    public HoconValue? GetValue(string path) => Find(path)?.Value;

    public string? GetString(string path) => Find(path)?.ReadText();

    public int GetInt(string path) => Find(path)!.ReadInteger();

    public bool HasPath(string path) => Find(path) is not null;

    public Config WithFallback(Config fallback) => new(root.WithFallback(fallback.Root));

    public override string ToString() => HoconJson.Print(root);
}
