namespace Router.Actors;

/// <summary>Publishes events to the actors subscribed to their type or a base of it. Any thread.</summary>
public sealed class EventStream
{
    private readonly Lock _lock = new();
    private volatile Subscription[] _subscriptions = [];

    /// <summary>Subscribes an actor to a type and all that derive from it.</summary>
    /// <returns>False when it was subscribed already.</returns>
    public bool Subscribe(IActorRef subscriber, Type channel)
    {
        lock (_lock)
        {
            var added = new Subscription(subscriber, channel);
            if (_subscriptions.Contains(added))
            {
                return false;
            }

            _subscriptions = [.. _subscriptions, added];
            return true;
        }
    }

    /// <returns>False when it was not subscribed.</returns>
    public bool Unsubscribe(IActorRef subscriber, Type channel) =>
        Remove(s => s.Subscriber.Equals(subscriber) && s.Channel == channel);

    /// <summary>Ends all subscriptions of an actor.</summary>
    public bool Unsubscribe(IActorRef subscriber) => Remove(s => s.Subscriber.Equals(subscriber));

    /// <summary>Tells the event to each subscriber once. A subscriber that has terminated is forgotten.</summary>
    public void Publish(object @event)
    {
        List<IActorRef>? told = null;
        foreach (var (subscriber, channel) in _subscriptions)
        {
            if (!channel.IsInstanceOfType(@event) || told?.Contains(subscriber) == true)
            {
                continue;
            }

            if (subscriber is ActorRefBase { IsTerminated: true })
            {
                Unsubscribe(subscriber);
                continue;
            }

            (told ??= []).Add(subscriber);
            subscriber.Tell(@event, ActorRefs.NoSender);
        }
    }

    /// <summary>Whether anyone would get an event of this type: spares making it.</summary>
    internal bool HasSubscriber(Type eventType)
    {
        foreach (var (_, channel) in _subscriptions)
        {
            if (channel.IsAssignableFrom(eventType))
            {
                return true;
            }
        }

        return false;
    }

    private bool Remove(Predicate<Subscription> match)
    {
        lock (_lock)
        {
            var kept = Array.FindAll(_subscriptions, s => !match(s));
            var removed = kept.Length != _subscriptions.Length;
            _subscriptions = kept;
            return removed;
        }
    }

    private readonly record struct Subscription(IActorRef Subscriber, Type Channel);
}

public static class EventStreamExtensions
{
    public static bool Subscribe<TChannel>(this EventStream eventStream, IActorRef subscriber) =>
        eventStream.Subscribe(subscriber, typeof(TChannel));

    public static bool Unsubscribe<TChannel>(this EventStream eventStream, IActorRef subscriber) =>
        eventStream.Unsubscribe(subscriber, typeof(TChannel));
}
