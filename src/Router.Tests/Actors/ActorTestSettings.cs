namespace Router.Tests.Actors;

/// <summary>Configuration of the tests' systems.</summary>
internal static class ActorTestSettings
{
    /// <summary>Time passes only by <see cref="TestScheduler.Advance"/>.</summary>
    public const string VirtualTime =
        "akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"";

    /// <summary>A mailbox of two messages, at path <c>small-mailbox</c>.</summary>
    public const string SmallMailbox = """
        small-mailbox {
          mailbox-type = "Akka.Dispatch.BoundedMailbox, Akka"
          mailbox-capacity = 2
          mailbox-push-timeout-time = 0s
        }
        """;
}
