using Router.Loop;
using Router.TestKit.Simulation;

namespace Router.Tests.Loop;

/// <summary>Some turns are timed, once somebody collects.</summary>
public sealed class TurnSamplesTests
{
    private static readonly TimeSpan Queued = TimeSpan.FromMicroseconds(30), Lasted = TimeSpan.FromMicroseconds(200);

    private readonly VirtualTimeProvider _time = new();
    private readonly List<TurnSample> _taken = [];
    private readonly object _owner = new();
    private readonly TurnSamples _samples;
    private readonly long _started;
    private long _passBegan;

    public TurnSamplesTests() => (_samples, _started) = (new TurnSamples(_time), _time.GetTimestamp());

    [Fact]
    public void None_is_before_the_first_collection()
    {
        Pass(turns: 100);

        Assert.False(_samples.Take(_taken.Add));
        _samples.Start();
        Assert.True(_samples.Take(_taken.Add));
        Assert.Empty(_taken);
    }

    [Fact]
    public void A_sample_has_the_time_of_the_turn_and_that_since_its_pass_began()
    {
        _samples.Start();
        Pass(turns: 1);

        _samples.Take(_taken.Add);

        var sample = Assert.Single(_taken);
        Assert.Same(_owner, sample.Owner);
        Assert.Equal(Queued.TotalMicroseconds, _time.GetElapsedTime(0, sample.Queued).TotalMicroseconds, tolerance: 1);
        Assert.Equal(Lasted.TotalMicroseconds, _time.GetElapsedTime(0, sample.Lasted).TotalMicroseconds, tolerance: 1);
        _samples.Take(_taken.Add);
        Assert.Single(_taken);
    }

    /// <summary>Each pass here takes 23 ms.</summary>
    [Fact]
    public void A_busy_loop_has_one_sample_in_two_milliseconds_at_most_and_from_anywhere_in_a_pass()
    {
        const int Passes = 20;
        _samples.Start();
        for (var i = 0; i < Passes; i++)
        {
            Pass(turns: 100);
        }

        _samples.Take(_taken.Add);

        Assert.InRange(_taken.Count, Passes, Passes * 12);
        Assert.True(_taken.DistinctBy(static sample => sample.Queued).Count() > 10);
    }

    [Fact]
    public void What_nobody_takes_is_not_kept_beyond_the_limit()
    {
        _samples.Start();
        for (var i = 0; i < TurnSamples.Capacity * 20; i++)
        {
            Pass(turns: 1);
            _time.Advance(TimeSpan.FromMilliseconds(2));
        }

        _samples.Take(_taken.Add);
        Assert.Equal(TurnSamples.Capacity, _taken.Count);

        Pass(turns: 16);
        _samples.Take(_taken.Add);
        Assert.True(_taken.Count > TurnSamples.Capacity);
    }

    private void Pass(int turns)
    {
        _passBegan = _time.GetTimestamp();
        for (var i = 0; i < turns; i++)
        {
            _time.Advance(Queued);
            var nowMs = (long)_time.GetElapsedTime(_started).TotalMilliseconds;
            _samples.Begin(this, nowMs, _passBegan);
            _time.Advance(Lasted);
            _samples.End(this, _owner);
        }
    }
}
