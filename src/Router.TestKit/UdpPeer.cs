using System.Net;
using System.Text;
using Router.Net;
using Router.TestKit.Simulation;

namespace Router.TestKit;

/// <summary>A datagram that reached a peer of a test.</summary>
/// <param name="From">Who sent it.</param>
/// <param name="Payload">Its bytes.</param>
public sealed record ReceivedDatagram(IPEndPoint From, byte[] Payload);

/// <summary>The other side of UDP sessions, in a test's hands: a client of a listener, or an upstream that is sent
/// to.</summary>
public sealed class UdpPeer : IDatagramPort
{
    private readonly SimulatedNetwork _network;
    private readonly SocketAddr _local;
    private readonly SocketAddr _to;
    private readonly List<ReceivedDatagram> _received = [];

    internal UdpPeer(SimulatedNetwork network, IPEndPoint endPoint, IPEndPoint? to)
        : this(
            network,
            SimulatedNetwork.Canonical(SocketAddr.From(endPoint)),
            to is null ? default : SimulatedNetwork.Canonical(SocketAddr.From(to)))
    {
    }

    internal UdpPeer(SimulatedNetwork network, in SocketAddr local, in SocketAddr to)
    {
        _network = network;
        _local = local;
        _to = to;
        EndPoint = _local.ToIPEndPoint();
        if (network.IsBound(_local))
        {
            throw new InvalidOperationException($"{local} is bound already");
        }

        network.AddPort(_local, this);
    }

    /// <summary>Its own address: what a session has as its peer.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>What has come, in order of arrival.</summary>
    public IReadOnlyList<ReceivedDatagram> Received => _received;

    /// <summary>The same as UTF-8 text.</summary>
    public IReadOnlyList<string> ReceivedText =>
        [.. _received.Select(static datagram => Encoding.UTF8.GetString(datagram.Payload))];

    /// <summary>Runs on every arrival; may send. Upstreams of tests answer here.</summary>
    public Action<ReceivedDatagram>? OnReceived { get; set; }

    /// <summary>Datagrams of this peer that met nobody (ICMP port unreachable).</summary>
    public int Refusals { get; private set; }

    /// <summary>Sends one datagram, possibly empty, to the listener the peer was made for.</summary>
    /// <exception cref="ArgumentException">IPv4 cannot carry more than 65,507 bytes; IPv6 can (jumbograms, RFC
    /// 2675).</exception>
    public void Send(ReadOnlySpan<byte> payload) => Send(
        _to.IsEmpty ? throw new InvalidOperationException("the peer was made without a listener: use SendTo") : _to,
        payload);

    /// <summary>Sends one datagram to anybody.</summary>
    /// <exception cref="ArgumentException">As with <see cref="Send(ReadOnlySpan{byte})"/>.</exception>
    public void SendTo(IPEndPoint to, ReadOnlySpan<byte> payload) =>
        Send(SimulatedNetwork.Canonical(SocketAddr.From(to)), payload);

    /// <summary>Forgets what has come.</summary>
    public void ClearReceived() => _received.Clear();

    /// <summary>Closes the peer's socket: what is still sent to it is refused.</summary>
    public void Close() => _network.RemovePort(_local, this);

    bool IDatagramPort.Deliver(in SocketAddr from, in SocketAddr to, byte[] payload)
    {
        var datagram = new ReceivedDatagram(from.ToIPEndPoint(), payload);
        _received.Add(datagram);
        OnReceived?.Invoke(datagram);
        return true;
    }

    void IDatagramPort.OnRefused(in SocketAddr to) => Refusals++;

    private void Send(in SocketAddr to, ReadOnlySpan<byte> payload)
    {
        if (_local.Family == SocketAddr.FamilyIPv4 && payload.Length > _local.DatagramBytesMax)
        {
            throw new ArgumentException($"{payload.Length} bytes are too many for IPv4", nameof(payload));
        }

        _network.SendDatagram(this, _local, to, payload);
    }
}
