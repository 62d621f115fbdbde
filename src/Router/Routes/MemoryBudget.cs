using Router.Net;

namespace Router.Routes;

/// <summary>Limits the bytes that a route holds at once. Any thread.</summary>
internal sealed class MemoryBudget(long limit)
{
    private long _used;

    public long Used => Volatile.Read(ref _used);

    public bool TryTake(int bytes)
    {
        if (Interlocked.Add(ref _used, bytes) <= limit)
        {
            return true;
        }

        Interlocked.Add(ref _used, -bytes);
        return false;
    }

    public void Return(int bytes) => Check.That(Interlocked.Add(ref _used, -bytes) >= 0);
}
