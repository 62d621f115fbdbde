using System.Runtime;

namespace Router.Heap;

/// <summary>How the process's garbage collector works while a router has the process to itself. Its end restores what
/// was.</summary>
/// <remarks>
/// SustainedLowLatency: otherwise the runtime, once two thirds of a heap's old part are free space, as when most
/// sessions have ended or a few of many live long, stops everything to compact the rest: for 43 ms with 50 MB alive,
/// 165 ms with some 100 MB. Free space is used again by sessions to come; where memory is short the runtime compacts
/// all the same. Without the concurrent collector there is no such mode, and the runtime ignores it.
/// </remarks>
internal sealed class CollectorMode : IDisposable
{
    private readonly GCLatencyMode _before = GCSettings.LatencyMode;

    public CollectorMode()
    {
        Hold(false);
        CanHold = !GCSettings.IsServerGC && GCSettings.LatencyMode == GCLatencyMode.SustainedLowLatency;
    }

    /// <summary>Whether full collections can be held off, and that be taken back: only the concurrent collector of a
    /// workstation can.</summary>
    public bool CanHold { get; }

    /// <summary>Has full collections held off, or no more.</summary>
    public void Hold(bool isHeld) =>
        GCSettings.LatencyMode = isHeld ? GCLatencyMode.LowLatency : GCLatencyMode.SustainedLowLatency;

    /// <summary>Has the heap compacted and what is free given back to the system.</summary>
    /// <remarks>It stops everything, for 2.6 s with a million sessions made ahead, whose making leaves a third of the
    /// heap as gaps. So it is for when no peer has come yet.</remarks>
    public static void Compact() =>
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    public void Dispose() => GCSettings.LatencyMode = _before;
}
