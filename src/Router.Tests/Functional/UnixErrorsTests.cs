using System.Net.Sockets;
using System.Runtime.Versioning;
using Router.Net;
using Xunit.Abstractions;

namespace Router.Tests.Functional;

/// <summary>Unix sockets that cannot be bound or reached, what is said of it, and what becomes of files.</summary>
[UnsupportedOSPlatform("windows")]
[Collection(ProgramTests.Name)]
public sealed class UnixErrorsTests(ITestOutputHelper output) : FunctionalTest(output)
{
    private string Socket => Path.Combine(Folder, "s");

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_second_router_is_refused_and_the_first_goes_on()
    {
        var first = await RouterAsync(Echo("unix"));
        await first.RecordAsync("listening");

        await AssertRefusedAsync("unix", Errno.EADDRINUSE);

        Assert.True(await Network.RunAsync(() => AnswersAt(Socket)));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task What_a_killed_router_leaves_behind_is_replaced()
    {
        var first = await RouterAsync(Echo("unixpacket"));
        await first.RecordAsync("listening");
        first.Signal(TestLibc.SigKill);
        await first.ExitAsync();
        Assert.True(File.Exists(Socket));

        var second = await RouterAsync(Echo("unix"));
        await second.RecordAsync("listening");

        Assert.True(await Network.RunAsync(() => AnswersAt(Socket)));
        second.Signal(TestLibc.SigTerm);
        Assert.Equal(0, await second.ExitAsync());
        Assert.False(File.Exists(Socket));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task Of_several_that_start_at_once_on_a_stale_file_one_listens()
    {
        var stale = await RouterAsync(Echo("unix"));
        await stale.RecordAsync("listening");
        stale.Signal(TestLibc.SigKill);
        await stale.ExitAsync();
        var file = await RouterProcess.WriteAsync(Folder, Echo("unix"));

        var routers = new List<RouterProcess>();
        for (var i = 0; i < 4; i++)
        {
            routers.Add(await CommandAsync(["run", "--config", file]));
        }

        await Until.TrueAsync(
            () => routers.Count(static router => router.HasExited) == 3,
            () => $"{routers.Count(static router => router.HasExited)} of 4 have given up");
        var exited = routers.Where(static router => router.HasExited).ToList();
        foreach (var router in exited)
        {
            Assert.Equal(2, await router.ExitAsync());
            Assert.Contains("EADDRINUSE", Assert.Single(router.Error.Lines), StringComparison.Ordinal);
        }

        await routers.Single(static router => !router.HasExited).RecordAsync("listening");
        Assert.True(await Network.RunAsync(() => AnswersAt(Socket)));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_file_that_is_no_socket_is_named_and_stays()
    {
        await File.WriteAllTextAsync(Socket, "precious");

        await AssertRefusedAsync("unixgram", Errno.ENOTSOCK);

        Assert.Equal("precious", await File.ReadAllTextAsync(Socket));
    }

    [RequiresToolFact(RequiredTools.Namespace, "setpriv")]
    public async Task A_directory_without_right_is_named() => await AssertRefusedAsync(
        "unix", Errno.EACCES, ["--reuid=65534", "--regid=65534", "--clear-groups"]);

    [RequiresToolFact(RequiredTools.Namespace, Surroundings.MountTool)]
    public async Task A_file_system_that_is_read_only_is_named() => await AssertRefusedAsync(
        "unix", Errno.EROFS, surroundings: Surroundings.FileSystem(Folder, "ro"));

    [RequiresToolFact(RequiredTools.Namespace, Surroundings.MountTool)]
    public async Task A_file_system_that_is_full_is_named() => await AssertRefusedAsync(
        "unix", Errno.ENOSPC, surroundings: Surroundings.FileSystem(Folder, "nr_inodes=1"));

    [RequiresToolFact(RequiredTools.Namespace, "setpriv")]
    public async Task An_owner_that_cannot_be_given_is_named()
    {
        File.SetUnixFileMode(Folder, (UnixFileMode)Convert.ToInt32("777", 8));

        await AssertRefusedAsync(
            "unix", Errno.EPERM, ["--reuid=65534", "--regid=65534", "--clear-groups"], "unix.owner = root");

        Assert.False(File.Exists(Socket));
    }

    [RequiresToolFact(RequiredTools.Namespace, "python3")]
    public async Task An_owner_and_a_mode_decide_who_comes_in()
    {
        File.SetUnixFileMode(Folder, (UnixFileMode)Convert.ToInt32("755", 8));
        var router = await RouterAsync(Echo("unix", "unix { mode = \"0600\", owner = \"65534\" }"));
        await router.RecordAsync("listening");

        Assert.Equal(0, await ConnectAsync(65_534));
        Assert.NotEqual(0, await ConnectAsync(65_533));
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task An_owner_that_there_is_not_is_named_by_check()
    {
        var file = await RouterProcess.WriteAsync(Folder, Echo("unix", "unix.owner = no-such-user"));

        var check = await CommandAsync(["check", "--config", file]);

        Assert.Equal(1, await check.ExitAsync());
        Assert.Contains(
            "router.listeners.l.unix.owner: there is no user 'no-such-user'", Assert.Single(check.Error.Lines),
            StringComparison.Ordinal);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task The_portable_network_refuses_to_start()
    {
        var file = await RouterProcess.WriteAsync(Folder, Echo("unix") + "\nrouter.network = portable");

        var router = await CommandAsync(["run", "--config", file]);

        Assert.Equal(2, await router.ExitAsync());
        Assert.Contains("needs Linux sockets", Assert.Single(router.Error.Lines), StringComparison.Ordinal);
    }

    [RequiresToolFact(RequiredTools.Namespace)]
    public async Task A_reload_takes_the_file_away_and_makes_another()
    {
        var file = await RouterProcess.WriteAsync(Folder, Echo("unix"));
        var router = await CommandAsync(["run", "--config", file]);
        await router.RecordAsync("listening");
        using var client = await Network.RunAsync(() => Connected(Socket));
        await Network.RunAsync(() => Client.Exchange(client, "open"u8));   // what waits goes with its listener

        await File.WriteAllTextAsync(file, Echo("unix").Replace(Socket, Socket + "2", StringComparison.Ordinal));
        router.Signal(TestLibc.SigHup);
        await router.RecordAsync("reloaded");

        await Until.TrueAsync(() => !File.Exists(Socket), () => "the old file is still there");
        Assert.True(await Network.RunAsync(() => AnswersAt(Socket + "2")));
        Assert.Equal("old"u8.ToArray(), await Network.RunAsync(() => Client.Exchange(client, "old"u8)));
        client.Dispose();
        await File.WriteAllTextAsync(file, Echo("unixpacket"));
        router.Signal(TestLibc.SigHup);
        await router.RecordAsync("reloaded", 1);
        Assert.True(File.Exists(Socket));
    }

    [RequiresToolTheory(RequiredTools.Namespace)]
    [InlineData("unix", "tcp")]
    [InlineData("unixgram", "udp")]
    [InlineData("unixpacket", "udp")]
    public async Task An_upstream_that_is_not_there_is_named(string scheme, string transport)
    {
        var router = await RouterAsync(
            $$"""
            router {
              listeners.l { bind = "{{transport}}://127.0.0.1:47001", route = up }
              routes.up { type = proxy, upstreams = ["{{scheme}}://{{Socket}}"] }
            }
            """);

        using var client = await Network.RunAsync(() => transport == "tcp" ? Client.Tcp(47_001) : Client.Udp(47_001));
        client.Send("a"u8);

        var failed = await router.RecordAsync("upstream-failed");
        Assert.Equal($"unix:{Socket}", failed.GetProperty("upstream").GetString());
        Assert.Equal(
            ErrnoText.Describe(Errno.ENOENT, SocketOperation.ConnectUnix), failed.GetProperty("error").GetString());
    }

    [RequiresToolFact(RequiredTools.Namespace, "setpriv")]
    public async Task An_upstream_without_right_is_named()
    {
        using var server = Bound(Socket);
        File.SetUnixFileMode(Folder, (UnixFileMode)Convert.ToInt32("755", 8));
        File.SetUnixFileMode(Socket, (UnixFileMode)Convert.ToInt32("600", 8));
        var file = await RouterProcess.WriteAsync(
            Folder,
            $$"""
            router {
              listeners.l { bind = "tcp://127.0.0.1:47001", route = up }
              routes.up { type = proxy, upstreams = ["unix://{{Socket}}"] }
            }
            """);
        File.SetUnixFileMode(file, (UnixFileMode)Convert.ToInt32("644", 8));
        var router = await CommandAsync(
            ["run", "--config", file], ["--reuid=65534", "--regid=65534", "--clear-groups"]);
        await router.RecordAsync("listening");

        using var client = await Network.RunAsync(() => Client.Tcp(47_001));

        var failed = await router.RecordAsync("upstream-failed");
        Assert.Equal(
            ErrnoText.Describe(Errno.EACCES, SocketOperation.ConnectUnix), failed.GetProperty("error").GetString());
    }

    private static Socket Bound(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private static Socket Connected(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        {
            ReceiveTimeout = 5_000,
        };
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static bool AnswersAt(string path)
    {
        using var socket = Connected(path);
        return Client.Exchange(socket, "hello"u8).AsSpan().SequenceEqual("hello"u8);
    }

    private string Echo(string scheme, string more = "") =>
        $$"""
        router {
          loops = 2
          listeners.l { bind = "{{scheme}}://{{Socket}}", route = echo, {{more}} }
          routes.echo { type = echo }
        }
        """;

    private async Task<int> ConnectAsync(int user)
    {
        var client = await ProgramAsync(
            "python3", "-c",
            $"import os, socket; os.setgroups([]); os.setgid({user}); os.setuid({user}); "
                + $"socket.socket(socket.AF_UNIX).connect('{Socket}')");
        return await client.ExitAsync();
    }

    private async Task AssertRefusedAsync(
        string scheme,
        Errno errno,
        IEnumerable<string>? privileges = null,
        string more = "",
        IEnumerable<string>? surroundings = null)
    {
        var file = await RouterProcess.WriteAsync(Path.GetTempPath(), Echo(scheme, more));
        try
        {
            var router = await CommandAsync(["run", "--config", file], privileges, surroundings);

            Assert.Equal(2, await router.ExitAsync());
            Assert.Equal(
                $"listener l: {scheme}://{Socket}: {ErrnoText.Describe(errno, SocketOperation.BindUnix)}",
                Assert.Single(router.Error.Lines));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
