using System.Diagnostics.Metrics;
using Router.Reporting;
using Router.Running;
using Router.TestKit;
using Router.Tests.Sessions;

namespace Router.Tests.Running;

/// <summary>Turns are timed from when somebody has asked for their times, however seldom that collects.</summary>
public sealed class LoopMeterTests
{
    [Fact]
    public void Turns_are_counted_though_nobody_collects()
    {
        using var kit = new RouterTestKit(seed: 1);
        var peer = kit.UdpPeer("192.0.2.7:5000", to: kit.BindUdp(static () => new ScriptHandler()));
        using var meter = new RouterMeter();
        using var loops = new LoopMeter(meter, kit.Loops, kit.Time, static () => 0);
        var counted = new List<string>();
        loops.Begin();   // nobody has asked: nothing is timed
        Turn();
        using var asking = Ask(meter, counted);
        kit.Advance(LoopMeter.TakePeriod);
        Assert.Empty(counted);

        loops.Begin();
        loops.Begin();
        Turn();
        kit.Advance(LoopMeter.TakePeriod);

        Assert.Equal(["router.turn.duration", "router.turn.queue.duration"], counted);
        loops.Dispose();
        Turn();
        kit.Advance(2 * LoopMeter.TakePeriod);
        Assert.Equal(2, counted.Count);

        void Turn()
        {
            kit.RunUntilIdle();
            peer.Send("hello"u8);
            kit.RunUntilIdle();
        }
    }

    private static MeterListener Ask(RouterMeter meter, List<string> counted)
    {
        var asking = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter, meter.Meter))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        asking.SetMeasurementEventCallback<double>((instrument, _, _, _) => counted.Add(instrument.Name));
        asking.Start();
        return asking;
    }
}
