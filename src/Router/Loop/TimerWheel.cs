using System.Numerics;
using Router.Net;

namespace Router.Loop;

/// <summary>The deadlines of one loop, in a hierarchical timer wheel: four levels of 256 slots, the lowest 8 ms wide.
/// Arming and cancelling take constant time.</summary>
/// <remarks>
/// Loop thread only. A timer fires in the first turn of the wheel at or after its deadline, at most one slot late and
/// never early. The work of one turn is bounded, so that a million deadlines at once do not hold up the sockets: timers
/// due beyond the limit wait for the next turn, and so do those beyond <see cref="MovesPerTurn"/> that leave an upper
/// slot.
/// </remarks>
internal sealed class TimerWheel
{
    public const int SlotMs = 8;

    /// <summary>Timers that one turn moves down from the upper levels: about 0.1 ms.</summary>
    internal const int MovesPerTurn = 1024;

    private const int Levels = 4;
    private const int SlotsPerLevel = 256;
    private const int SlotBits = 8;
    private const long DueMsMax = long.MaxValue / 2;   // "never", with room to round up

    private readonly Slot[] _slots = new Slot[Levels * SlotsPerLevel];
    private readonly ulong[] _used = new ulong[SlotsPerLevel / 64];   // lowest level only
    private readonly Slot _due = new();
    private readonly Slot _falling = new();   // out of their upper slots, not yet in their lower ones
    private long _tick;   // slots fully turned so far

    public TimerWheel(long nowMs)
    {
        for (var i = 0; i < _slots.Length; i++)
        {
            _slots[i] = new Slot();
        }

        _tick = nowMs / SlotMs;
    }

    public int Count { get; private set; }

    /// <summary>Whether the last turn has left work that the next one must do at once.</summary>
    public bool IsBehind => !_due.IsEmpty || !_falling.IsEmpty;

    public void Schedule(LoopTimer timer, long dueMs)
    {
        Cancel(timer);
        timer.TimerDueMs = Math.Clamp(dueMs, 0, DueMsMax);
        Count++;
        Place(timer);
    }

    public void Cancel(LoopTimer timer)
    {
        if (timer.TimerDueMs < 0)
        {
            return;
        }

        timer.TimerDueMs = -1;
        Unlink(timer);
        Count--;
    }

    /// <summary>Fires what is due at <paramref name="nowMs"/>, at most <paramref name="max"/> timers.</summary>
    /// <returns>Timers fired.</returns>
    public int Turn(long nowMs, int max)
    {
        var target = nowMs / SlotMs;
        if (Count == 0)
        {
            _tick = Math.Max(_tick, target);
        }

        while (_tick < target)
        {
            // Empty slots are skipped: after a long sleep, or a clock set forward, only borders and used slots cost.
            var next = _tick + TicksToNext();
            _tick = Math.Min(next, target);
            if (next <= target)
            {
                TurnSlot();
            }
        }

        MoveFalling();
        var fired = 0;
        while (fired < max && !_due.IsEmpty)
        {
            var timer = _due.TimerNext!;
            Cancel(timer);
            fired++;
            timer.OnTimer();
        }

        return fired;
    }

    /// <summary>Milliseconds until the wheel must turn again; -1 when nothing is armed.</summary>
    public int NextTurnMs(long nowMs)
    {
        if (Count == 0)
        {
            return -1;
        }

        if (IsBehind)
        {
            return 0;
        }

        return (int)Math.Clamp(((_tick + TicksToNext()) * SlotMs) - nowMs, 0, int.MaxValue);
    }

    /// <summary>Slots from the present one to the next that is used or that the level above empties into,
    /// 1..256.</summary>
    private int TicksToNext()
    {
        var slot = (int)(_tick & (SlotsPerLevel - 1));
        for (var at = slot + 1; at < SlotsPerLevel; at = (at | 63) + 1)
        {
            var word = _used[at >> 6] >> (at & 63);
            if (word != 0)
            {
                return at - slot + BitOperations.TrailingZeroCount(word);
            }
        }

        return SlotsPerLevel - slot;
    }

    private void TurnSlot()
    {
        for (var level = 1; level < Levels && (_tick & ((1L << (level * SlotBits)) - 1)) == 0; level++)
        {
            _slots[(level * SlotsPerLevel) + (int)((_tick >> (level * SlotBits)) & (SlotsPerLevel - 1))]
                .MoveAllTo(_falling);
        }

        var index = (int)(_tick & (SlotsPerLevel - 1));
        _used[index >> 6] &= ~(1UL << (index & 63));
        _slots[index].MoveAllTo(_due);
    }

    private void MoveFalling()
    {
        for (var moved = 0; moved < MovesPerTurn && !_falling.IsEmpty; moved++)
        {
            var timer = _falling.TimerNext!;
            Unlink(timer);
            Place(timer);
        }
    }

    private void Place(LoopTimer timer)
    {
        var dueTick = (timer.TimerDueMs + SlotMs - 1) / SlotMs;
        var distance = dueTick - _tick;
        if (distance <= 0)
        {
            LinkBefore(_due, timer);
            return;
        }

        for (var level = 0; level < Levels; level++)
        {
            if (distance < 1L << ((level + 1) * SlotBits) || level == Levels - 1)
            {
                var reach = Math.Min(dueTick, _tick + (1L << (Levels * SlotBits)) - 1);
                var index = (int)((reach >> (level * SlotBits)) & (SlotsPerLevel - 1));
                if (level == 0)
                {
                    _used[index >> 6] |= 1UL << (index & 63);
                }

                LinkBefore(_slots[(level * SlotsPerLevel) + index], timer);
                return;
            }
        }
    }

    private static void LinkBefore(LoopTimer head, LoopTimer timer)
    {
        timer.TimerNext = head;
        timer.TimerPrevious = head.TimerPrevious;
        head.TimerPrevious!.TimerNext = timer;
        head.TimerPrevious = timer;
    }

    private static void Unlink(LoopTimer timer)
    {
        timer.TimerPrevious!.TimerNext = timer.TimerNext;
        timer.TimerNext!.TimerPrevious = timer.TimerPrevious;
        timer.TimerNext = null;
        timer.TimerPrevious = null;
    }

    private sealed class Slot : LoopTimer
    {
        public Slot()
        {
            TimerNext = this;
            TimerPrevious = this;
        }

        public bool IsEmpty => ReferenceEquals(TimerNext, this);

        /// <summary>Appends all timers of this slot to another, in constant time.</summary>
        public void MoveAllTo(Slot other)
        {
            if (IsEmpty)
            {
                return;
            }

            TimerNext!.TimerPrevious = other.TimerPrevious;
            other.TimerPrevious!.TimerNext = TimerNext;
            TimerPrevious!.TimerNext = other;
            other.TimerPrevious = TimerPrevious;
            TimerNext = this;
            TimerPrevious = this;
        }

        internal override void OnTimer() => throw new CheckFailedException("a slot is no timer");
    }
}
