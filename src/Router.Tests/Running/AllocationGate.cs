using System.Text.Json;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Loop;
using Router.Net;
using Router.Routes;
using Router.Running;
using Router.Sessions;
using Router.Tests.Kit;

namespace Router.Tests.Running;

/// <summary>What the allocation gate measures with: routers on real sockets, and their loops' own counters.</summary>
internal static class AllocationGate
{
    /// <summary>The collection of tests that run beside no other: thousands of sockets come and go in them, and others
    /// count theirs.</summary>
    public const string Alone = "allocation gate";

    /// <summary>What reading a loop's counter may cost itself: the completion of one task.</summary>
    public const int Noise = 512;

    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Bytes per message, as checked in.</summary>
    public static IReadOnlyDictionary<string, int> Figures { get; } =
        JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(
            Path.Combine(Tidy.Repository.Root, "src", "Router.Benchmarks", "allocations.json")))!;

    /// <param name="route">The route's keys.</param>
    /// <param name="loops">How many.</param>
    /// <param name="listener">The listener's further keys.</param>
    /// <param name="bind">Where, if not on a UDP and a TCP port of the kernel's choice.</param>
    /// <param name="router">The router's further keys.</param>
    public static RouterEngine Start(
        string route, int loops, string listener = "", string? bind = null, string router = "")
    {
        bind = bind is null ? "\"udp://127.0.0.1:0\", \"tcp://127.0.0.1:0\"" : $"\"{bind}\"";

        // A client's port is the kernel's choice: where it may give 11211, echo would not answer it.
        using var file = new TextFile($$"""
            router {
              loops = {{loops}}, log { stats-interval = infinite }, guards.responder-ports = [], {{router}}
              listeners { l { bind = [{{bind}}], route = r, {{listener}} } }
              routes { r { {{route}} } }
            }
            """);
        var handlers = new ProgramParts()
            .Add<SessionHandler>("echo", static () => new EchoHandler())
            .Add<SessionHandler>("allocating", static () => new AllocatingHandler())
            .Add<SessionHandler>("closing", static () => new ClosingHandler())
            .Add<SessionHandler>("flows", static () => new EchoingFlowHandler());
        var loaded = SetupLoader.Load(file.Path, [], handlers, TimeProvider.System);
        Assert.Empty(loaded.Faults);
        var log = LoggerFactory.Create(static _ => { }).CreateLogger("test");
        return loaded.Setup!.Start(TimeProvider.System, RandomSource.System, log, out _)!;
    }

    /// <summary>The least of three runs: what the code allocates is there every time.</summary>
    public static async Task<long> Least(IoLoop loop, Action work, long enough = Noise)
    {
        var least = long.MaxValue;
        for (var run = 0; run < 3 && least > enough; run++)
        {
            var before = await AllocatedOn(loop);
            work();
            least = Math.Min(least, await AllocatedOn(loop) - before);
        }

        return least;
    }

    public static Task<long> AllocatedOn(IoLoop loop)
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

    /// <summary>Says goodbye by an empty datagram.</summary>
    private sealed class ClosingHandler : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                if (payload.IsEmpty)
                {
                    session.Close();
                }
                else
                {
                    session.Reply(payload);
                }
            }
        }
    }

    private sealed class EchoingFlowHandler : FlowHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                session.Reply(payload);
            }
        }

        public override void OnFlowReceived(SessionContext control, Flow flow, ReadOnlyMemory<byte> payload) =>
            flow.Reply(payload.Span);
    }

    public sealed class EchoingActor : ReceiveActor
    {
        public EchoingActor() => Receive<SessionReceived>(received => Sender.Tell(received.Reply(received.Payload)));
    }

    /// <summary>Reads the loop thread's own counter, on it.</summary>
    private sealed class Probe : IRunnable
    {
        private readonly TaskCompletionSource<long> _allocated = new(
            TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<long> Allocated => _allocated.Task;

        public void Run() => _allocated.SetResult(GC.GetAllocatedBytesForCurrentThread());

        public void Execute() => Run();
    }
}

[CollectionDefinition(AllocationGate.Alone, DisableParallelization = true)]
public sealed class AllocationGateCollection;
