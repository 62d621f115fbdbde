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

    /// <summary>Whether the calling thread runs the turns of this dispatcher's actors.</summary>
    internal bool IsOfThisThread => _loop.IsCurrent;

    /// <remarks>Until a session's mailbox has handled a system message, nothing may go past it: see
    /// <see cref="SessionQueue.CanTurnNow"/>. An actor that watches a session has the session's reference.</remarks>
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

    protected override void Shutdown()
    {
        // The loop belongs to its group, which outlives the actor system and may serve another one.
    }
}

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

    public IoLoopGroup(int count, INetwork network, TimeProvider time, IoLoopOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        options = options with { PipeBudget = Math.Min(options.PipeBudget, network.PipeBudget / count) };
        _loops = [.. Enumerable.Range(0, count).Select(index => new IoLoop(index, network, time, options))];
    }

    public IReadOnlyList<IoLoop> Loops => _loops;

    /// <summary>Makes the loops dispatchers of an actor system, each under its <see cref="DispatcherId"/>.</summary>
    /// <param name="system">The actor system.</param>
    /// <param name="name">The router's name. If a router of that name is or was in the system, a number is
    /// added.</param>
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

    /// <summary>The name of a loop's dispatcher for <c>Props.WithDispatcher</c>, once the loops are
    /// registered.</summary>
    public string DispatcherId(int loop) => $"router.io-dispatcher.{_name}.loop-{loop}";

    public void Start() => Array.ForEach(_loops, static loop => loop.Start());

    public void Dispose() => Array.ForEach(_loops, static loop => loop.Dispose());
}
