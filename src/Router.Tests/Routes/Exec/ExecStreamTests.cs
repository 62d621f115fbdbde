using Router.Diagnostics;
using Router.Net;
using Router.Processes;
using Router.Routes;
using Router.TestKit;
using Router.TestKit.Simulation;

namespace Router.Tests.Routes;

public sealed class ExecStreamTests
{
    [Fact]
    public void Bytes_pass_both_ways_and_the_child_is_gone_with_its_session()
    {
        using var rig = new ExecRig(ExecRig.Echo);
        var client = rig.Client();
        client.Send("hello"u8);
        rig.Kit.RunUntilIdle();

        Assert.Equal("hello", client.ReceivedText);
        Assert.Equal([ExecRig.Program, "an argument"], rig.Child.Start.Command);
        client.Reset();
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.Reset, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Contains(ProcessSignal.Terminate, rig.Child.Signals);
        rig.AssertNothingLeft();
        Assert.Equal(
            ["1000 started /bin/program", "1000 exited -1/15, 0 suppressed"], rig.Kit.ChildEvents);
    }

    [Fact]
    public void The_environment_is_what_is_configured_and_the_sessions_facts()
    {
        using var rig = new ExecRig(ExecRig.Echo);
        rig.Client();
        rig.Kit.RunUntilIdle();

        var id = Assert.Single(rig.Kit.OpenSessions).Id;
        Assert.Equal(
            [
                "PATH=/bin", "PROTO=TCP", "REMOTE_ADDR=192.0.2.1", "REMOTE_PORT=4000",
                "LOCAL_ADDR=198.51.100.1", "LOCAL_PORT=9000", $"SESSION_ID={id}",
            ],
            rig.Child.Start.Environment);
    }

