namespace Router.Diagnostics;

/// <summary>Calls back after each garbage collection. Costs nothing between collections.</summary>
/// <remarks>
/// Every collection finds an object without references, whose finalizer calls back and leaves another such object: on
/// the finalizer's thread, once for collections that follow each other faster than it runs. What is called must not
/// throw and must not block.
/// </remarks>
internal sealed class CollectionWatch : IDisposable
{
    private readonly Action _onCollected;
    private volatile bool _disposed;

    public CollectionWatch(Action onCollected)
    {
        _onCollected = onCollected;
        Sentinel.Leave(this);
    }

    /// <summary>A call that is under way may still end after this.</summary>
    public void Dispose() => _disposed = true;

    private sealed class Sentinel(CollectionWatch owner)
    {
        ~Sentinel()
        {
            if (!owner._disposed)
            {
                owner._onCollected();
                Leave(owner);
            }
        }

        public static void Leave(CollectionWatch owner) => _ = new Sentinel(owner);
    }
}
