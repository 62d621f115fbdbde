using Router.Loop;
using Router.Sessions;
using Router.TestKit;
using Router.Tests.Sessions;

namespace Router.Tests.Loop;

/// <summary>A session's queue: its loop and all others put messages there by different ways.</summary>
public sealed class SessionMailboxTests
{
    private readonly List<object> _heard = [];

    /// <summary>What waits from elsewhere comes before what the loop tells after it, and the other way round.</summary>
    [Fact]
    public void Messages_of_the_loop_and_of_others_are_heard_in_the_order_in_which_they_came()
    {
        RunOnLoop(session =>
        {
            session.Self.Tell("loop 1");
            session.Self.Tell("loop 2");
            OnAnotherThread(() =>
            {
                session.Self.Tell("other 3");
                session.Self.Tell("other 4");
            });
            session.Self.Tell("loop 5");
            OnAnotherThread(() => session.Self.Tell("other 6"));
        });

        Assert.Equal(["loop 1", "loop 2", "other 3", "other 4", "loop 5", "other 6"], _heard);
    }

    /// <summary>An exchange of references would cost every young collection a look at each session told.</summary>
    [Fact]
    public void What_a_loop_tells_its_own_actors_goes_without_an_exchange_of_references()
    {
        var exchanged = new List<bool>();
        RunOnLoop(session =>
        {
            var queue = (SessionQueue)((ActorCell)session.Actor!.OwnContext).Mailbox!.MessageQueue;
            session.Self.Tell("loop");
            exchanged.Add(queue.HasMessagesOfOthers);
            OnAnotherThread(() => session.Self.Tell("other"));
            exchanged.Add(queue.HasMessagesOfOthers);
        });

        Assert.Equal([false, true], exchanged);
    }

    /// <summary>What the router tells is limited by itself, elsewhere.</summary>
    [Theory]
    [InlineData("plain")]
    [InlineData("to its identity")]
    public void Messages_from_elsewhere_beyond_mailbox_messages_are_dead_letters(string way)
    {
        var dead = new List<object>();
        var waiting = new List<int>();
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(
            () => new ScriptHandler
            {
                Received = (session, _) =>
                {
                    var queue = (SessionQueue)((ActorCell)session.Actor!.OwnContext).Mailbox!.MessageQueue;
                    for (var number = 0; number < 10; number++)
                    {
                        session.Self.Tell(way == "plain" ? number : new IdentityTold(number, null));
                    }

                    waiting.Add(queue.Count);
                    session.Self.Tell(new IdentityEpoch(1));
                    waiting.Add(queue.Count);
                },
            },
            limits: kit.Limits with { MailboxMessages = 4 });
        kit.Sys.EventStream.Subscribe(kit.Sys.ActorOf(Props.Create(() => new Lost(dead))), typeof(DeadLetter));
        kit.UdpPeer("192.0.2.7:5000", listener).Send("a"u8);
        kit.RunUntilIdle();

        Assert.Equal([4, 5], waiting);
        Assert.Equal([4, 5, 6, 7, 8, 9], dead);
    }

    private static void OnAnotherThread(Action action)
    {
        var thread = new Thread(() => action());
        thread.Start();
        thread.Join();
    }

    private void RunOnLoop(Action<SessionContext> action)
    {
        using var kit = new RouterTestKit(seed: 1);
        var listener = kit.BindUdp(() => new ScriptHandler
        {
            Received = (session, _) => action(session),
            Message = (_, message) => _heard.Add(message),
        });
        kit.UdpPeer("192.0.2.7:5000", listener).Send("a"u8);
        kit.RunUntilIdle();
    }

    /// <summary>Hears what is told to those who are gone, or have no place for it.</summary>
    private sealed class Lost : ReceiveActor
    {
        public Lost(List<object> heard) => Receive<DeadLetter>(letter =>
            heard.Add(letter.Message is IdentityTold told ? told.Message : letter.Message));
    }
}
