using Router.Configuration.Hocon;

namespace Router.TestKit.Actors;

/// <summary>Base class of actor tests: a system, a test actor and its expectations. One system per test; it is
/// terminated with the test.</summary>
public class TestKit : TestKitBase, IDisposable
{
    private static readonly Config KitConfig = ConfigurationFactory.ParseString($$"""
        akka.test.calling-thread-dispatcher {
          type = "{{typeof(CallingThreadDispatcherConfigurator).AssemblyQualifiedName}}"
        }
        """);

    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    private static int _probes;

    /// <summary>A kit for a system made elsewhere (then it must have the kit's dispatcher), or its own.</summary>
    public TestKit(ActorSystem? system = null)
        : base(system ?? Create(ConfigurationFactory.Empty, null), "testActor1") => ActorCell.Current = Cell;

    public TestKit(Config config, string? actorSystemName = null)
        : base(Create(config, actorSystemName), "testActor1") => ActorCell.Current = Cell;

    /// <param name="config">HOCON on top of the kit's own.</param>
    public TestKit(string config)
        : this(ConfigurationFactory.ParseString(config))
    {
    }

    /// <summary>What the kit needs of a system's configuration.</summary>
    public static Config DefaultConfig => KitConfig;

    // The test's own tells come from the test actor.
    private ActorCell Cell => (ActorCell)TestActor;

    /// <summary>Another test actor, with expectations of its own.</summary>
    public virtual TestProbe CreateTestProbe(string? name = null) =>
        new(Sys, name ?? "testProbe" + Interlocked.Increment(ref _probes));

    /// <summary>Terminates the system and waits for it.</summary>
    public virtual void Shutdown(TimeSpan? duration = null)
    {
        var wait = duration ?? ShutdownTimeout;
        if (!Sys.Terminate().Wait(wait))
        {
            throw Failed($"The system did not terminate within {wait}");
        }
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            ActorCell.Current = null;
            AfterAll();
        }
    }

    /// <summary>Runs after the test; stops the system.</summary>
    protected virtual void AfterAll() => Shutdown();

    private static ActorSystem Create(Config config, string? name) =>
        ActorSystem.Create(name ?? "test", config.WithFallback(KitConfig));
}
