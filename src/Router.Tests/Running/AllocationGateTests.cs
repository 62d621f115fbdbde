using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Router.Diagnostics;
using Router.Loop;
using Router.Routes;
using Router.Running;
using Router.Sessions;
using Router.Tests.Functional;
using Router.Tests.Sessions;

namespace Router.Tests.Running;

/// <summary>
/// What the loop's thread allocates per message, on real sockets, must not exceed what
/// src/Router.Benchmarks/allocations.json says.
/// </summary>
[Collection(AllocationGate.Alone)]
public sealed class AllocationGateTests
{
    private const int WarmUp = 3_000;
    private const int Measured = 5_000;

    private int _sent;

    [Theory]
    [InlineData("echo-udp", "type = echo")]
    [InlineData("echo-tcp", "type = echo")]
    [InlineData("reply-udp", "type = reply, text = \"I hear you\"")]
    [InlineData("reply-template-udp", "type = reply, text = \"{peer}{count}{time}\"")]
    [InlineData("reply-tcp", "type = reply, text = \"I hear you\"")]
    [InlineData("handler-udp", "type = handler, name = echo")]
    [InlineData("handler-tcp", "type = handler, name = echo")]
    [InlineData("proxy-udp", "type = proxy, upstreams = [\"127.0.0.1:UPSTREAM\"]")]
    [InlineData("proxy-follow-udp", "type = proxy, upstream-replies = follow, upstreams = [\"127.0.0.1:UPSTREAM\"]")]
    [InlineData("proxy-tcp", "type = proxy, upstreams = [\"127.0.0.1:UPSTREAM\"]")]
    [InlineData("exec-udp", "type = exec, command = [/bin/cat], validate = none")]
    [InlineData("exec-tcp", "type = exec, command = [/bin/cat]")]
    [InlineData("connected-udp", "type = echo", "session-socket = connected")]
    public async Task A_message_allocates_no_more_than_the_checked_in_figure(
        string name, string route, string listener = "")
    {
        var type = TypeOf(name);
        await using var upstream = AllocationGate.Start("type = echo", loops: 1);
        var port = upstream.Bound[type == SocketType.Dgram ? 0 : 1].Address.Port;
        await using var engine = AllocationGate.Start(route.Replace("UPSTREAM", $"{port}"), loops: 1, listener);
        using var client = Connect(engine, type);

        Exchange(client, WarmUp);
        await AssertGate(name, engine.Loops[0], () => Exchange(client, Measured));
    }

    /// <summary>A flow of a handler is handed to its control session as a copy that the handler may keep; a flow of a
    /// proxy goes on as any datagram does. 120 bytes for 64: the copy, 88, and the message that carries it.</summary>
    [Theory]
    [InlineData("flow-handler-udp", "type = handler, name = flows")]
    [InlineData("flow-handler-tcp", "type = handler, name = flows")]
    [InlineData("flow-proxy-udp", "type = proxy, upstreams = [\"127.0.0.1:UPSTREAM\"]")]
    [InlineData("flow-proxy-tcp", "type = proxy, upstreams = [\"127.0.0.1:UPSTREAM\"]")]
    public async Task A_message_of_control_and_flow_allocates_no_more_than_the_checked_in_figure(
        string name, string inner)
    {
        // One upstream for both, so the port must be free for both.
        await using var upstream = AllocationGate.Start("type = echo", loops: 1);
        var port = upstream.Bound[1].Address.Port;
        await using var media = AllocationGate.Start("type = echo", loops: 1, bind: $"udp://127.0.0.1:{port}");
        var routes = $"type = flow, route = inner }}\n inner {{ {inner.Replace("UPSTREAM", $"{port}")}";
        await using var engine = AllocationGate.Start(routes, loops: 1);
        using var control = Connect(engine, SocketType.Stream);
        Exchange(control, 1);
        using var flow = Connect(engine, SocketType.Dgram);

        var client = TypeOf(name) == SocketType.Dgram ? flow : control;
        Exchange(flow, WarmUp);
        Exchange(control, WarmUp);
        await AssertGate(name, engine.Loops[0], () => Exchange(client, Measured));
    }

