using Router.Configuration;
using Router.Net;
using Router.Routes;
using Router.Running;
using Router.TestKit.Simulation;

namespace Router.Tests.Running;

/// <summary>Reading again: all or nothing, one at a time, and on change.</summary>
public sealed class ReloadTests
{
    private const string A = "198.51.100.1:9000";
    private const string Client = "192.0.2.1:5000";

    private const string One = """
        router {
          listeners.a { bind = "udp://198.51.100.1:9000", route = r, idle-timeout = 10s }
          routes.r { type = reply, text = one }
        }
        """;

    [Fact]
    public void A_faulty_configuration_changes_nothing_and_every_fault_is_written_down_with_its_place()
    {
        using var rig = new ReloadRig(One);
        var peer = rig.Peer(Client, A);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();

        var result = rig.Reload("""
            router {
              listeners.a { bind = "udp://198.51.100.1:9000", route = nowhere, idle-timeout = 1ms }
              listeners.b { bind = "udp://198.51.100.1:9001", rout = r }
              routes.r { type = reply, text = two }
            }
            """);
        peer.Send("y"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(1));

        Assert.False(result.IsApplied);
        Assert.Equal(3, result.Faults.Count);
        Assert.Equal(
            result.Faults,
            rig.LinesOf("reload-refused").Select(line => line.Split("fault=\"")[1].Split("\" number=")[0].Replace(
                "\\\"", "\"", StringComparison.Ordinal)));
        Assert.All(result.Faults, fault => Assert.Matches(@"^\(text\):\d+:\d+: ", fault));
        Assert.Equal(["one", "one"], peer.ReceivedText);
        Assert.Single(rig.Kit.OpenSessions);
        Assert.Equal(1, rig.Running.Revision);
        Assert.Equal(1, rig.Kit.Network.OpenSockets);
    }

    [Fact]
    public void A_bind_that_fails_undoes_what_was_bound_and_changes_nothing()
    {
        using var rig = new ReloadRig(One);
        rig.Kit.UdpPeer("198.51.100.1:9002");   // somebody else has it
        var before = rig.Kit.Network.OpenSockets;

        var result = rig.Reload(One.Replace("routes.r", """
            listeners.b { bind = "udp://198.51.100.1:9001", route = r }
            listeners.c { bind = "udp://198.51.100.1:9002", route = r }
            routes.r
            """).Replace("text = one", "text = two"));

        var fault = Assert.Single(result.Faults);
        Assert.Matches(@"^\(text\):5:\d+: listener c: udp://198\.51\.100\.1:9002: EADDRINUSE", fault);
        Assert.Equal(before, rig.Kit.Network.OpenSockets);
        var peer = rig.Peer(Client, A);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["one"], peer.ReceivedText);
        Assert.Single(rig.LinesOf("reload-refused"));
        Assert.Empty(rig.LinesOf("reloaded"));

