using Router.Diagnostics;
using Router.TestKit;
using Tracker;

namespace Router.Tests.Examples;

/// <summary>The tracker's handler by itself: virtual time, no member, no socket.</summary>
public sealed class TrackerKitTests
{
    private const string Report = "dev-0042 52.1,4.3";

    private static readonly ListenerLimits Limits = new()
    {
        Identity = "identity { offset = 0, length = 8 }, checkpoint-sync = on",
    };

    [Fact]
    public void A_device_that_changes_its_address_is_counted_on_and_gets_its_commands_there()
    {
        using var kit = new RouterTestKit { Limits = Limits };
        var listener = kit.BindUdp(static () => new TrackerHandler());
        var device = kit.Cluster.Identity("dev-0042");
        device.Tell("wait for me");
        var here = kit.UdpPeer("192.0.2.7:5000", listener);
        var there = kit.UdpPeer("192.0.2.8:5000", listener);
        Send(kit, here, Report);
        Assert.Equal(["1", "do wait for me"], here.ReceivedText.Order());

        Send(kit, there, Report);
        device.Tell("stop");
        kit.RunUntilIdle();
        Assert.Equal(["2", "do stop"], there.ReceivedText);
        Assert.Equal(2, here.ReceivedText.Count);
        Assert.Equal(CloseReason.Superseded, kit.ExpectSessionClosed(here.EndPoint));
        kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void No_device_is_told_a_count_that_a_death_takes_back()
    {
        using var kit = new RouterTestKit { Limits = Limits };
        var (one, two) = (kit.Cluster.Members[0], kit.Cluster.AddMember());
        var here = kit.UdpPeer("192.0.2.7:5000", one.BindUdp(static () => new TrackerHandler()));
        var there = kit.UdpPeer("192.0.2.7:5001", two.BindUdp(static () => new TrackerHandler()));
        Send(kit, here, Report);
        kit.Cluster.IsStoreAway = true;
        Send(kit, here, Report);   // counted, but neither kept nor answered
        one.Die();
        kit.Cluster.IsStoreAway = false;
        Send(kit, there, Report);
        kit.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(["1"], here.ReceivedText);
        Assert.Equal(["2"], there.ReceivedText);
    }

    [Fact]
    public void A_member_without_a_majority_tells_its_devices_nothing()
    {
        using var kit = new RouterTestKit { Limits = Limits };
        var here = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(static () => new TrackerHandler()));
        Send(kit, here, Report);
        kit.Cluster.Members[0].ShutFence();
        Send(kit, here, Report);
        kit.Cluster.Identity("dev-0042").Tell("stop");
        kit.RunUntilIdle();

        Assert.Equal(["1"], here.ReceivedText);
    }

    private static void Send(RouterTestKit kit, UdpPeer device, string report)
    {
        device.Send(System.Text.Encoding.ASCII.GetBytes(report));
        kit.RunUntilIdle();
    }
}
