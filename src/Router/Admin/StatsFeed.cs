using System.Text.Json;
using System.Threading.Channels;

namespace Router.Admin;

/// <summary>The figures once a second, read once for all who follow them, and not at all where nobody does. Any thread.
/// </summary>
/// <param name="read">Reads them.</param>
/// <param name="readersMax">Who may follow at once.</param>
/// <param name="time">The clock.</param>
/// <param name="failed">Logs why they could not be read: the readers have ended then.</param>
internal sealed class StatsFeed(
    Func<CancellationToken, Task<StatsReport>> read, int readersMax, TimeProvider time, Action<Exception> failed)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Channel<byte[]>[] _readers = [];
    private CancellationTokenSource? _running;
    private bool _hasEnded;

    public int Readers
    {
        get
        {
            lock (_lock)
            {
                return _readers.Length;
            }
        }
    }

    /// <summary>Begins to follow.</summary>
    /// <returns>Events of a stream, of which one waits, the latest; null where there are as many readers as there may
    /// be. To be given back to <see cref="Close"/>.</returns>
    public Channel<byte[]>? TryOpen()
    {
        lock (_lock)
        {
            if (_readers.Length >= readersMax)
            {
                return null;
            }

            var reader = Channel.CreateBounded<byte[]>(
                new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
            _readers = [.. _readers, reader];
            if (_hasEnded)
            {
                reader.Writer.Complete();
            }
            else if (_running is null)
            {
                var running = new CancellationTokenSource();
                _running = running;   // another's, maybe, before the task begins
                _ = Task.Run(() => RunAsync(running));
            }

            return reader;
        }
    }

    public void Close(Channel<byte[]> reader)
    {
        lock (_lock)
        {
            _readers = [.. _readers.Where(other => other != reader)];
            if (_readers.Length == 0)
            {
                Stop();
            }
        }
    }

    /// <summary>The router ends: so do all readers, those to come, too.</summary>
    public void End()
    {
        lock (_lock)
        {
            _hasEnded = true;
            Stop();
            foreach (var reader in _readers)
            {
                reader.Writer.TryComplete();
            }
        }
    }

    private void Stop()
    {
        _running?.Cancel();
        _running = null;
    }

    /// <summary>Ends all readers; the next one begins anew.</summary>
    private void Fail(CancellationTokenSource running)
    {
        lock (_lock)
        {
            if (running != _running)
            {
                return;
            }

            _running = null;
            foreach (var reader in _readers)
            {
                reader.Writer.TryComplete();
            }
        }
    }

    private async Task RunAsync(CancellationTokenSource running)
    {
        var end = running.Token;
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                var json = JsonSerializer.SerializeToUtf8Bytes(
                    await read(end).ConfigureAwait(false), AdminJson.Default.StatsReport);
                byte[] sample = [.. "data: "u8, .. json, .. "\n\n"u8];
                lock (_lock)
                {
                    if (running != _running)
                    {
                        return;   // its readers have gone, and others have another sampler
                    }

                    foreach (var reader in _readers)
                    {
                        reader.Writer.TryWrite(sample);
                    }
                }
            }
            while (await timer.WaitForNextTickAsync(end).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Nobody reads any more.
        }
        catch (Exception failure)
        {
            failed(failure);
            Fail(running);
        }
    }
}
