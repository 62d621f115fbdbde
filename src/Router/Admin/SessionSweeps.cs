using Router.Loop;
using Router.Sessions;

namespace Router.Admin;

/// <summary>A session that a sweep has found.</summary>
/// <param name="Session">Another one by now, if its id is no longer <paramref name="Id"/>.</param>
/// <param name="Id">When it was found.</param>
/// <param name="Key">What it is sorted by.</param>
internal readonly record struct SessionRow(SessionContext Session, SessionId Id, long Key)
{
    /// <summary>The index of its loop, which its id begins with.</summary>
    public int Loop => (int)(Id.Low >> 48);
}

/// <summary>Sweeps over the sessions of all loops. One at a time, so that no loop spends more than a slice on all that
/// ask; the others wait. Any thread.</summary>
/// <param name="loops">All of the router.</param>
/// <param name="readShards">Those that run now.</param>
/// <param name="clock">What slices are measured by.</param>
internal sealed class SessionSweeps(
    IReadOnlyList<IoLoop> loops, Func<IReadOnlyList<Shard>> readShards, TimeProvider clock)
{
    /// <summary>Requests that may wait.</summary>
    private const int WaitingMax = 16;

    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;
    private int _asking;

    public IReadOnlyList<IoLoop> Loops => loops;

    /// <summary>Slices of all sweeps, and those of them that took longer than a millisecond.</summary>
    internal (int All, int Late) Slices { get; private set; }

    /// <summary>Finds all that match, each once, by ascending ids.</summary>
    public async Task<List<SessionRow>> FindAsync(SessionQuery query, CancellationToken end)
    {
        var found = loops.Select(static _ => new List<SessionRow>()).ToList();
        await SweepAsync(loops, loop => Collect(query, found[loop.Index]), end).ConfigureAwait(false);
        var all = new List<SessionRow>(found.Sum(static rows => rows.Count));
        found.ForEach(all.AddRange);
        all.Sort(static (one, other) => one.Id.Low.CompareTo(other.Id.Low));   // all begin alike
        var distinct = 0;
        for (var i = 0; i < all.Count; i++)
        {
            if (distinct == 0 || all[distinct - 1].Id != all[i].Id)
            {
                all[distinct++] = all[i];
            }
        }

        all.RemoveRange(distinct, all.Count - distinct);
        return all;
    }

    /// <summary>Does something with one session, on its loop.</summary>
    /// <returns>What came of it; null where there is no such session.</returns>
    public async Task<T?> WithAsync<T>(SessionId id, Func<SessionContext, T> act, CancellationToken end)
        where T : class
    {
        T? result = null;
        var loop = loops.FirstOrDefault(loop => loop.Index == (int)(id.Low >> 48));
        if (loop is not null)
        {
            await SweepAsync([loop], _ => Visit, end).ConfigureAwait(false);
        }

        return result;

        bool Visit(SessionContext session)
        {
            if (session.Id != id)
            {
                return true;
            }

            result = act(session);
            return false;
        }
    }

    /// <summary>Has all sessions visited, each on its loop; one that moves meanwhile may be visited twice.</summary>
    public Task VisitAsync(Action<SessionContext> visit, CancellationToken end) => SweepAsync(
        loops,
        _ => session =>
        {
            visit(session);
            return true;
        },
        end);

    private static Func<SessionContext, bool> Collect(SessionQuery query, List<SessionRow> found) => session =>
    {
        if (query.Matches(session))
        {
            found.Add(new SessionRow(session, session.Id, query.KeyOf(session)));
        }

        return true;
    };

    private async Task SweepAsync(
        IReadOnlyList<IoLoop> swept, Func<IoLoop, Func<SessionContext, bool>> visitOf, CancellationToken end)
    {
        if (Interlocked.Increment(ref _asking) > WaitingMax)
        {
            Interlocked.Decrement(ref _asking);
            throw new AdminFault(
                503, "Too many ask at once", $"{WaitingMax} requests look through the sessions already; try again");
        }

        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task before;
        lock (_lock)
        {
            (before, _last) = (_last, over.Task);
        }

        try
        {
            await before.WaitAsync(end).ConfigureAwait(false);
            await SweepNowAsync(swept, visitOf, end).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _asking);
            _ = before.ContinueWith(
                static (_, over) => ((TaskCompletionSource)over!).SetResult(), over, CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task SweepNowAsync(
        IReadOnlyList<IoLoop> swept, Func<IoLoop, Func<SessionContext, bool>> visitOf, CancellationToken end)
    {
        var shards = readShards().ToLookup(static shard => shard.Loop);
        var sweeps = swept.Select(loop =>
        {
            var sweep = new SessionSweep(loop, [.. shards[loop]], visitOf(loop), clock, end);
            loop.Enqueue(sweep);
            return sweep;
        }).ToList();
        await Task.WhenAll(sweeps.Select(static sweep => sweep.Done)).WaitAsync(end).ConfigureAwait(false);
        Slices = (
            Slices.All + sweeps.Sum(static sweep => sweep.Slices),
            Slices.Late + sweeps.Sum(static sweep => sweep.LateSlices));
    }
}
