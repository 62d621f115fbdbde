using Router.Net;

namespace Router.TestKit.Simulation;

/// <summary>A call of the network seam that can be made to fail.</summary>
public enum NetworkOperation
{
    /// <summary>Binding a datagram socket.</summary>
    BindDatagram,

    /// <summary>Opening a connected datagram socket.</summary>
    ConnectDatagram,

    /// <summary>Binding a listening socket.</summary>
    Listen,

    /// <summary>Starting to connect a stream.</summary>
    ConnectStream,

    /// <summary>Watching a socket: epoll_ctl.</summary>
    Watch,

    /// <summary>Receiving at a listener's datagram socket.</summary>
    DatagramReceive,

    /// <summary>
    /// One datagram of a batch; EAGAIN, ENOBUFS and ENOMEM drop it as full, EINTR and ECONNREFUSED are retried, others
    /// drop it as refused.
    /// </summary>
    DatagramSend,

    /// <summary>Receiving at a connected datagram socket.</summary>
    ConnectedReceive,

    /// <summary>Sending from a connected datagram socket.</summary>
    ConnectedSend,

    /// <summary>Accepting a connection.</summary>
    Accept,

    /// <summary>The outcome of a connect under way.</summary>
    ConnectResult,

    /// <summary>Receiving from a stream.</summary>
    StreamReceive,

    /// <summary>Sending to a stream.</summary>
    StreamSend,

    /// <summary>Making a child process's channel: socketpair and pipe.</summary>
    ProcessChannel,

    /// <summary>Starting it: posix_spawn.</summary>
    ProcessStart,
}

/// <summary>
/// What goes wrong in a <see cref="SimulatedNetwork"/>: all off at first, may be changed while it runs, replayed by its
/// seed.
/// </summary>
/// <remarks>
/// Probabilities are 0..1 per datagram, or per call for errors. Streams are never lossy: they know delay and short
/// writes.
/// </remarks>
public sealed class NetworkFaults
{
    private readonly SeededRandom _random;
    private readonly Dictionary<NetworkOperation, Queue<Errno>> _next = [];
    private readonly Dictionary<NetworkOperation, (Errno Error, double Chance)> _chances = [];

    internal NetworkFaults(SeededRandom random) => _random = random;

    /// <summary>Datagrams that never arrive.</summary>
    public double Loss { get; set; }

    /// <summary>Datagrams that arrive twice.</summary>
    public double Duplication { get; set; }

    /// <summary>
    /// Datagrams that are held back by up to <see cref="ReorderWindow"/>, so that later ones overtake them.
    /// </summary>
    public double Reordering { get; set; }

    /// <summary>How late at most a datagram arrives that is overtaken.</summary>
    public TimeSpan ReorderWindow { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The least and the most time between sending and arrival; stream bytes keep their order.</summary>
    public TimeSpan DelayMin { get; set; }

    /// <summary>The longest time on the way.</summary>
    public TimeSpan DelayMax { get; set; }

    /// <summary>
    /// Stream sends of the router that take only a part of the bytes although there is room for more.
    /// </summary>
    public double ShortWrites { get; set; }

    /// <summary>Stream receives of the router that give only a part of the bytes that have arrived.</summary>
    public double ShortReads { get; set; }

    /// <summary>
    /// Whether sockets that are ready at once are told in seeded order instead of the order of registration.
    /// </summary>
    public bool ShuffleReadiness { get; set; }

    /// <summary>
    /// Has the next <paramref name="times"/> calls of <paramref name="operation"/> fail, after <paramref name="after"/>
    /// that do not.
    /// </summary>
    public void Inject(NetworkOperation operation, Errno error, int times = 1, int after = 0)
    {
        if (!_next.TryGetValue(operation, out var queue))
        {
            _next[operation] = queue = new Queue<Errno>();
        }

        for (var i = 0; i < after + times; i++)
        {
            queue.Enqueue(i < after ? Errno.Success : error);
        }
    }

    /// <summary>Has calls of <paramref name="operation"/> fail at random; a probability of 0 ends it.</summary>
    public void InjectAtRandom(NetworkOperation operation, Errno error, double chance)
    {
        // a call that always fails may be tried for ever
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(chance, 1);
        _chances[operation] = (error, chance);
    }

    /// <summary>Injected failures of <paramref name="operation"/> that have not been met yet.</summary>
    public int PendingOf(NetworkOperation operation) => _next.TryGetValue(operation, out var queue) ? queue.Count : 0;

    /// <summary>Ends every fault; what is on its way still arrives late.</summary>
    public void Clear()
    {
        Loss = Duplication = Reordering = ShortWrites = ShortReads = 0;
        DelayMin = DelayMax = TimeSpan.Zero;
        ShuffleReadiness = false;
        _next.Clear();
        _chances.Clear();
    }

    /// <summary>How the call that is being made fails; Success if it does not.</summary>
    internal Errno Next(NetworkOperation operation)
    {
        if (_next.TryGetValue(operation, out var queue) && queue.TryDequeue(out var error) && error != Errno.Success)
        {
            return error;
        }

        return _chances.TryGetValue(operation, out var random) && _random.Chance(random.Chance)
            ? random.Error
            : Errno.Success;
    }

    internal bool Loses() => _random.Chance(Loss);

    internal bool Duplicates() => _random.Chance(Duplication);

    internal TimeSpan DatagramDelay()
    {
        var delay = _random.Between(DelayMin, DelayMax);
        return _random.Chance(Reordering) ? delay + _random.Between(TimeSpan.Zero, ReorderWindow) : delay;
    }

    internal TimeSpan StreamDelay() => _random.Between(DelayMin, DelayMax);

    /// <summary>How many of <paramref name="count"/> bytes a stream call moves, at least 1.</summary>
    internal int Cut(int count, double chance) =>
        count > 1 && _random.Chance(chance) ? 1 + _random.Next(count - 1) : count;

    internal void Shuffle<T>(List<T> items)
    {
        for (var i = items.Count - 1; ShuffleReadiness && i > 0; i--)
        {
            var j = _random.Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
