namespace Router.Net;

/// <summary>The time since the machine was started, suspend included: CLOCK_BOOTTIME, see clock_gettime(2). The clock
/// of <see cref="TimeProvider.System"/> stands still while the machine does.</summary>
internal sealed class BootClock : TimeProvider
{
    private const int BootTime = 7;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private static readonly BootClock Instance = new();

    private BootClock()
    {
    }

    /// <summary>The clock to use where suspend counts: this one for the system's on Linux, else the same.</summary>
    public static TimeProvider For(TimeProvider time) =>
        time == TimeProvider.System && OperatingSystem.IsLinux() ? Instance : time;

    public override long TimestampFrequency => NanosecondsPerSecond;

    public override unsafe long GetTimestamp()
    {
        var time = stackalloc long[2];   // struct timespec of 64-bit Linux
        Check.That(Libc.ReadClock(BootTime, time) == 0);
        return (time[0] * NanosecondsPerSecond) + time[1];
    }
}
