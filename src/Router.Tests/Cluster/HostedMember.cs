using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Hosting;
using Router.Running;
using Router.Sessions;
using Router.Tests.Functional;
using Router.Tests.Hosting;

namespace Router.Tests.Cluster;

/// <summary>A router as a member of a cluster, on real sockets and remoting, in this process.</summary>
internal sealed class HostedMember : IAsyncDisposable
{
    private readonly TextFile _file;
    private readonly IHost _host;

    private HostedMember(TextFile file, EventLog log, IHost host) => (_file, Log, _host) = (file, log, host);

    public EventLog Log { get; }

    public ActorSystem System => _host.Services.GetRequiredService<ActorSystem>();

    public RouterEngine Engine => ((RouterControl)_host.Services.GetRequiredService<IRouterControl>()).Engine!;

    public IPEndPoint Udp => Engine.Bound[0].Address.ToIPEndPoint();

    /// <summary>HOST:PORT for other members' seeds.</summary>
    public string Seed => Engine.Member!.Table.Self;

    /// <param name="seed">Whom it joins; null to begin a cluster.</param>
    /// <param name="listener">Keys of its listener.</param>
    /// <param name="cluster">Keys of its cluster.</param>
    /// <param name="transport">Of the listener.</param>
    /// <param name="handler">What it does; null counts.</param>
    /// <param name="route">Keys of its route.</param>
    /// <param name="keys">Keys of <c>router</c>.</param>
    public static async Task<HostedMember> StartAsync(
        string? seed, string listener, string cluster = "", string transport = "udp",
        Func<SessionHandler>? handler = null, string route = "type = handler, name = counting", string keys = "")
    {
        var file = new TextFile($$"""
            router {
              loops = 1
              drain-timeout = 5s
              {{keys}}
              cluster { port = 0, seeds = [{{(seed is null ? "" : $"\"{seed}\"")}}], {{cluster}} }
              listeners.a { bind = "{{transport}}://127.0.0.1:0", route = r, {{listener}} }
              routes.r { {{route}} }
            }
            """);
        var log = new EventLog();
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddRouter(
            file.Path, router => router.AddHandler("counting", handler ?? (static () => new CountingHandler())));
        var member = new HostedMember(file, log, builder.Build());
        await member._host.StartAsync();
        return member;
    }

    /// <summary>A client of its admin endpoint, which its keys have to ask for.</summary>
    public async Task<HttpClient> AdminAsync()
    {
        await Log.Seen("admin-listening");
        var address = Log.Texts("admin-listening")[0].Split(' ')[3].TrimEnd(',');
        return new HttpClient { BaseAddress = new Uri($"http://{address}") };
    }

    /// <summary>Waits until it knows so many members, and sends for sessions with an identity.</summary>
    public async Task IsAmongAsync(int members)
    {
        await Until.TrueAsync(
            () => Engine.Member!.Table.Count == members,
            () => $"{members} members, {Engine.Member!.Table.Count} are known");
        await Log.Seen("fence-open");
    }

    public Socket Client()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.Connect(Udp);
        return client;
    }

    /// <summary>Sends once, and waits for an answer.</summary>
    public static async Task<string> AskAsync(Socket client, string text)
    {
        var buffer = new byte[1_500];
        using var patience = new CancellationTokenSource(RunningProcess.Patience);
        await client.SendAsync(Encoding.UTF8.GetBytes(text), patience.Token);
        return Encoding.UTF8.GetString(buffer, 0, await client.ReceiveAsync(buffer, patience.Token));
    }

    public static async Task<string> HearAsync(Socket client)
    {
        var buffer = new byte[1_500];
        using var patience = new CancellationTokenSource(RunningProcess.Patience);
        return Encoding.UTF8.GetString(buffer, 0, await client.ReceiveAsync(buffer, patience.Token));
    }

    /// <summary>Changes its file, and has it read again.</summary>
    public async Task ReloadAsync(string before, string after)
    {
        Change(before, after);
        Assert.Empty((await Engine.ReloadAsync("test")).Faults);
    }

    /// <summary>Changes its file.</summary>
    public void Change(string before, string after)
    {
        var text = File.ReadAllText(_file.Path);
        Assert.Contains(before, text, StringComparison.Ordinal);
        _file.Write(text.Replace(before, after, StringComparison.Ordinal));
    }

    public async Task StopAsync() => await _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        _file.Dispose();
    }
}
