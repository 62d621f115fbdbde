using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Hosting;
using Router.Routes;
using Router.Running;
using Router.Sessions;

namespace Router.Tests.Hosting;

/// <summary>What a program adds for collect and room routes to name, on real sockets.</summary>
public sealed class RouterPartsTests
{
    private const int Patience = 30_000;

    [Fact]
    public async Task A_window_handler_and_a_room_join_of_the_programs_own_are_made_with_its_services()
    {
        using var file = new TextFile("""
            router {
              listeners {
                gather { bind = "udp://127.0.0.1:0", route = windows }
                talk { bind = "tcp://127.0.0.1:0", route = rooms }
              }
              routes {
                windows { type = collect, to = handler, name = tally, window = 1h, per = listener }
                rooms { type = room, join = handler, name = lobby, to-sender = on }
              }
            }
            """);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        var seen = new ConcurrentQueue<string>();
        builder.Services.AddSingleton(seen);
        builder.Services.AddRouter(
            file.Path, router => router.AddWindowHandler<Tally>("tally").AddRoomJoin<Lobby>("lobby"));
        using var host = builder.Build();
        await host.StartAsync();
        var engine = host.Services.GetServices<IHostedService>().OfType<RouterService>().Single().Engine!;

        using var udp = new Socket(SocketType.Dgram, ProtocolType.Udp);
        udp.Connect(engine.Bound[0].Address.ToIPEndPoint());
        udp.Send("gathered"u8);
        using var tcp = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = Patience };
        tcp.Connect(engine.Bound[1].Address.ToIPEndPoint());
        tcp.Send("anything\nsaid\n"u8);
        Span<byte> heard = stackalloc byte[16];
        Assert.Equal("said\n", Encoding.ASCII.GetString(heard[..tcp.Receive(heard)]));
        Assert.True(SpinWait.SpinUntil(
            () => engine.Stats.Read().Sum(static listener => listener.PayloadsIn) >= 2, Patience));
        tcp.Dispose();
        await host.StopAsync();

        Assert.Equal(["asked: anything", "window 1: gathered"], seen);
    }

    [Theory]
    [InlineData("type = collect, to = handler, name = nobody", "'nobody', which the program did not add; added: none")]
    [InlineData("type = collect, to = handler, class = \"No.Such, Thing\"", "class 'No.Such, Thing' is not found")]
    [InlineData("type = collect, to = handler, class = \"System.Object\"", "is no WindowHandler with a public")]
    [InlineData("type = room, join = handler, name = nobody", "'nobody', which the program did not add; added: none")]
    [InlineData("type = room, join = handler, class = \"System.Object\"", "is no RoomJoin with a public")]
    public void What_the_program_did_not_add_is_named_with_its_place(string route, string words)
    {
        using var file = new TextFile(
            $"router {{ listeners.a {{ bind = \"udp://127.0.0.1:0\", route = b }}\n routes.b {{ {route} }} }}");
        var loaded = SetupLoader.Load(
            file.Path, [], ProgramParts.None, TimeProvider.System);

        Assert.Null(loaded.Setup);
        var fault = Assert.Single(loaded.Faults);
        Assert.StartsWith($"{file.Path}:2", fault, StringComparison.Ordinal);
        Assert.Contains(words, fault, StringComparison.Ordinal);
    }

    private sealed class Tally(ConcurrentQueue<string> seen) : WindowHandler
    {
        public override void OnWindow(CollectedWindow window)
        {
            foreach (var payload in window)
            {
                seen.Enqueue($"window {window.Number}: {Encoding.UTF8.GetString(payload.Bytes)}");
            }
        }
    }

    private sealed class Lobby(ConcurrentQueue<string> seen) : RoomJoin
    {
        public override string? RoomOf(SessionContext session, ReadOnlySpan<byte> payload)
        {
            seen.Enqueue($"asked: {Encoding.UTF8.GetString(payload.TrimEnd("\n"u8))}");
            return "lobby";
        }
    }
}
