using Router.Diagnostics;
using Router.TestKit.Simulation;

namespace Router.Tests.Diagnostics;

public sealed class EventGateTests
{
    private readonly VirtualTimeProvider _time = new();

    [Fact]
    public void One_of_a_kind_passes_in_a_second_and_the_others_are_counted()
    {
        var gate = new EventGate<string>(_time);

        var passed = Enumerable.Range(0, 3_000).Count(_ =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            return gate.Passes("a", out var _);
        });

        Assert.Equal(3, passed);
        Assert.True(gate.Passes("b", out var suppressed));
        Assert.Equal(0, suppressed);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(gate.Passes("a", out suppressed));
        Assert.Equal(999, suppressed);
    }

    [Fact]
    public void It_keeps_so_many_kinds_and_forgets_those_that_are_over()
    {
        var gate = new EventGate<int>(_time);
        for (var kind = 0; kind < 10 * EventGate<int>.KindsMax; kind++)
        {
            Assert.True(gate.Passes(kind, out _));
        }

        Assert.False(gate.Passes((10 * EventGate<int>.KindsMax) - 1, out _));
    }
}
