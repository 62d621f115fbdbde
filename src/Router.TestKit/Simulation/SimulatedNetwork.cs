using System.Net;
using System.Numerics;
using System.Runtime.InteropServices;
using Router.Net;
using Router.Processes;

namespace Router.TestKit.Simulation;

/// <summary>A network in memory, on one thread and in virtual time: the sockets of a router and those of its
/// peers.</summary>
/// <remarks>
/// Every address exists on it, like loopback: whoever binds one owns it. What is sent arrives at once, or later under
/// <see cref="Faults"/>; the same seed and the same calls give the same <see cref="TraceHash"/>. A datagram to an
/// address that nobody has bound is refused (ICMP), and so is a connect, unless the address is a black hole.
/// </remarks>
internal sealed partial class SimulatedNetwork : IProcessNetwork
{
    /// <summary>Receive buffer of a datagram socket that asks for none, bytes.</summary>
    public const int DefaultReceiveBuffer = 4 * 1024 * 1024;

    private readonly PriorityQueue<Action, (long DueTicks, long Order)> _events = new();
    private readonly HashSet<SocketAddr> _blackHoles = [];
    private readonly List<IoSocket> _open = [];
    private long _order;
    private ushort _ephemeralPort = 32_767;
    private int _lastId;

    public SimulatedNetwork(VirtualTimeProvider time, SeededRandom random)
    {
        Time = time;
        Faults = new NetworkFaults(random);
        Processes = new SimulatedProcesses(this);
    }

    public string Name => "simulated";

    /// <summary>Streams and datagrams (unix://, unixgram://); unixpacket:// answers -EAFNOSUPPORT.</summary>
    public bool SupportsUnix => true;

    public VirtualTimeProvider Time { get; }

    /// <summary>Child processes, for the programs that a test makes known.</summary>
    public SimulatedProcesses Processes { get; }

    IProcesses IProcessNetwork.Processes => Processes;

    public NetworkFaults Faults { get; }

    /// <summary>Bytes that one direction of a stream holds between sender and receiver. A change holds for later
    /// connections.</summary>
    public int StreamBufferBytes { get; set; } = 64 * 1024;

    /// <summary>Whether equal datagrams of one peer that lie one behind the other are received as a train, as UDP_GRO
    /// does it.</summary>
    public bool DeliversTrains { get; set; }

    /// <summary>The address that a socket of the router has when it is bound to a wildcard and its datagram names
    /// none, or when it connects.</summary>
    public IPAddress HostAddress { get; set; } = IPAddress.Parse("198.51.100.1");

    public IPAddress HostAddressIPv6 { get; set; } = IPAddress.Parse("2001:db8::1");

    /// <summary>Everything that happened so far, folded: equal for equal runs.</summary>
    public ulong TraceHash { get; private set; }

    /// <summary>Told every event as it is folded into the trace: for looking at a run that failed.</summary>
    public Action<string>? OnTrace { get; set; }

    /// <summary>Sockets of the router that are open: a leak check compares them.</summary>
    public int OpenSockets => _open.Count;

    /// <summary>Pollers of the router that are open.</summary>
    public int OpenPollers { get; internal set; }

    /// <summary>Datagrams that arrived nowhere: lost, refused, or the receiver's buffer was full.</summary>
    public long DatagramsLost { get; private set; }

    /// <summary>When something on its way arrives next, as the clock's Elapsed will say then; null when nothing
    /// is.</summary>
    public TimeSpan? NextArrival =>
        _events.TryPeek(out _, out var due) ? TimeSpan.FromTicks(due.DueTicks) : null;

    public IPoller CreatePoller()
    {
        OpenPollers++;
        return new SimulatedPoller(this);
    }

    /// <summary>What is sent or connected to <paramref name="endPoint"/> vanishes without a word until told
    /// otherwise.</summary>
    public void SetBlackHole(IPEndPoint endPoint, bool isBlackHole = true)
    {
        var address = Canonical(SocketAddr.From(endPoint));
        if (isBlackHole)
        {
            _blackHoles.Add(address);
        }
        else
        {
            _blackHoles.Remove(address);
        }
    }

    /// <summary>Delivers what has arrived by now.</summary>
    /// <returns>Arrivals.</returns>
    internal int RunDue()
    {
        var count = 0;
        while (_events.TryPeek(out _, out var due) && due.DueTicks <= Time.Elapsed.Ticks)
        {
            count++;
            _events.Dequeue()();
        }

        return count;
    }

    internal void After(TimeSpan delay, Action arrival) => At(Time.Elapsed + delay, arrival);

    internal void At(TimeSpan elapsed, Action arrival) => _events.Enqueue(arrival, (elapsed.Ticks, ++_order));

    internal bool IsBlackHole(in SocketAddr address) => _blackHoles.Contains(address);

    internal int OnOpened(IoSocket socket)
    {
        _open.Add(socket);
        return ++_lastId;
    }

    internal void OnClosed(IoSocket socket, int id)
    {
        _open.Remove(socket);
        Trace("close", id, 0);
    }

    /// <summary>Folds one event into the trace: what, which socket, the result, the bytes, and when.</summary>
    internal void Trace(string what, int id, long result, ReadOnlySpan<byte> bytes = default)
    {
        const ulong Prime = 0x0000_0100_0000_01B3;   // FNV-1a's
        var hash = TraceHash;
        foreach (var letter in what)
        {
            hash = (hash ^ letter) * Prime;
        }

        foreach (var eight in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            hash = (BitOperations.RotateLeft(hash, 5) ^ eight) * Prime;
        }

        foreach (var one in bytes[(bytes.Length & ~7)..])
        {
            hash = (hash ^ one) * Prime;
        }

        hash = SeededRandom.Mix(hash ^ ((ulong)id << 32) ^ (ulong)result);
        TraceHash = SeededRandom.Mix(hash + (ulong)Time.Elapsed.Ticks);
        OnTrace?.Invoke($"{Time.Elapsed.TotalMilliseconds:0.###} ms {what} #{id} = {result} [{bytes.Length}]");
    }

    /// <summary>IPv4 as IPv4, however a socket spells it; no flow label, no scope.</summary>
    internal static SocketAddr Canonical(in SocketAddr address) =>
        address.IsUnix ? address : SocketAddr.From(address.Address, address.Port);

    /// <summary>The address that the router's own end of a connection to <paramref name="remote"/> gets.</summary>
    internal SocketAddr NewLocalAddress(in SocketAddr remote) => remote.IsUnix
        ? NewUnixName(remote)
        : SocketAddr.From(remote.Family == SocketAddr.FamilyIPv6 ? HostAddressIPv6 : HostAddress, NextPort());

    /// <summary>Port 0 asks for one: 32,768 upwards, around.</summary>
    internal int NextPort()
    {
        _ephemeralPort = _ephemeralPort == ushort.MaxValue ? (ushort)32_768 : (ushort)(_ephemeralPort + 1);
        return _ephemeralPort;
    }

    /// <summary>A datagram socket is named as by autobind; a connection has no name.</summary>
    private SocketAddr NewUnixName(in SocketAddr remote)
    {
        var name = System.Text.Encoding.ASCII.GetBytes($"\0{NextPort():x5}");
        var isNamed = remote.UnixType == UnixSocketType.Datagram;
        return SocketAddr.Unix(remote.UnixType, isNamed ? UnixNames.NumberOf(name, credentials: null) : 0);
    }

    private static int FailureOf(Errno error) => -(int)error;
}
