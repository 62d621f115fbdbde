using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Router.Hosting;
using Router.Net;
using Router.Sessions;
using Router.Tests.Kit;

namespace Router.Tests.Hosting;

/// <summary>
/// What the loop's thread allocates per message, on real sockets, must not exceed what
/// src/Router.Benchmarks/allocations.json says.
/// </summary>
public sealed class AllocationGateTests
{
    private const int WarmUp = 3_000;
    private const int Measured = 5_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private int _sent;

    [Theory]
    [InlineData("echo-udp", "type = echo", SocketType.Dgram)]
    [InlineData("echo-tcp", "type = echo", SocketType.Stream)]
    [InlineData("reply-udp", "type = reply, text = \"I hear you\"", SocketType.Dgram)]
    [InlineData("reply-template-udp", "type = reply, text = \"{peer}{count}{time}\"", SocketType.Dgram)]
    [InlineData("handler-udp", "type = handler, name = echo", SocketType.Dgram)]
    [InlineData("proxy-udp", "type = proxy, upstreams = [\"127.0.0.1:UPSTREAM\"]", SocketType.Dgram)]
    [InlineData("proxy-tcp", "type = proxy, upstreams = [\"127.0.0.1:UPSTREAM\"]", SocketType.Stream)]
    public async Task A_message_allocates_no_more_than_the_checked_in_figure(string name, string route, SocketType type)
    {
        await using var upstream = Start("type = echo", loops: 1);
        var port = upstream.Bound[type == SocketType.Dgram ? 0 : 1].Address.Port;
        await using var engine = Start(route.Replace("UPSTREAM", $"{port}"), loops: 1);
        using var client = new Socket(type, type == SocketType.Dgram ? ProtocolType.Udp : ProtocolType.Tcp);
        client.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        client.Connect(engine.Bound[type == SocketType.Dgram ? 0 : 1].Address.ToIPEndPoint());

        Exchange(client, WarmUp);
        var allocated = await Least(engine.Loops[0], () => Exchange(client, Measured));

        var allowed = Expected(name) * Measured + Probe.Bytes;
        Assert.True(
            allocated <= allowed, $"{name}: {(double)allocated / Measured:F3} bytes per message, {allocated} in all");
    }

    /// <summary>Also with many sessions in one batch: splitting, grouping and flushing allocate nothing.</summary>
    [Fact]
    public async Task Interleaved_sessions_allocate_nothing_per_datagram()
    {
        await using var engine = Start("type = echo", loops: 1);
        var clients = Enumerable.Range(0, 16).Select(_ => new Socket(SocketType.Dgram, ProtocolType.Udp)).ToArray();
        foreach (var client in clients)
        {
            client.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            client.Connect(engine.Bound[0].Address.ToIPEndPoint());
        }

        ExchangeAll(clients, 200);
        var allocated = await Least(engine.Loops[0], () => ExchangeAll(clients, 300));
        Array.ForEach(clients, static client => client.Dispose());
        Assert.True(allocated <= Probe.Bytes, $"{allocated} bytes for {300 * 16 * 4} datagrams");
    }

    /// <summary>
    /// A session that is opened and then idle: what its loop allocates for it, so what is kept and what was garbage
    /// meanwhile, its share of the table and of its listener's children included.
    /// </summary>
    [Fact]
    public async Task An_idle_session_allocates_no_more_than_the_checked_in_figure()
    {
        const int Sessions = 2_000;
        await using var engine = Start("type = echo", loops: 1);
        var server = engine.Bound[0].Address.ToIPEndPoint();
        OpenSessions(server, 100, firstAddress: 60_000);   // pools filled, code compiled
        var before = await AllocatedOn(engine.Loops[0]);
        OpenSessions(server, Sessions, firstAddress: 0);
        var bytes = (await AllocatedOn(engine.Loops[0]) - before) / Sessions;

        Assert.Equal(Sessions + 100, engine.Stats.Sessions);
        Assert.True(bytes <= Expected("idle-session-udp"), $"{bytes} bytes per session");
    }

