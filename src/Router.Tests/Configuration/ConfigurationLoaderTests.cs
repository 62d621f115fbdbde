using System.Net;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Diagnostics;
using Router.Net;
using Router.Routes;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Tests.Configuration;

public sealed class ConfigurationLoaderTests
{
    [Fact]
    public void The_built_in_configuration_echoes_on_27123_and_hears_on_2210()
    {
        var result = ConfigurationLoader.Load(RouteTypes.All, null, [], _ => null, SystemLimits.Unknown);

        Assert.Empty(result.Faults);
        Assert.Empty(result.Warnings);
        var options = Assert.IsType<RouterOptions>(result.Options);
        Assert.Equal(
            ["udp://127.0.0.1:27123", "tcp://127.0.0.1:27123", "udp://127.0.0.1:2210"],
            options.Listeners.SelectMany(l => l.Binds).Select(b => b.ToString()));
        Assert.IsType<EchoRouteOptions>(options.FindRoute(options.Listeners[0].Route));
        var hear = Assert.IsType<ReplyRouteOptions>(options.FindRoute(options.Listeners[1].Route));
        Assert.Equal("I hear you"u8.ToArray(), Assert.Single(hear.Parts).Literal!);
    }

    [Fact]
    public void The_file_in_the_folder_is_the_one_compiled_in() =>
        Assert.Equal(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "hocon", "router.conf")),
            ConfigurationLoader.ReadResource("router.conf"));

    [Fact]
    public void Every_key_reaches_its_option()
    {
        var options = Loaded.Options("""
            router {
              loops = 3, network = portable, drain-timeout = 1s, splice { pipes = 5, pipe-size = 6 KiB }
              heap { hold-collections-from = 77, prepared-sessions = 78, spare-sessions = 79, young-budget = 4 MiB }
              log { format = json, level = warning, stats-interval = infinite, queue = 99, session-records = 5 }
              guards { answer-privileged-ports = on, responder-ports = [1, 2] }
              listener-defaults { backlog = 7, session.max-restarts = 0 }
              listeners {
                all {
                  bind = ["udp://127.0.0.1:1", "tcp://[::1]:2"], route = px, receive-buffer = 8 KiB, send-buffer = 9 KiB
                  session-receive-buffer = 10 KiB
                  dual-stack = off, idle-timeout = 2s, max-lifetime = 3s, max-sessions = 4, write-buffer = 5 KiB
                  session { mailbox-messages = 6, mailbox-bytes = 70 KiB, restart-window = 8s }
                }
                h { bind = "udp://[::]:0", route = h1, backlog = 8, session.dispatcher = pool }
                h2 { bind = "tcp://127.0.0.1:0", route = h2 }
                b { bind = "udp://127.0.0.1:0", route = by }
              }
              routes {
                px {
                  type = proxy, upstreams = ["10.0.0.1:53", "name.example:54", "[::ffff:10.0.0.2]:55"], pick = hash
                  responses = 2, connect-timeout = 3s, upstream-idle-timeout = 4s, next-upstream-tries = 5
                  resolve-interval = 6s
                }
                h1 { type = handler, class = "A.B, C" }
                h2 { type = handler, name = n }
                by { type = reply, bytes = "00 fF 10" }
              }
            }
            """);

        Assert.Equal((3, NetworkChoice.Portable, TimeSpan.FromSeconds(1)),
            (options.LoopCount, options.Network, options.DrainTimeout));
        Assert.Equal((5, 6 << 10), (options.Loop.Pipes, options.Loop.PipeBytes));
        Assert.Equal(new HeapOptions(77, 78, 79, 4 << 20), options.Heap);
        Assert.Equal(
            (LogFormat.Json, Microsoft.Extensions.Logging.LogLevel.Warning, Timeout.InfiniteTimeSpan, 99, 5),
            (options.Log.Format, options.Log.Level, options.Log.StatsInterval, options.Log.Queue,
                options.Log.SessionRecords));
        Assert.True(options.Guards.AnswerPrivilegedPorts);
        Assert.Equal([1, 2], options.Guards.ResponderPorts.Order());
        var all = options.Listeners[0];
        Assert.Equal(["udp://127.0.0.1:1", "tcp://[::1]:2"], all.Binds.Select(b => b.ToString()));
        Assert.Equal(("all", "px", 7, 8 << 10, 9 << 10, false),
            (all.Name, all.Route, all.Backlog, all.ReceiveBuffer, all.SendBuffer, all.DualStack));
        Assert.Equal(
            new SessionSettings(2_000, 3_000, 4, 6, 70 << 10, 5 << 10, 0, TimeSpan.FromSeconds(8), OnPool: false,
                ReceiveBuffer: 10 << 10),
            all.Sessions);
        Assert.Equal((8, true), (options.Listeners[1].Backlog, options.Listeners[1].Sessions.OnPool));
        var px = Assert.IsType<ProxyRouteOptions>(options.FindRoute("px"));
        Assert.Equal(
            ["10.0.0.1:53", "name.example:54", "[::ffff:10.0.0.2]:55"], px.Upstreams.Select(u => u.ToString()));
        Assert.Equal(
            [IPAddress.Parse("10.0.0.1"), null, IPAddress.Parse("10.0.0.2")], px.Upstreams.Select(u => u.Address));
        Assert.Equal((PickPolicy.Hash, 2, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4), 5, TimeSpan.FromSeconds(6)),
            (px.Settings.Pick, px.Settings.Responses, px.Settings.ConnectTimeout, px.Settings.UpstreamIdleTimeout,
                px.Settings.NextUpstreamTries, px.ResolveInterval));
        Assert.Equal("A.B, C", Assert.IsType<HandlerRouteOptions>(options.FindRoute("h1")).Class);
        Assert.Equal("n", Assert.IsType<HandlerRouteOptions>(options.FindRoute("h2")).HandlerName);
        var by = Assert.IsType<ReplyRouteOptions>(options.FindRoute("by"));
        Assert.Equal([0x00, 0xFF, 0x10], Assert.Single(by.Parts).Literal!);
    }

    [Fact]
    public void All_faults_come_at_once_and_in_the_order_of_the_file()
    {
        var result = Loaded.Result("""
            router {
              lops = 2
              drain-timeout = soon
              listeners {
                dns { bind = ["udp://localhost:53", "tcp://127.0.0.1:70000"], route = resolver, backlog = 0 }
                "a b" { bind = "udp://127.0.0.1:54", route = echo, idle-timout = 5s }
              }
              routes {
                resolvers { type = proxy }
                echo { type = ecko }
              }
            }
            """);

        Assert.Null(result.Options);
        Assert.Equal(
            [
                "test.conf:2:3: router.lops: unknown key; did you mean 'loops'?",
                "test.conf:3:3: router.drain-timeout: 'soon' is not a number with a unit",
                "test.conf:5:19: router.listeners.dns.bind: 'localhost' is not a numeric address; "
                    + "a host name cannot be bound (127.0.0.1, 0.0.0.0, [::1] and [::] can)",
                "test.conf:5:41: router.listeners.dns.bind: port 70000 is not within 0 to 65535",
                "test.conf:5:67: router.listeners.dns.route: there is no route 'resolver'; did you mean 'resolvers'?",
                "test.conf:5:85: router.listeners.dns.backlog: 0 is not within 1 to 65535",
                "test.conf:6:5: router.listeners.\"a b\": a name consists of letters, digits, '-' and '_', 64 at most",
                "test.conf:6:56: router.listeners.\"a b\".idle-timout: unknown key; did you mean 'idle-timeout'?",
                "test.conf:9:5: router.routes.resolvers.upstreams: a proxy needs at least one upstream, as host:port",
                "test.conf:10:12: router.routes.echo.type: 'ecko' is none of echo, reply, proxy, exec, collect, "
                    + "room, flow, handler, actor; did you mean 'echo'?",
            ],
            result.Faults.Select(f => f.ToString()));
    }

    [Fact]
    public void Sets_win_over_the_file_and_the_file_over_the_defaults()
    {
        const string Text = """
            router { loops = 2, log.queue = 100, listeners.e { bind = "udp://127.0.0.1:1", route = e } }
            router.routes.e.type = echo
            """;
        Assert.Equal((2, 100), LoopsAndQueue());
        Assert.Equal((4, 100), LoopsAndQueue("router.loops=3", "router.loops = 4"));
        Assert.Equal((2, 200), LoopsAndQueue("router.log.queue=200"));
        Assert.Equal(4096, Loaded.Options(Loaded.Echo).Log.Queue);

        (int Loops, int Queue) LoopsAndQueue(params string[] sets)
        {
            var options = Loaded.Options(Text, sets);
            return (options.LoopCount, options.Log.Queue);
        }
    }

    [Fact]
    public void A_set_may_hold_any_value_and_refers_to_what_the_file_says()
    {
        var options = Loaded.Options(
            "port = 5, router { listeners.e.route = e, routes.e.type = echo }",
            "router.listeners.e.bind=[\"udp://127.0.0.1:\"${port}]",
            "router.listeners.e.backlog=9");
        Assert.Equal("udp://127.0.0.1:5", options.Listeners[0].Binds[0].ToString());
        Assert.Equal(9, options.Listeners[0].Backlog);
    }

    [Theory]
    [InlineData("router.loops", "a set has the form path=value")]
    [InlineData("router..loops=1", "empty element")]
    [InlineData("router.loops=", "must stand here")]
    [InlineData("router.loops=[1", "never closed")]
    [InlineData("router.loops=1\nx=2", "complete")]
    public void A_set_that_cannot_be_read_is_a_fault_that_names_it(string set, string words)
    {
        var fault = Assert.Single(Loaded.Result(Loaded.Echo, set).Faults);
        Assert.Contains(words, fault.Message);
        Assert.StartsWith("(--set router", fault.Origin.File);
    }

    [Fact]
    public void The_environment_fills_in_what_the_file_asks_for()
    {
        var text = Loaded.Echo + "\nrouter.loops = ${?LOOPS}";
        Assert.Equal(5, LoopsWith(n => n == "LOOPS" ? "5" : null));
        Assert.Null(LoopsWith(_ => null));

        int? LoopsWith(Func<string, string?> environment) =>
            ConfigurationLoader.LoadText(RouteTypes.All, text, [], environment, []).Options!.Loops;
    }

    [Fact]
    public void A_file_that_is_not_there_is_one_fault()
    {
        var result = ConfigurationLoader.Load(RouteTypes.All, "/nowhere/router.conf", [], _ => null);
        Assert.Equal("/nowhere/router.conf:1:1: no such file", Assert.Single(result.Faults).ToString());
    }

    [Fact]
    public void A_fault_in_an_inherited_key_is_reported_once_and_where_it_stands()
    {
        var fault = Assert.Single(Loaded.Result("""
            router {
              listener-defaults.max-sessions = 0
              listeners.a { bind = "udp://127.0.0.1:1", route = e }
              listeners.b { bind = "udp://127.0.0.1:2", route = e }
              routes.e.type = echo
            }
            """).Faults);
        Assert.Equal(new HoconOrigin("test.conf", 2, 3), fault.Origin);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing but a comment\n\n")]
    [InlineData("\n\na = 1")]
    [InlineData("router = null")]
    public void What_is_not_written_stands_at_the_beginning_of_the_file(string text)
    {
        var fault = Assert.Single(Loaded.Result(text).Faults);
        Assert.StartsWith("test.conf:1:1: router", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_an_object_lacks_stands_at_the_object()
    {
        Assert.Equal(
            new HoconOrigin("test.conf", 2, 1), Assert.Single(Loaded.Result("\nrouter { loops = 3 }").Faults).Origin);
        var small = SystemLimits.Unknown with { Descriptors = 300 };
        var warnings = Loaded.Pair("bind = \"tcp://127.0.0.1:1\"", "type = echo", small).Warnings;
        Assert.Equal(new HoconOrigin("test.conf", 2, 14), Assert.Single(warnings).Origin);
    }

    [Theory]
    [InlineData("route = \"a\\nb\\u0000\"", "a\\nb\\u0000")]
    [InlineData("route = e, \"k\\u001b[2J\" = 1", "\\u001b[2J")]
    [InlineData("route = e, backlog = \"1\\u202e\"", "1\\u202E")]
    [InlineData("route = e, bind = \"udp://a\\r\\nb:1\"", "a\\r\\nb")]
    public void A_fault_is_one_line_whatever_it_quotes(string keys, string shown)
    {
        var result = Loaded.Result(
            $"router {{ listeners.l {{ bind = \"udp://127.0.0.1:1\", {keys} }}, routes.e.type = echo }}");
        var faults = result.Faults.Select(static fault => fault.ToString()).ToList();
        Assert.NotEmpty(faults);
        Assert.All(faults.SelectMany(static fault => fault), static c => Assert.InRange(c, ' ', '~'));
        Assert.Contains(faults, fault => fault.Contains(shown, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void A_fault_of_HOCON_is_one_line_too()
    {
        var fault = Assert.Single(ConfigurationLoader.LoadText(
            RouteTypes.All, "a = 1\n\"x\\n\u202e\" b", [], _ => null, [], "a\nb.conf").Faults);
        Assert.All(fault.ToString(), static c => Assert.InRange(c, ' ', '~'));
    }

    [Fact]
    public void Null_takes_a_listener_away()
    {
        var options = Loaded.Options(Loaded.Echo, "router.listeners.x=null");
        Assert.Equal(["e"], options.Listeners.Select(l => l.Name));
    }
}

/// <summary>Configurations of a few lines, on a machine whose only address besides loopback is 192.0.2.7.</summary>
internal static class Loaded
{
    public const string Echo =
        "router { listeners.e { bind = \"udp://127.0.0.1:1\", route = e }, routes.e.type = echo }";

    private static readonly IPAddress[] Local = [IPAddress.Parse("192.0.2.7"), IPAddress.Parse("2001:db8::7")];

    public static LoadResult Result(string text, params string[] sets) =>
        ConfigurationLoader.LoadText(RouteTypes.All, text, sets, _ => null, Local, "test.conf");

    public static RouterOptions Options(string text, params string[] sets)
    {
        var result = Result(text, sets);
        Assert.Empty(result.Faults.Select(f => f.ToString()));
        return result.Options!;
    }

    /// <summary>One listener and one route, each with the given keys.</summary>
    public static LoadResult Pair(string listener, string route, SystemLimits? system = null) =>
        ConfigurationLoader.LoadText(
            RouteTypes.All,
            $"router {{\n listeners {{ l {{ route = r, {listener} }} }}\n routes {{ r {{ {route} }} }}\n}}",
            [], _ => null, Local, "test.conf", system);

    public static void Refuses(LoadResult result, string path, string words) =>
        Contains(result.Faults, path, words);

    public static void Warns(LoadResult result, string path, string words)
    {
        Assert.Empty(result.Faults);
        Contains(result.Warnings, path, words);
    }

    private static void Contains(IReadOnlyList<ConfigurationFault> found, string path, string words)
    {
        var fault = Assert.Single(found);
        Assert.Equal(path, fault.Path);
        Assert.Contains(words, fault.Message);
        Assert.Equal("test.conf", fault.Origin.File);
    }
}
