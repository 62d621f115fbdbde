using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Router.Tests.Functional;

/// <summary>A client of a cluster behind a balancer: it keeps its endpoint, while <see cref="Member"/> decides which
/// member its payloads reach, as a balancer's table does. Answers are taken from all members.</summary>
internal sealed class ClusterClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte[] _buffer = new byte[2_048];
    private readonly int _port;

    /// <summary>Called on the thread of the network that it is to be in.</summary>
    public ClusterClient(int port)
    {
        _port = port;
        _socket.Bind(new IPEndPoint(IPAddress.Parse("10.9.0.254"), 0));
        _socket.Blocking = false;
    }

    /// <summary>The number of the member that payloads are sent to.</summary>
    public int Member { get; set; } = 1;

    /// <summary>Answers so far, with the member that each came from, and when it was taken.</summary>
    public List<(int Member, string Text, long At)> Answers { get; } = [];

    public void Send(string text)
    {
        var to = new IPEndPoint(IPAddress.Parse(ClusterRig.AddressOf(Member)), _port);
        _socket.SendTo(Encoding.UTF8.GetBytes(text), to);
    }

    /// <summary>Takes the answers that are there.</summary>
    public void Take()
    {
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        while (_socket.Poll(0, SelectMode.SelectRead))
        {
            try
            {
                var length = _socket.ReceiveFrom(_buffer, ref from);
                var member = ((IPEndPoint)from).Address.GetAddressBytes()[3];
                Answers.Add((member, Encoding.UTF8.GetString(_buffer, 0, length), TimeProvider.System.GetTimestamp()));
            }
            catch (SocketException)
            {
                // Its port is closed: the member is not there.
            }
        }
    }

    /// <summary>Sends something every few milliseconds and takes what comes, until the condition holds.</summary>
    /// <returns>How long it took.</returns>
    public Task<TimeSpan> TalkUntilAsync(Func<bool> condition, Func<string> what, TimeSpan? within = null)
    {
        var sent = 0;
        return Until.TrueAsync(
            () =>
            {
                Send($"{++sent}");
                Take();
                return condition();
            },
            what, within);
    }

    public void Dispose() => _socket.Dispose();
}
