using System.Text.RegularExpressions;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Routes;
using Router.Tests.Configuration.Hocon;

namespace Router.Tests.Configuration;

/// <summary>Holds reference.conf, the options types and docs/configuration.md together, both ways.</summary>
public sealed partial class ReferenceTests
{
    private const string One = """
        router {
          cluster {}
          listeners { l { bind = "udp://127.0.0.1:1", route = e } }
          routes {
            e { type = echo }
            r { type = reply, text = x }
            p { type = proxy, upstreams = "10.0.0.1:1" }
            x { type = exec, command = [/bin/cat] }
            h { type = handler, name = x }
            c { type = collect, to = log }
            m { type = room }
            f { type = flow, route = p }
            a { type = actor, key = x }
          }
        }
        """;

    private static readonly Config Reference = Config.Parse(
        ConfigurationLoader.ReadResource("reference.conf"), _ => null, "reference.conf");

    [Fact]
    public void Every_key_of_the_reference_is_read_and_every_key_read_is_in_the_reference()
    {
        var findings = Read(out _);

        Assert.Empty(findings.Faults);
        var read = findings.Sections
            .SelectMany(s => s.Known.Select(k => Normal(s.PathOf(k))))
            .Where(p => !p.EndsWith(".type", StringComparison.Ordinal));
        Assert.Equal(Paths(Reference.Root, "").Order(), read.Append("router").Distinct().Order());
    }

    [Fact]
    public void Every_key_of_the_reference_has_a_comment_above_it_or_above_its_neighbour()
    {
        var lines = ConfigurationLoader.ReadResource("reference.conf").Split('\n');
        for (var i = 1; i < lines.Length; i++)
        {
            if (Regex.IsMatch(lines[i], @"^\s+[a-z-]+ = ", RegexOptions.None, TimeSpan.FromSeconds(1)))
            {
                Assert.True(Regex.IsMatch(lines[i - 1], @"^\s+(#|[a-z-]+ = |reply \{|handler \{)", RegexOptions.None,
                    TimeSpan.FromSeconds(1)), $"reference.conf:{i + 1} is not explained");
            }
        }
    }

    [Fact]
    public void Every_key_of_the_reference_tells_what_a_reload_does_with_it()
    {
        var declared = Declared();
        foreach (var (path, line, comment) in Comments())
        {
            Assert.True(declared.Remove(path, out var key), $"reference.conf:{line}: {path} is declared by nobody");
            var words = ReloadWords().Match(comment).Groups[1].Value;
            var expected = WordsOf(key!.Reload);
            Assert.True(words == expected, $"reference.conf:{line}: {path}: 'Reload: {words}' is '{expected}'");
        }

        Assert.Empty(declared);
    }

    [Fact]
    public void Every_limit_is_as_the_reference_says()
    {
        var declared = Declared();
        declared.Remove("route-defaults.collect.every");   // 0s is null's other spelling
        Assert.All(Comments().Where(key => declared.ContainsKey(key.Path)), key => Assert.True(
            Digits().Replace(key.Comment, "").Contains(declared[key.Path].Limits, StringComparison.Ordinal),
            $"reference.conf:{key.Line}: {key.Path} has the limits {declared[key.Path].Limits}"));
    }

