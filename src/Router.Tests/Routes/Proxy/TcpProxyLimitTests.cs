using Router.Diagnostics;

namespace Router.Tests.Routes;

/// <summary>A limit ends a proxied connection in the middle: nobody takes what has arrived for the whole.</summary>
public sealed class TcpProxyLimitTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_side_is_reset_unless_the_other_has_ended(bool clientHasEnded, bool upstreamHasEnded)
    {
        using var rig = new ProxyRig(["10.0.0.1:80"]);
        rig.Kit.Limits = rig.Kit.Limits with { MaxLifetime = TimeSpan.FromSeconds(5) };
        var server = rig.TcpEcho("10.0.0.1:80");
        var client = rig.Kit.TcpPeer("192.0.2.1:4000", rig.BindTcp());
        client.Send("hello"u8);
        rig.Kit.RunUntilIdle();
        var upstream = server.Accepted[0];
        if (clientHasEnded)
        {
            client.Finish();
        }

        if (upstreamHasEnded)
        {
            upstream.Finish();
        }

        rig.Kit.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(CloseReason.Lifetime, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Equal((!upstreamHasEnded, !clientHasEnded), (client.IsReset, upstream.IsReset));
    }
}
