using Router.Loop;
using Router.Net;
using Router.TestKit.Net;

namespace Router.Tests.Net;

/// <summary>The pipes of a loop, and what the kernel may say to making one.</summary>
public sealed class StreamPipeTests
{
    private readonly ScriptedCalls _calls = new();

    [Fact]
    public void A_pool_gives_out_no_more_than_its_limit_and_closes_what_comes_back()
    {
        var pool = new PipePool(new LinuxNetwork(_calls), limit: 2, bytes: 4096);
        var first = pool.Take()!;
        var second = pool.Take()!;

        Assert.Null(pool.Take());
        Assert.Equal((2, 1L, 4), (pool.Taken, pool.Refusals, _calls.OpenSockets.Count));

        first.Return();
        first.Return();
        Assert.Equal((1, 2), (pool.Taken, _calls.OpenSockets.Count));
        var third = pool.Take();
        Assert.NotNull(third);

        second.Return();
        third.Return();
        Assert.Equal(0, pool.Taken);
        Assert.Empty(_calls.OpenSockets);
    }

    [Fact]
    public void Pipes_get_smaller_as_the_budget_of_all_runs_out_and_larger_as_they_come_back()
    {
        const int Budget = 8 << 20, Largest = 512 * 1024, Smallest = 64 * 1024;
        var pool = new PipePool(new LinuxNetwork(_calls), limit: 1000, bytes: 1 << 20, Budget);
        var pipes = new List<StreamPipe>();
        while (pool.Take() is { } pipe)
        {
            pipes.Add(pipe);
        }

        var sizes = pipes.ConvertAll(static pipe => pipe.Capacity);
        Assert.Equal((Largest, Smallest), (sizes[0], sizes[^1]));
        Assert.Equal(sizes.OrderDescending(), sizes);
        Assert.Equal(Budget, sizes.Sum());
        Assert.InRange(sizes.Count, 4 * Budget / (1 << 20), 1000);   // many, though none was asked to be small

        pipes.ForEach(static pipe => pipe.Return());
        var last = pool.Take()!;
        Assert.Equal(Largest, last.Capacity);
        last.Return();
        Assert.Empty(_calls.OpenSockets);
    }

    [Fact]
    public void What_the_system_allows_one_user_is_shared_by_all_loops()
    {
        var network = new LinuxNetwork(_calls);
        using var loops = new IoLoopGroup(
            3, network, TimeProvider.System, new IoLoopOptions(Pipes: 100, PipeBytes: 1 << 20));
        var taken = loops.Loops.Sum(static loop =>
        {
            var pipes = new List<StreamPipe>();
            while (loop.Pipes.Take() is { } pipe)
            {
                pipes.Add(pipe);
            }

            var bytes = pipes.Sum(static pipe => (long)pipe.Capacity);
            pipes.ForEach(static pipe => pipe.Return());
            return bytes;
        });

        Assert.InRange(taken, 1, network.PipeBudget);
    }

    [Fact]
    public void A_pool_that_was_turned_off_gives_out_none()
    {
        var pool = new PipePool(new LinuxNetwork(_calls), limit: 2, bytes: 4096);
        pool.Take()!.TurnOff();
        Assert.Null(pool.Take());
    }

    [Theory]
    [InlineData(LinuxCall.Pipe, Errno.EMFILE)]
    [InlineData(LinuxCall.Pipe, Errno.ENFILE)]
    [InlineData(LinuxCall.SetPipeSize, Errno.EPERM)]
    [InlineData(LinuxCall.SetPipeSize, Errno.ENOMEM)]
    internal void A_pipe_that_the_kernel_refuses_leaves_nothing_open(LinuxCall call, Errno errno)
    {
        _calls.Fail(call, errno);

        Assert.Equal(-(int)errno, new LinuxNetwork(_calls).CreatePipe(4096, out var pipe));

        Assert.Null(pipe);
        Assert.Empty(_calls.OpenSockets);
    }

    [Theory]
    [InlineData(1 << 20, 1 << 20, 1 << 20)]
    [InlineData(1 << 20, 300_000, 256 * 1024)]
    [InlineData(100_000, 64 * 1024, 64 * 1024)]
    [InlineData(1 << 20, 10_000, -(int)Errno.EPERM)]
    [InlineData(4096, 4000, -(int)Errno.EPERM)]
    public void A_pipe_is_made_as_large_as_the_system_allows(int asked, int allowed, int granted)
    {
        var calls = new SmallPipeCalls(allowed);

        var result = new LinuxNetwork(calls).CreatePipe(asked, out var pipe);

        using (pipe)
        {
            Assert.Equal(Math.Min(0, granted), result);
            if (pipe is not null)
            {
                pipe.Fill(new LinuxStreamSocket(calls, -1, default, default));
                Assert.Equal(granted, calls.Asked);
            }
        }
    }

    [Fact]
    public void A_pipe_does_not_take_descriptors_that_are_kept_in_reserve()
    {
        var calls = new LowLimitCalls();

        var network = new LinuxNetwork(calls);   // closes what it probes with
        var closed = calls.Closed;

        Assert.Equal(-(int)Errno.EMFILE, network.CreatePipe(4096, out var pipe));

        Assert.Null(pipe);
        Assert.Equal(closed + 2, calls.Closed);
    }

    /// <summary>An unprivileged user's: so many bytes a pipe, at most. And nothing to splice.</summary>
    private sealed class SmallPipeCalls(int most) : LinuxCalls
    {
        /// <summary>By the last splice.</summary>
        public int Asked { get; private set; }

        public override int SetPipeSize(int fd, int bytes) =>
            bytes > most ? -(int)Errno.EPERM : base.SetPipeSize(fd, bytes);

        public override int Splice(int from, int to, int length, uint flags)
        {
            Asked = length;
            return -(int)Errno.EAGAIN;
        }
    }

    /// <summary>Says that the next descriptor is the last one.</summary>
    private sealed class LowLimitCalls : LinuxCalls
    {
        public int Closed { get; private set; }

        public override int DescriptorLimit() => 1;

        public override void Close(int fd)
        {
            Closed++;
            base.Close(fd);
        }
    }
}
