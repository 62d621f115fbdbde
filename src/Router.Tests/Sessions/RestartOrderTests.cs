using System.Text;
using Router.TestKit;

namespace Router.Tests.Sessions;

/// <summary>What is left when a handler fails in a turn comes before what came after that turn.</summary>
public sealed class RestartOrderTests
{
    /// <summary>Two batches wait for a session that is suspended, and the handler fails in the first of them.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_left_of_a_failed_batch_comes_before_the_next_batch(bool onPool)
    {
        using var kit = new RouterTestKit(seed: 1);
        var seen = new List<string>();
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = (_, text) => seen.Add(text == "2" ? throw new InvalidOperationException(text) : text),
            },
            limits: kit.Limits with { OnPool = onPool });
        var peer = kit.UdpPeer("192.0.2.7:5000", listener);
        peer.Send("0"u8);
        kit.RunUntilIdle();
        var session = (IInternalActorRef)kit.SessionOf(peer.EndPoint).Self;

        session.Suspend();
        for (var i = 1; i <= 8; i++)
        {
            peer.Send(Encoding.UTF8.GetBytes($"{i}"));
            if (i % 4 == 0)
            {
                kit.RunUntilIdle();
            }
        }

        Assert.Equal(["0"], seen);
        session.Resume(null);
        kit.RunUntilIdle();

        Assert.Equal(["0", "1", "3", "4", "5", "6", "7", "8"], seen);
    }

    /// <summary>What a handler tells its session in the turn that fails is the fresh handler's.</summary>
    [Fact]
    public void What_a_failing_turn_told_its_own_session_waits_for_the_fresh_handler()
    {
        using var kit = new RouterTestKit(seed: 1);
        var made = 0;
        var seen = new List<string>();
        ScriptHandler Create()
        {
            var number = ++made;
            return new ScriptHandler
            {
                Received = (session, text) =>
                {
                    session.Self.Tell(text);
                    seen.Add(text == "1" ? throw new InvalidOperationException(text) : $"{number}: {text}");
                },
                Message = (_, message) => seen.Add($"{number}: {message} told"),
            };
        }

        var peer = kit.UdpPeer("192.0.2.7:5000", kit.BindUdp(Create));
        peer.Send("0"u8);
        kit.RunUntilIdle();
        peer.Send("1"u8);
        peer.Send("2"u8);
        kit.RunUntilIdle();

        Assert.Equal(["1: 0", "1: 0 told", "2: 2", "2: 1 told", "2: 2 told"], seen);
    }
}
