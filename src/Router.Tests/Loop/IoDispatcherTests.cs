using Akka.Configuration;
using Router.Loop;
using Router.Net;

namespace Router.Tests.Loop;

public sealed class IoDispatcherTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Actors_of_a_loop_run_on_its_thread()
    {
        using var group = new IoLoopGroup(2, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        var system = CreateSystem(group);
        group.Start();
        for (var i = 0; i < 2; i++)
        {
            var props = Props.Create(() => new Where()).WithDispatcher(group.DispatcherId(i));
            var actor = system.ActorOf(props, $"where-{i}");
            Assert.Equal(i, await actor.Ask<int>("where", Patience));
        }

        await system.Terminate();
    }

    [Fact]
    public async Task Tells_from_everywhere_arrive_in_the_order_of_each_sender()
    {
        using var group = new IoLoopGroup(2, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        var system = CreateSystem(group);
        group.Start();
        var sum = system.ActorOf(
            Props.Create(() => new InOrder()).WithDispatcher(group.DispatcherId(0)), "in-order");
        var threads = Enumerable.Range(0, 3).Select(sender => new Thread(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                sum.Tell((sender, i));
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Equal(30_000, await sum.Ask<int>("count", Patience));
        await system.Terminate();
    }

    [Fact]
    public async Task A_group_serves_one_system_after_another()
    {
        using var group = new IoLoopGroup(1, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        group.Start();
        for (var round = 0; round < 3; round++)
        {
            var system = CreateSystem(group);
            var actor = system.ActorOf(
                Props.Create(() => new Where()).WithDispatcher(group.DispatcherId(0)), "where");
            Assert.Equal(0, await actor.Ask<int>("where", Patience));
            await system.Terminate();
        }
    }

    [Fact]
    public async Task A_receive_timeout_of_a_loops_actor_comes_on_its_thread()
    {
        using var group = new IoLoopGroup(1, new LinuxNetwork(), TimeProvider.System, new IoLoopOptions());
        var system = CreateSystem(group);
        group.Start();
        var told = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var props = Props.Create(() => new Impatient(told)).WithDispatcher(group.DispatcherId(0));
        system.ActorOf(props, "impatient");

        Assert.Equal(0, await told.Task.WaitAsync(Patience));
        await system.Terminate();
    }

    private static ActorSystem CreateSystem(IoLoopGroup group)
    {
        var system = ActorSystem.Create("test", ConfigurationFactory.ParseString("akka.loggers = []"));
        group.RegisterWith(system, "test");
        return system;
    }

    private sealed class Where : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(IoLoop.Current?.Index ?? -1);
    }

    private sealed class InOrder : UntypedActor
    {
        private readonly int[] _next = new int[3];

        protected override void OnReceive(object message)
        {
            if (message is (int sender, int number))
            {
                Assert.Equal(_next[sender]++, number);
            }
            else
            {
                Sender.Tell(_next.Sum());
            }
        }
    }

    private sealed class Impatient : UntypedActor
    {
        private readonly TaskCompletionSource<int> _told;

        public Impatient(TaskCompletionSource<int> told)
        {
            _told = told;
            Context.SetReceiveTimeout(TimeSpan.FromMilliseconds(20));
        }

        protected override void OnReceive(object message)
        {
            if (message is ReceiveTimeout)
            {
                _told.TrySetResult(IoLoop.Current?.Index ?? -1);
            }
        }
    }
}

