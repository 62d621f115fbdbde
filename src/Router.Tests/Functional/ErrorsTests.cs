using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Router.Net;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Failures of sockets that the kernel itself can be brought to, as an operator reads them.</summary>
[Collection(ProgramTests.Name)]
public sealed class ErrorsTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private const int Port = 47001;

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_link_local_address_without_its_interface_is_named()
    {
        var file = await RouterProcess.WriteAsync(Folder, Config("udp://[fe80::1]:47001", "echo { type = echo }"));

        var router = await CommandAsync(["run", "--config", file]);

        Assert.Equal(1, await router.ExitAsync());
        Assert.EndsWith(
            "router.listeners.l.bind: '[fe80::1]' is an address of one link: its interface stands behind it, as in "
            + "[fe80::1%eth0]",
            Assert.Single(router.Error.Lines), StringComparison.Ordinal);
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("udp")]
    [InlineData("tcp")]
    public async Task An_upstream_that_refuses_is_named(string transport) =>
        await AssertFailsAsync(transport, "127.0.0.1:48001", Errno.ECONNREFUSED);

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("udp")]
    [InlineData("tcp")]
    public async Task An_upstream_without_a_route_is_named(string transport) =>
        await AssertFailsAsync(transport, "192.0.2.1:48001", Errno.ENETUNREACH);

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task An_upstream_at_a_broadcast_address_is_named() =>
        await AssertFailsAsync("udp", "127.255.255.255:48001", Errno.EACCES);

    [RequiresToolTheory(RequiredTools.Namespace, "ip")]
    [InlineData("udp")]
    [InlineData("tcp")]
    public async Task An_upstream_whose_route_says_unreachable_is_named(string transport)
    {
        await ToolAsync("ip", ["route", "add", "unreachable", "192.0.2.0/24"]);

        await AssertFailsAsync(transport, "192.0.2.1:48001", Errno.EHOSTUNREACH);
    }

    [RequiresToolTheory(RequiredTools.Namespace, "ip")]
    [InlineData("udp", "prohibit", Errno.EACCES)]
    [InlineData("tcp", "prohibit", Errno.EACCES)]
    [InlineData("udp", "blackhole", Errno.EINVAL)]
    [InlineData("tcp", "blackhole", Errno.EINVAL)]
    public async Task An_upstream_whose_route_forbids_it_is_named(string transport, string type, Errno errno)
    {
        await ToolAsync("ip", ["route", "add", type, "192.0.2.0/24"]);

        await AssertFailsAsync(transport, "192.0.2.1:48001", errno);
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("udp", "linux")]
    [InlineData("tcp", "linux")]
    [InlineData("udp", "portable")]
    [InlineData("tcp", "portable")]
    public async Task With_IPv6_disabled_every_client_gets_the_upstream_that_can_be_reached(
        string transport, string network)
    {
        await RouterAsync(Config($"{transport}://127.0.0.1:48001", "echo { type = echo }"));
        await Network.SetAsync("ipv6.conf.all.disable_ipv6", "1");
        var router = await RouterAsync($"router {{ network = {network}, loops = 1 }}\n" + Config(
            $"{transport}://127.0.0.1:47001",
            """proxy { type = proxy, upstreams = ["[::1]:48001", "127.0.0.1:48001"] }"""));

        for (var i = 0; i < 4; i++)
        {
            using var client = await Network.RunAsync(() => transport == "udp" ? Client.Udp(Port) : Client.Tcp(Port));
            Assert.Equal("hello"u8.ToArray(), Client.Exchange(client, "hello"u8));
        }

        AssertTells(
            await router.RecordAsync("upstream-failed"), "[::1]:48001", Errno.EADDRNOTAVAIL,
            SocketOperation.ConnectIPv6);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task An_upstream_that_takes_no_more_connections_is_named()
    {
        using var upstream = await Network.RunAsync(static () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(Client.Loopback(48001));
            socket.Listen(backlog: 0);   // the kernel admits one, and drops what the next ones send
            return socket;
        });
        using var admitted = await Network.RunAsync(static () => Client.Tcp(48001));

        await AssertFailsAsync("tcp", "127.0.0.1:48001", Errno.ETIMEDOUT, "connect-timeout = 500ms");
    }

    [RequiresToolFact(RequiredTools.Namespace, "nft")]
    public async Task Datagrams_that_a_firewall_forbids_are_named()
    {
        await ToolAsync("nft", ["-f", "-"],
            """
            table ip t {
              chain out { type filter hook output priority 0; udp dport 48001 drop; udp sport 47002 drop; }
            }
            """);
        var echo = await RouterAsync(Config("udp://127.0.0.1:47002", "echo { type = echo }"));

        await AssertFailsAsync("udp", "127.0.0.1:48001", Errno.EPERM, operation: SocketOperation.Send);
        using var client = await Network.RunAsync(static () => Client.Udp(47002));
        client.Send("hello"u8);

        var refused = await echo.RecordAsync("send-refused");
        Assert.Equal(
            ErrnoText.Describe(Errno.EPERM, SocketOperation.Send), refused.GetProperty("error").GetString());
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_datagram_that_is_too_long_for_its_upstream_is_named()
    {
        const int OnlyIPv6 = 65_520;
        var router = await ProxyAsync("udp", "127.0.0.1:48001", address: "[::1]");
        using var client = await Network.RunAsync(static () =>
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(IPAddress.IPv6Loopback, Port);
            return socket;
        });

        client.Send(new byte[OnlyIPv6]);

        AssertTells(
            await router.RecordAsync("upstream-failed"), "127.0.0.1:48001", Errno.EMSGSIZE, SocketOperation.Send);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Ports_that_are_used_up_are_named()
    {
        await RouterAsync(
            """
            router {
              listeners.upstream { bind = "tcp://127.0.0.1:48001", route = echo }
              routes.echo { type = echo }
            }
            """);
        var router = await ProxyAsync("tcp", "127.0.0.1:48001");
        await Network.SetAsync("ipv4.ip_local_port_range", "50000 50001");

        var clients = await ManyAsync(3, static i => TcpFrom(20_000 + i));
        clients.ForEach(static client => Client.SendUnlessReset(client, "hello"u8));

        AssertTells(await router.RecordAsync("upstream-failed"), "127.0.0.1:48001", Errno.EADDRNOTAVAIL);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Ports_for_datagrams_that_are_used_up_are_named()
    {
        await RouterAsync(Config("udp://127.0.0.1:48001", "echo { type = echo }"));
        var router = await ProxyAsync("udp", "127.0.0.1:48001");
        await Network.SetAsync("ipv4.ip_local_port_range", "50000 50001");

        var clients = await ManyAsync(3, static i => UdpFrom(20_000 + i));
        clients.ForEach(static client => client.Send("hello"u8));

        AssertTells(await router.RecordAsync("upstream-failed"), "127.0.0.1:48001", Errno.EAGAIN);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Replies_that_the_kernel_has_no_buffers_for_are_counted_drops()
    {
        var router = await RouterAsync(
            "router.log.stats-interval = 1s\n" + Config("udp://[::]:47001", "echo { type = echo }"));
        using var client = await Network.RunAsync(static () =>
        {
            var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp)
            {
                ReceiveTimeout = 5_000,
            };
            socket.Connect(IPAddress.IPv6Loopback, Port);
            return socket;
        });
        Assert.Equal("before"u8.ToArray(), Client.Exchange(client, "before"u8));
        await Network.SetAsync("core.optmem_max", "0");   // of it the kernel takes what the source address needs

        client.Send("hello"u8);

        var drops = await router.RecordAsync("drops");
        Assert.Equal("send-full", drops.GetProperty("reason").GetString());
        Assert.Equal(1, drops.GetProperty("count").GetInt64());
        await Network.SetAsync("core.optmem_max", "131072");
        Assert.Equal("after"u8.ToArray(), Client.Exchange(client, "after"u8));
    }

    [RequiresToolFact(RequiredTools.Namespace, "ip", "tc")]
    public async Task Datagrams_that_the_way_to_an_upstream_has_no_buffers_for_are_counted_drops()
    {
        foreach (var words in new[]
        {
            "link add v0 type veth peer name v1", "link set v0 arp off", "link set v1 up", "link set v0 up",
            "address add 192.0.2.1/24 dev v0",
        })
        {
            await ToolAsync("ip", words.Split(' '));
        }

        await ToolAsync("tc", "qdisc add dev v0 root tbf rate 8kbit burst 20 limit 20".Split(' '));   // no frame fits
        var router = await RouterAsync(
            "router.log.stats-interval = 1s\n" + Config(
                "udp://127.0.0.1:47001",
                """proxy { type = proxy, upstreams = ["192.0.2.2:48001"], upstream-replies = follow }"""));
        using var client = await Network.RunAsync(static () => Client.Udp(Port));

        client.Send("hello"u8);

        var drops = await router.RecordAsync("drops");
        Assert.Equal("send-full", drops.GetProperty("reason").GetString());
    }

    [RequiresToolTheory(RequiredTools.Namespace, Surroundings.FilterTool)]
    [InlineData(Errno.ENFILE)]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.ENOMEM)]
    public async Task Connections_that_the_system_has_no_room_for_wait_and_it_is_said_why(Errno errno)
    {
        var file = await RouterProcess.WriteAsync(Folder, Config("tcp://127.0.0.1:47001", "echo { type = echo }"));
        var router = await CommandAsync(
            ["run", "--config", file], surroundings: Surroundings.Refusing(Surroundings.Accept, errno));
        await router.RecordAsync("listening");

        using var client = await Network.RunAsync(static () => Client.Tcp(Port));

        var suspended = await router.RecordAsync("accept-suspended");
        Assert.Equal(
            ErrnoText.Describe(errno, SocketOperation.Accept), suspended.GetProperty("error").GetString());
    }

    [RequiresToolFact(RequiredTools.Namespace, Surroundings.FilterTool)]
    public async Task Connections_that_cannot_be_watched_are_named_and_others_go_on()
    {
        const int DescriptorsWatched = 200;
        var file = await RouterProcess.WriteAsync(Folder, Config("tcp://127.0.0.1:47001", "echo { type = echo }"));
        var router = await CommandAsync(
            ["run", "--config", file],
            surroundings: Surroundings.Refusing(
                Surroundings.Watch, Errno.ENOSPC, argument: 2, Surroundings.Test.AtLeast, DescriptorsWatched));
        await router.RecordAsync("listening");

        var clients = await ManyAsync(DescriptorsWatched, static _ => Client.Tcp(Port));

        var suspended = await router.RecordAsync("accept-suspended");
        Assert.Equal(
            ErrnoText.Describe(Errno.ENOSPC, SocketOperation.Accept), suspended.GetProperty("error").GetString());
        Assert.Equal("hello"u8.ToArray(), Client.Exchange(clients[0], "hello"u8));
    }

    [RequiresToolFact(RequiredTools.Namespace, Surroundings.FilterTool)]
    public async Task An_address_family_that_the_process_may_not_use_is_named()
    {
        const int InterNetworkV6 = 10;
        var surroundings = Surroundings.Refusing(
            Surroundings.MakeSocket, Errno.EAFNOSUPPORT, argument: 0, Surroundings.Test.Equal, InterNetworkV6).ToList();
        var file = await RouterProcess.WriteAsync(Folder, Config("udp://[::1]:47001", "echo { type = echo }"));
        var proxy = await RouterProcess.WriteAsync(Folder, Config(
            "udp://127.0.0.1:47001", """proxy { type = proxy, upstreams = ["[::1]:48001"] }"""));

        var refused = await CommandAsync(["run", "--config", file], surroundings: surroundings);
        var running = await CommandAsync(["run", "--config", proxy], surroundings: surroundings);

        Assert.Equal(2, await refused.ExitAsync());
        Assert.Equal(
            $"listener l: udp://[::1]:47001: {ErrnoText.Describe(Errno.EAFNOSUPPORT, SocketOperation.Bind)}",
            Assert.Single(refused.Error.Lines));
        await running.RecordAsync("listening");
        using var client = await Network.RunAsync(static () => Client.Udp(Port));
        client.Send("hello"u8);
        AssertTells(await running.RecordAsync("upstream-failed"), "[::1]:48001", Errno.EAFNOSUPPORT);
    }

    private static string Config(string bind, string route) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""router { listeners.l { bind = "{{bind}}", route = {{route.Split(' ')[0]}} }, routes { {{route}} } }""");

    private static Socket TcpFrom(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(Client.Loopback(port));
        socket.Connect(Client.Loopback(Port));
        return socket;
    }

    private static Socket UdpFrom(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(Client.Loopback(port));
        socket.Connect(Client.Loopback(Port));
        return socket;
    }

    private static void AssertTells(
        JsonElement record, string upstream, Errno errno, SocketOperation operation = SocketOperation.Connect)
    {
        Assert.Equal("proxy", record.GetProperty("route").GetString());
        Assert.Equal(upstream, record.GetProperty("upstream").GetString());
        Assert.Equal(ErrnoText.Describe(errno, operation), record.GetProperty("error").GetString());
    }

    private Task<RouterProcess> ProxyAsync(
        string transport, string upstream, string more = "", string address = "127.0.0.1") => RouterAsync(Config(
        $"{transport}://{address}:47001", $$"""proxy { type = proxy, upstreams = ["{{upstream}}"], {{more}} }"""));

    private async Task AssertFailsAsync(
        string transport,
        string upstream,
        Errno errno,
        string more = "",
        SocketOperation operation = SocketOperation.Connect)
    {
        var router = await ProxyAsync(transport, upstream, more);

        using var client = await Network.RunAsync(() => transport == "udp" ? Client.Udp(Port) : Client.Tcp(Port));
        Client.SendUnlessReset(client, "hello"u8);

        AssertTells(await router.RecordAsync("upstream-failed"), upstream, errno, operation);
    }
}
