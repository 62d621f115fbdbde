using Router.Configuration;
using Router.Hosting;
using Router.Routes;
using Router.Running;
using Router.Tests.Kit;

namespace Router.Tests.Hosting;

/// <summary>A type of routes that a program adds, with keys of its own.</summary>
public sealed class RouteTypeTests
{
    private const string Listener = "listeners.a { bind = \"udp://127.0.0.1:1\", route = b }";

    [Fact]
    public void Its_keys_are_read_with_their_defaults_and_those_of_the_type()
    {
        Assert.Equal(("hello", 3, Voice.Low), Read("routes.b { type = say, text = hello }"));
        Assert.Equal(
            ("hi", 5, Voice.VeryLoud),
            Read("routes.b { type = say, text = hi, times = 5 }\nroute-defaults.say.voice = very-loud"));
    }

    [Theory]
    [InlineData("type = say", "text", "must be set")]
    [InlineData("type = say, text = x, times = 6", "times", "6 is not within 1 to 5")]
    [InlineData("type = say, text = x, voice = loud", "voice", "'loud' is none of low, very-loud")]
    [InlineData("type = say, text = x, tines = 2", "tines", "unknown key; did you mean 'times'?")]
    [InlineData("type = say, text = shout", "text", "nobody shouts here")]
    [InlineData("type = say, text = throw", "type", "the program failed to read it: it was told to")]
    [InlineData("type = say, text = nothing", "type", "the program gave nothing that makes its handlers")]
    [InlineData("type = sai", "type", "is none of echo, reply, proxy, exec, collect, room, flow, handler, actor, say")]
    public void What_is_wrong_with_them_is_refused_with_its_place(string route, string key, string words)
    {
        var fault = Assert.Single(Load($"routes.b {{ {route} }}", _ => { }).Faults);

        Assert.Equal($"router.routes.b.{key}", fault.Path);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.Equal("test.conf", fault.Origin.File);
    }

    [Fact]
    public void A_reload_finds_what_has_changed()
    {
        var changes = ConfigurationChanges.Between(
            Load("routes.b { type = say, text = hello }", _ => { }).Options!,
            Load("routes.b { type = say, text = hello, times = 4 }", _ => { }).Options!);

        Assert.Equal(["router.routes.b.times"], changes.Keys.Select(key => key.Path));
        Assert.Equal(["b"], changes.RoutesChanged);
    }

    [Fact]
    public void Its_handlers_serve_the_sessions()
    {
        var result = Load("routes.b { type = say, text = hello }", _ => { });
        var plan = new RouterPlanner(result.Options!, ProgramParts.None, TimeProvider.System)
            .Make(out var faults);

        Assert.Empty(faults);
        Assert.True(Assert.IsType<HandlerRoute>(plan!.Routes["b"]).Makes<EchoHandler>());
    }

    [Fact]
    public void A_name_is_of_one_type()
    {
        var builder = new RouterBuilder().AddRoute("say", _ => () => new EchoHandler());

        Assert.Throws<ArgumentException>(() => builder.AddRoute("say", _ => () => new EchoHandler()));
        Assert.Throws<ArgumentException>(() => builder.AddRoute("echo", _ => () => new EchoHandler()));
    }

    private static (string Text, int Times, Voice Voice) Read(string routes)
    {
        var read = default((string, int, Voice));
        Assert.Empty(Load(routes, keys => read = keys).Faults);
        return read;
    }

    private static LoadResult Load(string routes, Action<(string Text, int Times, Voice Voice)> onRead)
    {
        var builder = new RouterBuilder().AddRoute("say", route =>
        {
            var text = route.Text("text", Reload.NewSessions);
            if (text == "shout")
            {
                route.Fault("text", "nobody shouts here");
            }

            onRead((
                text,
                route.Int("times", 1, 5, Reload.NewSessions, orElse: 3),
                route.Choice<Voice>("voice", Reload.NewSessions, orElse: Voice.Low)));
            if (text == "throw")
            {
                throw new InvalidOperationException("it was told to");
            }

            return text == "nothing" ? null! : () => new EchoHandler();
        });
        return ConfigurationLoader.LoadText(
            RouteTypes.With(builder.RouteTypes), $"router {{ {Listener}\n{routes} }}", [], _ => null, [], "test.conf");
    }

    private enum Voice
    {
        Low,
        VeryLoud,
    }
}
