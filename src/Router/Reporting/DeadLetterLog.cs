using Microsoft.Extensions.Logging;
using Router.Diagnostics;

namespace Router.Reporting;

/// <summary>Counts an actor system's dead letters and writes at most one line a second about them.</summary>
/// <remarks>It is a reference without a mailbox. So the thread that publishes counts, and a storm of dead letters
/// queues nothing. The timer runs only while there is something to write.</remarks>
internal sealed class DeadLetterLog : MinimalActorRef
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly ActorSystem _system;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private long _count;
    private long _total;
    private ActorPath? _recipient;
    private Type? _message;

    public DeadLetterLog(ActorSystem system, ILogger log, TimeProvider time)
    {
        _system = system;
        _log = log;
        Provider = ((ExtendedActorSystem)system).Provider;
        Path = Provider.RootPath / "router-dead-letters";
        _timer = time.CreateTimer(
            static state => ((DeadLetterLog)state!).Write(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        system.EventStream.Subscribe(this, typeof(DeadLetter));
        system.EventStream.Subscribe(this, typeof(Dropped));
    }

    /// <summary>Those counted so far.</summary>
    public long Total => Volatile.Read(ref _total);

    public override ActorPath Path { get; }

    public override IActorRefProvider Provider { get; }

    /// <summary>Ends the counting, and writes what was counted.</summary>
    public void Close()
    {
        _system.EventStream.Unsubscribe(this);
        _timer.Dispose();
        Write();
    }

    protected override void TellInternal(object message, IActorRef sender)
    {
        if (message is not AllDeadLetters letter || IsOfEngine(letter))
        {
            return;
        }

        lock (_lock)
        {
            _recipient = letter.Recipient?.Path;
            _message = letter.Message.GetType();
            _total++;
            if (++_count == 1)
            {
                _timer.Change(Interval, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>What Akka's own actors say to one another of a member that is gone: lost by design.</summary>
    private static bool IsOfEngine(AllDeadLetters letter) =>
        letter.Recipient?.Path.Elements is ["system", ..]
        && letter.Message.GetType().Assembly.GetName().Name is { } name
        && name.StartsWith("Akka", StringComparison.Ordinal);

    private void Write()
    {
        long count;
        string recipient;
        string message;
        lock (_lock)
        {
            if (_count == 0)
            {
                return;
            }

            count = _count;
            recipient = _recipient?.ToStringWithoutAddress() ?? "-";
            message = _message?.Name ?? "-";
            _count = 0;
        }

        HostLog.DeadLetters(_log, count, recipient, message);
    }
}

/// <summary>An extension of an actor system that counts its dead letters as long as it has a router. Any
/// thread.</summary>
internal sealed class DeadLetterCounting(ActorSystem system) : IExtension
{
    private readonly Lock _lock = new();
    private DeadLetterLog? _counted;
    private int _routers;

    public static DeadLetterCounting Of(ActorSystem system) => system.WithExtension<DeadLetterCounting, Id>();

    /// <summary>Dead letters since the first of the routers that there are has started.</summary>
    public long Total => Volatile.Read(ref _counted)?.Total ?? 0;

    /// <summary>A router has started. The log of the first one gets the figures.</summary>
    public void Join(ILogger log, TimeProvider time)
    {
        lock (_lock)
        {
            _routers++;
            _counted ??= new DeadLetterLog(system, log, time);
        }
    }

    /// <summary>A router is about to end. The last one ends the counting.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            if (--_routers == 0)
            {
                _counted?.Close();
                _counted = null;
            }
        }
    }

    private sealed class Id : ExtensionIdProvider<DeadLetterCounting>
    {
        public override DeadLetterCounting CreateExtension(ExtendedActorSystem system) => new(system);
    }
}
