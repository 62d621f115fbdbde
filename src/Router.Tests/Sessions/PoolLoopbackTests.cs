using System.Net.Sockets;
using Router.Diagnostics;
using Router.Listeners;
using Router.Sessions;
using Router.Tests.Routes;

namespace Router.Tests.Sessions;

/// <summary>Sessions on the threads of the pool, over the kernel's sockets, while the test drives the loop.</summary>
public sealed class PoolLoopbackTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_reset_while_a_handler_is_at_work_leaves_the_loop_at_rest(bool finishedBefore)
    {
        using var entered = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        using var rig = new LoopbackRig(SessionTransport.Tcp, () => new Busy(entered, mayGoOn));
        var client = rig.NewTcpClient();
        client.Send("x"u8);
        rig.Until(() => entered.IsSet);
        if (finishedBefore)
        {
            client.Shutdown(SocketShutdown.Send);
            rig.Settle();
        }

        client.LingerState = new LingerOption(enable: true, seconds: 0);
        client.Dispose();
        var passes = 0;
        rig.Until(() => !rig.Loop.RunOnce(block: false) && ++passes == 100);   // not told of on every pass

        mayGoOn.Set();
        if (!finishedBefore)
        {
            rig.Until(() => rig.Closed.Count == 1);
            Assert.Equal(CloseReason.Reset, rig.Closed[0]);
        }
    }

    [Fact]
    public void A_session_that_fails_on_the_pool_leaves_the_table_on_the_loop()
    {
        using var rig = new LoopbackRig(SessionTransport.Udp, static () => new Failing());
        using var client = LoopbackRig.NewUdp();
        client.SendTo("one"u8, rig.EndPoint);
        rig.Until(() => rig.Faults.Count == 1);   // it has been restarted
        client.SendTo("two"u8, rig.EndPoint);

        rig.Until(() => rig.Closed.Count == 1);   // the shard checks which thread it is

        Assert.Equal(CloseReason.Failed, rig.Closed[0]);
        Assert.Equal(0, ((UdpShard)rig.Shard).Table.Count);
        Assert.IsType<HandlerFailedException>(rig.Faults[0]);
        Assert.IsType<InvalidOperationException>(rig.Faults[1]);   // what it ended by
        Assert.Equal(2, rig.Faults.Count);
        rig.Faults.Clear();
    }

    private sealed class Busy(ManualResetEventSlim entered, ManualResetEventSlim mayGoOn) : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            entered.Set();
            mayGoOn.Wait(Patience);
        }
    }

    private sealed class Failing : SessionHandler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch) =>
            throw new InvalidOperationException("as the test wants it");
    }
}
