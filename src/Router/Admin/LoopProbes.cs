using Router.Loop;

namespace Router.Admin;

/// <summary>Asks loops for a sign of life. At most one question waits at each, shared by all who ask. Any thread.
/// </summary>
internal sealed class LoopProbes(IReadOnlyList<IoLoop> loops, TimeProvider time)
{
    private readonly LoopProbe[] _probes = [.. loops.Select(loop => new LoopProbe(loop, time))];

    /// <summary>How long each loop took to get round to the question; null for one that has not within the limit.
    /// </summary>
    public Task<TimeSpan?[]> AskAsync(TimeSpan limit, CancellationToken end) =>
        Task.WhenAll(_probes.Select(probe => AskAsync(probe, limit, end)));

    private async Task<TimeSpan?> AskAsync(LoopProbe probe, TimeSpan limit, CancellationToken end)
    {
        try
        {
            return await probe.Ask().WaitAsync(limit, time, end).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private sealed class LoopProbe(IoLoop loop, TimeProvider time) : IRunnable
    {
        private readonly Lock _lock = new();
        private TaskCompletionSource<TimeSpan>? _answer;
        private long _asked;

        public Task<TimeSpan> Ask()
        {
            Task<TimeSpan> answer;
            lock (_lock)
            {
                if (_answer is { } waiting)
                {
                    return waiting.Task;
                }

                _answer = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
                _asked = time.GetTimestamp();
                answer = _answer.Task;
            }

            loop.Enqueue(this);
            return answer;
        }

        public void Run()
        {
            lock (_lock)
            {
                _answer!.SetResult(time.GetElapsedTime(_asked));
                _answer = null;
            }
        }

        public void Execute() => Run();
    }
}
