using System.Runtime.InteropServices;

namespace Router.Diagnostics;

/// <summary>What sessions of one loop have received from their peers and sent to them while they had one upstream. One
/// writer, the loop; readers on any thread.</summary>
/// <remarks>A session refers to it in the place of the upstream's name, so that counting needs no memory of its own,
/// and a figure for an upstream no look at its sessions.</remarks>
internal sealed class UpstreamTraffic(string text)
{
    private Cells _cells;

    /// <summary>The upstream, as records have it.</summary>
    public string Text { get; } = text;

    public long PayloadsIn => Volatile.Read(ref _cells.PayloadsIn);

    public long BytesIn => Volatile.Read(ref _cells.BytesIn);

    public long PayloadsOut => Volatile.Read(ref _cells.PayloadsOut);

    public long BytesOut => Volatile.Read(ref _cells.BytesOut);

    public void CountIn(long payloads, long bytes)
    {
        _cells.PayloadsIn += payloads;
        _cells.BytesIn += bytes;
    }

    public void CountOut(long payloads, long bytes)
    {
        _cells.PayloadsOut += payloads;
        _cells.BytesOut += bytes;
    }

    /// <summary>Longer than two cache lines, so that no other loop writes to the same one.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 192)]
    private struct Cells
    {
        public long PayloadsIn;
        public long BytesIn;
        public long PayloadsOut;
        public long BytesOut;
    }
}
