using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.TestKit;
using Router.Loop;

namespace Router.TestKit;

/// <summary>Makes the kit's actor system, which runs on the test's thread and by virtual time.</summary>
internal static class KitEngine
{
    /// <summary>Parsed once: simulations make many thousands of kits.</summary>
    private static readonly Config Settings = ConfigurationFactory.ParseString(SettingsText());

    /// <summary>The log runs in whoever logs, so that an EventFilter counts without a pass.</summary>
    private static readonly Props LogProps =
        Props.Create<KitLog>().WithDispatcher("akka.test.test-actor.dispatcher");

    public static ActorSystem Create(KitPool pool, TimeProvider time, Action<LogEvent> log)
    {
        var system = ClockScheduler.Create(
            time,
            () => ActorSystem.Create(
                "kit",
                ActorSystemSetup.Create(
                    new KitSetup(pool, log), BootstrapSetup.Create().WithConfig(Settings))));
        AddLog(system);
        return system;
    }

    /// <summary>Akka starts loggers that are configured in part on the thread pool, so that the first events of a test
    /// might be missed: this one is subscribed before anything can happen.</summary>
    private static void AddLog(ActorSystem system)
    {
        var log = ((ExtendedActorSystem)system).SystemActorOf(LogProps, "log");
        log.Tell(new InitializeLogger(system.EventStream), ActorRefs.Nobody);
        system.EventStream.Subscribe(log, typeof(Error));
        system.EventStream.Subscribe(log, typeof(Warning));
        system.EventStream.Subscribe(log, typeof(Info));
    }

    /// <summary>Top-level actors are made by a guardian on the internal dispatcher, which therefore steps too. The
    /// system ends when the kit says so, and by its steps: a coordinated shutdown would go on beside it. What is not
    /// there when the router has come to rest will not come: to wait for it is in vain, and a second is long.</summary>
    private static string SettingsText()
    {
        var type = $"{typeof(KitPoolConfigurator).FullName}, {typeof(KitPoolConfigurator).Assembly.GetName().Name}";
        return $$"""
            {{ClockScheduler.Setting}}
            akka {
              loggers = []
              loglevel = INFO
              stdout-loglevel = OFF
              log-dead-letters = off
              log-dead-letters-during-shutdown = off
              coordinated-shutdown.run-by-actor-system-terminate = off
              coordinated-shutdown.run-by-clr-shutdown-hook = off
              actor.default-dispatcher { type = "{{type}}" }
              actor.internal-dispatcher { type = "{{type}}", at-once = on }
              test {
                single-expect-default = 500ms
                filter-leeway = 0s
                test-actor.dispatcher.type = "Akka.TestKit.CallingThreadDispatcherConfigurator, Akka.TestKit"
              }
            }
            """;
    }
}

/// <summary>The log that EventFilter listens to. What no filter takes goes to <see cref="RouterTestKit.OnLog"/>, and
/// nothing to standard output.</summary>
internal sealed class KitLog : TestEventListener
{
    private readonly Action<LogEvent> _log = Context.System.Settings.Setup.Get<KitSetup>().Value.Log;

    protected override void Print(LogEvent logEvent) => _log(logEvent);
}
