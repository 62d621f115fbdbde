namespace Router.Tests.Cluster.Simulation;

/// <summary>Carries messages: in order from one to the other, as remoting does, late and not always.</summary>
internal sealed class SimNetwork(SimCluster cluster)
{
    private readonly Dictionary<(object From, object To), TimeSpan> _last = [];

    /// <summary>Which part of the network each machine is in; parts do not hear each other.</summary>
    public int[] Parts { get; } = new int[SimPlan.MembersMax];

    /// <summary>Of messages between members.</summary>
    public double Loss { get; set; }

    public bool AreConnected(SimProcess a, SimProcess b) => Parts[a.Slot] == Parts[b.Slot];

    /// <summary>Both run and hear each other.</summary>
    public bool CanHear(SimProcess a, SimProcess b) => a.IsRunning && b.IsRunning && AreConnected(a, b);

    /// <summary>From process to process.</summary>
    /// <param name="isLossy">Heartbeats are told again so often that their loss is left out.</param>
    public void Send(SimProcess from, SimProcess to, Action deliver, bool isLossy = true)
    {
        if (from == to)
        {
            Local(from, (from, to), deliver);
            return;
        }

        if (!AreConnected(from, to) || (isLossy && cluster.Random.NextDouble() < Loss))
        {
            return;
        }

        var delay = cluster.Random.NextDouble() < 0.03 ? cluster.Millis(0, 150) : cluster.Millis(0, 6);
        cluster.Clock.At(InOrder((from, to), delay), () =>
        {
            if (AreConnected(from, to) && to.Knows(from))
            {
                to.Run(deliver);   // of a process that was removed nothing is taken any more
            }
        });
    }

    /// <summary>Within a process, in order between two actors.</summary>
    public void Local(SimProcess process, (object From, object To) actors, Action deliver)
    {
        var delay = cluster.Random.NextDouble() < 0.05 ? cluster.Millis(0, 30) : cluster.Millis(0, 1);
        cluster.Clock.At(InOrder(actors, delay), () => process.Run(deliver));
    }

    private TimeSpan InOrder((object From, object To) channel, TimeSpan delay)
    {
        var at = cluster.Clock.Now + delay;
        if (_last.TryGetValue(channel, out var last) && last > at)
        {
            at = last;
        }

        return _last[channel] = at;
    }
}
