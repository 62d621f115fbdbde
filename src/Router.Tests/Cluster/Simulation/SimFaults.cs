namespace Router.Tests.Cluster.Simulation;

/// <summary>What goes wrong while peers are busy.</summary>
internal sealed class SimFaults
{
    private readonly SimCluster _cluster;
    private bool _isOver;

    public SimFaults(SimCluster cluster)
    {
        _cluster = cluster;
        Next();
    }

    public void Heal()
    {
        _isOver = true;
        Join();
        _cluster.Network.Loss = 0;
        _cluster.Store.AwayUntil = TimeSpan.Zero;
    }

    private void Next()
    {
        var pause = _cluster.Plan.Kind switch
        {
            SimKind.Calm => _cluster.Millis(500, 4_000),
            SimKind.Deaths => _cluster.Millis(9_000, 12_000),
            _ => _cluster.Millis(50, 5_000),
        };
        _cluster.Clock.In(pause, () =>
        {
            if (!_isOver)
            {
                Happen();
                Next();
            }
        });
    }

    private void Happen()
    {
        var random = _cluster.Random;
        if (_cluster.Running.Where(member => member.IsRunning).ToList() is not { Count: > 0 } running)
        {
            return;
        }

        var one = running[random.Next(running.Count)];
        switch (_cluster.Plan.Kind)
        {
            case SimKind.Calm when random.Next(2) == 0:
                Move();
                break;
            case SimKind.Calm:
                one.Freeze(_cluster.Millis(10, 700));
                break;
            case SimKind.Deaths:
                one.Kill("killed");
                break;
            default:
                Disturb(one, random.Next(14));
                break;
        }
    }

    private void Disturb(SimProcess one, int which)
    {
        switch (which)
        {
            case 0 or 1:
                one.Kill("killed");
                break;
            case 2:
                one.Freeze(_cluster.Millis(50, 1_500));
                break;
            case 3 or 4:
                one.Freeze(_cluster.Millis(1_000, 9_000));
                break;
            case 5 or 6:
                Cut(_cluster.Millis(100, 2_500));
                break;
            case 7 or 8:
                Cut(_cluster.Millis(2_000, 9_000));
                break;
            case 9 or 10:
                Move();
                break;
            default:
                _cluster.History.Log("the store is away");
                _cluster.Store.AwayUntil = _cluster.Clock.Now + _cluster.Millis(100, 6_000);
                if (_cluster.Random.Next(2) == 0)
                {
                    _cluster.Clock.In(_cluster.Millis(0, 3_000), () => one.Kill("killed while the store was away"));
                }

                break;
        }
    }

    private void Move() => _cluster.Move(_cluster.Identities[_cluster.Random.Next(_cluster.Identities.Count)]);

    private void Cut(TimeSpan time)
    {
        var parts = _cluster.Network.Parts;
        for (var slot = 0; slot < parts.Length; slot++)
        {
            parts[slot] = _cluster.Random.Next(2);
        }

        _cluster.History.Log($"cut: {string.Join(' ', parts[.._cluster.Plan.Members])}");
        _cluster.Clock.In(time, Join);
    }

    private void Join()
    {
        _cluster.History.Log("no cut");
        Array.Clear(_cluster.Network.Parts);
    }
}
