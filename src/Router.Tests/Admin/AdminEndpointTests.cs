using System.Net;
using System.Net.Sockets;
using Router.Tests.Cluster;

namespace Router.Tests.Admin;

/// <summary>Where the endpoint is bound, and what it shows there.</summary>
public sealed class AdminEndpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("router-tests-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "admin.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_port_in_use_is_a_fault_beside_those_of_listeners()
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen();
        var port = ((IPEndPoint)holder.LocalEndPoint!).Port;

        var (rig, faults) = AdminRig.TryStart($$"""
            admin.bind = "127.0.0.1:{{port}}"
            listeners {
              free { bind = "udp://127.0.0.1:0", route = e }
              taken { bind = "tcp://127.0.0.1:{{port}}", route = e }
            }
            routes.e.type = echo
            """);

        Assert.Null(rig);
        Assert.Equal(2, faults.Count);
        Assert.StartsWith($"admin 127.0.0.1:{port}: EADDRINUSE, Address already in use: ", faults[0]);
        Assert.StartsWith($"listener taken: tcp://127.0.0.1:{port}: EADDRINUSE", faults[1]);
    }

    [Fact]
    public void The_port_is_free_again_where_a_listener_cannot_be_bound()
    {
        using var holder = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        holder.Listen();
        var (rig, faults) = AdminRig.TryStart(
            $"admin.bind = \"unix://{Path}\"\n listeners.t {{ bind = \"tcp://{holder.LocalEndPoint}\", route = e }}\n"
            + "routes.e.type = echo");

        Assert.Null(rig);
        Assert.Single(faults);
        Assert.False(File.Exists(Path));
    }

    [Fact]
    public async Task Connections_beyond_the_limit_are_closed_until_others_have_gone()
    {
        await using var rig = AdminRig.Start("admin { bind = \"127.0.0.1:0\", connections = 64 }");
        var held = new List<Socket?>();
        for (var number = 0; number < 64; number++)
        {
            held.Add(TryAsk(rig));
        }

        Assert.DoesNotContain(null, held);
        Assert.Null(TryAsk(rig));

        held[0]!.Dispose();
        await Functional.Until.TrueAsync(
            () => (held[0] = TryAsk(rig)) is not null, () => "the place of one that has gone");
        held.ForEach(static one => one!.Dispose());
    }

    [Fact]
    public async Task A_unix_socket_is_the_owners_and_the_log_names_the_process_that_asked()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        await using (var rig = AdminRig.Start($"admin.bind = \"unix:{Path}\""))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
            var (status, _) = await rig.SendAsync(
                HttpMethod.Put, "/log-level", "{\"level\":\"info\"}",
                ("Host", "any.example"), ("Origin", "http://any"));
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Contains(
                $"process {Environment.ProcessId}, user {Environment.UserName switch { "root" => "0", _ => "" }}",
                Assert.Single(rig.Log.Texts("admin-changed")));

            var (_, faults) = AdminRig.TryStart($"admin.bind = \"unix://{Path}\"");
            Assert.Contains("another process listens there", Assert.Single(faults));
        }

        Assert.False(File.Exists(Path));
    }

    [Fact]
    public async Task The_file_of_a_router_that_died_is_taken_over()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Path));
            File.Move(Path, $"{Path}.kept");   // so that closing does not remove it
        }

        File.Move($"{Path}.kept", Path);
        await using var rig = AdminRig.Start($"admin {{ bind = \"unix://{Path}\", mode = \"0660\" }}");

        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/ready")).Status);
        Assert.True(File.GetUnixFileMode(Path).HasFlag(UnixFileMode.GroupWrite));
    }

    [Fact]
    public async Task Over_TLS_a_reload_shows_the_certificate_that_the_files_hold_then()
    {
        TestCertificates.Make(_folder, "one.example", "two.example");
        Copy("one.example");
        await using var rig = AdminRig.Start(
            $"admin {{ bind = \"127.0.0.1:0\", token = 0123456789abcdef\n tls {{ certificate = \"{_folder}/own.pem\", "
            + $"key = \"{_folder}/own-key.pem\" }} }}");
        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/live")).Status);
        Assert.Contains("one.example", rig.Shown);

        Copy("two.example");
        var (status, _) = await rig.SendAsync(
            HttpMethod.Post, "/reload", null, ("Authorization", "Bearer 0123456789abcdef"), ("Connection", "close"));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(HttpStatusCode.OK, (await rig.GetAsync("/live")).Status);
        Assert.Contains("two.example", rig.Shown);
    }

    /// <returns>A connection that has been answered and is kept; null where it was closed instead.</returns>
    private static Socket? TryAsk(AdminRig rig)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(rig.Endpoint.Socket.Address.ToIPEndPoint());
            socket.Send("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"u8);
            if (socket.Receive(new byte[4096]) > 0)
            {
                return socket;
            }
        }
        catch (SocketException)
        {
            // Reset, for what it asked was not read.
        }

        socket.Dispose();
        return null;
    }

    private void Copy(string host)
    {
        File.Copy($"{_folder}/{host}.pem", $"{_folder}/own.pem", overwrite: true);
        File.Copy($"{_folder}/{host}-key.pem", $"{_folder}/own-key.pem", overwrite: true);
    }
}
