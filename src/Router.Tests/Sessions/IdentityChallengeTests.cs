using System.Security.Cryptography;
using System.Text;
using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Cluster;

namespace Router.Tests.Sessions;

/// <summary>A peer answers a challenge before its session is attached, in virtual time.</summary>
public sealed class IdentityChallengeTests : IDisposable
{
    private const string Keys = $"proof = challenge, proof-secret = {IdentitySettingsTests.Secret}";
    private const string Wrong = "00112233445566778899aabbccddeeff";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly RouterTestKit _kit = new(seed: 3)
    {
        Limits = new ListenerLimits { Identity = $"identity {{ first-line = \"^(\\\\w+)\" }}, {Keys}" },
    };

    private int _port = 5_000;

    public void Dispose() => _kit.Dispose();

    /// <summary>As a device makes it: of the token and of the digits that it was sent.</summary>
    public static string AnswerTo(string challenge) => Convert.ToHexStringLower(HMACSHA256.HashData(
        Convert.FromHexString(IdentitySettingsTests.AliceToken),
        Encoding.ASCII.GetBytes(challenge["challenge ".Length..].TrimEnd()))[..16]);

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void A_right_answer_attaches_and_only_then_does_the_session_before_end(string end)
    {
        var listener = Bind();
        var first = Prove(listener);
        var second = Peer(listener);
        Say(second, "alice one");
        Say(second, "two");
        Say(first, "more");
        Assert.Equal("2 1", first.ReceivedText[^1]);
        Assert.StartsWith("challenge ", Assert.Single(second.ReceivedText), StringComparison.Ordinal);

        Say(second, AnswerTo(second.ReceivedText[0]).ToUpperInvariant() + end);
        Assert.Equal(["3 2", "4 2"], second.ReceivedText.Skip(1));   // not the answer
        Assert.Equal(CloseReason.Superseded, _kit.ExpectSessionClosed(first.EndPoint));
        Assert.Equal(0, listener.AllDrops());
        _kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_wrong_answer_ends_the_new_session_without_a_word_and_leaves_the_old_one()
    {
        var listener = Bind();
        var first = Prove(listener);
        var forger = Peer(listener);
        Say(forger, "alice");
        Say(forger, Wrong);

        Assert.Equal(CloseReason.Unidentified, _kit.ExpectSessionClosed(forger.EndPoint));
        Assert.Equal(1, listener.Drops(DropReason.WrongProof));
        Assert.Single(forger.ReceivedText);
        Say(first, "more");
        Assert.Equal("2 1", first.ReceivedText[^1]);
        _kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void An_answer_that_was_heard_serves_no_other_session()
    {
        var listener = Bind();
        var device = Prove(listener);
        var answer = AnswerTo(device.ReceivedText[0]);
        var forger = Peer(listener);
        Say(forger, "alice");
        Say(forger, answer);

        Assert.NotEqual(device.ReceivedText[0], forger.ReceivedText[0]);
        Assert.Equal(CloseReason.Unidentified, _kit.ExpectSessionClosed(forger.EndPoint));
        Say(device, answer);   // to its own session it is a payload now
        Assert.Equal("2 1", device.ReceivedText[^1]);
    }

    [Fact]
    public void The_first_datagram_again_brings_the_challenge_again_and_is_given_to_the_handler_once()
    {
        var peer = Peer(Bind());
        for (var i = 0; i < IdentityChallenge.SentMax + 3; i++)
        {
            Say(peer, "alice");
        }

        Assert.Equal(IdentityChallenge.SentMax, peer.ReceivedText.Count);
        Assert.Single(peer.ReceivedText.Distinct());
        Say(peer, AnswerTo(peer.ReceivedText[0]));
        Assert.Equal(["1 1"], peer.ReceivedText.Skip(IdentityChallenge.SentMax));
    }

    /// <summary>Each names the device, and is not the same as the first.</summary>
    [Fact]
    public void Datagrams_that_name_the_peer_bring_it_again_too_and_wait()
    {
        var peer = Peer(Bind());
        Say(peer, "alice 1");
        Say(peer, "alice 2");
        Say(peer, "bob 3");
        Assert.Equal(2, peer.ReceivedText.Count);
        Say(peer, AnswerTo(peer.ReceivedText[0]));

        Assert.Equal(["1 1", "2 1", "3 1"], peer.ReceivedText.Skip(2));
    }

    [Fact]
    public void A_challenge_is_within_the_amplification_budget_of_the_shortest_datagram()
    {
        var listener = Bind();
        var peer = Peer(listener);
        Say(peer, "a");

        Assert.Equal(43, Assert.Single(peer.Received).Payload.Length);
        Assert.Equal(0, listener.Drops(DropReason.Amplification));
    }

    /// <summary>Of a connection it would be the end.</summary>
    [Fact]
    public void Behind_a_shut_fence_the_challenge_waits()
    {
        _kit.Cluster.Members[0].ShutFence();
        var peer = Peer(Bind());
        var stream = _kit.TcpPeer("192.0.2.1:5000", _kit.BindTcp(static () => new CountingHandler()));
        Say(peer, "alice");
        Say(stream, "alice\n", 9);
        _kit.Advance(Second);
        Assert.Empty(peer.ReceivedText);
        Assert.Equal("", stream.ReceivedText);
        _kit.Cluster.Members[0].OpenFence();
        _kit.Advance(0.1 * Second);

        Say(peer, AnswerTo(Assert.Single(peer.ReceivedText)));
        Assert.Equal("1 1", peer.ReceivedText[^1]);
        Say(stream, AnswerTo(stream.ReceivedText) + "\n", 99);
        Assert.EndsWith("2 2", stream.ReceivedText, StringComparison.Ordinal);
    }

    [Fact]
    public void Behind_a_fence_that_stays_shut_the_session_ends_in_time()
    {
        _kit.Cluster.Members[0].ShutFence();
        var peer = Peer(Bind());
        Say(peer, "alice");
        _kit.Advance(5.1 * Second);

        Assert.Equal(CloseReason.Unidentified, _kit.ExpectSessionClosed(peer.EndPoint));
    }

    [Fact]
    public void A_peer_that_has_answered_may_be_told_more_than_it_asked()
    {
        var listener = Bind(static () => new ChattyHandler());
        var peer = Peer(listener);
        Say(peer, "alice");
        Say(peer, AnswerTo(peer.ReceivedText[0]));

        Assert.Equal(1 + ChattyHandler.Replies, peer.ReceivedText.Count);
    }

    [Fact]
    public void Without_an_answer_the_session_ends_in_time()
    {
        var listener = Bind();
        var peer = Peer(listener);
        Say(peer, "alice");
        _kit.Advance(4.9 * Second);
        Say(peer, "alice");   // does not make it longer
        Assert.Single(_kit.OpenSessions);
        _kit.Advance(0.2 * Second);

        Assert.Equal(CloseReason.Unidentified, _kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Equal(1, listener.Drops(DropReason.WrongProof));
        _kit.AssertNoLeakedBuffers();
    }

    [Fact]
    public void A_session_that_was_attached_is_not_ended_by_the_time_of_its_answer()
    {
        var peer = Prove(Bind());
        _kit.Advance(20 * Second);
        Say(peer, "more");

        Assert.Equal("2 1", peer.ReceivedText[^1]);
    }

    [Fact]
    public void What_comes_before_the_answer_waits_within_the_mailbox()
    {
        var listener = Bind(limits: _kit.Limits with { MailboxMessages = 2 });
        var peer = Peer(listener);
        foreach (var text in (string[])["alice", "two", "three", "four"])
        {
            Say(peer, text);
        }

        Assert.Equal(2, listener.Drops(DropReason.MailboxFull));
        Say(peer, AnswerTo(peer.ReceivedText[0]));
        Assert.Equal(["1 1", "2 1"], peer.ReceivedText.Skip(1));
    }

    [Theory]
    [InlineData("alice\n", 1)]
    [InlineData("alice and more\n", 5)]
    public void A_stream_answers_by_its_next_line(string first, int piece)
    {
        var listener = _kit.BindTcp(static () => new TailHandler());
        var peer = _kit.TcpPeer("192.0.2.1:5000", listener);
        Say(peer, first, piece);
        var challenge = peer.ReceivedText;
        Assert.StartsWith("challenge ", challenge, StringComparison.Ordinal);

        Say(peer, $"{AnswerTo(challenge)}\r\nrest", piece);
        Assert.Equal($"{first}rest", peer.ReceivedText[challenge.Length..].Replace("|", "", StringComparison.Ordinal));
        _kit.AssertNoLeakedBuffers();
    }

    [Theory]
    [InlineData($"{Wrong}\n")]
    [InlineData("something else\n")]
    [InlineData("a line that is too long for an answer and goes on")]
    public void A_streams_wrong_answer_ends_it_without_a_byte(string answer)
    {
        var listener = _kit.BindTcp(static () => new CountingHandler());
        var peer = _kit.TcpPeer("192.0.2.1:5000", listener);
        Say(peer, $"alice\n{answer}", 100);   // together: what follows the name is the answer

        Assert.StartsWith("challenge ", peer.ReceivedText, StringComparison.Ordinal);
        Assert.Equal(43, peer.Received.Length);
        Assert.Equal(CloseReason.Unidentified, _kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Equal(1, listener.Drops(DropReason.WrongProof));
    }

    [Fact]
    public void A_stream_whose_name_is_bytes_answers_behind_them()
    {
        var limits = new ListenerLimits { Identity = $"identity {{ offset = 1, length = 5 }}, {Keys}" };
        var peer = _kit.TcpPeer("192.0.2.1:5000", _kit.BindTcp(static () => new TailHandler(), limits: limits));
        Say(peer, "!alice", 2);
        var challenge = peer.ReceivedText;
        Say(peer, $"{AnswerTo(challenge)}\nrest", 3);

        Assert.Equal("!alicerest", peer.ReceivedText[challenge.Length..].Replace("|", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Sessions_on_the_pool_are_asked_too()
    {
        var peer = Peer(Bind(limits: _kit.Limits with { OnPool = true }));
        Say(peer, "alice");
        Say(peer, AnswerTo(peer.ReceivedText[0]));

        Assert.Equal(["1 1"], peer.ReceivedText.Skip(1));
    }

    [Fact]
    public void A_connection_that_says_half_a_name_ends_in_time_however_busy_it_is()
    {
        var listener = _kit.BindTcp(static () => new CountingHandler());
        var peer = _kit.TcpPeer("192.0.2.1:5000", listener);
        var silent = _kit.TcpPeer("192.0.2.2:5000", listener);
        for (var i = 0; i < 9; i++)
        {
            Say(peer, "a", 1);
            _kit.Advance(Second);
        }

        Assert.Equal(2, _kit.OpenSessions.Count);
        _kit.Advance(1.5 * Second);
        Assert.Equal(CloseReason.Unidentified, _kit.ExpectSessionClosed(peer.EndPoint));
        Assert.Equal(CloseReason.Unidentified, _kit.ExpectSessionClosed(silent.EndPoint));
        Assert.Equal(2, listener.Drops(DropReason.NoIdentity));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_handler_that_never_says_who_its_peer_is_has_its_session_ended_in_time(bool isIdentified)
    {
        var limits = new ListenerLimits { Identity = "identity = handler" };
        var listener = _kit.BindUdp(() => new NamingHandler(isIdentified), limits: limits);
        var peer = Peer(listener);
        for (var i = 0; i < 11; i++)
        {
            Say(peer, "hello");
            _kit.Advance(Second);
        }

        Assert.Equal(isIdentified ? [] : [CloseReason.Unidentified], _kit.ClosedSessions.Select(static s => s.Reason));
    }

    private KitListener Bind(Func<SessionHandler>? create = null, ListenerLimits? limits = null) =>
        _kit.BindUdp(create ?? (static () => new CountingHandler()), limits: limits);

    private UdpPeer Peer(KitListener listener) => _kit.UdpPeer($"192.0.2.1:{++_port}", listener);

    /// <summary>A peer whose session is attached.</summary>
    private UdpPeer Prove(KitListener listener)
    {
        var peer = Peer(listener);
        Say(peer, "alice");
        Say(peer, AnswerTo(peer.ReceivedText[0]));
        Assert.Equal("1 1", peer.ReceivedText[^1]);
        return peer;
    }

    private void Say(UdpPeer peer, string text)
    {
        peer.Send(Encoding.ASCII.GetBytes(text));
        _kit.RunUntilIdle();
    }

    private void Say(TcpPeer peer, string text, int piece)
    {
        foreach (var part in Encoding.ASCII.GetBytes(text).Chunk(piece))
        {
            peer.Send(part);
            _kit.RunUntilIdle();
        }
    }

    /// <summary>Says what it gets, each payload with a bar.</summary>
    private sealed class TailHandler : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                session.Reply([.. payload, (byte)'|']);
            }
        }
    }

    private sealed class ChattyHandler : SessionHandler
    {
        public const int Replies = 20;

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            for (var i = 0; i < Replies; i++)
            {
                session.Reply("something of some length, more than was asked"u8);
            }
        }
    }

    private sealed class NamingHandler(bool isIdentified) : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            if (isIdentified && session.Identity is null)
            {
                session.Identify("somebody");
            }
        }
    }
}
