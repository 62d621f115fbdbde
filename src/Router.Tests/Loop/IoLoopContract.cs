using Router.Loop;
using Router.Net;
using Router.Tests.Net;

namespace Router.Tests.Loop;

/// <summary>The loop over every network's poller.</summary>
public abstract class IoLoopContract
{
    private protected abstract INetwork CreateNetwork();

    [Fact]
    public void Runs_from_other_threads_wake_the_loop_and_none_is_lost()
    {
        const int Threads = 4, PerThread = 20_000;
        using var loop = new IoLoop(0, CreateNetwork(), TimeProvider.System, new IoLoopOptions());
        using var done = new CountdownEvent(Threads * PerThread);
        loop.Start();
        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < PerThread; i++)
            {
                loop.Enqueue(new Run(() => done.Signal()));
                if (i % 100 == 0)
                {
                    Thread.Yield();   // lets the loop fall asleep in between
                }
            }
        })).ToArray();
        foreach (var thread in threads)
        {
            thread.Start();
        }

        Assert.True(done.Wait(TimeSpan.FromSeconds(30)));
        loop.Stop();
    }

    [Fact]
    public void A_sleeping_loop_is_woken_by_each_single_run()
    {
        using var loop = new IoLoop(0, CreateNetwork(), TimeProvider.System, new IoLoopOptions());
        using var ran = new SemaphoreSlim(0);
        loop.Start();
        for (var i = 0; i < 2000; i++)
        {
            loop.Enqueue(new Run(() => ran.Release()));
            Assert.True(ran.Wait(TimeSpan.FromSeconds(10)), $"run {i} did not wake the loop");
        }
    }

    [Fact]
    public void The_loop_stops_while_asleep()
    {
        var loop = new IoLoop(0, CreateNetwork(), TimeProvider.System, new IoLoopOptions());
        using var started = new ManualResetEventSlim();
        loop.Enqueue(new Run(started.Set));
        loop.Start();
        Assert.True(started.Wait(TimeSpan.FromSeconds(10)));

        loop.Dispose();
        loop.Dispose();

        Assert.False(loop.IsStarted);
        loop.Enqueue(new Run(() => { }));   // a late one is kept, not run and not fatal
    }

    [Fact]
    public void A_socket_closed_by_another_ones_receiver_is_not_told()
    {
        using var rig = new NetRig(CreateNetwork());
        var sender = rig.Bind("127.0.0.1:0");
        var told = new List<int>();
        var sockets = new DatagramSocket[8];
        var replaced = new List<DatagramSocket>();
        for (var i = 0; i < sockets.Length; i++)
        {
            rig.Network.BindDatagram(NetRig.At("127.0.0.1:0"), new DatagramOptions(0, 0, false), out var socket);
            sockets[i] = socket!;
            var index = i;
            rig.Loop.Register(socket!, new OnReadyDo(() =>
            {
                told.Add(index);
                foreach (var other in sockets)
                {
                    other.Dispose();
                    other.Dispose();

                    // Takes the descriptor and the poller's place that have just become free.
                    rig.Network.BindDatagram(NetRig.At("127.0.0.1:0"), new DatagramOptions(0, 0, false), out var fresh);
                    rig.Loop.Register(fresh!, new OnReadyDo(() => told.Add(-1)), IoReadiness.Readable);
                    replaced.Add(fresh!);
                }
            }), IoReadiness.Readable);
        }

        foreach (var socket in sockets)
        {
            sender.Send("x"u8, socket.LocalAddress);
        }

        rig.Until(() => told.Count > 0);
        rig.Settle();

        Assert.Single(told);
        Assert.All(sockets, socket => Assert.True(socket.IsClosed && socket.Loop is null));
        replaced.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public void Readiness_is_told_on_every_pass_until_the_interest_is_taken_back()
    {
        using var rig = new NetRig(CreateNetwork());
        rig.Network.BindDatagram(NetRig.At("127.0.0.1:0"), new DatagramOptions(0, 0, false), out var socket);
        using var owned = socket!;
        var told = 0;
        rig.Loop.Register(owned, new OnReadyDo(() => told++), IoReadiness.None);
        rig.Bind("127.0.0.1:0").Send("x"u8, owned.LocalAddress);
        rig.Settle();
        Assert.Equal(0, told);

        rig.Loop.SetInterest(owned, IoReadiness.Readable);
        rig.Until(() => told >= 3);
        rig.Loop.SetInterest(owned, IoReadiness.None);
        var before = told;
        rig.Settle();

        Assert.Equal(before, told);
    }

    [Fact]
    public void A_receiver_that_throws_hides_no_other_socket()
    {
        using var rig = new NetRig(CreateNetwork());
        var sender = rig.Bind("127.0.0.1:0");
        rig.Network.BindDatagram(NetRig.At("127.0.0.1:0"), new DatagramOptions(0, 0, false), out var broken);
        using var owned = broken!;
        var receiver = new OnReadyDo(() => throw new InvalidOperationException("broken"));
        rig.Loop.Register(owned, receiver, IoReadiness.Readable);
        var healthy = rig.Bind("127.0.0.1:0");

        sender.Send("x"u8, owned.LocalAddress);
        sender.Send("y"u8, healthy.Address);
        rig.Until(() => healthy.Got.Count == 1 && rig.Faults.Count > 0);

        Assert.All(rig.Faults, fault => Assert.Equal("broken", fault.Message));
        rig.Faults.Clear();
    }

    [Fact]
    public void Two_loops_share_nothing()
    {
        using var one = new NetRig(CreateNetwork());
        using var two = new NetRig(CreateNetwork());
        var server = one.Bind("127.0.0.1:0");
        server.Echoes = true;
        var client = two.Bind("127.0.0.1:0");

        client.Send("x"u8, server.Address);
        one.Until(() => server.Got.Count == 1);
        Assert.Empty(client.Got);
        two.Until(() => client.Got.Count == 1);
    }

    internal sealed class Run(Action action) : IRunnable
    {
        void IRunnable.Run() => action();

        void IThreadPoolWorkItem.Execute() => action();
    }

    internal sealed class OnReadyDo(Action action) : IIoReceiver
    {
        public void OnReady(IoSocket socket, IoReadiness ready) => action();
    }
}
