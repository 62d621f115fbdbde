using Router.Configuration;
using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ReplyRouteOptionsTests
{
    [Theory]
    [InlineData("", "text", "needs text or bytes")]
    [InlineData("text = x, bytes = \"00\"", "bytes", "not both")]
    [InlineData("bytes = \"0\"", "bytes", "hexadecimal digits")]
    [InlineData("bytes = \"0g\"", "bytes", "hexadecimal digits")]
    public void A_reply_is_text_or_bytes(string keys, string key, string words) =>
        Loaded.Refuses(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = reply\n {keys}"),
            $"router.routes.r.{key}", words);

    [Theory]
    [InlineData("text = \"\"")]
    [InlineData("bytes = \"\"")]
    public void An_empty_reply_is_a_reply(string key) =>
        Assert.Empty(Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = reply, {key}").Faults);

    [Fact]
    public void A_reply_fits_one_datagram()
    {
        Assert.Empty(Reply(65_507).Faults);
        Loaded.Refuses(Reply(65_508), "router.routes.r.text", "65508 bytes do not fit a datagram");
    }

    private static LoadResult Reply(int length) =>
        Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = reply, text = {new string('x', length)}");
}
