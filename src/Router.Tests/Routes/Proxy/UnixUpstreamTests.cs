using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class UnixUpstreamTests
{
    private const string Path = "router.routes.r.upstreams";

    [Theory]
    [InlineData("tcp://127.0.0.1:1", "unix:///u")]
    [InlineData("unix:///l", "unix://@u")]
    [InlineData("unix:///l", "127.0.0.1:1")]
    [InlineData("udp://127.0.0.1:1", "unixgram:///u")]
    [InlineData("udp://127.0.0.1:1", "unixpacket:///u")]
    [InlineData("unixpacket:///l", "unixgram:///u")]
    [InlineData("unixpacket:///l", "127.0.0.1:1")]
    [InlineData("unixgram:///l", "unixpacket:///u")]
    public void Like_and_like_are_joined(string bind, string upstream) => Assert.Empty(Pair(bind, upstream).Faults);

    [Theory]
    [InlineData("tcp://127.0.0.1:1", "unixgram:///u", "is a stream, which has none")]
    [InlineData("unix:///l", "unixpacket:///u", "is a stream, which has none")]
    [InlineData("udp://127.0.0.1:1", "unix:///u", "would lose where the messages")]
    [InlineData("unixpacket:///l", "unix:///u", "would lose where the messages")]
    [InlineData("unixgram:///l", "unix:///u", "would lose where the messages")]
    public void A_stream_and_messages_are_not(string bind, string upstream, string words) =>
        Loaded.Refuses(Pair(bind, upstream), Path, words);

    [Fact]
    public void One_bind_of_several_is_enough_to_refuse() => Loaded.Refuses(
        Loaded.Pair("bind = [\"tcp://127.0.0.1:1\", \"udp://127.0.0.1:1\"]", Proxy("unix:///u")),
        Path, "messages that come to udp://127.0.0.1:1");

    [Theory]
    [InlineData("unix:///l", "unix:///l")]
    [InlineData("unix:///l", "unix:///x/..//l")]
    [InlineData("unix://@l", "unix://@l")]
    [InlineData("unixpacket:///l", "unixgram:///l")]
    public void A_listener_of_our_own_is_refused_however_it_is_spelled(string bind, string upstream) =>
        Loaded.Refuses(Pair(bind, upstream), Path, "is a listener of this very configuration");

    [Fact]
    public void A_listener_of_our_own_is_found_behind_a_link()
    {
        var folder = Directory.CreateTempSubdirectory("router-unix-");
        File.CreateSymbolicLink(Path2(folder, "link"), Path2(folder, "real"));
        Directory.CreateDirectory(Path2(folder, "real"));

        Loaded.Refuses(
            Pair($"unix://{folder}/real/l", $"unix://{folder}/link/l"), Path, "a listener of this very configuration");

        folder.Delete(recursive: true);
    }

    [Fact]
    public void An_upstream_has_no_other_port_to_answer_from() => Loaded.Refuses(
        Loaded.Pair("bind = \"unixgram:///l\"", Proxy("unixgram:///u") + ", upstream-replies = follow"),
        "router.routes.r.upstream-replies", "set it to strict");

    [Theory]
    [InlineData("unix://u", "three slashes")]
    [InlineData("unixgram://", "names no socket")]
    public void An_upstream_that_names_no_socket_is_refused(string upstream, string words) =>
        Loaded.Refuses(Pair("unix:///l", upstream), Path, words);

    private static string Path2(DirectoryInfo folder, string name) => System.IO.Path.Combine(folder.FullName, name);

    private static string Proxy(string upstream) => $"type = proxy, upstreams = [\"{upstream}\"]";

    private static Router.Configuration.LoadResult Pair(string bind, string upstream) =>
        Loaded.Pair($"bind = \"{bind}\"", Proxy(upstream));
}
