using System.Text;
using Router.Configuration;
using Router.Diagnostics;
using Router.Routes;
using Router.Sessions;

namespace Router.Tests.Running;

/// <summary>What a reload does to control sessions and their flows.</summary>
public sealed class ReloadFlowTests
{
    private const string Control = "198.51.100.1:9000";
    private const string Media = "198.51.100.1:9001";
    private const string Upstream = "10.0.0.1:80";

    private const string OverProxy = """
        router {
          listeners {
            c { bind = "tcp://198.51.100.1:9000", route = f }
            m { bind = "udp://198.51.100.1:9001", route = f }
          }
          routes {
            p { type = proxy, upstreams = "10.0.0.1:80", on-upstream-removed = close }
            f { type = flow, route = p, max-flows = 2 }
          }
        }
        """;

    private static readonly string OverHandler = OverProxy
        .Replace(
            "type = proxy, upstreams = \"10.0.0.1:80\", on-upstream-removed = close", "type = handler, name = old");

    [Fact]
    public void A_changed_flow_goes_over_the_proxy_that_runs_with_the_upstreams_of_now()
    {
        using var rig = new ReloadRig(OverProxy);
        Serve(rig, Upstream);
        Serve(rig, "10.0.0.2:80");

        rig.Apply(OverProxy.Replace("max-flows = 2", "max-flows = 3").Replace("10.0.0.1", "10.0.0.2"));

        rig.Stream("192.0.2.1:4000", Control).Send("hello"u8);
        rig.Kit.RunUntilIdle();
        var peer = rig.Peer("192.0.2.1:5000", Media);
        peer.Send("media"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["10.0.0.2:80"], peer.ReceivedText);
        Assert.All(rig.Kit.OpenSessions, session => Assert.Equal("10.0.0.2:80", session.Upstream));
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void A_control_session_whose_upstream_is_gone_ends_with_its_flows()
    {
        using var rig = new ReloadRig(OverProxy);
        Serve(rig, Upstream);
        rig.Stream("192.0.2.1:4000", Control).Send("hello"u8);
        rig.Kit.RunUntilIdle();
        rig.Peer("192.0.2.1:5000", Media).Send("media"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(2, rig.Kit.OpenSessions.Count);

        rig.Apply(OverProxy.Replace("10.0.0.1", "10.0.0.2"));

        rig.Kit.RunUntilIdle();
        Assert.Equal(
            [CloseReason.Done, CloseReason.UpstreamRemoved],
            rig.Kit.ClosedSessions.Select(static closed => closed.Reason).OrderBy(static reason => $"{reason}"));
        rig.AssertNothingLeftAfterStop();
    }

    [Fact]
    public void A_flow_of_a_control_session_that_is_open_joins_it_though_the_handler_is_another_now()
    {
        using var rig = new ReloadRig(OverHandler, parts: new ProgramParts()
            .Add<SessionHandler>("old", () => new Naming("old"))
            .Add<SessionHandler>("new", () => new Naming("new")));
        rig.Stream("192.0.2.1:4000", Control);
        rig.Kit.RunUntilIdle();

        rig.Apply(OverHandler.Replace("name = old", "name = new"));

        rig.Stream("192.0.2.2:4000", Control);
        rig.Kit.RunUntilIdle();
        var (first, second) = (rig.Peer("192.0.2.1:5000", Media), rig.Peer("192.0.2.2:5000", Media));
        first.Send("media"u8);
        second.Send("media"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["old"], first.ReceivedText);
        Assert.Equal(["new"], second.ReceivedText);
        rig.AssertNothingLeftAfterStop();
    }

    /// <summary>Takes connections, and answers datagrams with its own name.</summary>
    private static void Serve(ReloadRig rig, string endPoint)
    {
        rig.Kit.TcpServer(endPoint);
        var server = rig.Kit.UdpPeer(endPoint);
        server.OnReceived = datagram => server.SendTo(datagram.From, Encoding.ASCII.GetBytes(endPoint));
    }

    private sealed class Naming(string name) : FlowHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
        }

        public override void OnFlowReceived(SessionContext control, Flow flow, ReadOnlyMemory<byte> payload) =>
            flow.Reply(Encoding.ASCII.GetBytes(name));
    }
}
