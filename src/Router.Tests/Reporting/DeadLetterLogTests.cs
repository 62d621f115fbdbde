using Router.Reporting;
using Router.Running;
using Router.Tests.Diagnostics;

namespace Router.Tests.Reporting;

/// <summary>Dead letters are counted, and told in one line.</summary>
public sealed class DeadLetterLogTests : IDisposable
{
    private readonly ActorSystem _system = ActorSystemSettings.Create("letters", TimeProvider.System);
    private readonly LineLogger _log = new("Router", isText: true);

    [Fact]
    public void What_was_lost_or_dropped_is_counted_and_what_Akka_suppresses_is_not()
    {
        var letters = new DeadLetterLog(_system, _log, TimeProvider.System);
        var recipient = _system.ActorOf(Props.Empty, "someone");
        Publish(new DeadLetter("one", ActorRefs.Nobody, recipient));
        Publish(new DeadLetter("two", ActorRefs.Nobody, _system.DeadLetters));
        Publish(new SuppressedDeadLetter(new Hushed(), ActorRefs.Nobody, recipient));
        Publish(new Dropped(4, "the mailbox is full", ActorRefs.Nobody, recipient));
        letters.Close();
        Publish(new DeadLetter("late", ActorRefs.Nobody, recipient));
        letters.Close();

        var line = Assert.Single(_log.Lines);
        Assert.EndsWith(
            "dead-letters count=3 recipient=/user/someone message=Int32\n", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Routers_of_one_system_share_the_counting_until_the_last_leaves()
    {
        var routers = DeadLetterCounting.Of(_system);
        routers.Join(_log, TimeProvider.System);
        routers.Join(_log, TimeProvider.System);
        Publish(new DeadLetter("one", ActorRefs.Nobody, _system.DeadLetters));
        routers.Leave();
        Publish(new DeadLetter("two", ActorRefs.Nobody, _system.DeadLetters));
        Assert.Empty(_log.Lines);
        routers.Leave();

        Assert.Contains("count=2 ", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    public void Dispose() => _ = _system.Terminate();

    private void Publish(object letter) => _system.EventStream.Publish(letter);

    private sealed class Hushed : IDeadLetterSuppression;
}
