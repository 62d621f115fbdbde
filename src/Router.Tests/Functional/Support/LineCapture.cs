using Xunit.Sdk;

namespace Router.Tests.Functional;

/// <summary>Everything a process wrote, line by line, and waiting for a line to come.</summary>
internal sealed class LineCapture
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> Matches, TaskCompletionSource<string> Found)> _waiters = [];
    private bool _hasEnded;

    public LineCapture(TextReader reader) => Ended = ReadAsync(reader);

    /// <summary>Completes when the process closed the stream.</summary>
    public Task Ended { get; }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>The first line, old or new, that matches.</summary>
    /// <exception cref="XunitException">None came in time, or the stream ended before; shows what came.</exception>
    public async Task<string> WaitAsync(Func<string, bool> matches, TimeSpan? within = null)
    {
        var limit = within ?? RunningProcess.Patience;
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_lines.FirstOrDefault(matches) is { } line)
            {
                return line;
            }

            if (_hasEnded)
            {
                throw Missing("the stream ended");
            }

            _waiters.Add((matches, found));
        }

        try
        {
            return await found.Task.WaitAsync(limit);
        }
        catch (TimeoutException)
        {
            throw Missing($"not within {limit.TotalSeconds} s");
        }
        catch (EndOfStreamException)
        {
            throw Missing("the stream ended");
        }
    }

    public override string ToString() => string.Join('\n', Lines);

    private XunitException Missing(string why) => new($"Expected line did not come ({why}). What came:\n{this}");

    private async Task ReadAsync(TextReader reader)
    {
        await Task.Yield();
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                Add(line);
            }
        }
        catch (IOException)
        {
            // The pipe of a process that was killed: what came before is all there is.
        }

        lock (_lock)
        {
            _hasEnded = true;
            _waiters.ForEach(waiter => waiter.Found.TrySetException(new EndOfStreamException()));
            _waiters.Clear();
        }
    }

    private void Add(string line)
    {
        lock (_lock)
        {
            _lines.Add(line);
            foreach (var waiter in _waiters.Where(waiter => waiter.Matches(line)).ToList())
            {
                waiter.Found.TrySetResult(line);
                _waiters.Remove(waiter);
            }
        }
    }
}
