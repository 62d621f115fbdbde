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

/// <summary>Rows that a loop's thread adds, in chunks: one array that grows would be copied in the middle of a slice,
/// which takes milliseconds where it has hundreds of thousands.</summary>
internal sealed class SessionRows
{
    /// <summary>131 KB: large enough that young collections do not carry it along.</summary>
    private const int ChunkRows = 4_096;

    private readonly List<SessionRow[]> _chunks = [];

    public int Count { get; private set; }

    public void Add(in SessionRow row)
    {
        if (Count == _chunks.Count * ChunkRows)
        {
            _chunks.Add(new SessionRow[ChunkRows]);
        }

        _chunks[^1][Count++ % ChunkRows] = row;
    }

    public void AddTo(List<SessionRow> all)
    {
        for (var i = 0; i < _chunks.Count; i++)
        {
            all.AddRange(_chunks[i].AsSpan(0, Math.Min(ChunkRows, Count - (i * ChunkRows))));
        }
    }
}

/// <summary>Sweeps over the sessions of all loops, and searches for one of them. One sweep and one search at a time, so
/// that no loop spends more than a slice of each on all that ask; the others wait. Any thread.</summary>
/// <param name="loops">All of the router.</param>
/// <param name="readShards">Those that run now.</param>
/// <param name="clock">What slices are measured by.</param>
internal sealed class SessionSweeps(
    IReadOnlyList<IoLoop> loops, Func<IReadOnlyList<Shard>> readShards, TimeProvider clock)
{
    /// <summary>Requests that may wait.</summary>
    private const int WaitingMax = 16;

    private readonly OneAtATime _sweeps = new(WaitingMax, TooMany), _searches = new(WaitingMax, TooMany);
    private readonly Lock _lock = new();

    public IReadOnlyList<IoLoop> Loops => loops;

    /// <summary>Slices of all sweeps and searches, and those of them that took longer than a millisecond.</summary>
    internal (int All, int Late) Slices { get; private set; }

    /// <summary>Finds all that match, each once, by ascending ids.</summary>
    public async Task<List<SessionRow>> FindAsync(SessionQuery query, CancellationToken end)
    {
        var found = loops.Select(static _ => new SessionRows()).ToList();
        await SweepAsync(loop => Collect(query, found[loop.Index]), end).ConfigureAwait(false);
        var all = new List<SessionRow>(found.Sum(static rows => rows.Count));
        found.ForEach(rows => rows.AddTo(all));
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
            await _searches.RunAsync(() => RunAsync([loop], Search, end), end).ConfigureAwait(false);
        }

        return result;

        LoopSlices Search(IoLoop on, IReadOnlyList<Shard> shards) =>
            new SessionSearch(on, shards, id, session => result = act(session), clock, end);
    }

    /// <summary>Has all sessions visited, each on its loop; one that moves meanwhile may be visited twice.</summary>
    public Task VisitAsync(Action<SessionContext> visit, CancellationToken end) => SweepAsync(
        _ => session =>
        {
            visit(session);
            return true;
        },
        end);

    private static AdminFault TooMany() => new(
        503, "Too many ask at once", $"{WaitingMax} requests look through the sessions already; try again");

    private static Func<SessionContext, bool> Collect(SessionQuery query, SessionRows found) => session =>
    {
        if (query.Matches(session))
        {
            found.Add(new SessionRow(session, session.Id, query.KeyOf(session)));
        }

        return true;
    };

    private Task SweepAsync(Func<IoLoop, Func<SessionContext, bool>> visitOf, CancellationToken end)
    {
        return _sweeps.RunAsync(() => RunAsync(loops, Sweep, end), end);

        LoopSlices Sweep(IoLoop on, IReadOnlyList<Shard> shards) =>
            new SessionSweep(on, shards, visitOf(on), clock, end);
    }

    private async Task RunAsync(
        IReadOnlyList<IoLoop> on, Func<IoLoop, IReadOnlyList<Shard>, LoopSlices> make, CancellationToken end)
    {
        var shards = readShards().ToLookup(static shard => shard.Loop);
        var works = on.Select(loop =>
        {
            var work = make(loop, [.. shards[loop]]);
            loop.Enqueue(work);
            return work;
        }).ToList();
        await Task.WhenAll(works.Select(static work => work.Done)).WaitAsync(end).ConfigureAwait(false);
        lock (_lock)
        {
            Slices = (
                Slices.All + works.Sum(static work => work.Slices),
                Slices.Late + works.Sum(static work => work.LateSlices));
        }
    }
}