    /// <summary>The actor is told a copy that it may keep, 88 bytes for 64, by a message of 56.</summary>
    [Theory]
    [InlineData("actor-udp")]
    [InlineData("actor-tcp")]
    public async Task A_message_to_an_actor_allocates_no_more_than_the_checked_in_figure(string name)
    {
        await using var engine = AllocationGate.Start("type = actor, path = /user/backend", loops: 1);
        engine.System.ActorOf(Props.Create<AllocationGate.EchoingActor>(), "backend");
        using var client = Connect(engine, TypeOf(name));

        Exchange(client, WarmUp);
        await AssertGate(name, engine.Loops[0], () => Exchange(client, Measured));
    }

    /// <summary>A route or transport that comes new needs a figure, and every figure is held by a test here.</summary>
    [Fact]
    public void Every_route_has_a_figure_over_both_transports_and_no_figure_is_idle()
    {
        var figures = AllocationGate.Figures.Keys.ToHashSet();
        Assert.All(RouteTypes.All, type => Assert.Contains(figures, name => Is(name, type.Name, "-udp")));
        Assert.All(RouteTypes.All, type => Assert.Contains(figures, name => Is(name, type.Name, "-tcp")));
        var tested = typeof(AllocationGateTests).GetMethods()
            .SelectMany(static method => method.GetCustomAttributes<InlineDataAttribute>()
                .Select(data => data.GetData(method).Single()[0]))
            .OfType<string>();
        Assert.Equal(figures.Order(), tested.Order());

        static bool Is(string name, string type, string transport) =>
            name.StartsWith(type, StringComparison.Ordinal) && name.EndsWith(transport, StringComparison.Ordinal);
    }

    /// <summary>Also with many sessions in one batch: splitting, grouping and flushing allocate nothing.</summary>
    [Fact]
    public async Task Interleaved_sessions_allocate_nothing_per_datagram()
    {
        await using var engine = AllocationGate.Start("type = echo", loops: 1);
        var clients = Enumerable.Range(0, 16).Select(_ => Connect(engine, SocketType.Dgram)).ToArray();
        ExchangeAll(clients, 200);
        var allocated = await AllocationGate.Least(engine.Loops[0], () => ExchangeAll(clients, 300));
        Array.ForEach(clients, static client => client.Dispose());
        Assert.True(allocated <= AllocationGate.Noise, $"{allocated} bytes for {300 * 16 * 4} datagrams");
    }

    /// <summary>What is timed goes into a ring that is there once; who collects empties it elsewhere.</summary>
    [Fact]
    public async Task Turns_that_are_timed_allocate_nothing()
    {
        await using var engine = AllocationGate.Start("type = echo", loops: 1);
        var turns = engine.Loops[0].Turns;
        engine.Loops[0].Enqueue(new ActionRunnable(turns.Start));
        using var client = Connect(engine, SocketType.Dgram);
        Exchange(client, WarmUp);
        var timed = 0;
        turns.Take(_ => timed++);

        var allocated = await AllocationGate.Least(engine.Loops[0], () => Exchange(client, Measured));

        turns.Take(_ => timed++);
        Assert.True(timed > 10, $"{timed} turns were timed");
        Assert.True(allocated <= AllocationGate.Noise, $"{allocated} bytes for {Measured} datagrams");
    }

    /// <summary>
    /// A session that is opened and then idle: what its loop allocates for it, so what is kept and what was garbage
    /// meanwhile, its share of the table, the poller's places and its listener's children included.
    /// </summary>
    [Theory]
    [InlineData("idle-session-udp")]
    [InlineData("idle-session-tcp")]
    [InlineData("prepared-session-udp")]
    [InlineData("prepared-session-tcp")]
    public async Task An_idle_session_allocates_no_more_than_the_checked_in_figure(string name)
    {
        const int Sessions = 2_000;
        var isPrepared = name.StartsWith("prepared", StringComparison.Ordinal);
        await using var engine = AllocationGate.Start(
            "type = echo", loops: 1, router: $"heap.prepared-sessions = {(isPrepared ? 10_000 : 0)}");
        if (isPrepared)
        {
            await Until.TrueAsync(() => engine.Spare == 10_000, () => $"{engine.Spare} spare sessions");
        }

        var clients = new List<Socket>();
        Open(100, firstAddress: 60_000);   // pools filled, code compiled
        var before = await AllocationGate.AllocatedOn(engine.Loops[0]);
        Open(Sessions, firstAddress: 0);
        var bytes = (await AllocationGate.AllocatedOn(engine.Loops[0]) - before) / Sessions;

        Assert.Equal(Sessions + 100, engine.Stats.Sessions);
        clients.ForEach(static client => client.Dispose());
        Assert.True(bytes <= AllocationGate.Figures[name], $"{bytes} bytes per session");

        void Open(int count, int firstAddress)
        {
            if (TypeOf(name) == SocketType.Dgram)
            {
                OpenSessions(engine.Bound[0].Address.ToIPEndPoint(), count, firstAddress);
                return;
            }

            for (var i = 0; i < count; i++)
            {
                clients.Add(Connect(engine, SocketType.Stream));
                Exchange(clients[^1], 1);
            }
        }
    }

