using Router.Hosting;
using Router.Routes;
using Router.Sessions;

namespace Router.Tests.Hosting;

/// <summary>A program checks a file whose routes name what it adds, and nothing of that is made.</summary>
public sealed class ConfigurationCheckTests
{
    private const string Text = """
        router {
          listener-defaults.max-sessions = 10
          listeners {
            h { bind = "udp://127.0.0.1:1", route = h }
            w { bind = "udp://127.0.0.1:2", route = w }
            r { bind = "tcp://127.0.0.1:3", route = r }
            a { bind = "udp://127.0.0.1:4", route = a }
            q { bind = "udp://127.0.0.1:5", route = q }
          }
          routes {
            h { type = handler, name = h }
            w { type = collect, to = handler, name = w, window = 1s }
            r { type = room, join = handler, name = r }
            a { type = actor, key = a }
            q { type = quotes, length = 5 }
          }
        }
        """;

    [Fact]
    public void A_file_that_names_what_the_program_adds_is_valid()
    {
        using var file = new TextFile(Text);

        var check = RouterConfiguration.Check(file.Path, static router => AddAll(router));

        Assert.Empty(check.Faults);
        Assert.Empty(check.Warnings);
        Assert.True(check.IsValid);
    }

    [Fact]
    public void Faults_and_warnings_are_those_of_a_start()
    {
        using var file = new TextFile($"{Text}\nrouter.listeners.h.max-lifetime = 5");

        var check = RouterConfiguration.Check(
            file.Path, static router => AddAll(router).Set("router.routes.h.name=nobody"));

        Assert.False(check.IsValid);
        Assert.Contains("names handler 'nobody', which the program did not add; added: h", Assert.Single(check.Faults));
        Assert.Contains("5 has no unit", Assert.Single(check.Warnings));
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_fault() =>
        Assert.Equal(
            ["/nowhere/router.conf:1:1: no such file"], RouterConfiguration.Check("/nowhere/router.conf").Faults);

    private static RouterBuilder AddAll(RouterBuilder router) => router
        .AddHandler<NeverMade>("h")
        .AddWindowHandler("w", static () => throw new InvalidOperationException("made"))
        .AddRoomJoin<NeverAsked>("r")
        .AddActor("a", static _ => throw new InvalidOperationException("found"))
        .AddRoute("quotes", static route =>
        {
            _ = route.Int("length", 1, 10, Router.Configuration.Reload.NewSessions);
            return static () => throw new InvalidOperationException("made");
        });

    private sealed class NeverMade(TextWriter wanted) : SessionHandler
    {
        public TextWriter Wanted => wanted;
    }

    private sealed class NeverAsked(TextWriter wanted) : RoomJoin
    {
        public TextWriter Wanted => wanted;

        public override string? RoomOf(SessionContext session, ReadOnlySpan<byte> first) => null;
    }
}
