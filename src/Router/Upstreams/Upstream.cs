using System.Runtime.InteropServices;
using Router.Diagnostics;
using Router.Net;

namespace Router.Upstreams;

/// <summary>One remote endpoint of a group, and how many sessions it serves. Any thread.</summary>
/// <remarks>Lives as long as a session holds it, also when the group's names no longer lead to it.</remarks>
internal sealed class Upstream
{
    /// <summary>A field, because it is passed by reference to the system's calls.</summary>
    public readonly SocketAddr Address;

    public const int WeightDefault = 100;

    private int _sessions;
    private int _weight = WeightDefault;
    private int _share = WeightDefault;   // 0 while it gets no new sessions
    private long _failedUntil;
    private long _reportedAt;    // 0: never
    private int _unreported;
    private long _opened;
    private long _failures;
    private UpstreamTraffic?[] _traffic = [];   // by loop; replaced when it grows
    private readonly Lock _lock = new();

    public Upstream(in SocketAddr address)
    {
        Address = address;
        Text = address.ToString();
        Key = PeerHash.KeyOf(UpstreamAddress.Bytes(address, stackalloc byte[16]), address.Port);
    }

    /// <summary>For records: <c>192.0.2.1:53</c>, <c>[2001:db8::1]:53</c>.</summary>
    public string Text { get; }

    /// <summary>For <see cref="PickPolicy.Hash"/>.</summary>
    public ulong Key { get; }

    /// <summary>Sessions that hold it now, over all loops.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <summary>Sessions that were given it, since it is known.</summary>
    public long Opened => Volatile.Read(ref _opened);

    /// <summary>How often it refused, was not reached, timed out or stayed silent.</summary>
    public long Failures => Volatile.Read(ref _failures);

    /// <summary>What was counted of it, on the loops that had sessions for it.</summary>
    public IEnumerable<UpstreamTraffic> Traffic => Volatile.Read(ref _traffic).OfType<UpstreamTraffic>();

    /// <summary>Where one loop counts.</summary>
    public UpstreamTraffic TrafficOf(int loop)
    {
        var traffic = Volatile.Read(ref _traffic);
        return loop < traffic.Length && traffic[loop] is { } known ? known : AddTraffic(loop);
    }

    /// <summary>Gives back what <see cref="UpstreamGroup.Pick"/> counted; once per pick.</summary>
    public void Return()
    {
        var left = Interlocked.Decrement(ref _sessions);
        Check.That(left >= 0);
    }

    /// <summary>As an operator has it. Set by the group's actor.</summary>
    public UpstreamMode Mode { get; private set; }

    /// <summary>How many new sessions it gets, compared with others; 0 for none.</summary>
    public int Weight => _weight;

    /// <summary>The weight, or 0 where it gets no new sessions for another reason.</summary>
    internal int Share => Volatile.Read(ref _share);

    internal void Set(UpstreamMode mode, int weight)
    {
        (Mode, _weight) = (mode, weight);
        Volatile.Write(ref _share, mode == UpstreamMode.Enabled ? weight : 0);
    }

    internal void Take()
    {
        Interlocked.Increment(ref _sessions);
        Interlocked.Increment(ref _opened);
    }

    internal void CountFailure() => Interlocked.Increment(ref _failures);

    internal void FailUntil(long timestamp) => Volatile.Write(ref _failedUntil, timestamp);

    /// <summary>Counts a failure, and says whether it may be logged now: at most one a second is.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="count">Failures since the last one that was logged, this one included.</param>
    internal bool MayReport(TimeProvider time, out int count)
    {
        count = 0;
        Interlocked.Increment(ref _unreported);
        var now = Math.Max(1, time.GetTimestamp());
        var told = Volatile.Read(ref _reportedAt);
        if ((told != 0 && now - told < time.TimestampFrequency)
            || Interlocked.CompareExchange(ref _reportedAt, now, told) != told)
        {
            return false;
        }

        count = Interlocked.Exchange(ref _unreported, 0);
        return true;
    }

    /// <summary>Whether a failure is recent; <paramref name="time"/> is asked only if there ever was one.</summary>
    internal bool HasFailed(TimeProvider time) =>
        Volatile.Read(ref _failedUntil) is not 0 and var until && time.GetTimestamp() < until;

    private UpstreamTraffic AddTraffic(int loop)
    {
        lock (_lock)
        {
            var traffic = _traffic;
            if (loop >= traffic.Length)
            {
                Array.Resize(ref traffic, loop + 1);
            }
            else
            {
                traffic = [.. traffic];
            }

            var added = traffic[loop] ??= new UpstreamTraffic(Text);
            Volatile.Write(ref _traffic, traffic);
            return added;
        }
    }
}

/// <summary>Addresses as the pick policies take them.</summary>
internal static class UpstreamAddress
{
    /// <summary>The address bytes in network order, 4 or 16, written into <paramref name="room"/>.</summary>
    public static ReadOnlySpan<byte> Bytes(in SocketAddr address, Span<byte> room)
    {
        if (address.IsUnix)
        {
            return UnixAddress.HashBytes(address, room);
        }

        if (address.Family != SocketAddr.FamilyIPv6)
        {
            MemoryMarshal.Write(room, (uint)(address.Word0 >> 32));
            return room[..4];
        }

        MemoryMarshal.Write(room, address.Word1);
        MemoryMarshal.Write(room[8..], address.Word2);
        return room[..16];
    }
}
