using Akka.Configuration;
using Akka.Dispatch.MessageQueues;

namespace Router.Loop;

/// <summary>A mailbox for actors that are many and mostly idle: its queue holds no memory until a message
/// waits.</summary>
/// <remarks>Akka's default queue takes 1.1 KB an actor. Akka makes this one by the name <see cref="Path"/>.</remarks>
internal sealed class SessionMailbox(Settings settings, Config config)
    : MailboxType(settings, config), IProducesMessageQueue<SessionQueue>
{
    /// <summary>Its place in an actor system's configuration, for <c>Props.WithMailbox</c>.</summary>
    public const string Path = "router.session-mailbox";

    /// <summary>The line that an actor system's configuration needs for it.</summary>
    internal static string Setting =>
        $"{Path}.mailbox-type = \"{typeof(SessionMailbox).AssemblyQualifiedName}\"";

    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => new SessionQueue();
}

/// <summary>A message of the router to a session that has one from elsewhere in it. Who sent that may send more
/// than the session takes.</summary>
internal interface ICarriesMessage;

/// <summary>The queue of a session's mailbox, which also tells the session's loop whether the actor could take a
/// message now.</summary>
/// <remarks>
/// Any thread may add; only the actor's turn takes. Messages of the router itself are not limited here, because the
/// router limits them in number and bytes. Messages from elsewhere, and those of the router that carry one
/// (<see cref="ICarriesMessage"/>), are limited by <see cref="MessagesMax"/>; one beyond that becomes a dead letter. A
/// loop keeps used links of the chain, so that what it tells its own actors allocates nothing.
/// <para>A message from the actor's own loop is added without an interlocked exchange of references. The runtime marks
/// what such an exchange has written to as if it referred to a young object, and every young collection then looks at
/// it: with 30,000 sessions opened since the last one, a collection took 15 ms instead of one.</para>
/// </remarks>
internal sealed class SessionQueue : IMessageQueue, IUnboundedMessageQueueSemantics
{
    /// <summary>The most used links that a loop keeps.</summary>
    private const int LinksKept = 1024;

    [ThreadStatic]
    private static Link? _kept;

    [ThreadStatic]
    private static int _keptCount;

    private Link? _inbox;   // what other threads have added, newest first
    private Link? _last;    // the newest of what came before that, in a ring whose next link is the oldest
    private int _count;
    private volatile bool _isOpen;
    private volatile bool _isShared;

    public bool HasMessages => Count > 0;

    public int Count => Volatile.Read(ref _count);

    /// <summary>The most messages that may wait before one from outside the router becomes a dead letter.</summary>
    internal int MessagesMax { get; set; } = int.MaxValue;

    /// <summary>Whether the actor could take a message this moment: it is made, neither suspended nor stopping, and
    /// nothing waits for it. Read on its loop, between turns.</summary>
    internal bool CanTurnNow => _isOpen && Volatile.Read(ref _count) == 0;

    /// <summary>Whether code outside of the router has, or has had, the actor's reference.</summary>
    internal bool IsShared => _isShared;

    /// <summary>Whether a message waits that another thread has added.</summary>
    internal bool HasMessagesOfOthers => Volatile.Read(ref _inbox) is not null;

    /// <summary>Sets <see cref="IsShared"/>. Any thread.</summary>
    internal void MarkShared() => _isShared = true;

    /// <summary>Called when a system message comes or the actor has failed: until the mailbox is at user messages
    /// again, <see cref="CanTurnNow"/> is false. Any thread.</summary>
    internal void Close() => _isOpen = false;

    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        var isOurs = envelope.Message.GetType().Assembly == typeof(SessionQueue).Assembly;
        if (Interlocked.Increment(ref _count) > MessagesMax
            && (!isOurs || envelope.Message is ICarriesMessage))
        {
            Interlocked.Decrement(ref _count);
            ((IInternalActorRef)receiver).Provider.DeadLetters.Tell(
                new DeadLetter(envelope.Message, envelope.Sender, receiver), envelope.Sender);
            return;
        }

        if (!isOurs)
        {
            _isShared = true;
        }

