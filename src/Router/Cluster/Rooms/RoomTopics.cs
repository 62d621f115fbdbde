using System.Diagnostics.CodeAnalysis;
using Akka.Cluster.Tools.PublishSubscribe;

namespace Router.Cluster.Rooms;

/// <summary>The topics that this member subscribes to, and what it says of itself in them. The actor's.</summary>
/// <remarks>
/// A subscription is a child of the mediator and a line in what members gossip: some 0.8 ms. So a few are asked for at
/// a time, and a topic is kept for a while when its room is empty, since rooms that come and go are often the same.
/// A member that is not in the gossip yet, or was not reached, misses an announcement: so they are repeated, often at
/// first.
/// </remarks>
internal sealed class RoomTopics(IActorRef mediator, TimeProvider time)
{
    public const int AskedMax = 64;
    public const int EmptyMax = 1_000;
    public const int AnnouncementsPerTick = 200;
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(10);

    private const int FirstAgainMs = 200;
    private const int AgainMs = 30_000;
    private const int StepsWithAnswers = 6;

    private readonly long _started = time.GetTimestamp();
    private readonly Dictionary<string, RoomTopic> _topics = new(StringComparer.Ordinal);
    private readonly Queue<RoomTopic> _toAsk = [];
    private readonly Queue<(RoomTopic Topic, long SinceMs)> _empty = [];
    private readonly PriorityQueue<RoomTopic, long> _due = new();
    private int _asked;
    private int _announcements;   // in this tick

    private long NowMs => (long)time.GetElapsedTime(_started).TotalMilliseconds;

    public int Count => _topics.Count;

    public bool TryGet(string name, [NotNullWhen(true)] out RoomTopic? topic) => _topics.TryGetValue(name, out topic);

    /// <summary>A room is there.</summary>
    public void Add(RoomPort port, IActorRef self)
    {
        if (!_topics.TryGetValue(port.Topic, out var topic))
        {
            _topics[port.Topic] = topic = new RoomTopic(port.Topic);
            _toAsk.Enqueue(topic);
        }

        topic.Ports.Add(port);
        topic.Share();
        topic.Step = 0;
        Announce(topic, self);
        Ask(self);
    }

    /// <summary>A room is gone.</summary>
    public RoomTopic? Remove(RoomPort port, IActorRef self)
    {
        if (!_topics.TryGetValue(port.Topic, out var topic) || !topic.Ports.Remove(port))
        {
            return null;
        }

        if (topic.Ports.Count == 0)
        {
            KeepForAWhile(topic, self);
        }

        return topic;
    }

    public void OnSubscribed(string name, IActorRef self)
    {
        _asked = Math.Max(0, _asked - 1);
        if (_topics.TryGetValue(name, out var topic) && topic.State == RoomTopicState.Asked)
        {
            topic.State = RoomTopicState.Subscribed;
            if (topic.Ports.Count == 0)
            {
                KeepForAWhile(topic, self);
            }

            Announce(topic, self);
        }

        Ask(self);
    }

    /// <summary>Announces all again: there is a member that may not know of them.</summary>
    public void AnnounceAll()
    {
        foreach (var topic in _topics.Values)
        {
            topic.Step = 0;
            Schedule(topic, NowMs);
        }
    }

    public void OnTick(IActorRef self)
    {
        _announcements = 0;
        while (_empty.TryPeek(out var oldest) && NowMs - oldest.SinceMs >= Linger.TotalMilliseconds)
        {
            Leave(_empty.Dequeue(), self);
        }

        while (_announcements < AnnouncementsPerTick && _due.TryPeek(out var topic, out var dueMs) && dueMs <= NowMs)
        {
            _due.Dequeue();
            if (topic.DueMs == dueMs)
            {
                Announce(topic, self);
            }
        }
    }

    private void Ask(IActorRef self)
    {
        while (_asked < AskedMax && _toAsk.TryDequeue(out var topic))
        {
            if (topic.Ports.Count == 0)
            {
                _topics.Remove(topic.Name);   // gone before its turn
                continue;
            }

            topic.State = RoomTopicState.Asked;
            _asked++;
            mediator.Tell(new Subscribe(topic.Name, self), self);
        }
    }

    private void Announce(RoomTopic topic, IActorRef self)
    {
        if (topic.State != RoomTopicState.Subscribed || topic.Ports.Count == 0)
        {
            return;   // it is announced when it is
        }

        if (_announcements >= AnnouncementsPerTick)
        {
            Schedule(topic, NowMs);
            return;
        }

        _announcements++;
        var hello = HelloOf(topic, wantsAnswer: topic.Step < StepsWithAnswers);
        mediator.Tell(new Publish(topic.Name, hello), self);
        Schedule(topic, NowMs + Math.Min(AgainMs, FirstAgainMs << Math.Min(topic.Step++, 16)));
    }

    public static RoomHello HelloOf(RoomTopic topic, bool wantsAnswer) =>
        new(topic.Name, wantsAnswer, [.. topic.Ports.Select(static port => port.Id).Take(RoomFormats.PortsMax)]);

    private void Schedule(RoomTopic topic, long dueMs)
    {
        topic.DueMs = dueMs;
        _due.Enqueue(topic, dueMs);
    }

    private void KeepForAWhile(RoomTopic topic, IActorRef self)
    {
        if (topic.State != RoomTopicState.Subscribed)
        {
            return;   // looked at again when it is, or before it is asked for
        }

        topic.EmptySinceMs = NowMs;
        _empty.Enqueue((topic, topic.EmptySinceMs));
        if (_empty.Count > EmptyMax)
        {
            Leave(_empty.Dequeue(), self);
        }
    }

    private void Leave((RoomTopic Topic, long SinceMs) empty, IActorRef self)
    {
        var (topic, sinceMs) = empty;
        if (topic.Ports.Count == 0 && topic.EmptySinceMs == sinceMs && _topics.Remove(topic.Name))
        {
            mediator.Tell(new Unsubscribe(topic.Name, self), self);
        }
    }
}
