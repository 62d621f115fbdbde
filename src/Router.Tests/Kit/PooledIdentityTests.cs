using Router.Diagnostics;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Cluster;

namespace Router.Tests.Kit;

/// <summary>Identities of sessions whose handlers run on the pool: what is the loop's stays the loop's.</summary>
public sealed class PooledIdentityTests : IDisposable
{
    private readonly RouterTestKit _kit = new(seed: 7);

    public PooledIdentityTests() => _kit.Limits = new ListenerLimits
    {
        Identity = "identity { first-line = \"^(\\\\w+)\" }, checkpoint-sync = on",
        OnPool = true,
        MailboxBytes = 64 << 10,
    };

    public void Dispose() => _kit.Dispose();

    [Fact]
    public void A_reply_over_a_connection_waits_for_its_checkpoint()
    {
        var listener = _kit.BindTcp(static () => new CountingHandler());
        var peer = _kit.TcpPeer("192.0.2.1:5000", listener);
        Say("heidi\n");
        _kit.Cluster.IsStoreAway = true;
        Say("lost\n");
        Assert.Equal("1 1", peer.ReceivedText);
        _kit.Cluster.IsStoreAway = false;
        Say("kept\n");

        Assert.Equal("1 13 1", peer.ReceivedText);
        Assert.Equal(1, listener.Drops(DropReason.NotKept));

        void Say(string line)
        {
            peer.Send(System.Text.Encoding.ASCII.GetBytes(line));
            _kit.RunUntilIdle();
        }
    }

    [Fact]
    public void Replies_to_datagrams_wait_and_a_second_peer_ends_the_first_one_s_session()
    {
        var listener = _kit.BindUdp(static () => new CountingHandler());
        var (first, second) = (_kit.UdpPeer("192.0.2.1:5000", listener), _kit.UdpPeer("192.0.2.2:5000", listener));
        foreach (var peer in new[] { first, first, second })
        {
            peer.Send("heidi"u8);
            _kit.RunUntilIdle();
        }

        Assert.Equal(["1 1", "2 1"], first.ReceivedText);
        Assert.Equal(["3 2"], second.ReceivedText);
        Assert.Equal(CloseReason.Superseded, _kit.ExpectSessionClosed(first.EndPoint));
        _kit.AssertNoLeakedBuffers();
    }

    /// <summary>What was read with the name is in the mailbox once, and waits besides.</summary>
    [Fact]
    public void A_connection_s_bytes_all_wait_for_its_attachment_with_a_mailbox_for_less_than_twice_as_many()
    {
        var received = 0;
        var peer = _kit.TcpPeer("192.0.2.1:5000", _kit.BindTcp(() => new SummingHandler(sum => received += sum)));
        peer.Send([.. "heidi\n"u8, .. new byte[40_000]]);
        _kit.RunUntilIdle();

        Assert.Equal(40_006, received);
    }

    private sealed class SummingHandler(Action<int> onBytes) : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                onBytes(payload.Length);
            }
        }
    }
}