    /// <summary>Copying payloads into a window, once its memory is there.</summary>
    [Theory]
    [InlineData("session")]
    [InlineData("listener")]
    public async Task Gathering_allocates_nothing_per_datagram(string per)
    {
        await using var engine = Start(
            $"type = collect, to = log, per = {per}, window = infinite, bytes = 64 MiB, buffer = 1 GiB", loops: 1);
        using var client = new Socket(SocketType.Dgram, ProtocolType.Udp);
        client.Connect(engine.Bound[0].Address.ToIPEndPoint());
        Gather(engine, client, WarmUp);
        var allocated = await Least(engine.Loops[0], () => Gather(engine, client, Measured));
        Assert.True(allocated <= Probe.Bytes, $"{allocated} bytes for {Measured} datagrams");
    }

    /// <summary>What one of a room says, sent to all of it: on the speaker's loop and on another.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Saying_something_in_a_room_allocates_nothing(int loops)
    {
        await using var engine = Start("type = room, join = listener, validate = none, to-sender = on", loops);
        var clients = Enumerable.Range(0, 8).Select(_ => new Socket(SocketType.Dgram, ProtocolType.Udp)).ToArray();
        for (var joined = 0; joined < clients.Length; joined++)
        {
            clients[joined].ReceiveTimeout = (int)Patience.TotalMilliseconds;
            clients[joined].Connect(engine.Bound[0].Address.ToIPEndPoint());
            Talk(clients.AsSpan(0, joined + 1), clients.AsSpan(joined, 1), rounds: 1);
        }

        // Between loops there are as many pieces under way as one of them lags behind: some may be new. One object per
        // payload would be 19,200 bytes at least.
        const int Rounds = 100;
        var allowed = loops == 1 ? Probe.Bytes : 8 * Rounds * 10;
        Talk(clients, clients, rounds: 200);
        foreach (var loop in engine.Loops)
        {
            var allocated = await Least(loop, () => Talk(clients, clients, Rounds));
            Assert.True(allocated <= allowed, $"{allocated} bytes for {8 * Rounds} payloads, 8 copies each");
        }

        Array.ForEach(clients, static client => client.Dispose());
    }

    /// <summary>The gate itself: 32 bytes a message are seen.</summary>
    [Fact]
    public async Task A_handler_that_allocates_is_seen()
    {
        await using var engine = Start("type = handler, name = allocating", loops: 1);
        using var client = new Socket(SocketType.Dgram, ProtocolType.Udp);
        client.Connect(engine.Bound[0].Address.ToIPEndPoint());
        Exchange(client, 100);
        var before = await AllocatedOn(engine.Loops[0]);
        Exchange(client, 1_000);
        Assert.InRange(await AllocatedOn(engine.Loops[0]) - before, 32_000, 100_000);
    }

    private static void Exchange(Socket client, int messages)
    {
        Span<byte> payload = stackalloc byte[64];
        Span<byte> reply = stackalloc byte[2048];
        for (var i = 0; i < messages; i++)
        {
            client.Send(payload);
            Assert.True(client.Receive(reply) > 0);
        }
    }

    private static void ExchangeAll(Socket[] clients, int rounds)
    {
        Span<byte> payload = stackalloc byte[64];
        Span<byte> reply = stackalloc byte[2048];
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < 4; i++)
            {
                foreach (var client in clients)
                {
                    client.Send(payload);
                }
            }

