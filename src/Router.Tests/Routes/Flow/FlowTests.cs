using System.Text;
using Router.Diagnostics;
using Router.Routes;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Upstreams;
using Router.Upstreams;

namespace Router.Tests.Routes;

/// <summary>Control sessions over TCP and their flows over UDP, on two loops.</summary>
public sealed class FlowTests
{
    private static readonly FlowRouteSettings ByAddress = new(
        FlowJoin.Address, KeepsToken: false, MaxFlows: 2, TimeSpan.FromSeconds(30), EndsWithLastFlow: true);

    private static readonly FlowRouteSettings ByToken = ByAddress with { Join = FlowJoin.Token };

    [Fact]
    public void Flows_go_to_the_upstream_of_their_control_session()
    {
        using var rig = new Rig(ByAddress);
        var peers = new List<UdpPeer>();
        for (var i = 0; i < 6; i++)
        {
            rig.Control($"192.0.2.{i}:4000");
            peers.Add(rig.Media($"192.0.2.{i}:5000"));
            peers.Add(rig.Media($"192.0.2.{i}:5001"));
        }

        peers.ForEach(static peer => peer.Send("media"u8));
        rig.Kit.RunUntilIdle();

        for (var i = 0; i < 6; i++)
        {
            var answers = peers.Skip(2 * i).Take(2).SelectMany(static peer => peer.ReceivedText);
            Assert.Equal(i % 2 == 0 ? ["one", "one"] : ["two", "two"], answers);
        }

        Assert.Equal(0, rig.MediaListener.AllDrops());
        Assert.Equal((6, 12, 0), rig.Route.Known);
    }