        var link = TakeLink();
        link.Message = envelope.Message;
        link.Sender = envelope.Sender;
        if (!HasMessagesOfOthers && IsOfThisLoop(receiver))
        {
            AddLast(link);
            return;
        }

        var newest = Volatile.Read(ref _inbox);
        while (true)
        {
            link.Next = newest;
            var seen = Interlocked.CompareExchange(ref _inbox, link, newest);
            if (ReferenceEquals(seen, newest))
            {
                return;
            }

            newest = seen;
        }
    }

    /// <summary>Puts what is left of a failed turn before what waits, which came after it. Called in that turn. It does
    /// not schedule the mailbox: after a direct turn the actor has to be told something besides.</summary>
    internal void PutFirst(object message)
    {
        Interlocked.Increment(ref _count);
        var link = TakeLink();
        link.Message = message;
        link.Sender = ActorRefs.NoSender;
        AddFirst(link);
    }

    /// <remarks>The mailbox calls this only when it has handled all system messages.</remarks>
    public bool TryDequeue(out Envelope envelope)
    {
        if (Take() is not { } link)
        {
            _isOpen = true;
            envelope = default;
            return false;
        }

        envelope = new Envelope(link.Message!, link.Sender!);
        _isOpen = link.Message is not Kill;   // fails the actor past its own code
        KeepLink(link);
        Interlocked.Decrement(ref _count);
        return true;
    }

    /// <summary>Called when the actor is gone. Messages from outside the router become dead letters; the router counts
    /// its own elsewhere.</summary>
    public void CleanUp(IActorRef owner, IMessageQueue deadletters)
    {
        Close();
        while (Take() is { } link)
        {
            if (link.Message is ICarriesMessage
                || link.Message!.GetType().Assembly != typeof(SessionQueue).Assembly)
            {
                deadletters.Enqueue(owner, new Envelope(link.Message, link.Sender!));
            }

            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>Whether the calling thread is the one that takes messages from this queue.</summary>
    private static bool IsOfThisLoop(IActorRef receiver) =>
        receiver is LocalActorRef { Cell.Dispatcher: IoDispatcher dispatcher } && dispatcher.IsOfThisThread;

    private Link? Take()
    {
        if (_last is null)
        {
            TakeInbox();
        }

        if (_last is not { } last)
        {
            return null;
        }

        var oldest = last.Next!;
        if (ReferenceEquals(oldest, last))
        {
            _last = null;
        }
        else
        {
            last.Next = oldest.Next;
        }

        return oldest;
    }

    /// <summary>Moves the inbox, oldest first, into the ring, which is empty.</summary>
    private void TakeInbox()
    {
        if (!HasMessagesOfOthers)
        {
            return;
        }

        var newest = Interlocked.Exchange(ref _inbox, null)!;
        Link? oldest = null;
        for (var link = newest; link is not null;)
        {
            var older = link.Next;
            link.Next = oldest;
            oldest = link;
            link = older;
        }

        newest.Next = oldest;
        _last = newest;
    }

    private void AddFirst(Link link)
    {
        if (_last is { } last)
        {
            link.Next = last.Next;
            last.Next = link;
        }
        else
        {
            link.Next = link;
            _last = link;
        }
    }

    private void AddLast(Link link)
    {
        AddFirst(link);   // in a ring, the place before the first is the one behind the last
        _last = link;
    }

    private static Link TakeLink()
    {
        if (_kept is not { } link)
        {
            return new Link { IsOfLoop = IoLoop.Current is not null };
        }

        _kept = link.Next;
        _keptCount--;
        return link;
    }

    /// <summary>Keeps a used link, unless another thread made it: a young link among old ones costs every young
    /// collection a look at all links that it refers to.</summary>
    private static void KeepLink(Link link)
    {
        link.Message = null;
        link.Sender = null;
        if (link.IsOfLoop && _keptCount < LinksKept && IoLoop.Current is not null)
        {
            link.Next = _kept;
            _kept = link;
            _keptCount++;
        }
    }

    private sealed class Link
    {
        public object? Message;
        public IActorRef? Sender;
        public Link? Next;
        public bool IsOfLoop;
    }
}
