namespace Router.Tests.Configuration.Validators;

public sealed class UnixListenerRuleTests
{
    private const string Bind = "router.listeners.l.bind";

    [Theory]
    [InlineData("unix://", "names no socket")]
    [InlineData("unix://@", "names no socket")]
    [InlineData("unixgram://run/s", "three slashes")]
    [InlineData("unixpacket://./s", "relative path")]
    [InlineData("unix:///run/", "is a directory")]
    [InlineData("unix:///run/..", "is a directory")]
    [InlineData("unix:///a\\u0000b", "NUL")]
    [InlineData("unixstream:///s", "must begin with udp://, tcp://, unix://")]
    public void A_bind_that_names_no_socket_is_refused(string bind, string words) =>
        Loaded.Refuses(Loaded.Pair($"bind = \"{bind}\"", "type = echo"), Bind, words);

    [Theory]
    [InlineData("/", 106, true)]
    [InlineData("/", 107, false)]
    [InlineData("@", 107, true)]
    [InlineData("@", 108, false)]
    public void A_name_has_107_bytes_at_most(string first, int more, bool fits)
    {
        var result = Loaded.Pair($"bind = \"unix://{first}{new string('a', more)}\"", "type = echo");
        if (fits)
        {
            Assert.Empty(result.Faults);
        }
        else
        {
            Loaded.Refuses(result, Bind, "108 bytes, and the name of a unix socket holds 107");
        }
    }

    [Theory]
    [InlineData("unix:///run/s", "unixgram:///run/s")]
    [InlineData("unix:///run/s", "unix:///run//x/../s")]
    [InlineData("unix://@s", "unixpacket://@s")]
    public void A_name_is_bound_once_whatever_the_socket_and_the_spelling(string one, string other) =>
        Loaded.Refuses(
            Loaded.Pair($"bind = [\"{one}\", \"{other}\"]", "type = echo"), Bind, "already bound by listener 'l'");

    [Fact]
    public void A_path_and_an_abstract_name_do_not_meet() => Assert.Empty(
        Loaded.Pair("bind = [\"unix:///s\", \"unix://@/s\", \"udp://127.0.0.1:1\"]", "type = echo").Faults);

    [Fact]
    public void Flows_are_refused() => Loaded.Refuses(
        Loaded.Result("""
            router {
              listeners.l { bind = ["tcp://127.0.0.1:1", "udp://127.0.0.1:1", "unix:///s"], route = f }
              routes { f { type = flow, route = h }, h { type = handler, name = x } }
            }
            """),
        Bind, "flows are UDP sessions that join TCP sessions");

    [Fact]
    public void Sockets_of_sessions_are_refused() => Loaded.Refuses(
        Loaded.Pair(
            "bind = [\"udp://127.0.0.1:1\", \"unixgram:///s\"], session-socket = connected", "type = echo"),
        Bind, "bind it in a listener of its own");

    [Theory]
    [InlineData("unix", true)]
    [InlineData("unixgram", true)]
    [InlineData("unixpacket", false)]
    public void Unixpacket_is_served_on_the_loop(string scheme, bool isPossible)
    {
        var result = Loaded.Pair(
            $"bind = \"{scheme}:///s\", session.dispatcher = pool", "type = handler, name = x");
        if (isPossible)
        {
            Assert.Empty(result.Faults);
        }
        else
        {
            Loaded.Refuses(result, Bind, "is served on the loop only");
        }
    }

    [Theory]
    [InlineData("\"0668\"")]
    [InlineData("\"rw-\"")]
    [InlineData("\"1777\"")]
    [InlineData("\"66\"")]
    public void A_mode_is_octal(string mode) => Loaded.Refuses(
        Loaded.Pair($"bind = \"unix:///s\", unix.mode = {mode}", "type = echo"),
        "router.listeners.l.unix.mode", "\"0660\" lets owner and group connect");

    [Theory]
    [InlineData("owner")]
    [InlineData("group")]
    public void An_abstract_name_has_no_owner(string key) => Loaded.Refuses(
        Loaded.Pair($"bind = \"unix://@s\", unix.{key} = root", "type = echo"),
        $"router.listeners.l.unix.{key}", "bind to a path instead");
}
