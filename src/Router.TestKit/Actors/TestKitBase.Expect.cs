namespace Router.TestKit.Actors;

/// <summary>Expectations on messages.</summary>
public abstract partial class TestKitBase
{
    /// <summary>The next message must be of the type.</summary>
    public T ExpectMsg<T>(TimeSpan? duration = null, string? hint = null)
    {
        var max = duration ?? SingleExpectDefault;
        if (!Take(max, out var message))
        {
            throw Failed($"Timeout {max} while waiting for a message of type {typeof(T)}", hint);
        }

        return message is T typed
            ? typed
            : throw Failed($"Expected a message of type {typeof(T)}, but received {{{message}}} "
                + $"({message.GetType()}) from {LastSender}", hint);
    }

    /// <summary>The next message must equal this one.</summary>
    public T ExpectMsg<T>(T message, TimeSpan? timeout = null, string? hint = null)
    {
        var received = ExpectMsg<T>(timeout, hint);
        return EqualityComparer<T>.Default.Equals(received, message)
            ? received
            : throw Failed($"Expected {{{message}}}, but received {{{received}}} from {LastSender}", hint);
    }

    /// <summary>The next message must be of the type and fulfil the condition.</summary>
    public T ExpectMsg<T>(Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null)
    {
        var received = ExpectMsg<T>(timeout, hint);
        return isMessage(received)
            ? received
            : throw Failed($"Received {{{received}}} from {LastSender}, which does not match", hint);
    }

    /// <summary>The next message must be of the type; <paramref name="assert"/> looks at it.</summary>
    public T ExpectMsg<T>(Action<T> assert, TimeSpan? timeout = null, string? hint = null)
    {
        var received = ExpectMsg<T>(timeout, hint);
        assert(received);
        return received;
    }

    public T ExpectMsgFrom<T>(IActorRef sender, TimeSpan? duration = null, string? hint = null)
    {
        var received = ExpectMsg<T>(duration, hint);
        return sender.Equals(LastSender)
            ? received
            : throw Failed($"Expected {{{received}}} from {sender}, but it came from {LastSender}", hint);
    }

    public T ExpectMsgFrom<T>(IActorRef sender, T message, TimeSpan? timeout = null, string? hint = null)
    {
        var received = ExpectMsg(message, timeout, hint);
        return sender.Equals(LastSender)
            ? received
            : throw Failed($"Expected {{{received}}} from {sender}, but it came from {LastSender}", hint);
    }

    /// <summary>The next messages must be these, in any order.</summary>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(IReadOnlyCollection<T> messages)
    {
        var missing = messages.ToList();
        var received = new List<T>();
        for (var i = 0; i < messages.Count; i++)
        {
            var message = ExpectMsg<T>();
            received.Add(message);
            if (!missing.Remove(message))
            {
                throw Failed($"Received {{{message}}}, which is not among the expected: {string.Join(", ", missing)}");
            }
        }

        return received;
    }

    public void ExpectNoMsg() => ExpectNoMsg(ExpectNoMsgDefault);

    public void ExpectNoMsg(int milliseconds) => ExpectNoMsg(TimeSpan.FromMilliseconds(milliseconds));

    /// <summary>No message may come for so long. Zero looks only at what has come already.</summary>
    public void ExpectNoMsg(TimeSpan duration)
    {
        if (Take(duration, out var message))
        {
            throw Failed($"Expected no message, but received {{{message}}} from {LastSender}");
        }
    }

    /// <summary>The next message must be the end of that actor, which was watched.</summary>
    public Terminated ExpectTerminated(IActorRef target, TimeSpan? timeout = null, string? hint = null) =>
        ExpectMsg<Terminated>(terminated => target.Equals(terminated.ActorRef), timeout, hint);

    /// <summary>Drops messages until one fulfils the condition.</summary>
    public object FishForMessage(Predicate<object> isMessage, TimeSpan? max = null, string? hint = null) =>
        FishForMessage<object>(isMessage, max, hint);

    /// <inheritdoc cref="FishForMessage(Predicate{object}, TimeSpan?, string?)"/>
    public T FishForMessage<T>(Predicate<T> isMessage, TimeSpan? max = null, string? hint = null)
    {
        var end = Elapsed + (max ?? SingleExpectDefault);
        while (Take(end - Elapsed, out var message))
        {
            if (message is T typed && isMessage(typed))
            {
                return typed;
            }
        }

        throw Failed("Timeout while fishing for a message", hint);
    }

    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages) =>
        ReceiveN(numberOfMessages, SingleExpectDefault);

    /// <summary>The next so many messages, all within the time.</summary>
    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages, TimeSpan max)
    {
        var end = Elapsed + max;
        var received = new List<object>(numberOfMessages);
        while (received.Count < numberOfMessages)
        {
            if (!Take(end - Elapsed, out var message))
            {
                throw Failed($"Timeout {max} while expecting {numberOfMessages} messages, got {received.Count}");
            }

            received.Add(message);
        }

        return received;
    }

    /// <summary>Messages until one is not of the type, none comes for <paramref name="idle"/>, or there are
    /// <paramref name="msgs"/>. The one that is not of the type stays.</summary>
    public IReadOnlyList<T> ReceiveWhile<T>(
        Func<object, T?> filter, TimeSpan? max = null, TimeSpan? idle = null, int msgs = int.MaxValue)
        where T : class
    {
        var end = Elapsed + (max ?? SingleExpectDefault);
        var received = new List<T>();
        while (received.Count < msgs)
        {
            var left = end - Elapsed;
            if (!Take(idle is { } pause && pause < left ? pause : left, out var message))
            {
                break;
            }

            if (filter(message) is not { } wanted)
            {
                _queue.AddFirst(new Envelope(message, LastSender));
                break;
            }

            received.Add(wanted);
        }

        return received;
    }
}
