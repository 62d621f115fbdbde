using Router.Configuration;
using Router.Tests.Configuration;

namespace Router.Tests.Routes;

public sealed class ReplySizeRuleTests
{
    [Fact]
    public void A_reply_fits_one_datagram()
    {
        Assert.Empty(Reply(65_507).Faults);
        Loaded.Refuses(Reply(65_508), "router.routes.r.text", "65508 bytes do not fit a datagram");
    }

    private static LoadResult Reply(int length) =>
        Loaded.Pair("bind = \"udp://127.0.0.1:1\"", $"type = reply, text = {new string('x', length)}");
}
