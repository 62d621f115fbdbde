using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Reporting;

/// <summary>What is logged, for those who follow it through the admin endpoint, and the latest of it for those who come
/// later. Any thread; who logs never waits for a reader.</summary>
/// <param name="limits">How many readers, and how much is kept for each and for all.</param>
internal sealed class EventFeed(StreamOptions limits)
{
    private readonly Lock _lock = new();
    private readonly Queue<LogRecord> _backlog = new();
    private volatile EventReader[] _readers = [];
    private bool _hasEnded;

    /// <summary>How many follow it now.</summary>
    public int Readers => _readers.Length;

    /// <summary>Gives every reader the record, or counts it as dropped where the reader's queue is full.</summary>
    public void Add(LogRecord record)
    {
        if (limits.Backlog == 0 && _readers.Length == 0)
        {
            return;
        }

        lock (_lock)
        {
            if (limits.Backlog > 0)
            {
                if (_backlog.Count == limits.Backlog)
                {
                    _backlog.Dequeue();
                }

                _backlog.Enqueue(record);
            }

            foreach (var reader in _readers)
            {
                reader.Offer(record);
            }
        }
    }

    /// <summary>Begins to follow; disposing the reader ends it.</summary>
    /// <param name="filter">Which records it wants.</param>
    /// <param name="last">So many of those that are kept come first, if there are as many.</param>
    /// <param name="follows">Whether it waits for those to come.</param>
    /// <returns>Null where there are as many readers as there may be.</returns>
    public EventReader? TryOpen(EventFilter filter, int last, bool follows)
    {
        lock (_lock)
        {
            if (_readers.Length >= limits.Readers)
            {
                return null;
            }

            // Filtered by who reads: it takes the texts of fields, and who logs waits for this lock.
            var reader = new EventReader(this, filter, last == 0 ? [] : [.. _backlog], last, limits.Queue);
            _readers = [.. _readers, reader];
            if (_hasEnded || !follows)
            {
                reader.End();
            }

            return reader;
        }
    }

    /// <summary>Nothing more is logged: the readers get what waits for them, and end.</summary>
    public void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
            foreach (var reader in _readers)
            {
                reader.End();
            }
        }
    }

    /// <summary>A log that gives to the feed, too, what passes.</summary>
    public ILogger Follow(ILogger log, TimeProvider time) => new FollowedLogger(log, this, time);

    internal void Close(EventReader reader)
    {
        lock (_lock)
        {
            _readers = [.. _readers.Where(other => other != reader)];
        }
    }

    private sealed class FollowedLogger(ILogger inner, EventFeed feed, TimeProvider time) : ILogger
    {
        private readonly RecordLogger _records = new(
            RouterLogging.Category, time, inner.IsEnabled, feed.Add);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            // Whoever has read of it in the log finds it here.
            _records.Log(logLevel, eventId, state, exception, formatter);
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}

/// <summary>Which records a reader wants.</summary>
/// <param name="Events">Names; none for all.</param>
/// <param name="Level">The least severe one.</param>
/// <param name="Listener">The value of the field <c>listener</c>; null for any.</param>
/// <param name="Session">The value of the field <c>session</c>; null for any.</param>
internal sealed record EventFilter(
    IReadOnlySet<string> Events, LogLevel Level = LogLevel.Trace, string? Listener = null, string? Session = null,
    string? Peer = null)
{
    /// <summary>All that is logged.</summary>
    public static EventFilter All { get; } = new(new HashSet<string>());

    /// <summary>What costs no text: the thread that logs asks for it.</summary>
    public bool MayWant(LogRecord record) =>
        record.Level >= Level && (Events.Count == 0 || Events.Contains(LogLine.EventOf(record)));

    public bool Wants(LogRecord record) =>
        MayWant(record) && HasField(record, "listener", Listener) && HasField(record, "session", Session)
        && (Peer is null || IsOfPeer(record));

    /// <summary>Whether it names the peer: by its endpoint, or by its address, whatever the port.</summary>
    private bool IsOfPeer(LogRecord record) => record.Fields.Any(field =>
        LogFields.KeyOf(field.Key) == "peer" && field.Value is { } value && LogFields.TextOf(value) is var text
        && (text == Peer
            || text.StartsWith($"{Peer}:", StringComparison.Ordinal)
            || text.StartsWith($"[{Peer}]:", StringComparison.Ordinal)));

    private static bool HasField(LogRecord record, string key, string? wanted) =>
        wanted is null || record.Fields.Any(field =>
            LogFields.KeyOf(field.Key) == key && field.Value is { } value && LogFields.TextOf(value) == wanted);
}

/// <summary>One who follows the feed, and alone calls this.</summary>
internal sealed class EventReader : IDisposable
{
    private readonly EventFeed _feed;
    private readonly EventFilter _filter;
    private readonly int _last;
    private readonly Channel<LogRecord?> _queue;
    private IReadOnlyList<LogRecord>? _kept;   // null when they have been read
    private long _dropped;

    internal EventReader(EventFeed feed, EventFilter filter, IReadOnlyList<LogRecord> kept, int last, int queue)
    {
        (_feed, _filter, _kept, _last) = (feed, filter, kept, last);
        _queue = Channel.CreateBounded<LogRecord?>(new BoundedChannelOptions(queue) { SingleReader = true });
    }

    /// <summary>Waits for records, or for <see cref="Beat"/>.</summary>
    /// <param name="into">Gets those that there are; none for a beat.</param>
    /// <param name="max">How many at most, apart from those that were kept.</param>
    /// <param name="end">Gives up.</param>
    /// <returns>False at the end, when none is left.</returns>
    public async Task<bool> ReadAsync(List<LogRecord> into, int max, CancellationToken end)
    {
        if (_kept is { } kept)
        {
            _kept = null;
            into.AddRange(kept.Where(_filter.Wants).TakeLast(_last));
            return true;
        }

        if (!await _queue.Reader.WaitToReadAsync(end).ConfigureAwait(false))
        {
            return false;
        }

        while (into.Count < max && _queue.Reader.TryRead(out var record))
        {
            if (record is not null && _filter.Wants(record))
            {
                into.Add(record);
            }
        }

        return true;
    }

    /// <returns>How many records were dropped since the last call, because they found the queue full.</returns>
    public long TakeDropped() => Interlocked.Exchange(ref _dropped, 0);

    /// <summary>Has the reader look up, so that it can tell whether its client is still there. Any thread.</summary>
    public void Beat() => _queue.Writer.TryWrite(null);

    public void Dispose() => _feed.Close(this);

    internal void Offer(LogRecord record)
    {
        if (_filter.MayWant(record) && !_queue.Writer.TryWrite(record))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    internal void End() => _queue.Writer.TryComplete();
}
