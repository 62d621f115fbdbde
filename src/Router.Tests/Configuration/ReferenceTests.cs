using System.Reflection;
using System.Text.RegularExpressions;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Configuration.Validators;

namespace Router.Tests.Configuration;

/// <summary>Holds reference.conf, the options types and docs/configuration.md together, both ways.</summary>
public sealed partial class ReferenceTests
{
    private const string One = """
        router {
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

    private static readonly Config Reference = ConfigurationFactory.ParseString(
        RouterConfiguration.ReadResource("reference.conf"), _ => null, "reference.conf");

    [Fact]
    public void Every_key_of_the_reference_is_read_and_every_key_read_is_in_the_reference()
    {
        var log = new ReadLog();
        var user = ConfigurationFactory.ParseString(One, _ => null);
        user.WithFallback(Reference).Root.TryGet("router", out var router);
        new OptionsBinder(log).Bind((HoconObject)router!.Value, router.KeyOrigin);

        Assert.Empty(log.Faults);
        var read = log.Sections
            .SelectMany(s => s.Known.Select(k => Normal(s.PathOf(k))))
            .Where(p => !p.EndsWith(".type", StringComparison.Ordinal));
        Assert.Equal(Paths(Reference.Root, "").Order(), read.Append("router").Distinct().Order());
    }

    [Theory]
    [InlineData(typeof(RouterOptions), "router", "Source LoopCount Listeners Routes Akka")]
    [InlineData(typeof(LogOptions), "router.log", "")]
    [InlineData(typeof(GuardOptions), "router.guards", "")]
    [InlineData(typeof(ReloadOptions), "router.reload", "")]
    [InlineData(typeof(ListenerOptions), "router.listener-defaults", "Name Origin Source Binds")]
    [InlineData(typeof(SessionOptions), "router.listener-defaults.session", "")]
    [InlineData(typeof(UnixFileChoice), "router.listener-defaults.unix", "")]
    [InlineData(typeof(ReplyRouteOptions), "router.route-defaults.reply", "Name Origin Source Parts BytesMax")]
    [InlineData(typeof(ProxyRouteOptions), "router.route-defaults.proxy", "Name Origin Source")]
    [InlineData(typeof(ExecRouteOptions), "router.route-defaults.exec", "Name Origin Source")]
    [InlineData(typeof(ExecLimitOptions), "router.route-defaults.exec.limits", "")]
    [InlineData(typeof(CollectRouteOptions), "router.route-defaults.collect",
        "Name Origin Source UpstreamTransport HandlerName")]
    [InlineData(typeof(RoomRouteOptions), "router.route-defaults.room", "Name Origin Source HandlerName")]
    [InlineData(typeof(CollectFileOptions), "router.route-defaults.collect.file", "")]
    [InlineData(typeof(FlowRouteOptions), "router.route-defaults.flow", "Name Origin Source")]
    [InlineData(typeof(ActorRouteOptions), "router.route-defaults.actor", "Name Origin Source")]
    [InlineData(typeof(HandlerRouteOptions), "router.route-defaults.handler", "Name Origin Source HandlerName")]
    public void Every_option_is_a_key_of_the_reference(Type type, string section, string otherwise)
    {
        var keys = Reference.GetConfig(section)!.Root.Fields.Select(f => f.Name).ToHashSet();
        var options = type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Select(p => p.Name)
            .Except(otherwise.Split(' '))
            .Select(Kebab);
        Assert.All(options, o => Assert.Contains(o, keys));
    }

    [Fact]
    public void Every_key_of_the_reference_has_a_comment_above_it_or_above_its_neighbour()
    {
        var lines = RouterConfiguration.ReadResource("reference.conf").Split('\n');
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
        var table = ReloadKeys.All.ToDictionary();
        foreach (var (path, line, words) in ReloadWords())
        {
            Assert.True(table.Remove(path, out var effect), $"reference.conf:{line}: {path} is not in ReloadKeys");
            var expected = ReloadKeys.WordsOf(effect);
            Assert.True(words == expected, $"reference.conf:{line}: {path}: 'Reload: {words}' is '{expected}'");
        }

        Assert.Empty(table);
    }

    [Fact]
    public void Every_limit_names_a_key_of_the_reference()
    {
        var keys = LimitsRule.Router.Select(l => "router." + l.Key)
            .Concat(LimitsRule.Listener.Select(l => "router.listener-defaults." + l.Key))
            .Concat(LimitsRule.Proxy.Select(l => "router.route-defaults.proxy." + l.Key))
            .Concat(LimitsRule.Exec.Select(l => "router.route-defaults.exec." + l.Key))
            .Concat(LimitsRule.Collect.Select(l => "router.route-defaults.collect." + l.Key))
            .Concat(LimitsRule.Room.Select(l => "router.route-defaults.room." + l.Key))
            .Concat(LimitsRule.Flow.Select(l => "router.route-defaults.flow." + l.Key))
            .Concat(LimitsRule.Actor.Select(l => "router.route-defaults.actor." + l.Key));
        Assert.All(keys, k => Assert.True(Reference.HasPath(k), k));
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
                _ => string.Join(", ", Config.Elements(value)!.Select(e => ((HoconScalar)e).Text)),
            };
            Assert.Equal((key, expected), (key, rows[key]));
        }
    }

    /// <summary>Every key, its line, and what stands behind "Reload:" in the comment above it or above its
    /// neighbour.</summary>
    private static IEnumerable<(string Path, int Line, string Words)> ReloadWords()
    {
        var (sections, comment, words) = (new Stack<string>(), "", "");
        var lines = RouterConfiguration.ReadResource("reference.conf").Split('\n');
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
                words = comment == "" ? words : Words().Match(comment).Groups[1].Value;
                yield return (string.Join('.', sections.Reverse().Skip(1).Append(key)), i + 1, words);
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
    private static partial Regex Words();

    private static string Normal(string path) => path
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

    private static string Kebab(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : $"{c}"));
}
