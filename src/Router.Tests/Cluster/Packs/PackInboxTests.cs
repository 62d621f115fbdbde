using Router.Cluster.Packs;
using Router.Loop;
using Router.TestKit;

namespace Router.Tests.Cluster.Packs;

public sealed class PackInboxTests
{
    /// <summary>Nothing else comes that would ask the loop again.</summary>
    [Fact]
    public void What_waits_behind_an_arrival_that_fails_is_passed_on()
    {
        using var kit = new RouterTestKit(seed: 1);
        var faults = new List<Exception>();
        kit.Loops[0].OnFault = faults.Add;
        var inbox = new Inbox(kit.Loops[0]);
        inbox.Add("one", payloads: 1);
        inbox.Add("bad", payloads: 1);
        inbox.Add("two", payloads: 1);
        kit.RunUntilIdle();

        Assert.Equal(["one", "two"], inbox.PassedOn);
        Assert.IsType<InvalidDataException>(Assert.Single(faults));
    }

    private sealed class Inbox(IoLoop loop) : PackInbox<string>(loop, window: 1_000)
    {
        public List<string> PassedOn { get; } = [];

        protected override int BytesOf(string arrival) => arrival.Length;

        protected override void PassOn(string arrival)
        {
            if (arrival == "bad")
            {
                throw new InvalidDataException(arrival);
            }

            PassedOn.Add(arrival);
        }
    }
}
