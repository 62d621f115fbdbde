namespace Router.Tests.Actors;

/// <summary>Configuration of the tests' systems, where the two engines spell it differently.</summary>
internal static class ActorTestSettings
{
    /// <summary>Time passes only by <see cref="TestScheduler.Advance"/>.</summary>
#if ACTOR_ENGINE_AKKA
    public const string VirtualTime =
        "akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"";
#else
    public const string VirtualTime =
        "akka.scheduler.implementation = \"Router.TestKit.Actors.TestScheduler, Router.TestKit\"";
#endif

    /// <summary>A mailbox of two messages, at path <c>small-mailbox</c>.</summary>
    public const string SmallMailbox = """
        small-mailbox {
          mailbox-type = "Akka.Dispatch.BoundedMailbox, Akka"
          mailbox-capacity = 2
          mailbox-push-timeout-time = 0s
        }
        """;
}
