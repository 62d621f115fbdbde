namespace Router.Tests.Cluster.Simulation;

/// <summary>A client: sends datagrams from an endpoint to a member, and changes both.</summary>
internal sealed class SimPeer
{
    private readonly SimCluster _cluster;
    private int _endpoint;
    private int _slot;
    private int _datagrams;
    private int _unanswered;

    public SimPeer(SimCluster cluster, string identity)
    {
        (_cluster, Identity) = (cluster, identity);
        _cluster.Clock.In(cluster.Millis(0, 500), Send);
    }

    public string Identity { get; }

    public void OnReply() => _unanswered = 0;

    private void Send()
    {
        if (_cluster.Phase == SimPhase.Quiet)
        {
            return;
        }

        var random = _cluster.Random;
        var pause = _cluster.Millis(5, 300);
        if (_cluster.Phase == SimPhase.Busy)
        {
            if (random.NextDouble() < pause.TotalMilliseconds / _cluster.Plan.RoamMs)
            {
                Roam();
            }

            if (random.Next(100) == 0)
            {
                pause += _cluster.Millis(0, _cluster.Plan.SilenceMs);
            }
        }

        if (++_unanswered > 8)
        {
            _slot = random.Next(_cluster.Plan.Members);   // the balancer takes another
            _unanswered = 0;
        }

        if (random.Next(50) > 0 && _cluster.Current[_slot] is { IsDead: false } process)
        {
            var (endpoint, datagram) = (_endpoint, ++_datagrams);
            _cluster.Clock.In(_cluster.Millis(0, 3), () => process.Run(() => Arrive(process, endpoint, datagram)));
        }

        _cluster.Clock.In(pause, Send);
    }

    private void Roam()
    {
        if (_cluster.Random.Next(2) == 0)
        {
            _endpoint++;
        }

        if (_cluster.Random.Next(3) > 0)
        {
            _slot = _cluster.Random.Next(_cluster.Plan.Members);
        }
    }

    private void Arrive(SimProcess process, int endpoint, int datagram)
    {
        if (!process.Sessions.TryGetValue((Identity, endpoint), out var session))
        {
            session = new SimSession(_cluster, process, this, endpoint, _cluster.NextSession());
            process.Sessions[(Identity, endpoint)] = session;
        }

        session.Receive(datagram);
    }
}
