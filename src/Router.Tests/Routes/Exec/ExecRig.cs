using System.Net;
using System.Text;
using Router.Admission;
using Router.Processes;
using Router.Routes;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Routes;

/// <summary>An exec route in a kit, and its one program.</summary>
internal sealed class ExecRig : IDisposable
{
    public const string Program = "/bin/program";

    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public ExecRig(
        Action<SimulatedChild> main,
        Func<ExecRouteSettings, ExecRouteSettings>? change = null,
        PeerProof proof = PeerProof.None,
        string token = "",
        RouterTestKit? kit = null)
    {
        Kit = kit ?? new RouterTestKit();
        Kit.Network.Processes.Install(Program, main);
        var settings = new ExecRouteSettings(
            [Program, "an argument"],
            "/",
            ["PATH=/bin"],
            MaxProcesses: 3,
            Grace,
            ExecRestart.Never,
            ErrorLines: 3,
            new ProcessLimits(),
            new PeerValidation(
                proof, Encoding.UTF8.GetBytes(token), [IPNetwork.Parse("192.0.2.0/24")], TimeSpan.FromSeconds(2),
                new SeededRandom(1)));
        Route = new ExecRoute("exec", change?.Invoke(settings) ?? settings);
    }

    public RouterTestKit Kit { get; }

    public ExecRoute Route { get; }

    public IReadOnlyList<SimulatedChild> Children => Kit.Network.Processes.Started;

    public SimulatedChild Child => Assert.Single(Children);

    public TcpPeer Client(int port = 4000) => Kit.TcpPeer($"192.0.2.1:{port}", Tcp);

    public UdpPeer UdpClient(string endPoint = "192.0.2.1:4000") => Kit.UdpPeer(endPoint, Udp);

    public KitListener Tcp => _tcp ??= Kit.BindTcp(Route);

    public KitListener Udp => _udp ??= Kit.BindUdp(Route);

    private KitListener? _tcp;
    private KitListener? _udp;

    /// <summary>Sends back what it is sent.</summary>
    public static void Echo(SimulatedChild child)
    {
        if (child.Stream is { } stream)
        {
            stream.OnReceived = (self, bytes) => self.Send(bytes.Span);
        }

        child.OnMessage = (self, message) => self.Write(message);
    }

    /// <summary>Nothing is left over once every session has ended: no socket, buffer, process or count.</summary>
    public void AssertNothingLeft()
    {
        Assert.Empty(Kit.OpenSessions);
        Assert.All(Children, static child => Assert.True(child.IsGone));
        Assert.Equal(0, Kit.Network.Processes.Running);
        Assert.Equal(0, Route.Processes.Count);
        Kit.AssertNoLeakedBuffers();
    }

    public void Dispose() => Kit.Dispose();
}