    [Fact]
    public void A_half_close_reaches_the_child_whose_answer_still_comes()
    {
        using var rig = new ExecRig(static _ => { });
        var client = rig.Client();
        client.Send("b a"u8);
        client.Finish();
        rig.Kit.RunUntilIdle();
        Assert.True(rig.Child.Stream!.HasFinished);
        Assert.Single(rig.Kit.OpenSessions);

        rig.Child.Stream.Send("a b"u8);
        rig.Child.Exit(0);
        rig.Kit.RunUntilIdle();
        Assert.Equal("a b", client.ReceivedText);
        Assert.True(client.HasFinished);
        Assert.Equal(CloseReason.Upstream, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_child_that_ends_its_output_reads_on()
    {
        using var rig = new ExecRig(static child => child.Stream!.Finish());
        var client = rig.Client();
        rig.Kit.RunUntilIdle();
        Assert.True(client.HasFinished);
        client.Send("read this"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal("read this", rig.Child.Stream!.ReceivedText);

        client.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Single(rig.Kit.OpenSessions);     // until it has exited: nobody hurries it
        Assert.Empty(rig.Child.Signals);
        rig.Child.Exit(3);
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.ChildFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.False(client.IsReset);
        rig.AssertNothingLeft();
    }

    [Fact]
    public void The_last_words_of_a_child_reach_a_slow_client_whatever_the_status()
    {
        using var rig = new ExecRig(static child =>
        {
            child.Stream!.Send(new byte[200_000]);
            child.Exit(1);
        });
        rig.Kit.Network.StreamBufferBytes = 300_000;
        var client = rig.Client();
        client.IsReading = false;
        rig.Kit.Advance(TimeSpan.FromSeconds(20));   // longer than the grace

        client.IsReading = true;
        rig.Kit.RunUntilIdle();
        Assert.Equal(200_000, client.Received.Length);
        client.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.ChildFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void Output_beyond_the_buffers_stops_the_child()
    {
        using var rig = new ExecRig(static child => child.Stream!.Send(new byte[10_000_000]));
        var client = rig.Client();
        client.IsReading = false;
        rig.Kit.RunUntilIdle();
        Assert.InRange(rig.Child.Stream!.UnsentBytes, 9_000_000, 10_000_000);

        client.IsReading = true;
        rig.Kit.RunUntilIdle();
        Assert.Equal(10_000_000, client.Received.Length);
    }

    [Fact]
    public void A_child_that_exits_without_reading_all_still_is_heard()
    {
        using var rig = new ExecRig(static child =>
        {
            child.Stream!.IsReading = false;
            child.Stream.Send("enough"u8);
            child.Exit(0);
        });
        var client = rig.Client();
        client.Send(new byte[100_000]);
        rig.Kit.RunUntilIdle();

        Assert.Equal("enough", client.ReceivedText);
        client.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.Upstream, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.False(client.IsReset);
        rig.AssertNothingLeft();
    }

    [Fact]
    public void What_ignores_SIGTERM_is_killed_after_the_grace()
    {
        using var rig = new ExecRig(static child => child.IgnoresTerminate = true);
        var client = rig.Client();
        rig.Kit.RunUntilIdle();
        client.Reset();
        rig.Kit.Advance(ExecRig.Grace - TimeSpan.FromMilliseconds(50));
        Assert.Equal([ProcessSignal.Terminate], rig.Child.Signals);
        Assert.Equal(1, rig.Route.Processes.Count);

        rig.Kit.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(rig.Child.IsGone);
        rig.AssertNothingLeft();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_a_child_leaves_behind_in_its_group_is_ended_too(bool ignoresTerminate)
    {
        using var rig = new ExecRig(child =>
        {
            child.LeavesAnother = true;
            child.IgnoresTerminate = ignoresTerminate;
        });
        var client = rig.Client();
        rig.Kit.RunUntilIdle();
        rig.Child.Exit(0);
        rig.Kit.RunUntilIdle();
        Assert.Equal(!ignoresTerminate, rig.Child.IsGone);

        rig.Kit.Advance(ExecRig.Grace + TimeSpan.FromMilliseconds(50));
        Assert.True(rig.Child.IsGone);
        client.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.Upstream, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_session_beyond_max_processes_is_refused_and_a_place_comes_back_with_the_process()
    {
        using var rig = new ExecRig(static child => child.IgnoresTerminate = true);
        var clients = Enumerable.Range(4000, 4).Select(rig.Client).ToList();
        rig.Kit.RunUntilIdle();
        Assert.Equal(3, rig.Children.Count);
        Assert.True(clients[3].IsReset);
        Assert.Equal(1, rig.Tcp.Drops(DropReason.MaxProcesses));

        clients[0].Reset();
        rig.Kit.RunUntilIdle();
        rig.Client(5000);
        rig.Kit.RunUntilIdle();
        Assert.Equal(3, rig.Children.Count);   // it lives on, within its grace
        rig.Kit.Advance(ExecRig.Grace + TimeSpan.FromMilliseconds(50));
        rig.Client(5001);
        rig.Kit.RunUntilIdle();
        Assert.Equal(4, rig.Children.Count);
    }

    [Theory]
    [InlineData(NetworkOperation.ProcessChannel, Errno.EMFILE)]
    [InlineData(NetworkOperation.ProcessStart, Errno.EAGAIN)]
    public void A_child_that_cannot_be_started_resets_its_client_and_says_why(NetworkOperation operation, Errno errno)
    {
        using var rig = new ExecRig(ExecRig.Echo);
        rig.Kit.Network.Faults.Inject(operation, errno, times: 2);
        var client = rig.Client();
        var next = rig.Client(4001);
        rig.Kit.RunUntilIdle();

        Assert.True(client.IsReset && next.IsReset);
        Assert.Equal(CloseReason.UpstreamFailed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        Assert.Equal([$"/bin/program not started {errno}, 0 suppressed"], rig.Kit.ChildEvents);   // once a second
        rig.AssertNothingLeft();
        var third = rig.Client(4002);
        third.Send("again"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal("again", third.ReceivedText);
    }

    [Fact]
    public void A_session_that_ends_while_its_child_starts_leaves_none_behind()
    {
        using var rig = new ExecRig(ExecRig.Echo);
        rig.Kit.Network.Processes.StartDelay = TimeSpan.FromSeconds(1);
        var client = rig.Client();
        rig.Kit.RunUntilIdle();
        client.Reset();
        rig.Kit.RunUntilIdle();
        Assert.Empty(rig.Kit.OpenSessions);
        Assert.Empty(rig.Children);

        rig.Kit.Advance(TimeSpan.FromSeconds(2));
        Assert.True(rig.Child.IsGone);
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_child_that_cannot_be_watched_is_ended_at_once()
    {
        using var rig = new ExecRig(ExecRig.Echo);
        rig.Kit.Network.Faults.Inject(NetworkOperation.Watch, Errno.ENOSPC, times: 2, after: 3);   // stderr, ending
        var client = rig.Client();
        client.Send("hello"u8);
        rig.Kit.Advance(TimeSpan.FromSeconds(1));

        Assert.Contains(ProcessSignal.Kill, rig.Child.Signals);
        Assert.True(rig.Child.IsGone);
        client.Finish();
        rig.Kit.RunUntilIdle();
        rig.AssertNothingLeft();
    }

    [Theory]
    [InlineData(ExecRestart.OnFailure, 1, 2)]
    [InlineData(ExecRestart.OnFailure, 0, 1)]
    [InlineData(ExecRestart.Always, 0, 2)]
    [InlineData(ExecRestart.Never, 1, 1)]
    public void The_exit_status_decides_whether_a_fresh_child_takes_over(object theRestart, int status, int children)
    {
        var restart = (ExecRestart)theRestart;
        using var rig = new ExecRig(ExecRig.Echo, settings => settings with { Restart = restart });
        var client = rig.Client();
        client.Send("one "u8);
        rig.Kit.RunUntilIdle();
        rig.Children[0].Exit(status);
        rig.Kit.RunUntilIdle();
        Assert.Equal(children, rig.Children.Count);
        Assert.Equal(children == 1, client.HasFinished);
        if (children == 2)
        {
            client.Send("two"u8);
            rig.Kit.RunUntilIdle();
            Assert.Equal("one two", client.ReceivedText);
        }
    }

    [Fact]
    public void Restarts_have_the_listeners_budget()
    {
        using var rig = new ExecRig(
            static child => child.Exit(1), static settings => settings with { Restart = ExecRestart.Always });
        var client = rig.Client();
        rig.Kit.RunUntilIdle();

        Assert.Equal(1 + new ListenerLimits().MaxRestarts, rig.Children.Count);
        Assert.Equal(CloseReason.Failed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void Standard_error_goes_into_the_log_at_a_rate()
    {
        using var rig = new ExecRig(static child => child.WriteError("one\r\ntwo\nthree\nfour\nfive\nsi"u8));
        var client = rig.Client();
        rig.Kit.RunUntilIdle();
        Assert.Equal(
            [
                "1000 started /bin/program", "1000 says one, 0 suppressed", "1000 says two, 0 suppressed",
                "1000 says three, 0 suppressed",
            ],
            rig.Kit.ChildEvents);

        rig.Kit.Advance(TimeSpan.FromSeconds(1));
        rig.Child.WriteError("x\nseven\n"u8);
        rig.Child.WriteError(new string('y', 3_000).Select(static y => (byte)y).ToArray());
        rig.Child.Exit(0);
        rig.Kit.RunUntilIdle();
        client.Finish();
        rig.Kit.RunUntilIdle();
        Assert.Equal(
            [
                "1000 says six, 2 suppressed", "1000 says seven, 0 suppressed",
                $"1000 says {new string('y', 1_024)}…, 0 suppressed", "1000 exited 0/0, 0 suppressed",
            ],
            rig.Kit.ChildEvents.Skip(4));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_child_that_floods_its_standard_error_costs_little_and_stays_within_its_rate()
    {
        using var rig = new ExecRig(ExecRig.Echo);
        var client = rig.Client();
        rig.Kit.RunUntilIdle();
        var line = "flood\n"u8.ToArray();
        for (var second = 0; second < 3; second++)
        {
            while (rig.Child.WriteError(line))
            {
            }

            rig.Kit.Advance(TimeSpan.FromSeconds(1));
        }

        client.Send("still here"u8);
        rig.Kit.RunUntilIdle();
        Assert.Equal("still here", client.ReceivedText);
        var lines = rig.Kit.ChildEvents.Count(static said => said.Contains("flood", StringComparison.Ordinal));
        Assert.InRange(lines, 3, 9);
    }

    [Fact]
    public void An_idle_session_ends_and_so_does_its_child()
    {
        using var rig = new ExecRig(static child => child.IgnoresTerminate = true);
        var client = rig.Client();
        rig.Kit.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(CloseReason.Idle, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.Kit.Advance(ExecRig.Grace);
        rig.AssertNothingLeft();
    }

    [Fact]
    public void A_killed_session_ends_with_its_child()
    {
        using var rig = new ExecRig(ExecRig.Echo);
        var client = rig.Client();
        rig.Kit.RunUntilIdle();
        rig.Kit.SessionOf(client.EndPoint).Self.Tell(Kill.Instance);
        rig.Kit.RunUntilIdle();
        Assert.Equal(CloseReason.Failed, rig.Kit.ExpectSessionClosed(client.EndPoint));
        rig.AssertNothingLeft();
    }

    [Fact]
    public void At_the_routers_stop_every_child_is_told()
    {
        using var rig = new ExecRig(static child => child.IgnoresTerminate = child.Id == 1001);
        rig.Client();
        rig.Client(4001);
        rig.Kit.RunUntilIdle();
        rig.Kit.Stop();
        Assert.All(rig.Children, static child => Assert.Equal(ProcessSignal.Terminate, child.Signals[0]));
        Assert.Equal(1, rig.Kit.Network.Processes.Running);
        rig.Kit.Advance(ExecRig.Grace + TimeSpan.FromMilliseconds(50));
        Assert.Equal(0, rig.Kit.Network.Processes.Running);
    }

    [Fact]
    public void Whatever_happens_nothing_is_left_over() => RouterTestKit.ForEachSeed(1, 40, static kit =>
    {
        kit.Network.Faults.DelayMax = TimeSpan.FromMilliseconds(30);
        kit.Network.Faults.ShortWrites = 0.2;
        kit.Network.Processes.StartDelay = TimeSpan.FromMilliseconds(kit.Random.Next(40));
        kit.Network.Faults.InjectAtRandom(NetworkOperation.ProcessStart, Errno.EAGAIN, 0.1);
        using var rig = new ExecRig(
            child =>
            {
                ExecRig.Echo(child);
                child.IgnoresTerminate = kit.Random.Next(3) == 0;
                child.LeavesAnother = kit.Random.Next(3) == 0;
                child.WriteError("begun\n"u8);
            },
            settings => settings with { Restart = (ExecRestart)kit.Random.Next(3), MaxProcesses = 10 },
            kit: kit);
        var clients = Enumerable.Range(4000, 12).Select(rig.Client).ToList();
        for (var step = 0; step < 60; step++)
        {
            kit.Advance(TimeSpan.FromMilliseconds(kit.Random.Next(25)));
            var client = clients[kit.Random.Next(clients.Count)];
            switch (kit.Random.Next(6))
            {
                case 0:
                    client.Reset();
                    break;
                case 1 when !client.HasEnded:
                    client.Finish();
                    break;
                case 2 when rig.Children.Count > 0:
                    rig.Children[kit.Random.Next(rig.Children.Count)].Exit(kit.Random.Next(2));
                    break;
                case >= 3 when !client.HasEnded:
                    client.Send(new byte[kit.Random.Next(90_000)]);
                    break;
                default:
                    break;
            }
        }

        clients.ForEach(static client => client.Reset());
        kit.Advance(TimeSpan.FromSeconds(40));
        rig.AssertNothingLeft();
    });
}
