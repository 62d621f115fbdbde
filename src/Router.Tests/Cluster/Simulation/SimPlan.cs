namespace Router.Tests.Cluster.Simulation;

/// <summary>What may happen in a run.</summary>
internal enum SimKind
{
    /// <summary>Peers move, messages are lost, members pause for moments.</summary>
    Calm,

    /// <summary>Members are killed, one after the other, and nothing is lost otherwise.</summary>
    Deaths,

    /// <summary>Everything.</summary>
    Chaos,
}

/// <summary>A fault that is planted in the world, to see that it is found.</summary>
internal enum Planted
{
    None,
    EntityDoesNotWaitForRelease,
    StoreDoesNotFence,
    GoneTooEarly,
    EpochNotClaimed,
    SessionGoesOnWhenSuperseded,
    DetachNotToldAgain,
    HubReleasesAtOnce,
    IsolatedMemberSends,
    LostEntitiesNotAskedFor,
    KeptBeforeWritten,
    PassedTwice,
    LastCheckpointForgotten,
    BegunWithoutWhatWasHandedOver,
}

/// <summary>All that a seed decides in advance.</summary>
internal sealed class SimPlan
{
    public const int MembersMax = 5;

    public static readonly TimeSpan AttachTimeout = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan FenceTimeout = TimeSpan.FromSeconds(2);

    public SimPlan(int seed, Random random)
    {
        Seed = seed;
        Kind = (SimKind)random.Next(3);
        Members = random.Next(3, MembersMax + 1);
        Identities = random.Next(1, 4);
        IsShared = random.Next(4) > 0;
        IsSync = random.Next(2) == 0;
        Interval = TimeSpan.FromMilliseconds(random.Next(100, 1_000));
        IdleTimeout = TimeSpan.FromMilliseconds(random.Next(2_000, 15_000));
        ForgetAfter = Kind == SimKind.Chaos && random.Next(3) == 0
            ? TimeSpan.FromMilliseconds(random.Next(1_000, 8_000))
            : TimeSpan.FromDays(1);
        QueueMessages = random.Next(1, 9);
        StoreDelayMs = random.Next(4) == 0 ? 300 : 10;
        Loss = Kind == SimKind.Deaths || random.Next(2) == 0 ? 0 : random.NextDouble() * 0.15;
        RoamMs = random.Next(3) == 0 ? 150 : 2_500;
        SilenceMs = random.Next(3) == 0 ? 9_000 : 0;
    }

    public int Seed { get; }

    public SimKind Kind { get; }

    public int Members { get; }

    public int Identities { get; }

    /// <summary>One store for all members; else each keeps its own in memory.</summary>
    public bool IsShared { get; }

    public bool IsSync { get; }

    public TimeSpan Interval { get; }

    public TimeSpan IdleTimeout { get; }

    public TimeSpan ForgetAfter { get; }

    public bool Forgets => ForgetAfter < TimeSpan.FromHours(1);

    public int QueueMessages { get; }

    public int StoreDelayMs { get; }

    public double Loss { get; }

    /// <summary>How long a peer stays where it is, in the mean.</summary>
    public int RoamMs { get; }

    /// <summary>How long a peer may be silent.</summary>
    public int SilenceMs { get; }

    public override string ToString() =>
        $"seed {Seed}: {Kind}, {Members} members, {Identities} identities, {(IsShared ? "shared" : "memory")}"
        + $"{(IsSync ? " sync" : "")}, loss {Loss:0.00}, roams {RoamMs} ms, forget {ForgetAfter.TotalSeconds:0} s";
}