    [Fact]
    public void Every_key_of_the_reference_is_in_the_documentation_with_its_default()
    {
        var rows = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "docs", "configuration.md"))
            .Where(l => l.StartsWith("| `", StringComparison.Ordinal))
            .Select(l => l.Split('|'))
            .ToDictionary(c => c[1].Trim(' ', '`'), c => c[2].Trim(' ', '`'));
        var keys = Paths(Reference.Root, "")
            .Where(p => Reference.GetValue(p) is not HoconObject)
            .Select(p => p["router.".Length..])
            .ToList();
        Assert.Equal(keys.Order(), rows.Keys.Order());
        foreach (var key in keys)
        {
            var value = Reference.GetValue("router." + key)!;
            var expected = value switch
            {
                HoconScalar { Type: HoconType.Null } => "-",
                HoconScalar scalar => scalar.Text,
                _ => string.Join(", ", HoconReader.Elements(value)!.Select(e => ((HoconScalar)e).Text)),
            };
            Assert.Equal((key, expected), (key, rows[key]));
        }
    }

    private static ReadFindings Read(out RouterOptions options)
    {
        var findings = new ReadFindings();
        var user = Config.Parse(One, _ => null);
        user.WithFallback(Reference).Root.TryGet("router", out var router);
        options = new RouterOptions(
            new SectionReader("router", "router", (HoconObject)router!.Value, router.KeyOrigin, findings),
            RouteTypes.All,
            findings);
        return findings;
    }

    /// <summary>Every key that somebody has declared, by its path below <c>router</c> in reference.conf.</summary>
    private static Dictionary<string, DeclaredKey> Declared()
    {
        Read(out var options);
        return options.Listeners.Select(listener => listener.Section)
            .Concat(options.Routes.Select(route => route.Section))
            .Prepend(options.Cluster!.Section)
            .Prepend(options.Section)
            .SelectMany(section => section.Keys.Select(key => (Normal($"{section.Path}.{key.Path}"), key)))
            .ToDictionary(pair => pair.Item1["router.".Length..], pair => pair.key);
    }

    private static string WordsOf(Reload reload) => reload switch
    {
        Reload.AtOnce => "at once",
        Reload.NewSessions => "new sessions",
        Reload.RestartsListener => "restarts the listener",
        _ => "no",
    };

    /// <summary>Every key, its line, and the comment above it or above its neighbour.</summary>
    private static IEnumerable<(string Path, int Line, string Comment)> Comments()
    {
        var (sections, comment, said) = (new Stack<string>(), "", "");
        var lines = ConfigurationLoader.ReadResource("reference.conf").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var text = lines[i].Trim();
            if (text.StartsWith('#'))
            {
                comment = $"{comment} {text.Trim('#', ' ')}";
                continue;
            }

            if (text.Split(" = ") is [var key, _])
            {
                said = comment == "" ? said : comment;
                yield return (string.Join('.', sections.Reverse().Skip(1).Append(key)), i + 1, said);
            }
            else if (text.EndsWith(" {", StringComparison.Ordinal))
            {
                sections.Push(text[..^2]);
            }
            else if (text == "}")
            {
                sections.Pop();
            }

            comment = "";
        }
    }

    [GeneratedRegex(@"\bReload: (at once|new sessions|restarts the listener|no)\.$", RegexOptions.None, 1000)]
    private static partial Regex ReloadWords();

    /// <summary>Between groups of three digits.</summary>
    [GeneratedRegex(@"(?<=\d),(?=\d{3})", RegexOptions.None, 1000)]
    private static partial Regex Digits();

    private static string Normal(string path) => path
        .Replace("router.cluster.", "router.cluster-defaults.")
        .Replace("router.listeners.l", "router.listener-defaults")
        .Replace("router.routes.e", "router.route-defaults.echo")
        .Replace("router.routes.r", "router.route-defaults.reply")
        .Replace("router.routes.p", "router.route-defaults.proxy")
        .Replace("router.routes.x", "router.route-defaults.exec")
        .Replace("router.routes.h", "router.route-defaults.handler")
        .Replace("router.routes.c", "router.route-defaults.collect")
        .Replace("router.routes.m", "router.route-defaults.room")
        .Replace("router.routes.f", "router.route-defaults.flow")
        .Replace("router.routes.a", "router.route-defaults.actor");

    private static IEnumerable<string> Paths(HoconObject value, string prefix) => value.Fields.SelectMany(f =>
        f.Value is HoconObject child ? Paths(child, $"{prefix}{f.Name}.").Prepend(prefix + f.Name) : [prefix + f.Name]);
}
