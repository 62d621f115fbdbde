using System.Runtime;

namespace Router.Heap;

/// <summary>Sets the mode of the garbage collector while a router has the process to itself. Disposing it restores the
/// mode that was set before.</summary>
/// <remarks>
/// The mode is SustainedLowLatency. Without it the runtime stops everything to compact the heap once two thirds of its
/// old part are free space, as when most sessions have ended: for 43 ms with 50 MB alive, 165 ms with some 100 MB.
/// Sessions to come use the free space again, and where memory is short the runtime compacts all the same. Without the
/// concurrent collector the runtime ignores the mode.
/// </remarks>
internal sealed class CollectorMode : IDisposable
{
    private readonly GCLatencyMode _before = GCSettings.LatencyMode;

    public CollectorMode()
    {
        Hold(false);
        CanHold = !GCSettings.IsServerGC && GCSettings.LatencyMode == GCLatencyMode.SustainedLowLatency;
    }

    /// <summary>Whether full collections can be held off, and allowed again: only with the concurrent workstation
    /// collector.</summary>
    public bool CanHold { get; }

    /// <summary>Holds full collections off, or allows them again.</summary>
    public void Hold(bool isHeld) =>
        GCSettings.LatencyMode = isHeld ? GCLatencyMode.LowLatency : GCLatencyMode.SustainedLowLatency;

    /// <summary>Compacts the heap and gives free memory back to the system.</summary>
    /// <remarks>It stops everything, for 2.6 s with a million sessions made ahead, whose making leaves gaps in a third
    /// of the heap. So it is for the time before peers come.</remarks>
    public static void Compact() =>
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    public void Dispose() => GCSettings.LatencyMode = _before;
}
