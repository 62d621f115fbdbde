namespace Router.Loop;

/// <summary>A turn of a session that was timed.</summary>
/// <param name="Owner">Whose it was: the shard of the session.</param>
/// <param name="Queued">From the beginning of the loop's pass to that of the turn, in ticks of the clock.</param>
/// <param name="Lasted">The turn, in ticks of the clock.</param>
internal readonly record struct TurnSample(object Owner, long Queued, long Lasted);

/// <summary>Times some of the turns on a loop, once somebody collects what they give: at most one in
/// <see cref="GapMs"/>, picked at random within a pass. The turns between cost a decrement.</summary>
/// <remarks>The loop writes, one reader at a time takes. 8,192 samples may wait, which is over 16 s of a loop at its
/// busiest; beyond that no turn is timed until they are taken.</remarks>
internal sealed class TurnSamples(TimeProvider time)
{
    public const int Capacity = 8192;

    private const int GapMs = 2;

    /// <summary>The turns that may pass until the next sample, at most; a power of two.</summary>
    private const int StrideMax = 16;

    private TurnSample[]? _ring;
    private long _written, _taken;
    private long _left = long.MaxValue;
    private long _notBeforeMs;
    private long _beganPass, _began;
    private uint _random = 2463534242;
    private object? _current;

    /// <summary>A turn begins. Loop thread.</summary>
    /// <param name="turn">The same object at its end.</param>
    /// <param name="nowMs">The loop's clock.</param>
    /// <param name="passBegan">When its pass began, in ticks of the clock.</param>
    public void Begin(object turn, long nowMs, long passBegan)
    {
        if (--_left <= 0)
        {
            TryBegin(turn, nowMs, passBegan);
        }
    }

    /// <summary>A turn ends. Loop thread.</summary>
    public void End(object turn, object owner)
    {
        if (ReferenceEquals(_current, turn))
        {
            Finish(owner);
        }
    }

    /// <summary>From now on some turns are timed. Loop thread; once more does nothing.</summary>
    public void Start()
    {
        if (_ring is null)
        {
            _left = 1;
            Volatile.Write(ref _ring, new TurnSample[Capacity]);
        }
    }

    /// <summary>Gives all samples there are since the last time. Any thread, one at a time.</summary>
    /// <returns>False while none are taken: see <see cref="Start"/>.</returns>
    public bool Take(Action<TurnSample> onSample)
    {
        if (Volatile.Read(ref _ring) is not { } ring)
        {
            return false;
        }

        var written = Volatile.Read(ref _written);
        for (var i = _taken; i < written; i++)
        {
            ref var cell = ref ring[i % Capacity];
            onSample(cell);
            cell = default;   // it must not keep a shard that is gone
        }

        Volatile.Write(ref _taken, written);
        return true;
    }

    private void TryBegin(object turn, long nowMs, long passBegan)
    {
        _random ^= _random << 13;
        _random ^= _random >> 17;
        _random ^= _random << 5;
        _left = 1 + (_random % StrideMax);
        if (nowMs >= _notBeforeMs && _written - Volatile.Read(ref _taken) < Capacity)
        {
            _notBeforeMs = nowMs + GapMs;
            _beganPass = passBegan;
            _current = turn;
            _began = time.GetTimestamp();
        }
    }

    private void Finish(object owner)
    {
        var lasted = time.GetTimestamp() - _began;
        _current = null;
        _ring![_written % Capacity] = new TurnSample(owner, _began - _beganPass, lasted);
        Volatile.Write(ref _written, _written + 1);
    }
}
