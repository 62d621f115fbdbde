using System.Net;
using System.Text;
using Router.Admission;
using Router.Diagnostics;
using Router.Net;
using Router.Routes;
using Router.TestKit.Simulation;

namespace Router.Tests.Routes;

public sealed class ExecDatagramTests
{
    [Fact]
    public void A_datagram_is_a_message_and_a_message_a_datagram()
    {
        using var rig = new ExecRig(ExecRig.Echo);
        var client = rig.UdpClient();
        client.Send("one"u8);
        client.Send("two"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(["one", "two"], client.ReceivedText);
        Assert.Contains("PROTO=UDP", rig.Child.Start.Environment);
        rig.Child.Write([]);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["one", "two", ""], client.ReceivedText);
        rig.Kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(CloseReason.Idle, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void An_empty_datagram_is_not_taken_for_the_end_of_the_childs_input()
    {
        using var rig = new ExecRig(ExecRig.Echo);
        var client = rig.UdpClient();
        client.Send([]);
        rig.Kit.RunUntilIdle();
        Assert.Empty(rig.Children);   // nor does it start one

        client.Send("one"u8);
        client.Send([]);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["one"], client.ReceivedText);
        Assert.Equal(2, rig.Udp.Drops(DropReason.Empty));
    }

    [Fact]
    public void What_does_not_fit_a_datagram_or_the_channel_is_counted()
    {
        using var rig = new ExecRig(static child => child.IsReading = false);
        var client = rig.UdpClient();
        for (var i = 0; i < 3; i++)
        {
            client.Send(new byte[30_000]);
        }

        rig.Kit.RunUntilIdle();
        Assert.Equal(1, rig.Udp.Drops(DropReason.SendFull));

        rig.Child.IsReading = true;
        Assert.Equal(2, rig.Child.Messages.Count);
        rig.Kit.Network.StreamBufferBytes = 1 << 20;
        rig.Child.Write(new byte[65_508]);
        rig.Child.Write(new byte[100_000]);
        rig.Kit.RunUntilIdle();
        Assert.Equal(2, rig.Udp.Drops(DropReason.TooLong));
        Assert.Empty(client.ReceivedText);
    }

    [Fact]
    public void A_child_may_answer_an_IPv6_peer_with_20_bytes_more()
    {
        using var rig = new ExecRig(static child => { }, static settings => settings with
        {
            Validation = new PeerValidation(
                PeerProof.None, default, [IPNetwork.Parse("2001:db8::/32")], TimeSpan.FromSeconds(2),
                new SeededRandom(1)),
        });
        rig.Kit.Network.StreamBufferBytes = 1 << 20;
        var listener = rig.Kit.BindUdp(rig.Route, "[2001:db8::1]:9000");
        var client = rig.Kit.UdpPeer("[2001:db8::7]:5000", listener);
        client.Send(new byte[30_000]);
        rig.Kit.RunUntilIdle();

        rig.Child.Write(new byte[65_527]);
        rig.Child.Write(new byte[65_528]);
        rig.Kit.RunUntilIdle();

        Assert.Equal(65_527, Assert.Single(client.Received).Payload.Length);
        Assert.Equal((1, 1), (listener.Drops(DropReason.TooLong), listener.AllDrops()));
    }

    [Fact]
    public void The_last_messages_of_a_child_are_sent_and_its_exit_ends_the_session()
    {
        using var rig = new ExecRig(static child => child.OnMessage = static (self, _) =>
        {
            for (var i = 0; i < 40; i++)
            {
                self.Write(Encoding.UTF8.GetBytes($"{i}"));
            }

            self.Exit(0);
        });
        var client = rig.UdpClient();
        client.Send("go"u8);
        client.Send("too late"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(Enumerable.Range(0, 40).Select(static i => $"{i}"), client.ReceivedText);
        Assert.Equal(CloseReason.Upstream, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void After_a_failure_the_next_datagram_has_a_fresh_child_started_within_the_budget()
    {
        using var rig = new ExecRig(
            static child => child.OnMessage = static (self, message) =>
            {
                self.Write(message);
                self.Exit(message.Length);
            },
            static settings => settings with { Restart = ExecRestart.OnFailure });
        var limits = rig.Kit.Limits = new TestKit.ListenerLimits { IdleTimeout = Timeout.InfiniteTimeSpan };
        var client = rig.UdpClient();
        for (var i = 1; i <= 6; i++)
        {
            client.Send("x"u8);
            rig.Kit.RunUntilIdle();
            Assert.Equal(i, rig.Children.Count);
        }

        for (var i = 0; i < 100; i++)
        {
            client.Send("x"u8);
            rig.Kit.RunUntilIdle();
        }

        Assert.Single(rig.Kit.OpenSessions);   // and no other of the same peer, with children of its own, in between
        Assert.Equal(6, rig.Children.Count);
        Assert.Equal(100, rig.Udp.Drops(DropReason.ChildGone));

        rig.Kit.Advance(limits.RestartWindow + TimeSpan.FromSeconds(1));
        Assert.Equal(CloseReason.Failed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Equal(6, client.ReceivedText.Count);
        rig.AssertNothingLeft();
        client.Send("x"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(7, rig.Children.Count);
    }

    [Theory]
    [InlineData(NetworkOperation.ProcessChannel)]
    [InlineData(NetworkOperation.ProcessStart)]
    public void A_child_that_cannot_be_started_ends_the_session(NetworkOperation operation)
    {
        using var rig = new ExecRig(ExecRig.Echo);
        rig.Kit.Network.Faults.Inject(operation, Errno.EAGAIN);
        var client = rig.UdpClient();
        client.Send("one"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Empty(client.ReceivedText);
        rig.AssertNothingLeft();
        client.Send("two"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["two"], client.ReceivedText);
    }

    [Fact]
    public void A_round_trip_comes_before_the_child()
    {
        using var rig = new ExecRig(ExecRig.Echo, proof: PeerProof.RoundTrip);
        var client = rig.UdpClient();
        client.Send("hello"u8);
        rig.Kit.RunUntilIdle();
        Assert.Empty(rig.Children);
        var challenge = Assert.Single(client.ReceivedText);
        Assert.Matches("^challenge [0-9a-f]{32}\n$", challenge);
        Assert.InRange(challenge.Length, 1, 64);   // what an unvalidated peer may be sent for any datagram

        client.Send(Encoding.UTF8.GetBytes(challenge));
        client.Send("hello"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal([challenge, "hello"], client.ReceivedText);
        Assert.Single(rig.Children);
    }

    [Fact]
    public void What_follows_the_proof_is_payload()
    {
        using var rig = new ExecRig(ExecRig.Echo, proof: PeerProof.RoundTrip);
        var client = rig.UdpClient();
        client.Send("hello"u8);
        rig.Kit.RunUntilIdle();
        client.Send(Encoding.UTF8.GetBytes(client.ReceivedText[0].TrimEnd() + "first"));
        rig.Kit.RunUntilIdle();
        Assert.Equal("first", client.ReceivedText[1]);
    }

    [Fact]
    public void Wrong_answers_and_empty_datagrams_get_no_reply_and_challenges_are_few()
    {
        using var rig = new ExecRig(ExecRig.Echo, proof: PeerProof.RoundTrip);
        var client = rig.UdpClient();
        client.Send([]);
        client.Send("challenge 00000000000000000000000000000000\n"u8);
        client.Send("challenge"u8);   // no answer, but a peer's own word
        rig.Kit.RunUntilIdle();
        Assert.Single(client.ReceivedText);
        Assert.Equal(2, rig.Udp.Drops(DropReason.Unvalidated));

        for (var i = 0; i < 10; i++)
        {
            client.Send("hello"u8);
        }

        rig.Kit.RunUntilIdle();
        Assert.Equal(PeerValidator.ChallengesMax, client.ReceivedText.Count);
        Assert.Single(client.ReceivedText.Distinct());
        rig.Kit.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(CloseReason.Unvalidated, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Empty(rig.Children);
    }

    [Fact]
    public void A_forged_datagram_of_another_listener_of_ours_sets_nothing_in_motion()
    {
        using var rig = new ExecRig(ExecRig.Echo, proof: PeerProof.RoundTrip);
        rig.Kit.Guard.Own = new OwnEndpoints([System.Net.IPEndPoint.Parse("192.0.2.9:7777")], []);
        var own = rig.UdpClient("192.0.2.9:7777");
        own.Send("hello"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(1, rig.Udp.Drops(DropReason.OwnListener));
        Assert.Empty(own.ReceivedText);
        Assert.Empty(rig.Kit.OpenSessions);
    }

    [Fact]
    public void A_challenge_is_one_peers_own()
    {
        using var rig = new ExecRig(ExecRig.Echo, proof: PeerProof.RoundTrip);
        var client = rig.UdpClient();
        var other = rig.UdpClient("192.0.2.2:4000");
        client.Send("hello"u8);
        other.Send("hello"u8);
        rig.Kit.RunUntilIdle();
        Assert.NotEqual(client.ReceivedText[0], other.ReceivedText[0]);

        other.Send(Encoding.UTF8.GetBytes(client.ReceivedText[0]));
        rig.Kit.RunUntilIdle();
        Assert.Empty(rig.Children);
        Assert.Single(other.ReceivedText);
    }

    [Fact]
    public void A_token_opens_the_session_and_is_not_passed_on()
    {
        using var rig = new ExecRig(ExecRig.Echo, proof: PeerProof.Token, token: "sesame ");
        var client = rig.UdpClient();
        foreach (var wrong in new[] { "", "sesam", "Sesame x", "xsesame " })
        {
            client.Send(Encoding.UTF8.GetBytes(wrong));
        }

        rig.Kit.RunUntilIdle();
        Assert.Empty(client.ReceivedText);
        Assert.Empty(rig.Children);
        Assert.Equal(4, rig.Udp.Drops(DropReason.Unvalidated));

        client.Send("sesame hello"u8);
        client.Send("sesame again"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["hello", "sesame again"], client.ReceivedText);
    }

    [Fact]
    public void The_token_alone_starts_the_child()
    {
        using var rig = new ExecRig(static child => child.Write("welcome"u8), proof: PeerProof.Token, token: "sesame");
        var client = rig.UdpClient();
        client.Send("sesame"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(["welcome"], client.ReceivedText);
    }

    [Theory]
    [InlineData("192.0.2.77:4001", true)]
    [InlineData("127.0.0.9:4000", true)]
    [InlineData("198.51.100.99:4000", false)]
    [InlineData("[2001:db8::7]:4000", false)]
    public void Without_proof_only_loopback_and_named_networks_are_served(string peer, bool isServed)
    {
        using var rig = new ExecRig(ExecRig.Echo);
        var listener = rig.Kit.BindUdp(rig.Route, "[::]:7000", new() { DualStack = true });
        var target = peer.StartsWith('[') ? "[2001:db8::1]:7000" : "198.51.100.1:7000";
        var client = rig.Kit.UdpPeer(peer, System.Net.IPEndPoint.Parse(target));
        client.Send("hello"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal(isServed ? ["hello"] : [], client.ReceivedText);
        Assert.Equal(isServed ? 0 : 1, listener.Drops(DropReason.Unvalidated));
    }

    [Fact]
    public void Whatever_happens_nothing_is_left_over() => TestKit.RouterTestKit.ForEachSeed(1, 40, static kit =>
    {
        kit.Network.Processes.StartDelay = TimeSpan.FromMilliseconds(kit.Random.Next(40));
        kit.Network.Faults.InjectAtRandom(NetworkOperation.ProcessStart, Errno.EAGAIN, 0.1);
        kit.Network.Faults.Loss = 0.1;
        using var rig = new ExecRig(
            child =>
            {
                ExecRig.Echo(child);
                child.IgnoresTerminate = kit.Random.Next(3) == 0;
                child.LeavesAnother = kit.Random.Next(3) == 0;
            },
            settings => settings with { Restart = (ExecRestart)kit.Random.Next(3), MaxProcesses = 5 },
            kit: kit);
        var clients = Enumerable.Range(1, 8).Select(i => rig.UdpClient($"192.0.2.{i}:4000")).ToList();
        for (var step = 0; step < 80; step++)
        {
            kit.Advance(TimeSpan.FromMilliseconds(kit.Random.Next(25)));
            if (kit.Random.Next(4) == 0 && rig.Children.Count > 0)
            {
                rig.Children[kit.Random.Next(rig.Children.Count)].Exit(kit.Random.Next(2));
            }
            else
            {
                clients[kit.Random.Next(clients.Count)].Send(new byte[kit.Random.Next(2_000)]);
            }
        }

        kit.Advance(TimeSpan.FromSeconds(40));
        rig.AssertNothingLeft();
    });
}
