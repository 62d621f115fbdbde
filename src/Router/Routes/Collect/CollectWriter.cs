using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Router.Routes;

/// <summary>Where events of a collect route's sink are logged. Must not block.</summary>
internal interface ICollectEvents
{
    /// <summary>The sink takes nothing. Called once, until it works again.</summary>
    void Failed(string route, string sink, Exception error, long backoffMs);

    void Recovered(string route, string sink);

    /// <summary>Windows that the sink never took: it refused them for good, or the router's time was up.</summary>
    void Lost(string route, string sink, Exception? error, long windows, long payloads);

    /// <summary>A payload of a window whose sink is the log.</summary>
    void Collected(CollectedWindow window, CollectedPayloadText payload);
}

/// <summary>Takes windows, one at a time. Not called on a loop, so it may block.</summary>
internal interface IWindowSink : IAsyncDisposable
{
    /// <summary>Where it leads, for the log.</summary>
    string Name { get; }

    /// <summary>Opens what can be opened before there is anything to write.</summary>
    /// <exception cref="IOException">It cannot be opened now: the first window tries again.</exception>
    ValueTask OpenAsync(CancellationToken stop) => default;

    /// <summary>Takes all of a window, or nothing of it.</summary>
    /// <exception cref="IOException">It cannot be taken now: the window comes again, with back-off.</exception>
    ValueTask WriteAsync(CollectedWindow window, CancellationToken stop);

    /// <summary>Writes out what is buffered: no other window waits for the moment.</summary>
    ValueTask FlushAsync(CancellationToken stop) => default;
}

/// <summary>The sink does not want this window, now or later; or it has taken all but some payloads of it.</summary>
internal sealed class WindowRefusedException(Exception reason, long? payloads = null)
    : Exception(reason.Message, reason)
{
    /// <summary>How many it does not want; null: all.</summary>
    public long? Payloads => payloads;
}

/// <summary>
/// One task that hands a route's windows to its sink in their order, and tries again while the sink fails.
/// </summary>
/// <remarks>What waits is bounded by the route's buffer, which is charged until a window is released.</remarks>
internal sealed class CollectWriter(string route, IWindowSink sink, TimeProvider time, ICollectEvents events)
    : ICollectOutlet, IDisposable
{
    private static readonly TimeSpan BackoffMin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan BackoffMax = TimeSpan.FromSeconds(10);

    /// <summary>How long a sink that was told to end may take: a disk that hangs must not keep the router.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    private readonly Channel<CollectedWindow> _waiting = Channel.CreateUnbounded<CollectedWindow>(
        new UnboundedChannelOptions { SingleReader = true });

    private readonly CancellationTokenSource _giveUp = new();   // the time to finish is up
    private readonly CancellationTokenSource _finish = new();  // no more will come: short waits between tries
    private Task _run = Task.CompletedTask;
    private TimeSpan _backoff = BackoffMin;
    private bool _hasFailed;
    private long _open;         // windows offered and neither taken nor given up
    private long _openPayloads; // in them
    private long _windowsLost;
    private long _payloadsLost;
    private Exception? _lostBy;

    public void Start() => _run = Task.Run(RunAsync);

    public void Offer(CollectedWindow window)
    {
        Interlocked.Increment(ref _open);
        Interlocked.Add(ref _openPayloads, window.Count);
        if (!_waiting.Writer.TryWrite(window))
        {
            Interlocked.Decrement(ref _open);
            Interlocked.Add(ref _openPayloads, -window.Count);
            events.Lost(route, sink.Name, null, 1, window.Count);   // after the end
            window.Release();
        }
    }

    /// <summary>Writes what waits, then ends; what is not written when <paramref name="limit"/> has passed is
    /// lost, and recorded as such.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        _waiting.Writer.TryComplete();
        await _finish.CancelAsync().ConfigureAwait(false);
        if (!await EndsAsync(_run, limit).ConfigureAwait(false))
        {
            await _giveUp.CancelAsync().ConfigureAwait(false);
            if (!await EndsAsync(_run, EndTimeout).ConfigureAwait(false))
            {
                _windowsLost = Interlocked.Read(ref _open);   // it hangs in a call, with the one it is at
                _payloadsLost = Interlocked.Read(ref _openPayloads);
            }
        }

        await EndsAsync(sink.DisposeAsync().AsTask(), EndTimeout).ConfigureAwait(false);
        if (_windowsLost > 0)
        {
            events.Lost(route, sink.Name, _lostBy, _windowsLost, _payloadsLost);
        }
    }

    /// <summary>After <see cref="StopAsync"/>.</summary>
    public void Dispose()
    {
        _giveUp.Dispose();
        _finish.Dispose();
    }

    [SuppressMessage(
        "Usage", "VSTHRD003:Avoid awaiting foreign Tasks", Justification = "on the pool, whoever started it")]
    private async Task<bool> EndsAsync(Task task, TimeSpan limit)
    {
        try
        {
            await task.WaitAsync(limit, time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private async Task RunAsync()
    {
        await TryAsync(() => sink.OpenAsync(_giveUp.Token)).ConfigureAwait(false);
        var reader = _waiting.Reader;
        while (await reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            var isWritten = false;
            while (reader.TryRead(out var window))
            {
                isWritten |= await WriteAsync(window).ConfigureAwait(false);
                Interlocked.Add(ref _openPayloads, -window.Count);
                window.Release();
                Interlocked.Decrement(ref _open);
            }

            if (isWritten)
            {
                await TryAsync(() => sink.FlushAsync(_giveUp.Token)).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Until the sink has it, or the time to finish is up.</summary>
    /// <returns>Whether the sink has it.</returns>
    private async Task<bool> WriteAsync(CollectedWindow window)
    {
        while (!_giveUp.IsCancellationRequested)
        {
            if (await TryAsync(() => sink.WriteAsync(window, _giveUp.Token)).ConfigureAwait(false) is not { } error)
            {
                return true;
            }

            if (error is WindowRefusedException refused)
            {
                events.Lost(route, sink.Name, error.InnerException, 1, refused.Payloads ?? window.Count);
                return refused.Payloads is not null;
            }

            _lostBy = error;
            await WaitAsync().ConfigureAwait(false);
        }

        _windowsLost++;
        _payloadsLost += window.Count;
        return false;
    }

    private async Task<Exception?> TryAsync(Func<ValueTask> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (WindowRefusedException refused)
        {
            return refused;
        }
        catch (Exception error)   // whatever a sink throws must not end the writer
        {
            if (!_hasFailed)
            {
                _hasFailed = true;
                events.Failed(route, sink.Name, error, (long)BackoffMin.TotalMilliseconds);
            }

            return error;
        }

        if (_hasFailed)
        {
            _hasFailed = false;
            _backoff = BackoffMin;
            events.Recovered(route, sink.Name);
        }

        return null;
    }

    private async Task WaitAsync()
    {
        var isFinishing = _finish.IsCancellationRequested;
        using var timer = new PeriodicTimer(isFinishing ? BackoffMin : _backoff, time);
        _backoff = TimeSpan.FromTicks(Math.Min(_backoff.Ticks * 2, BackoffMax.Ticks));
        try
        {
            // The end cuts a long wait short, for one more try at once.
            await timer.WaitForNextTickAsync((isFinishing ? _giveUp : _finish).Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // looked at by the caller
        }
    }
}
