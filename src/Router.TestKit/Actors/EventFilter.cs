using System.Text.RegularExpressions;

namespace Router.TestKit.Actors;

/// <summary>Expectations on what the system publishes: log events and dead letters.</summary>
public sealed class EventFilterFactory
{
    private readonly TestKitBase _kit;

    internal EventFilterFactory(TestKitBase kit) => _kit = kit;

    /// <summary>Errors (and warnings) with a cause of the type.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="start">How it starts.</param>
    /// <param name="contains">What it contains.</param>
    /// <param name="source">The path that logged.</param>
    public IEventFilterApplier Exception<TException>(
        string? message = null, string? start = null, string? contains = null, string? source = null)
        where TException : Exception =>
        Log<LogEvent>(message, start, contains, source, static log => log.Cause is TException);

    /// <inheritdoc cref="Exception{TException}(string?, string?, string?, string?)"/>
    public IEventFilterApplier Exception<TException>(Regex pattern, string? source = null)
        where TException : Exception =>
        Log<LogEvent>(null, null, null, source, log => log.Cause is TException && pattern.IsMatch(Text(log)));

    public IEventFilterApplier Error(
        string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Log<Error>(message, start, contains, source);

    public IEventFilterApplier Warning(
        string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Log<Warning>(message, start, contains, source);

    public IEventFilterApplier Info(
        string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Log<Info>(message, start, contains, source);

    public IEventFilterApplier Debug(
        string? message = null, string? start = null, string? contains = null, string? source = null) =>
        Log<Debug>(message, start, contains, source);

    /// <summary>Any dead letter.</summary>
    public IEventFilterApplier DeadLetter() => new EventFilterApplier(_kit, typeof(DeadLetter), static _ => true);

    /// <summary>Dead letters that carry a message of the type.</summary>
    public IEventFilterApplier DeadLetter<TMessage>() => new EventFilterApplier(
        _kit, typeof(DeadLetter), static published => ((DeadLetter)published).Message is TMessage);

    private static string Text(LogEvent log) => log.Message.ToString() ?? "";

    private EventFilterApplier Log<TEvent>(
        string? message, string? start, string? contains, string? source, Func<LogEvent, bool>? also = null)
        where TEvent : LogEvent =>
        new(_kit, typeof(TEvent), published => published is TEvent log
            && (message is null || Text(log) == message)
            && (start is null || Text(log).StartsWith(start, StringComparison.Ordinal))
            && (contains is null || Text(log).Contains(contains, StringComparison.Ordinal))
            && (source is null || log.LogSource == source)
            && also?.Invoke(log) != false);
}

public interface IEventFilterApplier
{
    /// <summary>Exactly one such event must be published by the action, or soon after.</summary>
    void ExpectOne(Action action);

    void ExpectOne(TimeSpan timeout, Action action);

    /// <summary>Exactly so many.</summary>
    void Expect(int expectedCount, Action action);

    void Expect(int expectedCount, TimeSpan timeout, Action action);

    T ExpectOne<T>(Func<T> func);
}

internal sealed class EventFilterApplier(TestKitBase kit, Type channel, Predicate<object> matches)
    : IEventFilterApplier
{
    public void ExpectOne(Action action) => Expect(1, action);

    public void ExpectOne(TimeSpan timeout, Action action) => Expect(1, timeout, action);

    public void Expect(int expectedCount, Action action) => Expect(expectedCount, kit.SingleExpectDefault, action);

    public void Expect(int expectedCount, TimeSpan timeout, Action action)
    {
        var counter = new CountingRef(kit.Sys, matches);
        kit.Sys.EventStream.Subscribe(counter, channel);
        try
        {
            action();
            SpinWait.SpinUntil(() => counter.Count >= expectedCount, timeout);
        }
        finally
        {
            kit.Sys.EventStream.Unsubscribe(counter);
        }

        if (counter.Count != expectedCount)
        {
            throw TestKitBase.Failed(
                $"Expected {expectedCount} events of type {channel.Name}, but got {counter.Count}");
        }
    }

    public T ExpectOne<T>(Func<T> func)
    {
        var result = default(T);
        ExpectOne(() => { result = func(); });
        return result!;
    }

    private sealed class CountingRef(ActorSystem system, Predicate<object> matches) : ActorRefBase
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public override ActorPath Path { get; } = system.NextTemporaryPath();

        internal override ActorSystem System => system;

        public override void Tell(object message, IActorRef? sender)
        {
            if (matches(message))
            {
                Interlocked.Increment(ref _count);
            }
        }
    }
}
