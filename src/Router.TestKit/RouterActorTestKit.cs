namespace Router.TestKit;

/// <summary>
/// Akka's TestKit over a <see cref="RouterTestKit"/>: probes, ExpectMsg and EventFilter in one test with the simulated
/// network, on one thread and virtual time.
/// </summary>
/// <remarks>
/// <para>Nothing happens by itself here either: call <see cref="RouterTestKit.RunUntilIdle"/> or
/// <see cref="RouterTestKit.Advance"/> of <see cref="Kit"/>, then ExpectMsg. A message that is not there then will not
/// come, and ExpectMsg fails after half a second of waiting in vain (<c>akka.test.single-expect-default</c>). The same
/// goes for EventFilter: the code that it is given has to run the kit.</para>
/// <para>Probes, the guardians and the log run at once, in whoever tells them; all other actors when the kit runs.
/// </para>
/// <para>The time-out of an Ask goes by the wall clock, as Akka has it. One that goes by the kit's is a token:
/// <c>new CancellationTokenSource(timeout, Kit.Time).Token</c>.</para>
/// </remarks>
public abstract class RouterActorTestKit : Akka.TestKit.Xunit2.TestKit
{
    /// <param name="seed">Replays a run.</param>
    /// <param name="loops">I/O loops; they take turns on the test's thread.</param>
    /// <param name="shuffle">Whether what is ready at once runs in seeded instead of natural order.</param>
    protected RouterActorTestKit(long seed = 1, int loops = 1, bool shuffle = false)
        : this(new RouterTestKit(seed, loops, shuffle))
    {
    }

    /// <param name="kit">Disposed of at the test's end.</param>
    protected RouterActorTestKit(RouterTestKit kit)
        : base(kit.Sys) => Kit = kit;

    /// <summary>The router, its network and its time; its system is <c>Sys</c>.</summary>
    protected RouterTestKit Kit { get; }

    /// <summary>Nothing has come: nothing can while the kit does not run, so it does not wait.</summary>
    public new void ExpectNoMsg(CancellationToken cancellationToken = default) =>
        ExpectNoMsg(TimeSpan.Zero, cancellationToken);

    /// <summary>Stops the system by the kit's steps; Akka's own way would wait for them.</summary>
    public sealed override void Shutdown(TimeSpan? duration = null, bool verifySystemShutdown = false)
    {
        if (verifySystemShutdown)
        {
            Kit.Stop();
        }

        Kit.Dispose();
    }
}
