using Router.Diagnostics;
using Router.TestKit.Simulation;

namespace Router.Tests.Diagnostics;

public sealed class BurstLogTests
{
    private readonly VirtualTimeProvider _time = new();
    private readonly List<(string Last, long Count)> _lines = [];
    private readonly BurstLog<string> _log;

    public BurstLogTests() => _log = new BurstLog<string>((last, count) => _lines.Add((last, count)), _time);

    [Fact]
    public void The_first_is_a_line_at_once_and_those_of_its_second_are_one_line()
    {
        _log.Add("a");
        Assert.Equal([("a", 1)], _lines);
        for (var i = 0; i < 10_000; i++)
        {
            _log.Add($"{i}");
        }

        Assert.Single(_lines);
        _time.Advance(BurstLog<string>.Interval);
        Assert.Equal([("a", 1), ("9999", 10_000)], _lines);
    }

    [Fact]
    public void However_it_goes_on_there_is_a_line_a_second()
    {
        for (var tenths = 0; tenths < 100; tenths++)
        {
            _log.Add("x");
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(_lines.Count, 10, 11);
        Assert.Equal(100, _lines.Sum(static line => line.Count));
    }

    [Fact]
    public void After_silence_the_next_is_a_line_at_once_again()
    {
        _log.Add("a");
        _time.Advance(TimeSpan.FromSeconds(5));
        _log.Add("b");

        Assert.Equal([("a", 1), ("b", 1)], _lines);
    }

    [Fact]
    public void What_waits_at_the_end_is_written()
    {
        _log.Add("a");
        _log.Add("b");
        _log.Dispose();

        Assert.Equal([("a", 1), ("b", 1)], _lines);
    }
}
