using System.Globalization;

namespace Router.Admin;

/// <summary>Lists of sessions that are shown page by page. A list is made once, for its first page, and kept for the
/// others: so a session that is open throughout is on exactly one page, however the sessions move. Any thread.
/// </summary>
internal sealed class SessionPages(SessionSweeps sweeps, TimeProvider time) : IDisposable
{
    /// <summary>Sessions of all lists that are kept, 32 bytes each; the least used list goes first.</summary>
    private const int RowsKeptMax = 2_000_000;

    /// <summary>And so many lists: more than clients that page at once.</summary>
    internal const int ListsKeptMax = 64;

    /// <summary>Sessions whose facts are taken in one turn of a loop: some 0.2 us each.</summary>
    private const int FactsPerTurn = 256;

    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RateOver = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly LinkedList<Kept> _kept = [];   // the last used first
    private ITimer? _forget;
    private long _numbers;

    public void Dispose() => _forget?.Dispose();

    /// <summary>The first page.</summary>
    /// <param name="query">Which, and in which order.</param>
    /// <param name="limit">How many.</param>
    /// <param name="end">Ends it.</param>
    /// <param name="isKept">There may be further pages.</param>
    public async Task<SessionPageReport> BeginAsync(
        SessionQuery query, int limit, CancellationToken end, bool isKept = true)
    {
        var rows = await sweeps.FindAsync(query, end).ConfigureAwait(false);
        if (query.Order == SessionOrder.Rate)
        {
            rows = await RatesAsync(query, rows, end).ConfigureAwait(false);
        }

        if (query.Order != SessionOrder.Id)
        {
            rows.Sort(static (one, other) => one.Key != other.Key
                ? other.Key.CompareTo(one.Key)
                : one.Id.Low.CompareTo(other.Id.Low));
        }

        var list = new Kept(Interlocked.Increment(ref _numbers), rows, query.Order == SessionOrder.Rate);
        return await PageAsync(list, 0, limit, end, isKept).ConfigureAwait(false);
    }

    /// <summary>A later page.</summary>
    /// <param name="cursor">Of the page before.</param>
    /// <param name="limit">How many.</param>
    /// <param name="end">Ends it.</param>
    public Task<SessionPageReport> GoOnAsync(string cursor, int limit, CancellationToken end)
    {
        if (cursor.Split('-') is not [var list, var from]
            || !long.TryParse(list, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            throw AdminFault.BadRequest($"cursor '{cursor}' is none; it is what the page before gives as next");
        }

        Kept? kept;
        lock (_lock)
        {
            kept = _kept.FirstOrDefault(each => each.Number == number);
        }

        return kept is not null && offset <= kept.Rows.Count
            ? PageAsync(kept, offset, limit, end)
            : throw new AdminFault(
                410, "The list is gone",
                $"a list is kept for {KeptFor.TotalSeconds} s behind its last page, and {ListsKeptMax} lists at once; "
                + "begin again without cursor");
    }

    private async Task<SessionPageReport> PageAsync(
        Kept list, int offset, int limit, CancellationToken end, bool isKept = true)
    {
        var rows = list.Rows.Slice(offset, Math.Min(limit, list.Rows.Count - offset));
        var next = offset + rows.Count;
        if (next < list.Rows.Count && isKept)
        {
            Keep(list);
        }
        else
        {
            Drop(list);
        }

        var facts = new SessionFacts?[rows.Count];
        foreach (var loop in sweeps.Loops)
        {
            var own = Enumerable.Range(0, rows.Count).Where(index => rows[index].Loop == loop.Index);
            foreach (var part in own.Chunk(FactsPerTurn))
            {
                await LoopCall<bool>.AskAsync(loop, () => Take(rows, part, facts), end).ConfigureAwait(false);
            }
        }

        var reports = Enumerable.Range(0, rows.Count)
            .Where(index => facts[index] is not null)
            .Select(index => facts[index]!.ToReport(list.IsByRate ? rows[index].Key : null));
        return new SessionPageReport(
            [.. reports],
            list.Rows.Count,
            next < list.Rows.Count && isKept
                ? string.Create(CultureInfo.InvariantCulture, $"{list.Number}-{next}")
                : null);
    }

    /// <summary>On the loop of the sessions: leaves out what has ended meanwhile.</summary>
    private static bool Take(List<SessionRow> rows, int[] part, SessionFacts?[] facts)
    {
        foreach (var index in part)
        {
            var (session, id, _) = rows[index];
            if (session.HasBegun && session.Id == id && !session.HasEnded)
            {
                facts[index] = new SessionFacts(session);
            }
        }

        return true;
    }

    /// <summary>Sweeps again after a moment: what a session has counted in between is its rate.</summary>
    private async Task<List<SessionRow>> RatesAsync(
        SessionQuery query, List<SessionRow> before, CancellationToken end)
    {
        var began = time.GetTimestamp();
        using (var moment = new PeriodicTimer(RateOver, time))
        {
            await moment.WaitForNextTickAsync(end).ConfigureAwait(false);
        }

        var after = await sweeps.FindAsync(query, end).ConfigureAwait(false);
        var seconds = time.GetElapsedTime(began).TotalSeconds;
        var at = 0;   // both are by ascending ids
        for (var i = 0; i < after.Count; i++)
        {
            var row = after[i];
            while (at < before.Count && before[at].Id.Low < row.Id.Low)
            {
                at++;
            }

            var counted = at < before.Count && before[at].Id == row.Id ? before[at].Key : 0;
            after[i] = row with { Key = (long)((row.Key - counted) / seconds) };
        }

        return after;
    }

    private void Keep(Kept list)
    {
        lock (_lock)
        {
            _kept.Remove(list);
            list.UsedAt = time.GetTimestamp();
            _kept.AddFirst(list);
            while (_kept.Count > 1
                && (_kept.Count > ListsKeptMax || _kept.Sum(static each => (long)each.Rows.Count) > RowsKeptMax))
            {
                _kept.RemoveLast();
            }

            _forget ??= time.CreateTimer(static pages => ((SessionPages)pages!).Forget(), this, KeptFor, KeptFor);
            _forget.Change(KeptFor, KeptFor);
        }
    }

    private void Drop(Kept list)
    {
        lock (_lock)
        {
            _kept.Remove(list);
        }
    }

    private void Forget()
    {
        lock (_lock)
        {
            while (_kept.Last is { } last && time.GetElapsedTime(last.Value.UsedAt) >= KeptFor)
            {
                _kept.RemoveLast();
            }

            if (_kept.Count == 0)
            {
                _forget?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private sealed class Kept(long number, List<SessionRow> rows, bool isByRate)
    {
        public long Number => number;

        public List<SessionRow> Rows => rows;

        public bool IsByRate => isByRate;

        public long UsedAt { get; set; }
    }
}
