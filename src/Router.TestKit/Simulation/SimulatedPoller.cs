using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>What a socket of the simulated network is ready for, as poll(2) would say now.</summary>
internal interface IReadiness
{
    IoReadiness Ready { get; }
}

/// <summary>Level-triggered readiness of simulated sockets. Never blocks, whatever time-out is asked for.</summary>
internal sealed class SimulatedPoller(SimulatedNetwork network) : IPoller
{
    private readonly List<IoSocket> _sockets = [];
    private readonly List<IoSocket> _ready = [];
    private bool _disposed;

    public int Add(IoSocket socket, IoReadiness interest)
    {
        var error = network.Faults.Next(NetworkOperation.Watch);
        if (error != Errno.Success)
        {
            return -(int)error;
        }

        _sockets.Add(socket);
        return 0;
    }

    public void Modify(IoSocket socket, IoReadiness interest)
    {
    }

    public void Remove(IoSocket socket) => _sockets.Remove(socket);

    public int Wait(int timeoutMs)
    {
        var told = network.RunDue();
        foreach (var socket in _sockets)
        {
            if (ReadyOf(socket) != IoReadiness.None)
            {
                _ready.Add(socket);
            }
        }

        network.Faults.Shuffle(_ready);
        told += _ready.Count;
        foreach (var socket in _ready)
        {
            if (socket.Loop is not null && ReadyOf(socket) is var ready && ready != IoReadiness.None)
            {
                socket.Tell(ready);   // unless an earlier receiver has closed it, or drained it
            }
        }

        _ready.Clear();
        return told;
    }

    public void Wake()
    {
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            network.OpenPollers--;
        }
    }

    private static IoReadiness ReadyOf(IoSocket socket) =>
        ((IReadiness)socket).Ready & (socket.Interest | IoReadiness.Failed);
}
