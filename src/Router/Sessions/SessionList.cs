namespace Router.Sessions;

/// <summary>Sessions in no order, dense and in chunks, so that growing copies none of them. Loop thread only.</summary>
internal sealed class SessionList
{
    private const int ChunkBits = 10;
    private const int ChunkSize = 1 << ChunkBits;

    private readonly List<SessionContext?[]> _chunks = [];

    public int Count { get; private set; }

    public SessionContext this[int index]
    {
        get => _chunks[index >> ChunkBits][index & (ChunkSize - 1)]!;
        set => _chunks[index >> ChunkBits][index & (ChunkSize - 1)] = value;
    }

    /// <returns>Its index.</returns>
    public int Add(SessionContext session)
    {
        if (Count == _chunks.Count << ChunkBits)
        {
            _chunks.Add(new SessionContext?[ChunkSize]);
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
        }
    }
}
