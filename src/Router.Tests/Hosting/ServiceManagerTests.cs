using System.Net.Sockets;
using Router.Hosting;
using Router.Loop;
using Router.Running;
using Router.TestKit.Simulation;
using Router.Tests.Diagnostics;

namespace Router.Tests.Hosting;

/// <summary>What systemd is told, and when its watchdog is fed.</summary>
public sealed class ServiceManagerTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);

    private readonly VirtualTimeProvider _time = new();
    private readonly List<string> _told = [];
    private readonly ServiceManager _manager;

    public ServiceManagerTests() => _manager = new ServiceManager(state => _told.Add(state.ToString()), _time);

    public void Dispose() => _manager.Dispose();

    [Theory]
    [InlineData("30000000", null, 30)]
    [InlineData("30000000", "", 30)]
    [InlineData("30000000", "7", 30)]
    [InlineData("30000000", "8", null)]
    [InlineData(null, "7", null)]
    [InlineData("0", null, null)]
    [InlineData("soon", null, null)]
    public void A_watchdog_is_fed_that_is_set_and_is_this_process_s(string? micros, string? pid, int? seconds)
    {
        var found = ServiceManager.WatchdogOf(name => name == "WATCHDOG_PID" ? pid : micros, process: 7);

        Assert.Equal(seconds is { } some ? TimeSpan.FromSeconds(some) : null, found);
    }

    [Fact]
    public void The_watchdog_is_fed_while_all_loops_turn()
    {
        using var quick = Loop(0);
        using var slow = Loop(1);
        _manager.StartWatchdog([quick, slow], Interval, new LineLogger("Router"));

        for (var i = 0; i < 8; i++)
        {
            Turn(quick, slow);
        }

        Assert.Equal(8, _told.Count);
        Assert.All(_told, static state => Assert.Equal("WATCHDOG=1", state));

        Turn(quick);
        Turn(quick);
        Turn(quick);
        _told.Clear();
        Turn(quick);
        Turn(quick);
        Assert.Empty(_told);

        Turn(quick, slow);
        Turn(quick, slow);
        Assert.NotEmpty(_told);
    }

    [Fact]
    public async Task A_reload_is_told_of_until_it_is_over()
    {
        var end = new TaskCompletionSource<ReloadResult>();
        _time.Advance(TimeSpan.FromSeconds(3));

        var reload = _manager.ReloadAsync(() => end.Task);
        Assert.StartsWith("RELOADING=1\nMONOTONIC_USEC=", Assert.Single(_told), StringComparison.Ordinal);

        end.SetResult(ReloadResult.Refused("no such route"));
        await reload;
        Assert.StartsWith("READY=1\nSTATUS=the file was refused", _told[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_stop_asks_for_the_time_of_the_drain()
    {
        _manager.Stopping(12, TimeSpan.FromMinutes(5));

        Assert.Equal(["STOPPING=1\nEXTEND_TIMEOUT_USEC=320000000\nSTATUS=drains 12 sessions"], _told);
    }

    [Fact]
    public void A_manager_that_is_gone_harms_nobody()
    {
        using var manager = new ServiceManager(
            static _ => throw new SocketException((int)SocketError.ConnectionRefused), _time);

        manager.Stopping(0, TimeSpan.Zero);
    }

    private IoLoop Loop(int index) =>
        new(index, new SimulatedNetwork(_time, new SeededRandom(1)), _time, new IoLoopOptions());

    private void Turn(params IoLoop[] loops)
    {
        _time.Advance(Interval / 4);
        Array.ForEach(loops, static loop => loop.RunOnce(block: false));
    }
}