    /// <summary>A session that opens with the actor of one that has ended, and ends in its turn.</summary>
    [Theory]
    [InlineData("spare-session-udp")]
    public async Task A_session_that_takes_a_spare_one_allocates_no_more_than_the_checked_in_figure(string name)
    {
        const int Sessions = 1_000;
        await using var engine = AllocationGate.Start(
            "type = echo", loops: 1, router: "log.session-records = 0, listener-defaults.idle-timeout = 200ms");
        var least = long.MaxValue;
        for (var round = 0; round < 4; round++)   // the first makes them
        {
            var before = await AllocationGate.AllocatedOn(engine.Loops[0]);
            OpenSessions(engine.Bound[0].Address.ToIPEndPoint(), Sessions, firstAddress: round * Sessions);
            await Until.TrueAsync(() => engine.Stats.Sessions == 0, () => $"{engine.Stats.Sessions} sessions are open");
            least = Math.Min(least, await AllocationGate.AllocatedOn(engine.Loops[0]) - before);
        }

        Assert.True(
            least <= (AllocationGate.Figures[name] * Sessions) + AllocationGate.Noise,
            $"{(double)least / Sessions:F1} bytes per session");
    }

    /// <summary>A flood is mostly drops.</summary>
    [Fact]
    public void A_drop_allocates_nothing()
    {
        using var rig = new SessionRig();
        var session = rig.Session(SessionRig.At("192.0.2.7:5000"));
        session.CountDrop(DropReason.MailboxFull);   // the counters are made at the first
        var allocated = -1L;
        rig.RunOnLoop(() => allocated = Allocations.Of(() =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                session.CountDrop(DropReason.MailboxFull);
            }
        }));

        Assert.Equal(0, allocated);
        Assert.InRange(session.Drops, 1_001, long.MaxValue);
    }

    /// <summary>What a loop allocates for a session that ends without a record of its own. A million may, at once.
    /// </summary>
    [Theory]
    [InlineData("ended-session-udp")]
    public async Task The_end_of_a_session_allocates_no_more_than_the_checked_in_figure(string name)
    {
        const int Sessions = 500;
        await using var engine = AllocationGate.Start(
            "type = handler, name = closing", loops: 1, router: "log.session-records = 0");
        var least = long.MaxValue;
        for (var round = 0; round < 4; round++)   // the first fills pools and has code compiled
        {
            var clients = Enumerable.Range(0, Sessions).Select(_ => Connect(engine, SocketType.Dgram)).ToArray();
            Array.ForEach(clients, static client => Exchange(client, 1));
            var before = await AllocationGate.AllocatedOn(engine.Loops[0]);
            Array.ForEach(clients, static client => client.Send(ReadOnlySpan<byte>.Empty));
            await Until.TrueAsync(() => engine.Stats.Sessions == 0, () => $"{engine.Stats.Sessions} sessions are open");
            least = Math.Min(least, await AllocationGate.AllocatedOn(engine.Loops[0]) - before);
            Array.ForEach(clients, static client => client.Dispose());
        }

        Assert.True(
            least <= (AllocationGate.Figures[name] * Sessions) + AllocationGate.Noise,
            $"{(double)least / Sessions:F1} bytes per session");
    }

    /// <summary>Copying payloads into a window, once its memory is there.</summary>
    [Theory]
    [InlineData("collect-session-udp", "session")]
    [InlineData("collect-session-tcp", "session")]
    [InlineData("collect-listener-udp", "listener")]
    [InlineData("collect-listener-tcp", "listener")]
    public async Task Gathering_allocates_no_more_than_the_checked_in_figure(string name, string per)
    {
        await using var engine = AllocationGate.Start(
            $"type = collect, to = log, per = {per}, window = infinite, bytes = 64 MiB, buffer = 1 GiB", loops: 1);
        using var client = Connect(engine, TypeOf(name));
        Gather(engine, client, WarmUp);
        await AssertGate(name, engine.Loops[0], () => Gather(engine, client, Measured));
    }

    /// <summary>What one of a room says, sent to all of it: on the speaker's loop and on another.</summary>
    /// <remarks>Between loops there are as many pieces under way as one of them lags behind: some may be new. One
    /// object per payload would be 24 bytes at least.</remarks>
    [Theory]
    [InlineData("room-udp", 1)]
    [InlineData("room-tcp", 1)]
    [InlineData("room-two-loops-udp", 2)]
    [InlineData("room-two-loops-tcp", 2)]
    public async Task Saying_something_in_a_room_allocates_no_more_than_the_checked_in_figure(string name, int loops)
    {
        const int Rounds = 100;
        await using var engine = AllocationGate.Start(
            "type = room, join = listener, validate = none, to-sender = on", loops);
        var clients = new Socket[8];
        for (var joined = 0; joined < clients.Length; joined++)
        {
            clients[joined] = Connect(engine, TypeOf(name));
            Talk(clients.AsSpan(0, joined + 1), clients.AsSpan(joined, 1), rounds: 1);
        }

        Talk(clients, clients, rounds: 200);
        foreach (var loop in engine.Loops)
        {
            await AssertGate(name, loop, () => Talk(clients, clients, Rounds), clients.Length * Rounds);
        }

        Array.ForEach(clients, static client => client.Dispose());
    }

    /// <summary>The gate itself: 32 bytes a message are seen.</summary>
    [Fact]
    public async Task A_handler_that_allocates_is_seen()
    {
        await using var engine = AllocationGate.Start("type = handler, name = allocating", loops: 1);
        using var client = Connect(engine, SocketType.Dgram);
        Exchange(client, 100);
        var before = await AllocationGate.AllocatedOn(engine.Loops[0]);
        Exchange(client, 1_000);
        Assert.InRange(await AllocationGate.AllocatedOn(engine.Loops[0]) - before, 32_000, 100_000);
    }

    private static SocketType TypeOf(string name) =>
        name.EndsWith("-udp", StringComparison.Ordinal) ? SocketType.Dgram : SocketType.Stream;

    private static Socket Connect(RouterEngine engine, SocketType type)
    {
        var isDatagram = type == SocketType.Dgram;
        var client = new Socket(type, isDatagram ? ProtocolType.Udp : ProtocolType.Tcp)
        {
            ReceiveTimeout = (int)AllocationGate.Patience.TotalMilliseconds,
        };
        client.Connect(engine.Bound[isDatagram ? 0 : 1].Address.ToIPEndPoint());
        return client;
    }

    private static async Task AssertGate(string name, IoLoop loop, Action work, int messages = Measured)
    {
        var allowed = (AllocationGate.Figures[name] * messages) + AllocationGate.Noise;
        var allocated = await AllocationGate.Least(loop, work, allowed);
        Assert.True(
            allocated <= allowed, $"{name}: {(double)allocated / messages:F3} bytes per message, {allocated} in all");
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
            peer.ReceiveTimeout = (int)AllocationGate.Patience.TotalMilliseconds;
            peer.Bind(new IPEndPoint(new IPAddress([127, 3, (byte)(i >> 8), (byte)i]), 0));
            peer.Connect(server);
            peer.Send(payload);
            Assert.Equal(64, peer.Receive(payload));
        }
    }

    /// <summary>Each speaker says something, and each member hears all of it. A line each, where it is a
    /// stream.</summary>
    private static void Talk(ReadOnlySpan<Socket> members, ReadOnlySpan<Socket> speakers, int rounds)
    {
        Span<byte> payload = stackalloc byte[64];
        Span<byte> heard = stackalloc byte[64];
        payload[^1] = (byte)'\n';
        for (var round = 0; round < rounds; round++)
        {
            foreach (var speaker in speakers)
            {
                speaker.Send(payload);
            }

            for (var copies = 0; copies < members.Length * speakers.Length; copies++)
            {
                for (var left = heard; !left.IsEmpty;)
                {
                    left = left[members[copies % members.Length].Receive(left)..];
                }
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
                () => engine.Stats.Read().Sum(static listener => listener.BytesIn) == _sent * 64,
                AllocationGate.Patience));
        }
    }
}
