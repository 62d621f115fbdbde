namespace Router.Tests.Cluster.Simulation;

/// <summary>Virtual time: what is to happen, in order. One thread.</summary>
internal sealed class SimClock : TimeProvider
{
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private long _now;
    private long _order;

    public TimeSpan Now => new(_now);

    /// <summary>What has happened.</summary>
    public long Events { get; private set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now;

    public void In(TimeSpan delay, Action what) => At(Now + delay, what);

    public void At(TimeSpan time, Action what) =>
        _events.Enqueue(what, (Math.Max(time.Ticks, _now), _order++));

    public void RunUntil(TimeSpan end)
    {
        while (_events.TryPeek(out var what, out var due) && due.At <= end.Ticks)
        {
            _events.Dequeue();
            _now = due.At;
            Events++;
            what();
        }

        _now = end.Ticks;
    }
}
