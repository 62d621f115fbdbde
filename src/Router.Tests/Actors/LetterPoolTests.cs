#if !ACTOR_ENGINE_AKKA
namespace Router.Tests.Actors;

/// <summary>Letters are used again wherever they end up, and no thread keeps more than its share.</summary>
public sealed class LetterPoolTests : ActorTestKit
{
    private const int Kept = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private MessageDispatcher Dispatcher => Sys.Dispatchers.Lookup("akka.actor.default-dispatcher");

    [Fact]
    public void A_thread_that_only_handles_letters_keeps_so_many_and_hands_back_one_list()
    {
        var pool = new LetterPool(Kept);
        for (var i = 0; i < 10_000; i++)
        {
            pool.Return(Dispatcher, new Letter());
        }

        Assert.Equal(Kept + LetterPool.HandedBackMost, pool.Held);
        Assert.Equal(LetterPool.HandedBackLeast, LengthOf(Dispatcher.TakeHandedBack()));
        Assert.Null(Dispatcher.TakeHandedBack());

        // The next one finds the place free and leaves all there is.
        pool.Return(Dispatcher, new Letter());
        Assert.Equal(Kept, pool.Held);
        Assert.Equal(LetterPool.HandedBackMost, LengthOf(Dispatcher.TakeHandedBack()));
    }

    [Fact]
    public void A_thread_that_only_tells_uses_what_was_handed_back_and_each_letter_once()
    {
        var (handling, telling) = (new LetterPool(Kept), new LetterPool(Kept));
        var handled = Enumerable.Range(0, Kept + LetterPool.HandedBackLeast).Select(_ => new Letter()).ToArray();
        Array.ForEach(handled, letter => handling.Return(Dispatcher, letter));

        var rented = handled.Skip(Kept).Select(_ => telling.Rent(Dispatcher, "message", TestActor)).ToHashSet();

        Assert.Equal(handled.Skip(Kept).ToHashSet(), rented);
        Assert.All(rented, letter => Assert.Equal(("message", TestActor), (letter.Message, letter.Sender)));
        Assert.All(rented, static letter => Assert.Null(letter.Next));
        Assert.DoesNotContain(telling.Rent(Dispatcher, "message", null), handled);
    }

    [Fact]
    public void Notifications_of_deaths_are_kept_up_to_their_limit_and_each_used_once()
    {
        var pool = new LetterPool(Kept);
        var nobody = (ActorRefBase)ActorRefs.Nobody;
        for (var i = 0; i < LetterPool.DeathsKept + 10; i++)
        {
            pool.KeepDeath(DeathWatchNotification.Of(nobody, existenceConfirmed: true));
        }

        var taken = new HashSet<Letter>();
        while (pool.TakeDeath() is { } death)
        {
            Assert.True(taken.Add(death));
            Assert.Null(death.Next);
        }

        Assert.Equal(LetterPool.DeathsKept, taken.Count);
    }

    [Fact]
    public void What_came_from_elsewhere_is_used_when_there_is_nothing_else()
    {
        var pool = new LetterPool(Kept);
        var own = pool.Rent(Dispatcher, "message", null);
        var foreign = new Letter { IsFromElsewhere = true };
        pool.Return(Dispatcher, own);
        pool.Return(Dispatcher, foreign);

        Assert.False(foreign.IsFromElsewhere);   // it may be told on by this thread
        Assert.Same(own, pool.Rent(Dispatcher, "message", null));
        Assert.Same(foreign, pool.Rent(Dispatcher, "message", null));
        Assert.Equal(0, pool.Held);
        Assert.Null(foreign.Next);
    }

    [Fact]
    public void A_Tell_between_actors_of_the_pool_makes_no_letter()
    {
        const int Messages = 20_000;
        var first = Sys.ActorOf(Props.Create(() => new Bouncer(TestActor)));
        var second = Sys.ActorOf(Props.Create(() => new Bouncer(TestActor)));

        first.Tell(new Ball(Messages), second);

        // A letter is 40 bytes: each thread of the pool makes a few in its first turns.
        Assert.InRange(ExpectMsg<long>(Patience), 0, Messages * 40 / 4);
    }

    private static int LengthOf(Letter? list)
    {
        var length = 0;
        for (; list is not null; list = list.Next)
        {
            length++;
        }

        return length;
    }

    /// <summary>Goes to and fro so often; adds up what the Tells have allocated.</summary>
    private sealed class Ball(int left)
    {
        public int Left { get; set; } = left;

        public long Allocated { get; set; }
    }

    private sealed class Bouncer(IActorRef end) : UntypedActor
    {
        private long _cost;

        protected override void OnReceive(object message)
        {
            var ball = (Ball)message;
            if (--ball.Left < 0)
            {
                end.Tell(ball.Allocated, Self);
                return;
            }

            // Told, the ball is the other's already: what this Tell costs goes with the next.
            ball.Allocated += _cost;
            var before = GC.GetAllocatedBytesForCurrentThread();
            Sender.Tell(ball, Self);
            _cost = GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }
}
#endif
