using Akka.Configuration;
using Akka.Dispatch.SysMsg;
using Router.Net;

namespace Router.Loop;

/// <summary>Puts actors on a loop: their turns are runnables of its run queue, on its thread.</summary>
internal sealed class IoDispatcher : MessageDispatcher
{
    /// <summary>Messages that an actor handles before the others get their turn.</summary>
    private const int MessagesPerTurn = 64;

    private readonly IoLoop _loop;

    internal IoDispatcher(MessageDispatcherConfigurator configurator, string id, IoLoop loop)
        : base(configurator)
    {
        _loop = loop;
        Id = id;
        Throughput = MessagesPerTurn;
    }

    /// <summary>The calling thread runs the turns of this dispatcher's actors.</summary>
    internal bool IsOfThisThread => _loop.IsCurrent;

    /// <summary>A session is told by its mailbox, and only by it, from here until that has handled the message: see
    /// <see cref="SessionQueue.CanTurnNow"/>. Who watches a session has its reference.</summary>
    public override void SystemDispatch(ActorCell cell, SystemMessage message)
    {
        if (cell.Mailbox?.MessageQueue is SessionQueue queue)
        {
            queue.Close();
            if (message is Watch)
            {
                queue.MarkShared();
            }
        }

        base.SystemDispatch(cell, message);
    }

    protected override void ExecuteTask(IRunnable run) => _loop.Enqueue(run);

    /// <summary>Leaves the loop to its group, which outlives the actor system and may serve another one.</summary>
    protected override void Shutdown()
    {
    }
}

/// <summary>Hands out the dispatcher of one loop.</summary>
internal sealed class IoDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly IoDispatcher _dispatcher;

    public IoDispatcherConfigurator(string id, IoLoop loop, IDispatcherPrerequisites prerequisites)
        : base(ConfigurationFactory.ParseString($"id = \"{id}\""), prerequisites) =>
        _dispatcher = new IoDispatcher(this, id, loop);

    public override MessageDispatcher Dispatcher() => _dispatcher;
}

/// <summary>The loops of one router.</summary>
internal sealed class IoLoopGroup : IDisposable
{
    private readonly IoLoop[] _loops;
    private string _name = "";

    /// <summary>Makes the loops; none runs before <see cref="Start"/>.</summary>
    public IoLoopGroup(int count, INetwork network, TimeProvider time, IoLoopOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        options = options with { PipeBudget = Math.Min(options.PipeBudget, network.PipeBudget / count) };
        _loops = [.. Enumerable.Range(0, count).Select(index => new IoLoop(index, network, time, options))];
    }

    public IReadOnlyList<IoLoop> Loops => _loops;

    /// <summary>Makes the loops dispatchers of an actor system, each under its <see cref="DispatcherId"/>.</summary>
    /// <param name="system">Where actors are to live on these loops.</param>
    /// <param name="name">Of the router: several may share a system, and one may come after another.</param>
    public void RegisterWith(ActorSystem system, string name)
    {
        if (!system.Settings.Config.HasPath(SessionMailbox.Path))
        {
            system.Settings.InjectTopLevelFallback(ConfigurationFactory.ParseString(SessionMailbox.Setting));
        }

        _name = name;
        for (var again = 2; system.Dispatchers.HasDispatcher(DispatcherId(0)); again++)
        {
            _name = $"{name}-{again}";
        }

        foreach (var loop in _loops)
        {
            var id = DispatcherId(loop.Index);
            Check.That(system.Dispatchers.RegisterConfigurator(
                id, new IoDispatcherConfigurator(id, loop, system.Dispatchers.Prerequisites)));
        }
    }

    /// <summary>What actors of a loop name in <c>Props.WithDispatcher</c>, once the loops are registered.</summary>
    public string DispatcherId(int loop) => $"router.io-dispatcher.{_name}.loop-{loop}";

    /// <summary>Starts the loops' threads.</summary>
    public void Start() => Array.ForEach(_loops, static loop => loop.Start());

    public void Dispose() => Array.ForEach(_loops, static loop => loop.Dispose());
}