        rig.Apply(One.Replace("routes.r", """
            listeners.b { bind = "udp://198.51.100.1:9001", route = r }
            routes.r
            """));   // the address was given back
    }

    [Fact]
    public void A_port_that_another_address_of_ours_has_is_named_with_its_listener()
    {
        using var rig = new ReloadRig(One);
        rig.Kit.Network.Faults.Inject(NetworkOperation.BindDatagram, Errno.EADDRINUSE);   // as Linux answers
        var fault = Assert.Single(rig.Reload(One.Replace("198.51.100.1", "0.0.0.0")).Faults);
        Assert.Contains("listener a of this router has udp://198.51.100.1:9000", fault);
    }

    [Fact]
    public void Who_asks_before_a_reload_begins_shares_it_and_who_asks_while_it_runs_gets_the_next()
    {
        using var rig = new ReloadRig(One);
        var first = rig.Ask(One.Replace("one", "two"));
        var second = rig.Ask(One.Replace("one", "three"));
        Assert.Same(first, second);
        Assert.NotSame(first, StartAndAsk());

        rig.Kit.RunUntilIdle();
        Assert.Equal(3, rig.Running.Revision);
        var peer = rig.Peer(Client, A);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["four"], peer.ReceivedText);

        Task<ReloadResult> StartAndAsk()
        {
            rig.Kit.RunPass();   // the first has run
            return rig.Ask(One.Replace("one", "four"));
        }
    }

    [Fact]
    public void While_the_router_stops_a_reload_is_refused_and_afterwards_too()
    {
        using var rig = new ReloadRig(One);
        rig.TellStop();
        var during = rig.Reload(One.Replace("one", "two"));
        Assert.Equal(["the router is stopping"], during.Faults);

        rig.AssertNothingLeftAfterStop();
        var after = rig.Ask(One);
        Assert.Equal(["the router is not running"], ReloadRig.ResultOf(after).Faults);
    }

    [Fact]
    public void A_stop_before_a_reload_has_begun_leaves_nobody_waiting()
    {
        using var rig = new ReloadRig(One);
        var asked = rig.Ask(One.Replace("9000", "9001"));
        rig.AssertNothingLeftAfterStop();
        Assert.True(asked.IsCompleted);
    }

    [Fact]
    public void Files_and_their_includes_are_read_again_once_they_stay_changed_for_the_debounce_time()
    {
        using var folder = new Folder();
        folder.Write("main.conf", """
            include "more"
            router {
              loops = 1, reload { on-change = on, debounce = 1s }
              listeners.a { bind = "udp://198.51.100.1:9000", route = r }
            }
            """);
        folder.Write("more.conf", Reply("one"));
        using var rig = Watching(folder);
        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, rig.Running.Revision);

        folder.Write("more.conf", Reply("tw"));    // an editor at work
        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        folder.Replace("more.conf", Reply("two"));
        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, rig.Running.Revision);
        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("two", Answer(rig));
        Assert.Contains("cause=file", Assert.Single(rig.LinesOf("reloaded")));

        folder.Delete("more.conf");   // the route is gone: refused once, not at every look
        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        Assert.Single(rig.LinesOf("reload-refused"));
        folder.Write("more.json", """{ "router": { "routes": { "r": { "type": "reply", "text": "json" } } } }""");
        rig.Kit.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal("json", Answer(rig));   // a file that was not there before

        folder.Write("main.conf", File.ReadAllText(folder.PathOf("main.conf")).Replace("= on", "= off"));
        rig.Kit.Advance(TimeSpan.FromSeconds(3));
        folder.Write("more.json", "{}");
        rig.Kit.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(4, rig.Running.Revision);   // not looked at any more
    }

    [Fact]
    public void A_program_that_cannot_be_run_here_refuses_the_reload_that_brings_it()
    {
        using var rig = new ReloadRig(One);
        rig.Kit.Network.Processes.Fault = "no process can be run";
        var text = One + """

            router.listeners.x { bind = "tcp://198.51.100.1:9001", route = x }
            router.routes.x { type = exec, command = [/bin/cat] }
            """;

        Assert.Equal(["listener x: route x: no process can be run"], rig.Reload(text).Faults);
        Assert.Equal(1, rig.Running.Revision);

        rig.Kit.Network.Processes.Fault = null;
        rig.Apply(text);
    }

    [Fact]
    public void What_is_unwise_is_told_when_it_comes_into_force()
    {
        using var rig = new ReloadRig(One);
        rig.Apply(One.Replace("10s", "infinite"));
        Assert.Contains(
            rig.LinesOf("config-warning"), static line => line.Contains("router.listeners.a.idle-timeout"));
    }

    [Fact]
    public void Differences_are_of_meaning_not_of_spelling()
    {
        using var rig = new ReloadRig(One);
        Assert.Empty(rig.Apply(One.Replace("10s", "10000").Replace("\n", "\n# moved\n")).ChangedKeys);
    }

    [Theory]
    [InlineData("type = room, validate-timeout = 5s, buffer = 4 MiB", "validate-timeout = 5000ms, buffer = 4096 KiB")]
    [InlineData(
        "type = room, validate = none, allow-unvalidated = [\"10.0.0.0/8\"]", "allow-unvalidated = \"10.0.0.0/8\"")]
    [InlineData("type = room, to-sender = on", "to-sender = true")]
    [InlineData("type = room", "max-members = 100")]
    [InlineData(
        "type = exec, command = [/bin/cat, \"a b\"], limits.cpu-time = 1m, grace = 2s",
        "command = [\"/bin/cat\", \"a b\"], limits { cpu-time = 60s }, grace = 2000")]
    [InlineData(
        "type = collect, to = log, window = 2s, every = null, file.rotate-size = 1 MiB",
        "window = 2000ms, file { rotate-size = 1024 KiB }")]
    [InlineData("type = collect, to = upstream, upstream = \"udp://10.0.0.1:5\"", "bytes = 1024 KiB")]
    [InlineData("type = flow, route = p, join-timeout = 1m", "join-timeout = 60s")]
    public void A_route_spelled_otherwise_is_the_same_route(string route, string otherwise)
    {
        using var rig = new ReloadRig(Two(route));
        var before = rig.Running.Listeners.Binds[0].Shards[0].Route;

        Assert.Empty(rig.Apply(Two($"{route}, {otherwise}")).ChangedKeys);

        Assert.Same(before, rig.Running.Listeners.Binds[0].Shards[0].Route);
        Assert.Contains("routes-changed=\"\"", Assert.Single(rig.LinesOf("reloaded")));
    }

    [Theory]
    [InlineData("type = room", "validate-timeout = 6s")]
    [InlineData(
        "type = room, validate = none, allow-unvalidated = [\"10.0.0.0/8\"]",
        "allow-unvalidated = [\"10.0.0.0/8\", \"192.0.2.0/24\"]")]
    [InlineData("type = room, validate = token, token = one", "token = two")]
    [InlineData("type = exec, command = [/bin/cat, \"a b\"]", "command = [/bin/cat, a, b]")]
    [InlineData("type = exec, command = [/bin/cat]", "limits.cpu-time = 1m")]
    [InlineData("type = exec, command = [/bin/cat]", "environment = [\"A=b\"]")]
    [InlineData("type = collect, to = log", "every = 1s")]
    [InlineData("type = collect, to = file, file.path = \"/tmp/a\"", "file.keep = 3")]
    [InlineData(
        "type = collect, to = upstream, upstream = \"udp://10.0.0.1:5\"", "upstream = \"tcp://10.0.0.1:5\"")]
    [InlineData("type = flow, route = p", "max-flows = 3")]
    public void A_route_of_another_value_is_another_route_and_the_key_is_told(string route, string otherwise)
    {
        using var rig = new ReloadRig(Two(route));
        var before = rig.Running.Listeners.Binds[0].Shards[0].Route;

        var changed = rig.Apply(Two($"{route}, {otherwise}")).ChangedKeys;

        Assert.Equal([$"router.routes.r.{otherwise.Split(" = ")[0]}"], changed);
        Assert.NotSame(before, rig.Running.Listeners.Binds[0].Shards[0].Route);
        Assert.Contains("routes-changed=r ", Assert.Single(rig.LinesOf("reloaded")));
    }

    [Fact]
    public void A_room_spelled_otherwise_keeps_its_members()
    {
        const string Room = "type = room, join = listener, validate = none, allow-unvalidated = \"192.0.2.0/24\"";
        using var rig = new ReloadRig(Two($"{Room}, validate-timeout = 5s"));
        var (first, second) = (rig.Peer(Client, A), rig.Peer("192.0.2.2:5000", A));
        first.Send("a"u8);
        rig.Kit.RunUntilIdle();

        rig.Apply(Two($"{Room}, validate-timeout = 5000ms"));
        second.Send("b"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["b"], first.ReceivedText);
    }

    private static string Two(string route) => $$"""
        router {
          listeners.a { bind = "udp://198.51.100.1:9000", route = r, idle-timeout = 10s }
          listeners.t { bind = "tcp://198.51.100.1:9001", route = r }
          listeners.p { bind = "tcp://198.51.100.1:9002", route = p }
          routes.p { type = proxy, upstreams = "10.0.0.1:80" }
          routes.r { {{route}} }
        }
        """;

    private static string Reply(string text) => $"router.routes.r {{ type = reply, text = {text} }}";

    private static string Answer(ReloadRig rig)
    {
        var peer = rig.Peer($"192.0.2.1:{5000 + rig.Kit.SessionsOpened}", A);
        peer.Send("x"u8);
        rig.Kit.RunUntilIdle();
        return Assert.Single(peer.ReceivedText);
    }

    private static ReloadRig Watching(Folder folder) =>
        new("", read: () => ConfigurationLoader.Load(RouteTypes.All, folder.PathOf("main.conf"), [], _ => null));

    /// <summary>A folder that is gone after the test.</summary>
    private sealed class Folder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("router-reload-");

        public string PathOf(string name) => Path.Combine(_folder.FullName, name);

        public void Write(string name, string text) => File.WriteAllText(PathOf(name), text);

        /// <summary>As editors do: a new file takes the name over.</summary>
        public void Replace(string name, string text)
        {
            Write(name + "~", text);
            File.Move(PathOf(name + "~"), PathOf(name), overwrite: true);
        }

        public void Delete(string name) => File.Delete(PathOf(name));

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
