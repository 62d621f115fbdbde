using Router.Hosting;

namespace Router.Tests.Hosting;

public sealed class HeldCollectionsTests
{
    private const int PerSession = 600;
    private const long MiB = 1 << 20;

    private readonly List<bool> _told = [];
    private HeapFigures _heap = new(Size: 20 * MiB, Whole: 20 * MiB, WholeIndex: 7, Load: 0, HighLoad: 900 * MiB);
    private int _sessions;

    private bool IsHeld => _told.Count > 0 && _told[^1];

    [Fact]
    public void Held_while_the_heap_grows_by_no_more_than_sessions_open()
    {
        using var held = Start();
        Open(held, 999, bytesEach: PerSession);
        Assert.False(IsHeld);
        Open(held, 1, bytesEach: PerSession);
        Assert.True(IsHeld);
        Open(held, 1_000_000, bytesEach: PerSession);
        Assert.Equal([true], _told);   // told once
        Open(held, 0, bytesEach: 0);
        Assert.Equal([true], _told);
    }

    [Fact]
    public void Something_else_that_grows_is_collected_as_ever()
    {
        using var held = Start();
        Open(held, 10_000, bytesEach: PerSession);
        _heap = _heap with { Size = _heap.Size + (16 * MiB) };   // four fifths of what was there: the runtime's own
        held.OnCollected();
        Assert.True(IsHeld);
        _heap = _heap with { Size = _heap.Size + 1 };
        held.OnCollected();
        Assert.False(IsHeld);
    }

    [Fact]
    public void Sessions_that_have_ended_are_still_in_the_heap()
    {
        using var held = Start();
        Open(held, 1_000_000, bytesEach: PerSession);
        Open(held, -1_000_000, bytesEach: 0);
        Assert.True(IsHeld);
        Open(held, 1_000_000, bytesEach: PerSession);   // their successors make it grow further
        Assert.False(IsHeld);
    }

    [Fact]
    public void After_a_whole_collection_only_those_count_that_open_from_then_on()
    {
        using var held = Start();
        Open(held, 1_000_000, bytesEach: PerSession);
        _heap = _heap with { Whole = _heap.Size, WholeIndex = 8 };
        held.OnCollected();
        Assert.False(IsHeld);
        Open(held, 1_000, bytesEach: PerSession);
        Assert.True(IsHeld);
    }

    [Fact]
    public void Not_from_a_heap_so_small_that_the_next_whole_collection_would_block()
    {
        using var held = Start();
        _heap = _heap with { Whole = HeldCollections.WholeMin - 1, Size = HeldCollections.WholeMin };
        Open(held, 10_000, bytesEach: PerSession);
        Assert.False(IsHeld);
    }

    [Fact]
    public void Never_while_memory_comes_near_to_being_short()
    {
        using var held = Start();
        _heap = _heap with { Load = 674 * MiB };
        Open(held, 10_000, bytesEach: PerSession);
        Assert.True(IsHeld);
        _heap = _heap with { Load = 675 * MiB };
        Open(held, 10_000, bytesEach: PerSession);
        Assert.False(IsHeld);
    }

    [Fact]
    public void Its_end_lets_go_and_holds_no_more()
    {
        var held = Start();
        Open(held, 10_000, bytesEach: PerSession);
        held.Dispose();
        Open(held, 10_000, bytesEach: PerSession);
        Assert.Equal([true, false], _told);
    }

    [Fact]
    public void Zero_holds_nothing() => Assert.Null(HeldCollections.Start(new RouterStats(), perSession: 0));

    [Fact]
    public void The_figures_are_the_runtimes()
    {
        GC.Collect();
        var heap = HeapFigures.Read();
        Assert.InRange(heap.Size, 1, long.MaxValue);
        Assert.InRange(heap.Whole, 1, long.MaxValue);
        Assert.InRange(heap.WholeIndex, 1, long.MaxValue);
        Assert.InRange(heap.Load, 1, heap.HighLoad * 2);
    }

    private void Open(HeldCollections held, int sessions, long bytesEach)
    {
        _sessions += sessions;
        _heap = _heap with { Size = _heap.Size + (sessions * bytesEach) };
        held.OnCollected();
    }

    private HeldCollections Start()
    {
        var held = new HeldCollections(() => _sessions, () => _heap, _told.Add, PerSession);
        held.OnCollected();
        Assert.Empty(_told);
        return held;
    }
}
