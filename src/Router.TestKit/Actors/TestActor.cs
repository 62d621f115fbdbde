namespace Router.TestKit.Actors;

/// <summary>The actor behind a kit or a probe: keeps what it is told for the test to look at.</summary>
internal sealed class TestActor(TestQueue queue) : UntypedActor
{
    private Func<object, bool>? _ignore;

    /// <summary>Sets what the test does not want to see; null for nothing.</summary>
    internal sealed record SetIgnore(Func<object, bool>? Ignore);

    internal sealed record WatchFor(IActorRef Subject);

    internal sealed record UnwatchFor(IActorRef Subject);

    protected override SupervisorStrategy SupervisorStrategy() => Router.Actors.SupervisorStrategy.DefaultStrategy;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case SetIgnore set:
                _ignore = set.Ignore;
                break;
            case WatchFor watch:
                Context.Watch(watch.Subject);
                break;
            case UnwatchFor unwatch:
                Context.Unwatch(unwatch.Subject);
                break;
            default:
                if (_ignore?.Invoke(message) != true)
                {
                    queue.Add(new Envelope(message, Sender));
                }

                break;
        }
    }
}