    [Fact]
    public void A_foreign_address_has_no_session_and_is_counted()
    {
        using var rig = new Rig(ByAddress);
        rig.Control("192.0.2.1:4000");

        rig.Media("192.0.2.9:5000").Send("media"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(0, rig.MediaListener.Sessions);
        Assert.Equal(1, rig.MediaListener.Drops(DropReason.ForeignSource));
    }

    [Fact]
    public void A_control_session_has_so_many_flows_and_the_next_goes_to_another_of_its_address()
    {
        using var rig = new Rig(ByAddress);
        rig.Control("192.0.2.1:4000");
        var peers = Enumerable.Range(0, 3).Select(i => rig.Media($"192.0.2.1:{5000 + i}")).ToList();

        peers.ForEach(static peer => peer.Send("media"u8));
        rig.Kit.RunUntilIdle();
        Assert.Equal(2, rig.MediaListener.Sessions);
        Assert.Equal(1, rig.MediaListener.Drops(DropReason.MaxFlows));

        var refused = peers.Single(static peer => peer.Received.Count == 0);
        rig.Control("192.0.2.1:4001");
        refused.Send("media"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["two"], refused.ReceivedText);
        Assert.Equal(3, rig.MediaListener.Sessions);
    }

    [Fact]
    public void A_flow_that_comes_too_late_or_before_the_upstream_is_reached_is_refused()
    {
        using var rig = new Rig(ByAddress);
        rig.Control("192.0.2.1:4000");
        rig.Kit.Advance(TimeSpan.FromSeconds(29));
        rig.Media("192.0.2.1:5000").Send("media"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(2));
        rig.Media("192.0.2.1:5001").Send("media"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(1, rig.MediaListener.Sessions);
        Assert.Equal(1, rig.MediaListener.Drops(DropReason.ForeignSource));

        rig.Kit.Network.SetBlackHole(System.Net.IPEndPoint.Parse("10.0.0.2:80"));   // the next one's
        rig.Control("192.0.2.2:4000");
        rig.Media("192.0.2.2:5000").Send("media"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(1, rig.MediaListener.Drops(DropReason.UpstreamUnavailable));
    }

    [Fact]
    public void Flows_end_with_their_control_session_and_one_record_names_them_all()
    {
        using var rig = new Rig(ByAddress);
        var control = rig.Control("192.0.2.1:4000");
        var peers = new[] { rig.Media("192.0.2.1:5000"), rig.Media("192.0.2.1:5001") };
        Array.ForEach(peers, static peer => peer.Send("media"u8));
        rig.Kit.RunUntilIdle();
        var ids = rig.Kit.OpenSessions.ToDictionary(session => session.PeerEndPoint.ToString(), session => session.Id);

        control.Reset();
        rig.Kit.RunUntilIdle();

        Assert.Empty(rig.Kit.OpenSessions);
        var record = Assert.Single(rig.Kit.FlowRecords);
        Assert.Equal(ids["192.0.2.1:4000"], record.Control.Id);
        Assert.Equal(2, record.Flows);
        Assert.Equal(
            peers.Select(peer => $"{ids[peer.EndPoint.ToString()]}={peer.EndPoint}").Order(),
            record.Members.Split(' ').Order());
        Assert.Equal((2L, 10L, 2L, 6L), (record.PayloadsIn, record.BytesIn, record.PayloadsOut, record.BytesOut));
        Assert.Equal((0, 0, 0), rig.Route.Known);
        rig.Kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_control_session_ends_with_its_last_flow_where_it_is_told_to(bool ends)
    {
        using var rig = new Rig(ByAddress with { EndsWithLastFlow = ends }, idleSeconds: 20);
        rig.Control("192.0.2.1:4000");
        var peer = rig.Media("192.0.2.1:5000");
        for (var i = 0; i < 3; i++)
        {
            peer.Send("media"u8);   // the control session is silent, and does not end while its flow is not
            rig.Kit.Advance(TimeSpan.FromSeconds(15));
        }

        Assert.Equal(1, rig.ControlListener.Sessions);
        rig.Kit.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(0, rig.MediaListener.Sessions);
        Assert.Equal(ends ? 0 : 1, rig.ControlListener.Sessions);
        rig.Kit.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(0, rig.ControlListener.Sessions);
        Assert.Single(rig.Kit.FlowRecords);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_control_session_is_not_silent_while_it_has_flows(bool byToken)
    {
        using var rig = new Rig(byToken ? ByToken : ByAddress, peerIdleSeconds: 20);
        var control = rig.Control("192.0.2.1:4000");
        var peer = rig.Media("192.0.2.1:5000");
        peer.Send(Encoding.ASCII.GetBytes(byToken ? rig.Token(control) : "media"));
        for (var i = 0; i < 3; i++)
        {
            rig.Kit.Advance(TimeSpan.FromSeconds(15));
            peer.Send("media"u8);
        }

        Assert.Equal(1, rig.ControlListener.Sessions);
        rig.Kit.Advance(TimeSpan.FromSeconds(21));
        Assert.Equal(CloseReason.PeerIdle, rig.Kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Fact]
    public void A_flow_in_use_keeps_its_control_session_while_their_listeners_drain()
    {
        using var rig = new Rig(ByToken);
        var control = rig.Control("192.0.2.1:4000");
        var peer = rig.Media("192.0.2.1:5000");
        peer.Send(Encoding.ASCII.GetBytes(rig.Token(control)));
        for (var i = 0; i < 60; i++)
        {
            peer.Send("media"u8);
            Drain();
        }

        Assert.Equal((1, 1), (rig.ControlListener.Sessions, rig.MediaListener.Sessions));
        for (var i = 0; i < 50; i++)
        {
            Drain();
        }

        control.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Equal((0, 0), (rig.ControlListener.Sessions, rig.MediaListener.Sessions));
        Assert.True(control.HasFinished);

        void Drain()
        {
            rig.ControlListener.Drain();
            rig.MediaListener.Drain();
            rig.Kit.Advance(TimeSpan.FromMilliseconds(50));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_handler_sees_the_control_session_and_the_flows_that_show_its_tokens(bool keepsToken)
    {
        using var rig = new Rig(ByToken with { KeepsToken = keepsToken });
        var control = rig.Control("192.0.2.1:4000");
        var first = rig.Media("198.51.100.7:5000");   // from anywhere
        var second = rig.Media("198.51.100.8:5000");
        var tokens = new[] { rig.Token(control), rig.Token(control) };

        first.Send(Encoding.ASCII.GetBytes(tokens[0] + "one"));
        second.Send(Encoding.ASCII.GetBytes(tokens[1]));
        rig.Kit.RunUntilIdle();
        second.Send("two"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal([keepsToken ? tokens[0] + "one" : "one"], first.ReceivedText);
        Assert.Equal(keepsToken ? [tokens[1], "two"] : ["two"], second.ReceivedText);
        Assert.Equal(["joined", "joined"], rig.Handlers[0].Seen);
        rig.Handlers[0].Known[0].Close();
        rig.Kit.RunUntilIdle();
        Assert.Equal(["joined", "joined", "closed Done"], rig.Handlers[0].Seen);

        control.Reset();
        rig.Kit.RunUntilIdle();
        Assert.Equal((0, 0, 0), rig.Route.Known);
        Assert.Equal(2, Assert.Single(rig.Kit.FlowRecords).Flows);
    }

    [Fact]
    public void A_token_is_good_once_whole_in_time_and_while_its_session_lives()
    {
        using var rig = new Rig(ByToken);
        var control = rig.Control("192.0.2.1:4000");
        var used = rig.Token(control);
        rig.Media("192.0.2.1:5000").Send(Encoding.ASCII.GetBytes(used));
        rig.Kit.RunUntilIdle();
        Assert.Equal(1, rig.MediaListener.Sessions);

        var late = rig.Token(control);
        rig.Kit.Advance(TimeSpan.FromSeconds(31));
        var cut = rig.Token(control)[..31];
        var over = rig.Control("192.0.2.2:4000");
        var orphan = rig.Token(over);
        over.Reset();
        rig.Kit.RunUntilIdle();

        string[] bad = [used, late, cut, orphan, "", new string('x', 32), "\u00ff\u00ff" + used[2..]];
        for (var i = 0; i < bad.Length; i++)
        {
            rig.Media($"192.0.2.1:{6000 + i}").Send(Encoding.Latin1.GetBytes(bad[i]));
        }

        rig.Kit.RunUntilIdle();
        Assert.Equal(bad.Length, rig.MediaListener.Drops(DropReason.ForeignSource));
        Assert.Equal(1, rig.MediaListener.Sessions);
    }

    [Fact]
    public void Tokens_that_are_not_used_have_a_limit_beyond_which_the_oldest_is_void()
    {
        using var rig = new Rig(ByToken);
        var control = rig.Control("192.0.2.1:4000");
        var tokens = Enumerable.Range(0, 3).Select(_ => rig.Token(control)).ToList();

        for (var i = 0; i < tokens.Count; i++)
        {
            rig.Media($"192.0.2.1:{5000 + i}").Send(Encoding.ASCII.GetBytes(tokens[i]));
        }

        rig.Kit.RunUntilIdle();
        Assert.Equal(1, rig.MediaListener.Drops(DropReason.ForeignSource));
        Assert.Equal(2, rig.MediaListener.Sessions);
    }

    [Fact]
    public void What_waits_for_the_handler_has_a_limit_and_the_rest_is_a_counted_drop()
    {
        using var rig = new Rig(ByToken with { MailboxBytes = 4096 });
        var control = rig.Control("192.0.2.1:4000");
        var peer = rig.Media("192.0.2.1:5000");
        peer.Send(Encoding.ASCII.GetBytes(rig.Token(control)));
        rig.Kit.RunUntilIdle();

        for (var i = 0; i < 10; i++)
        {
            peer.Send(new byte[1000]);
        }

        rig.Kit.RunUntilIdle();
        var dropped = rig.MediaListener.Drops(DropReason.MailboxFull);
        Assert.InRange(dropped, 1, 7);
        Assert.Equal(10 - dropped, peer.Received.Count);
    }

    [Fact]
    public void A_control_session_that_fails_takes_its_flows_with_it_and_no_others()
    {
        using var rig = new Rig(ByToken);
        var controls = new[] { rig.Control("192.0.2.1:4000"), rig.Control("192.0.2.2:4000") };
        foreach (var (control, i) in controls.Select((control, i) => (control, i)))
        {
            rig.Media($"192.0.2.{i}:5000").Send(Encoding.ASCII.GetBytes(rig.Token(control) + "media"));
        }

        rig.Kit.RunUntilIdle();
        controls[0].Send("fail"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(1, rig.ControlListener.Sessions);
        Assert.Equal(1, rig.MediaListener.Sessions);
        Assert.Equal((1, 1, 0), rig.Route.Known);
        Assert.Equal(CloseReason.Failed, Assert.Single(rig.Kit.FlowRecords).Control.Closing);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_control_session_whose_fresh_handlers_cannot_be_opened_takes_its_flows_with_it(bool whenFlowCloses)
    {
        using var rig = new Rig(ByToken with { EndsWithLastFlow = false });
        var control = rig.Control("192.0.2.1:4000");
        var peer = rig.Media("192.0.2.1:5000");
        peer.Send(Encoding.ASCII.GetBytes(rig.Token(control) + "media"));
        rig.Kit.RunUntilIdle();
        Assert.Equal((1, 1, 0), rig.Route.Known);

        rig.MayOpen = false;
        rig.Handlers[0].IsSafe = true;
        if (whenFlowCloses)
        {
            rig.Handlers[0].FailsWhenFlowCloses = true;
            rig.Kit.SessionOf(peer.EndPoint).Close(CloseReason.Done);
            rig.Kit.RunUntilIdle();
        }

        for (var i = 0; i < 10 && !control.IsReset; i++)
        {
            control.Send("fail"u8);
            rig.Kit.RunUntilIdle();
        }

        Assert.Equal((0, 0), (rig.ControlListener.Sessions, rig.MediaListener.Sessions));
        Assert.Equal((0, 0, 0), rig.Route.Known);
    }

    /// <summary>Two upstreams that say which they are; or handlers that echo what their flows say.</summary>
    private sealed class Rig : IDisposable
    {
        public Rig(FlowRouteSettings settings, int idleSeconds = 60, int peerIdleSeconds = 600)
        {
            Kit = new RouterTestKit(seed: 1, loops: 2);
            Kit.Limits = Kit.Limits with
            {
                IdleTimeout = TimeSpan.FromSeconds(idleSeconds),
                PeerIdleTimeout = TimeSpan.FromSeconds(peerIdleSeconds),
            };
            Route = new FlowRoute("flow", Inner(settings), new FlowTable(settings, Kit.Random));
            ControlListener = Kit.BindTcp(Route);
            MediaListener = Kit.BindUdp(Route);
        }

        public RouterTestKit Kit { get; }

        public FlowRoute Route { get; }

        public KitListener ControlListener { get; }

        public KitListener MediaListener { get; }

        public List<EchoingHandler> Handlers { get; } = [];

        public bool MayOpen { get; set; } = true;

        public TcpPeer Control(string endPoint)
        {
            var peer = Kit.TcpPeer(endPoint, to: ControlListener);
            Kit.RunUntilIdle();
            return peer;
        }

        public UdpPeer Media(string endPoint) => Kit.UdpPeer(endPoint, to: MediaListener);

        /// <summary>Asks the handler for a token.</summary>
        public string Token(TcpPeer control)
        {
            var before = control.ReceivedText.Length;
            control.Send("token"u8);
            Kit.RunUntilIdle();
            return control.ReceivedText[before..];
        }

        public void Dispose() => Kit.Dispose();

        private Route Inner(FlowRouteSettings settings)
        {
            if (settings.Join == FlowJoin.Token)
            {
                return new HandlerRoute("handler", () =>
                {
                    if (!MayOpen)
                    {
                        throw new InvalidOperationException("told to");
                    }

                    Handlers.Add(new EchoingHandler());
                    return Handlers[^1];
                });
            }

            foreach (var (address, word) in new[] { ("10.0.0.1:80", "one"), ("10.0.0.2:80", "two") })
            {
                Kit.TcpServer(address);
                var server = Kit.UdpPeer(address);
                server.OnReceived = datagram => server.SendTo(datagram.From, Encoding.ASCII.GetBytes(word));
            }

            var group = TestUpstreams.Group(Kit.Time, "10.0.0.1:80", "10.0.0.2:80");
            return new ProxyRoute("proxy", group, new ProxyRouteSettings(
                PickPolicy.RoundRobin, Responses: 0, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan, 3));
        }
    }

    private sealed class EchoingHandler : FlowHandler
    {
        public List<string> Seen { get; } = [];

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                if (payload.SequenceEqual("fail"u8))
                {
                    throw new InvalidOperationException("told to");
                }
            }

            session.Reply(Encoding.ASCII.GetBytes(Flows.IssueToken()));
        }

        public List<Flow> Known { get; } = [];

        public bool IsSafe { get; set; }

        public bool FailsWhenFlowCloses { get; set; }

        public override bool IsRestartSafe => IsSafe;

        public override void OnFlowJoined(SessionContext control, Flow flow)
        {
            Seen.Add("joined");
            Known.Add(flow);
        }

        public override void OnFlowReceived(SessionContext control, Flow flow, ReadOnlyMemory<byte> payload) =>
            flow.Reply(payload.Span);

        public override void OnFlowClosed(SessionContext control, Flow flow, CloseReason reason)
        {
            Seen.Add($"closed {reason}");
            if (FailsWhenFlowCloses)
            {
                throw new InvalidOperationException("told to");
            }
        }
    }
}
