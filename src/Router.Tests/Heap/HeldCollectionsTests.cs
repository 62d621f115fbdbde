using Router.Heap;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;

namespace Router.Tests.Heap;

public sealed class HeldCollectionsTests : IDisposable
{
    private const int From = 5_000;
    private const int SessionBytes = 800;
    private const long MiB = 1 << 20;

    private readonly VirtualTimeProvider _time = new();
    private readonly LineLogger _log = new("Router");
    private readonly List<bool> _told = [];
    private readonly HeldCollections _held;
    private HeapFigures _heap;
    private int _sessions;
    private int _prepared;

    public HeldCollectionsTests()
    {
        _heap = new HeapFigures(
            Size: 12 * MiB, AfterFull: 12 * MiB, Gen2AfterFull: 10 * MiB, FullIndex: 7, Free: 8_000 * MiB);
        _sessions = 20_000;
        _held = HeldCollections.Start(() => _sessions, () => _prepared, () => _heap, _told.Add, From, _time, _log)!;
        Second();
        Assert.Empty(_told);
    }

    private bool IsHeld => _told.Count > 0 && _told[^1];

    public void Dispose() => _held.Dispose();

    [Fact]
    public void Held_from_when_sessions_open_in_numbers()
    {
        Second(opened: From - 1);
        Assert.False(IsHeld);
        Second(opened: From);
        Assert.True(IsHeld);
        Second(opened: 1_000_000);
        Second();
        Second(ended: 1);
        Assert.Equal([true], _told);
        Assert.Contains("\"event\":\"collections-held\"", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Not_when_as_many_end_as_open()
    {
        Second(opened: From, ended: From);
        Assert.Empty(_told);
        Second(opened: 2 * From, ended: From);
        Assert.True(IsHeld);
    }

    [Fact]
    public void What_is_let_be_is_what_the_runtime_would_let_be_besides_those_that_opened()
    {
        Second(opened: 20_000);
        Assert.True(IsHeld);
        _heap = _heap with { Size = (12 * MiB / 5 * 9) + (20_000 * HeldCollections.SessionBytes) };
        Second();
        Assert.True(IsHeld);
        _heap = _heap with { Size = _heap.Size + 1 };
        Second();
        AssertReleased("heap");
    }

    [Fact]
    public void What_those_take_that_end_in_a_rush_is_not_collected_in_it()
    {
        Second(opened: 1_000_000);
        Second(ended: 400_000);
        Second(ended: 400_000);
        Second(ended: 100_000);
        Second(opened: From);
        Assert.True(IsHeld);
        Second(ended: From - 1);
        AssertReleased("sessions");
    }

    /// <summary>They were in the heap when they were prepared: opening them is no growth to allow for.</summary>
    [Fact]
    public void Prepared_sessions_that_open_are_not_allowed_for()
    {
        _prepared = 100_000;
        _heap = _heap with { AfterFull = 60 * MiB, FullIndex = 8 };
        Second(opened: 20_000, prepared: -20_000);
        Assert.True(IsHeld);
        _heap = _heap with { Size = 60 * MiB / 5 * 9 };
        Second();
        Assert.True(IsHeld);
        _heap = _heap with { Size = _heap.Size + 1 };
        Second();
        AssertReleased("heap");
    }

    [Fact]
    public void Prepared_sessions_that_wait_are_none_that_have_ended()
    {
        _prepared = 1_000_000;
        Second(opened: From, prepared: -From);
        Second();
        Assert.True(IsHeld);
        Second(ended: From);
        Assert.True(IsHeld);
        Second(prepared: From - 1_000_000);
        AssertReleased("sessions");
    }

    [Fact]
    public void Their_successors_make_garbage_of_it()
    {
        Second(opened: 100_000);
        Second(ended: 100_000);
        Second(opened: 30_000);
        Assert.True(IsHeld);
        Second(opened: 30_000);
        AssertReleased("heap");
    }

    [Fact]
    public void After_a_full_collection_the_heap_is_measured_by_what_it_left()
    {
        Second(opened: 100_000);
        Assert.True(IsHeld);
        _heap = _heap with { AfterFull = 6 * MiB, FullIndex = 8 };   // the rest was garbage
        Second();
        AssertReleased("heap");
        Second(opened: From);
        Assert.False(IsHeld);
        _heap = _heap with { AfterFull = 60 * MiB, FullIndex = 9 };
        Second(opened: From);
        Assert.True(IsHeld);
    }

    [Fact]
    public void Not_from_so_small_a_heap_that_the_next_full_collection_would_block()
    {
        _heap = _heap with { Gen2AfterFull = HeldCollections.Gen2Min - 1 };
        Second(opened: From);
        Assert.Empty(_told);
        _heap = _heap with { Gen2AfterFull = HeldCollections.Gen2Min };
        Second(opened: From);
        Assert.True(IsHeld);
    }

    [Fact]
    public void Half_of_the_memory_that_was_free_is_the_most_it_takes()
    {
        _heap = _heap with { Free = 100 * MiB };
        Second(opened: From);
        _heap = _heap with { Free = 8_000 * MiB };   // as it is not read anew, this cannot be believed
        Second(opened: 50_000);
        Assert.True(IsHeld);
        Second(opened: 100_000);
        AssertReleased("memory");
    }

    [Fact]
    public void Not_while_memory_is_short()
    {
        _heap = _heap with { Free = -1 };
        Second(opened: From);
        Assert.Empty(_told);
    }

    [Fact]
    public void Its_end_lets_go_and_holds_no_more()
    {
        Second(opened: From);
        _held.Dispose();
        Second(opened: From);
        Assert.Equal([true, false], _told);
    }

    [Fact]
    public void A_late_look_goes_by_the_time_that_has_passed()
    {
        var time = new LateTime();
        using var held = HeldCollections.Start(
            () => _sessions, static () => 0, () => _heap, _told.Add, From, time, _log);
        time.Look(after: TimeSpan.FromSeconds(1));
        _sessions += (3 * From) - 3;
        time.Look(after: TimeSpan.FromSeconds(3));
        Assert.Empty(_told);
        _sessions += From;
        time.Look(after: TimeSpan.FromSeconds(0.4));   // left to the next
        Assert.Empty(_told);
        time.Look(after: TimeSpan.FromSeconds(0.6));
        Assert.True(IsHeld);
    }

    [Fact]
    public void Zero_holds_nothing() =>
        Assert.Null(HeldCollections.Start(
            static () => 0, static () => 0, () => _heap, _told.Add, from: 0, _time, _log));

    [Fact]
    public void The_figures_are_the_runtimes()
    {
        GC.Collect();
        var heap = HeapFigures.Read();
        Assert.InRange(heap.Size, 1, long.MaxValue);
        Assert.InRange(heap.Gen2AfterFull, 1, heap.AfterFull);
        Assert.InRange(heap.FullIndex, 1, long.MaxValue);
        Assert.InRange(heap.Free, 1, GC.GetGCMemoryInfo().HighMemoryLoadThresholdBytes);
    }

    private void Second(int opened = 0, int ended = 0, int prepared = 0)
    {
        _prepared += prepared;
        _sessions += opened - ended;
        _heap = _heap with { Size = _heap.Size + ((long)opened * SessionBytes) };
        _time.Advance(TimeSpan.FromSeconds(1));
    }

    private void AssertReleased(string cause)
    {
        Assert.False(IsHeld);
        Assert.Contains("\"event\":\"collections-released\"", _log.Lines[^1], StringComparison.Ordinal);
        Assert.Contains($"\"cause\":\"{cause}\"", _log.Lines[^1], StringComparison.Ordinal);
    }

    /// <summary>A clock whose one timer fires when it likes.</summary>
    private sealed class LateTime : TimeProvider
    {
        private TimerCallback _callback = static _ => { };
        private object? _state;
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public override ITimer CreateTimer(
            TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_callback, _state) = (callback, state);
            return new VirtualTimeProvider().CreateTimer(static _ => { }, null, dueTime, period);
        }

        public void Look(TimeSpan after)
        {
            _ticks += after.Ticks;
            _callback(_state);
        }
    }
}