            for (var i = 0; i < 4; i++)
            {
                foreach (var client in clients)
                {
                    Assert.Equal(64, client.Receive(reply));
                }
            }
        }
    }

    /// <summary>One datagram and its echo from each of so many addresses of the loopback network.</summary>
    private static void OpenSessions(IPEndPoint server, int count, int firstAddress)
    {
        Span<byte> payload = stackalloc byte[64];
        for (var i = firstAddress; i < firstAddress + count; i++)
        {
            using var peer = new Socket(SocketType.Dgram, ProtocolType.Udp);
            peer.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            peer.Bind(new IPEndPoint(new IPAddress([127, 3, (byte)(i >> 8), (byte)i]), 0));
            peer.Connect(server);
            peer.Send(payload);
            Assert.Equal(64, peer.Receive(payload));
        }
    }

    /// <summary>Each speaker says something, and each member hears all of it.</summary>
    private static void Talk(ReadOnlySpan<Socket> members, ReadOnlySpan<Socket> speakers, int rounds)
    {
        Span<byte> payload = stackalloc byte[64];
        Span<byte> heard = stackalloc byte[2048];
        for (var round = 0; round < rounds; round++)
        {
            foreach (var speaker in speakers)
            {
                speaker.Send(payload);
            }

            for (var copies = 0; copies < members.Length * speakers.Length; copies++)
            {
                Assert.Equal(64, members[copies % members.Length].Receive(heard));
            }
        }
    }

    /// <summary>Sends in small bursts, none before the one before has come.</summary>
    private void Gather(RouterEngine engine, Socket client, int messages)
    {
        const int Burst = 50;
        Span<byte> payload = stackalloc byte[64];
        for (var i = 0; i < messages; i += Burst)
        {
            for (var each = 0; each < Burst; each++)
            {
                client.Send(payload);
            }

            _sent += Burst;
            Assert.True(SpinWait.SpinUntil(
                () => engine.Stats.Read().Sum(static listener => listener.PayloadsIn) == _sent, Patience));
        }
    }

    private static int Expected(string name)
    {
        var file = Path.Combine(Tidy.Repository.Root, "src", "Router.Benchmarks", "allocations.json");
        return JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(file))![name];
    }

    private static RouterEngine Start(string route, int loops)
    {
        using var file = new TextFile($$"""
            router {
              loops = {{loops}}, log { stats-interval = infinite }
              listeners { l { bind = ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"], route = r } }
              routes { r { {{route}} } }
            }
            """);
        var handlers = new Dictionary<string, Func<SessionHandler>>
        {
            ["echo"] = static () => new EchoHandler(),
            ["allocating"] = static () => new AllocatingHandler(),
        };
        var loaded = RouterLoader.Load(file.Path, [], handlers, TimeProvider.System);
        Assert.Empty(loaded.Faults);
        var log = LoggerFactory.Create(static _ => { }).CreateLogger("test");
        return loaded.Setup!.Start(TimeProvider.System, RandomSource.System, log, out _)!;
    }

    /// <summary>The least of three runs: what the code allocates is there every time.</summary>
    private static async Task<long> Least(IoLoop loop, Action work)
    {
        var least = long.MaxValue;
        for (var run = 0; run < 3 && least > Probe.Bytes; run++)
        {
            var before = await AllocatedOn(loop);
            work();
            least = Math.Min(least, await AllocatedOn(loop) - before);
        }

        return least;
    }

    private static Task<long> AllocatedOn(IoLoop loop)
    {
        var probe = new Probe();
        loop.Enqueue(probe);
        return probe.Allocated.WaitAsync(Patience);
    }

    private sealed class AllocatingHandler : SessionHandler
    {
        private byte[]? _last;

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                _last = new byte[8];   // 32 bytes with its header
                session.Reply(payload);
            }

            GC.KeepAlive(_last);
        }
    }

    /// <summary>Reads the loop thread's own counter, on it.</summary>
    private sealed class Probe : IRunnable
    {
        /// <summary>What reading itself may cost: the completion of one task.</summary>
        public const int Bytes = 512;

        private readonly TaskCompletionSource<long> _allocated = new(
            TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<long> Allocated => _allocated.Task;

        public void Run() => _allocated.SetResult(GC.GetAllocatedBytesForCurrentThread());

        public void Execute() => Run();
    }
}
