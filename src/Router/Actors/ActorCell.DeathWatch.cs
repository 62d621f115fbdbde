namespace Router.Actors;

/// <summary>Who watches whom; made when the first watch concerns the cell.</summary>
internal sealed class DeathWatch
{
    /// <summary>Actors this one watches, with the message to tell instead of a Terminated, if any.</summary>
    public Dictionary<ActorRefBase, object?>? Watching;

    /// <summary>Actors whose end is on its way through the mailbox.</summary>
    public Dictionary<ActorRefBase, object?>? Queued;

    public HashSet<ActorRefBase>? Watchers;
}

internal sealed partial class ActorCell
{
    private DeathWatch Deaths => Extras.DeathWatch ??= new DeathWatch();

    public IActorRef Watch(IActorRef subject) => Watch(subject, message: null);

    public IActorRef WatchWith(IActorRef subject, object message) => Watch(subject, message);

    public IActorRef Unwatch(IActorRef subject)
    {
        if (_extras?.DeathWatch is { } deaths)
        {
            if (deaths.Watching?.Remove(Of(subject)) == true)
            {
                Of(subject).SendSystem(new UnwatchRequest(this));
            }

            deaths.Queued?.Remove(Of(subject));
        }

        return subject;
    }

    internal void AddWatcher(ActorRefBase watcher) => (Deaths.Watchers ??= []).Add(watcher);

    internal void RemoveWatcher(ActorRefBase watcher) => _extras?.DeathWatch?.Watchers?.Remove(watcher);

    /// <summary>A child or a watched actor has terminated.</summary>
    internal void HandleDeathOf(ActorRefBase actor, bool existenceConfirmed)
    {
        if (_extras?.DeathWatch is { Watching: { } watching } deaths && watching.Remove(actor, out var message)
            && (_flags & CellFlags.Terminating) == 0)
        {
            (deaths.Queued ??= []).TryAdd(actor, message);
            Tell(new Terminated(actor, existenceConfirmed, addressTerminated: false), actor);
        }

        if (actor is ActorCell child && ReferenceEquals(child._parent, this))
        {
            HandleChildTerminated(child);
        }
    }

    private IActorRef Watch(IActorRef subject, object? message)
    {
        if (Equals(subject))
        {
            return subject;
        }

        var watchee = Of(subject);
        var watching = Deaths.Watching ??= [];
        if (watching.TryGetValue(watchee, out var earlier))
        {
            return Equals(earlier, message)
                ? subject
                : throw new InvalidOperationException(
                    $"{this} watches {subject} with another message already; Unwatch it first.");
        }

        watching.Add(watchee, message);
        watchee.SendSystem(new WatchRequest(watchee, this));
        return subject;
    }

    private void ReceiveTerminated(Terminated terminated)
    {
        // Not queued any more: unwatched after the end, before this message's turn.
        if (_extras?.DeathWatch?.Queued is { } queued && queued.Remove(Of(terminated.ActorRef), out var message))
        {
            ReceiveMessage(message ?? terminated);
        }
    }

    private void TellWatchers()
    {
        if (_extras?.DeathWatch is not { } deaths)
        {
            return;
        }

        foreach (var watcher in deaths.Watchers ?? [])
        {
            // The parent has been told already, as the parent.
            if (!ReferenceEquals(watcher, _parent))
            {
                watcher.SendSystem(DeathWatchNotification.Of(this, existenceConfirmed: true));
            }
        }

        foreach (var watched in deaths.Watching?.Keys.ToArray() ?? [])
        {
            watched.SendSystem(new UnwatchRequest(this));
        }
    }
}
