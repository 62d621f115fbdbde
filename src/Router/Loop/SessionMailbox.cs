using Akka.Configuration;
using Akka.Dispatch.MessageQueues;

namespace Router.Loop;

/// <summary>The mailbox of actors that are many and mostly idle: its queue holds nothing until a message waits.
/// </summary>
/// <remarks>Akka's default queue takes 1.1 KB an actor. Named by <see cref="Path"/>; made by Akka.</remarks>
internal sealed class SessionMailbox(Settings settings, Config config)
    : MailboxType(settings, config), IProducesMessageQueue<SessionQueue>
{
    /// <summary>Where an actor system's configuration has it, for <c>Props.WithMailbox</c>.</summary>
    public const string Path = "router.session-mailbox";

    /// <summary>What a system's configuration must say for that.</summary>
    internal static string Setting =>
        $"{Path}.mailbox-type = \"{typeof(SessionMailbox).AssemblyQualifiedName}\"";

    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => new SessionQueue();
}

/// <summary>A session's messages: a chain of what waits, and what its loop has to know of its actor.</summary>
/// <remarks>
/// Any thread adds; the actor's turn alone takes. What the router itself tells is not limited here: it has limits of
/// its own, in messages and bytes. What comes from elsewhere is, by <see cref="MessagesMax"/>; beyond, it is a dead
/// letter. A loop keeps the links of the chain, so that what it tells its own actors allocates nothing.
/// <para>What the loop tells its own actors goes without an interlocked exchange of references: the runtime marks what
/// such an exchange has written to as if it referred to a young object, and every young collection then looks at each.
/// 30,000 sessions that opened since the last one made it 15 ms long instead of one.</para>
/// </remarks>
internal sealed class SessionQueue : IMessageQueue, IUnboundedMessageQueueSemantics
{
    /// <summary>Links that a thread with a loop keeps.</summary>
    private const int LinksKept = 1024;

    [ThreadStatic]
    private static Link? _kept;

    [ThreadStatic]
    private static int _keptCount;

    private Link? _inbox;   // from any thread, newest first
    private Link? _last;    // of what came before that: a ring, whose next is the oldest
    private int _count;
    private volatile bool _isOpen;
    private volatile bool _isShared;

    public bool HasMessages => Count > 0;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Messages from elsewhere that may wait.</summary>
    internal int MessagesMax { get; set; } = int.MaxValue;

    /// <summary>The actor could take a message this moment: it is made, neither suspended nor stopping, nothing waits.
    /// Asked by its loop, between turns.</summary>
    internal bool CanTurnNow => _isOpen && Volatile.Read(ref _count) == 0;

    /// <summary>Somebody outside of the router has, or has had, the actor's reference.</summary>
    internal bool IsShared => _isShared;

    /// <summary>Something waits that did not come by its loop's own way.</summary>
    internal bool HasMessagesOfOthers => Volatile.Read(ref _inbox) is not null;

    /// <summary>Somebody has the actor's reference. Any thread.</summary>
    internal void MarkShared() => _isShared = true;

    /// <summary>A system message comes, or the actor has failed: until its mailbox is at user messages again, nothing
    /// may go past it. Any thread.</summary>
    internal void Close() => _isOpen = false;

    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        var isOurs = envelope.Message.GetType().Assembly == typeof(SessionQueue).Assembly;
        if (Interlocked.Increment(ref _count) > MessagesMax && !isOurs)
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

    /// <summary>Puts what is left of a failed turn before what waits: that came after it. In that turn. Schedules
    /// nothing: past the mailbox, something has to be told besides.</summary>
    internal void PutFirst(object message)
    {
        Interlocked.Increment(ref _count);
        var link = TakeLink();
        link.Message = message;
        link.Sender = ActorRefs.NoSender;
        AddFirst(link);
    }

    /// <summary>Asked by the mailbox when it is at user messages: all system messages are done.</summary>
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

    /// <summary>The actor is gone: what the router had told it is counted elsewhere, the rest are dead letters.
    /// </summary>
    public void CleanUp(IActorRef owner, IMessageQueue deadletters)
    {
        Close();
        while (Take() is { } link)
        {
            if (link.Message!.GetType().Assembly != typeof(SessionQueue).Assembly)
            {
                deadletters.Enqueue(owner, new Envelope(link.Message, link.Sender!));
            }

            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>The calling thread is the one that takes: nothing else does meanwhile.</summary>
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

    /// <summary>All of it, put in order.</summary>
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

    /// <summary>In a ring, the place before the first is the one behind the last.</summary>
    private void AddLast(Link link)
    {
        AddFirst(link);
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

    /// <summary>A link from another thread is not kept: a young one among old ones costs every young collection a look
    /// at all that it has passed.</summary>
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
