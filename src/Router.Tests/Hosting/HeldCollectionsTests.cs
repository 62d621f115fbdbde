using Router.Hosting;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;

namespace Router.Tests.Hosting;

public sealed class HeldCollectionsTests : IDisposable
{
    private const int From = 5_000;
    private const int SessionBytes = 500;
    private const long MiB = 1 << 20;

    private readonly VirtualTimeProvider _time = new();
    private readonly LineLogger _log = new("Router");
    private readonly List<bool> _told = [];
    private readonly HeldCollections _held;
    private HeapFigures _heap;
    private int _sessions;

    public HeldCollectionsTests()
    {
        _heap = new HeapFigures(Size: 12 * MiB, Whole: 12 * MiB, WholeOld: 10 * MiB, WholeIndex: 7, Free: 8_000 * MiB);
        _sessions = 20_000;
        _held = new HeldCollections(() => _sessions, () => _heap, _told.Add, From, _time, _log);
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
        Second(opened: -1);
        Assert.Equal([true], _told);
        Assert.Contains("\"event\":\"collections-held\"", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Not_when_as_many_end_as_open()
    {
        _heap = _heap with { Size = _heap.Size + (From * SessionBytes) };
        Second();
        Assert.Empty(_told);
    }

    [Fact]
    public void Garbage_is_let_be_up_to_four_fifths_of_what_sessions_take()
    {
        Second(opened: 20_000);   // twice as many: twice of 1.8 times 12 MiB is for them
        Assert.True(IsHeld);
        _heap = _heap with { Size = (long)(2 * 1.8 * 12 * MiB) };
        Second();
        Assert.True(IsHeld);
        _heap = _heap with { Size = _heap.Size + 1_024 };
        Second();
        Assert.False(IsHeld);
        AssertReleased("heap");
    }

    [Fact]
    public void What_sessions_take_that_end_in_a_rush_is_not_collected_in_it()
    {
        Second(opened: 1_000_000);
        Second(opened: -400_000);
        Second(opened: -400_000);
        Second(opened: -100_000);
        Assert.True(IsHeld);
        Second(opened: -From + 1);
        Assert.False(IsHeld);
        AssertReleased("sessions");
    }

    [Fact]
    public void Their_successors_make_garbage_of_it()
    {
        Second(opened: 100_000);
        Second(opened: -100_000);
        Second(opened: 100_000);
        Assert.True(IsHeld);
        Second(opened: -100_000);
        Second(opened: 100_000);
        Assert.False(IsHeld);
        AssertReleased("heap");
    }

    [Fact]
    public void After_a_whole_collection_the_heap_is_measured_by_what_it_left()
    {
        Second(opened: 100_000);
        Assert.True(IsHeld);
        _heap = _heap with { Whole = 6 * MiB, WholeIndex = 8 };   // for each session a tenth of before
        Second();
        AssertReleased("heap");
        Second(opened: From);
        Assert.False(IsHeld);
        _heap = _heap with { Whole = 60 * MiB, WholeIndex = 9 };
        Second(opened: From);
        Assert.True(IsHeld);
    }

    [Fact]
    public void Not_from_so_few_sessions_that_what_one_takes_cannot_be_told()
    {
        _sessions = HeldCollections.SessionsMin - 1;
        _heap = _heap with { WholeIndex = 8 };
        Second();
        Second(opened: From);
        Assert.Empty(_told);
    }

    [Fact]
    public void Not_from_so_small_a_heap_that_the_next_whole_collection_would_block()
    {
        _heap = _heap with { WholeOld = HeldCollections.WholeOldMin - 1 };
        Second(opened: From);
        Assert.Empty(_told);
        _heap = _heap with { WholeOld = HeldCollections.WholeOldMin };
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
        Assert.False(IsHeld);
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
    public void Zero_holds_nothing() =>
        Assert.Null(HeldCollections.Start(new RouterStats(), _told.Add, from: 0, _time, _log));

    [Fact]
    public void The_figures_are_the_runtimes()
    {
        GC.Collect();
        var heap = HeapFigures.Read();
        Assert.InRange(heap.Size, 1, long.MaxValue);
        Assert.InRange(heap.WholeOld, 1, heap.Whole);
        Assert.InRange(heap.WholeIndex, 1, long.MaxValue);
        Assert.InRange(heap.Free, long.MinValue, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    private void Second(int opened = 0)
    {
        _sessions += opened;
        _heap = _heap with { Size = _heap.Size + (Math.Max(0, opened) * (long)SessionBytes) };
        _time.Advance(TimeSpan.FromSeconds(1));
    }

    private void AssertReleased(string cause)
    {
        Assert.False(IsHeld);
        Assert.Contains("\"event\":\"collections-released\"", _log.Lines[^1], StringComparison.Ordinal);
        Assert.Contains($"\"cause\":\"{cause}\"", _log.Lines[^1], StringComparison.Ordinal);
    }
}
