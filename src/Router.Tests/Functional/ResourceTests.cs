using System.Net;
using Router.Heap;
using Router.Net;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Descriptors and processor time, when there are few of them or many sessions.</summary>
public sealed class ResourceTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int EchoPort = 47001;

    /// <summary>A window of measuring. Others use the machine too: a disturbed window is measured again.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Portable_sockets_go_on_up_to_the_limit_of_descriptors()
    {
        const int Clients = 300;
        var router = await RouterAsync(
            """
            router {
              network = portable
              loops = 1
              listeners.echo { bind = "tcp://127.0.0.1:47001", route = echo }
              routes.echo { type = echo }
            }
            """);
        LimitDescriptors(router, router.Proc.Descriptors + Clients + (2 * DescriptorReserve.Count));

        var clients = await ManyAsync(Clients, _ => Client.Tcp(EchoPort));

        Assert.All(clients, static client => Assert.Equal("hello"u8.ToArray(), Client.Exchange(client, "hello"u8)));
        clients.ForEach(static client => client.Dispose());
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("linux")]
    [InlineData("portable")]
    public async Task Accepting_pauses_when_descriptors_run_out_and_goes_on_when_some_come_back(string network)
    {
        const int Clients = 200;
        const int Spare = 64;
        const int Served = Spare - DescriptorReserve.Count;
        const int Leaving = 10;
        var router = await RouterAsync(
            $$"""
            router {
              network = {{network}}
              loops = 1
              listeners.echo { bind = ["udp://127.0.0.1:47001", "tcp://127.0.0.1:47001"], route = echo }
              routes.echo { type = echo }
            }
            """);
        await Network.RunAsync(() => Client.AnswerTime(() => Client.Tcp(EchoPort)));
        await router.RecordAsync("session-closed", Client.Tries - 1);
        var descriptors = router.Proc.DescriptorsHeld;
        LimitDescriptors(router, router.Proc.Descriptors + Spare);

        var clients = await ManyAsync(Clients, _ => Client.Tcp(EchoPort));
        clients.ForEach(client => client.Send("hello"u8));
        await router.RecordAsync("accept-suspended");
        await Until.TrueAsync(() => Answered() >= Served - 2, () => $"{Answered()} clients answered");
        Assert.InRange(await QuietestAsync(router), 0, 0.05);
        var served = clients.Where(client => client.Available > 0).ToList();
        Assert.InRange(served.Count, Served - 2, Served + 2);
        await AssertAnswersAsync(() => Client.Udp(EchoPort));
        Assert.Single(router.RecordsOf("accept-suspended"));

        served.Take(Leaving).ToList().ForEach(client => client.Dispose());
        clients.RemoveAll(served.Take(Leaving).Contains);
        var resumed = await Until.TrueAsync(
            () => Answered() >= served.Count, () => $"{Answered()} clients answered of {clients.Count}");
        Assert.InRange(resumed, TimeSpan.Zero, TimeSpan.FromSeconds(1));

        clients.ForEach(client => client.Dispose());
        await AssertDescriptorsAsync(router, descriptors);
        await Until.TrueAsync(
            () => router.RecordsOf("accept-resumed").Count == router.RecordsOf("accept-suspended").Count,
            () => "accepting is suspended still");
        var records = router.RecordsOf("accept-suspended");
        var pauses = records.Count;
        var times = records.Select(static record => record.GetProperty("time").GetDateTimeOffset()).ToList();
        var lasted = times[^1] - times[0];
        Assert.InRange(pauses, 1, 1 + (int)(lasted.TotalSeconds + 1));
        await AssertAnswersAsync(() => Client.Tcp(EchoPort));

        int Answered() => clients.Count(client => client.Available > 0);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Ten_thousand_idle_sessions_cost_less_than_half_a_percent_of_a_core()
    {
        const int Sessions = 10_000;
        var router = await RouterAsync(
            """
            router {
              listeners.echo { bind = "udp://127.0.0.1:47001", route = echo, idle-timeout = 1h }
              routes.echo { type = echo }
            }
            """,
            "--set", "router.drain-timeout=0s");

        await Network.RunAsync(() =>
        {
            for (var i = 0; i < Sessions; i++)
            {
                using var client = Client.Udp(EchoPort, Source(i));
                Assert.Equal("open"u8.ToArray(), Client.Exchange(client, "open"u8));
            }
        });

        Assert.InRange(await QuietestAsync(router), 0, 0.005);
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
        Assert.Equal(Sessions, (await router.RecordAsync("draining")).GetProperty("sessions").GetInt32());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Full_collections_are_held_off_while_sessions_open()
    {
        const int SessionsMax = 200_000;
        const int Step = 1_000;
        var router = await RouterAsync(
            """
            router {
              heap.hold-collections-from = 500
              listeners.echo { bind = "udp://127.0.0.1:47001", route = echo, idle-timeout = 1h, max-sessions = 200000 }
              routes.echo { type = echo }
            }
            """,
            "--set", "router.drain-timeout=0s");

        await Network.RunAsync(() =>
        {
            for (var i = 0; i < SessionsMax; i++)
            {
                if (i % Step == 0 && router.RecordsOf("collections-held").Count > 0)
                {
                    break;
                }

                using var client = Client.Udp(EchoPort, Source(i));
                client.Send("open"u8);
            }
        });

        var held = await router.RecordAsync("collections-held");
        Assert.InRange(held.GetProperty("heap-bytes").GetInt64(), HeldCollections.Gen2Min, long.MaxValue);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Sessions_are_made_ahead_and_used_as_they_open()
    {
        const int Sessions = 3;
        var router = await RouterAsync(
            """
            router {
              loops = 2, heap.prepared-sessions = 1001, log.stats-interval = 1s
              listeners.echo { bind = "udp://127.0.0.1:47001", route = echo, idle-timeout = 1h }
              routes.echo { type = echo }
            }
            """);

        await router.RecordAsync("listening");
        var prepared = (await router.RecordAsync("sessions-prepared")).GetProperty("sessions").GetInt32();
        Assert.Equal(1002, prepared);   // the same on each loop
        await Network.RunAsync(() =>
        {
            for (var i = 0; i < Sessions; i++)
            {
                using var client = Client.Udp(EchoPort, Source(i));
                Assert.Equal("open"u8.ToArray(), Client.Exchange(client, "open"u8));
            }
        });

        await Until.TrueAsync(
            () => router.RecordsOf("stats").Any(stats =>
                stats.GetProperty("sessions").GetInt32() == Sessions
                && stats.GetProperty("spare").GetInt32() == prepared - Sessions),
            () => "no stats line has the sessions taken off those that were prepared");
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Fifty_thousand_short_sessions_leak_no_descriptor()
    {
        const int ProxyPort = 47002;
        const int Clients = 500;
        const int Rounds = 100;
        const int WarmUp = Client.Tries;
        await RouterAsync(
            """
            router {
              listeners.upstream { bind = "udp://127.0.0.1:48001", route = echo, idle-timeout = 1s }
              routes.echo { type = echo }
            }
            """);
        var router = await RouterAsync(
            """
            router {
              listeners.proxy { bind = "udp://127.0.0.1:47002", route = proxy, idle-timeout = 1s }
              routes.proxy { type = proxy, upstreams = ["127.0.0.1:48001"], responses = 1 }
            }
            """);
        await Network.RunAsync(() => Client.AnswerTime(() => Client.Udp(ProxyPort)));
        await router.RecordAsync("session-closed", WarmUp - 1);
        var descriptors = router.Proc.DescriptorsHeld;
        var clients = await ManyAsync(Clients, i => Client.Udp(ProxyPort, Source(i)));

        await Network.RunAsync(() =>
        {
            var reply = new byte[16];
            for (var round = 0; round < Rounds; round++)
            {
                clients.ForEach(client => client.Send("short"u8));
                clients.ForEach(client => Assert.Equal(5, client.Receive(reply)));
            }
        });

        await AssertDescriptorsAsync(router, descriptors);
        clients.ForEach(client => client.Dispose());
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());
        var closed = router.RecordsOf("stats").Sum(stats => stats.GetProperty("closed").GetInt64());
        Assert.Equal(WarmUp + (Clients * Rounds), closed);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task What_a_full_receive_buffer_loses_is_in_the_log_to_the_unit()
    {
        const int Sent = 5_000;
        var router = await RouterAsync(
            """
            router {
              loops = 1
              listeners.echo { bind = "udp://127.0.0.1:47001", route = echo, receive-buffer = 4KiB }
              routes.echo { type = echo }
            }
            """);
        var client = (await ManyAsync(1, _ => Client.Udp(EchoPort)))[0];

        router.Signal(TestLibc.SigStop);
        await Network.RunAsync(() =>
        {
            for (var i = 0; i < Sent; i++)
            {
                client.Send("more than a stopped router can take"u8);
            }
        });
        router.Signal(TestLibc.SigCont);
        await Network.RunAsync(() => client.Receive(new byte[64]));   // then the buffer has been emptied
        await AssertAnswersAsync(() => Client.Udp(EchoPort));
        client.Dispose();
        router.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await router.ExitAsync());

        var received = router.RecordsOf("stats").Sum(stats => stats.GetProperty("payloads-in").GetInt64());
        var drops = router.RecordsOf("drops");
        Assert.All(drops, drop => Assert.Equal("receive-buffer-full", drop.GetProperty("reason").GetString()));
        Assert.All(drops, drop => Assert.True(drop.GetProperty("at-least").GetBoolean()));   // UDP_GRO is in use
        Assert.Equal(Sent + Client.Tries, received + drops.Sum(drop => drop.GetProperty("count").GetInt64()));
        Assert.InRange(received, Client.Tries + 1, Sent - 1);
    }

    /// <summary>Addresses of their own, so that many peers need no more than one socket at a time.</summary>
    private static IPEndPoint Source(int index) =>
        new(new IPAddress([127, (byte)(1 + (index >> 16)), (byte)(index >> 8), (byte)index]), 20_000);

    /// <summary>The least share of one core that the router used in any of a few windows.</summary>
    /// <remarks>The first windows may hold the compiler's work in the background, which ends.</remarks>
    private static async Task<double> QuietestAsync(RouterProcess router)
    {
        const int Windows = 5;
        const double Quiet = 0.002;
        var least = double.MaxValue;
        for (var i = 0; i < Windows && least > Quiet; i++)
        {
            var start = router.Proc.CpuNanoseconds;
            await Until.PassedAsync(Window);
            least = Math.Min(least, (router.Proc.CpuNanoseconds - start) / Window.TotalNanoseconds);
        }

        return least;
    }
}
