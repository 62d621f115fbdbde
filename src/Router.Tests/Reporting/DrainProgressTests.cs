using Router.Reporting;
using Router.TestKit.Simulation;

namespace Router.Tests.Reporting;

public sealed class DrainProgressTests
{
    private readonly VirtualTimeProvider _time = new();
    private int _lines;

    [Fact]
    public void A_line_a_second_is_written_until_the_drain_is_over()
    {
        using (new DrainProgress(_time, () => _lines++))
        {
            _time.Advance(TimeSpan.FromMilliseconds(999));
            Assert.Equal(0, _lines);

            _time.Advance(TimeSpan.FromMilliseconds(2_001));
            Assert.Equal(3, _lines);
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(3, _lines);
        Assert.Null(_time.NextTimer);
    }
}
