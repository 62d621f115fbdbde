namespace Router.Sessions;

/// <summary>Sessions in no order, dense and in chunks, so that growing copies none of them. Loop thread only.</summary>
/// <remarks>Their ids are beside them, 8 bytes each: who looks for one of a million reads 8 MB in a row, and no
/// session.</remarks>
internal sealed class SessionList
{
    private const int ChunkBits = 10;
    private const int ChunkSize = 1 << ChunkBits;

    private readonly List<SessionContext?[]> _chunks = [];
    private readonly List<ulong[]> _ids = [];   // what counts of each id: the rest is the same in one process

    public int Count { get; private set; }

    public SessionContext this[int index]
    {
        get => _chunks[index >> ChunkBits][index & (ChunkSize - 1)]!;
        set
        {
            _chunks[index >> ChunkBits][index & (ChunkSize - 1)] = value;
            _ids[index >> ChunkBits][index & (ChunkSize - 1)] = value.Id.Low;
        }
    }

    /// <param name="session">Has begun: it has its id.</param>
    /// <returns>Its index.</returns>
    public int Add(SessionContext session)
    {
        if (Count == _chunks.Count << ChunkBits)
        {
            _chunks.Add(new SessionContext?[ChunkSize]);
            _ids.Add(new ulong[ChunkSize]);
        }

        this[Count] = session;
        return Count++;
    }

    /// <summary>Lets go of the last session, and of an empty chunk if there is another one.</summary>
    public void RemoveLast()
    {
        Count--;
        _chunks[Count >> ChunkBits][Count & (ChunkSize - 1)] = null;
        if (Count <= (_chunks.Count - 2) << ChunkBits)
        {
            _chunks.RemoveAt(_chunks.Count - 1);
            _ids.RemoveAt(_ids.Count - 1);
        }
    }

    /// <summary>Looks for a session by its id, from the last one to the first: one that moves between two calls goes to
    /// a lower index, and is not missed.</summary>
    /// <param name="id">Of the session.</param>
    /// <param name="before">Indexes below it are looked at; afterwards, where to go on. 0: it has been through.</param>
    /// <param name="most">Sessions that may be looked at, rounded up to a chunk.</param>
    /// <returns>Null if it is not among them.</returns>
    public SessionContext? Find(SessionId id, ref int before, int most)
    {
        before = Math.Min(before, Count);
        for (var left = most; before > 0 && left > 0;)
        {
            var chunk = (before - 1) >> ChunkBits;
            var length = before - (chunk << ChunkBits);
            var at = _ids[chunk].AsSpan(0, length).IndexOf(id.Low);
            if (at >= 0 && _chunks[chunk][at] is { } found && found.Id == id)
            {
                return found;
            }

            before -= length;
            left -= length;
        }

        return null;
    }
}
