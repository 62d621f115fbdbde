using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Router.Hosting;

namespace Router.Tests.Hosting;

/// <summary>A program reloads the router that it hosts, on real sockets.</summary>
public sealed class RouterControlTests
{
    private const string Text = """
        router {
          loops = 1
          listeners.a { bind = "udp://127.0.0.1:0", route = r }
          routes.r { type = reply, text = one }
        }
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_program_reloads_what_it_hosts_and_is_told_what_became_of_it()
    {
        using var file = new TextFile(Text);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRouter(file.Path);
        using var host = builder.Build();
        var control = host.Services.GetRequiredService<IRouterControl>();
        Assert.Equal(["the router is not running"], (await control.ReloadAsync()).Faults);

        using var patience = new CancellationTokenSource(Patience);
        await host.StartAsync(patience.Token);
        var engine = host.Services.GetServices<IHostedService>().OfType<RouterService>().Single().Engine!;
        var router = engine.Bound[0].Address.ToIPEndPoint();
        Assert.Equal("one", await AskAsync(router, patience.Token));

        await File.WriteAllTextAsync(file.Path, Text.Replace("one", "two").Replace("loops = 1", "loops = 2"));
        var applied = await control.ReloadAsync(patience.Token);
        Assert.True(applied.IsApplied);
        Assert.Equal(["router.loops", "router.routes.r.text"], applied.ChangedKeys);
        Assert.Equal(["router.loops"], applied.NeedRestart);
        Assert.Equal("two", await AskAsync(router, patience.Token));

        await File.WriteAllTextAsync(file.Path, Text.Replace("= reply", "= repli").Replace(":0", ":x"));
        var refused = await control.ReloadAsync(patience.Token);
        Assert.False(refused.IsApplied);
        Assert.Equal(2, refused.Faults.Count);
        Assert.All(refused.Faults, fault => Assert.StartsWith(file.Path, fault));
        Assert.Equal("two", await AskAsync(router, patience.Token));

        await host.StopAsync(patience.Token);
        Assert.Equal(["the router is not running"], (await control.ReloadAsync(patience.Token)).Faults);
    }

    [Fact]
    public async Task Who_gives_up_waiting_does_not_end_the_reload()
    {
        using var file = new TextFile(Text);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRouter(file.Path);
        using var host = builder.Build();
        using var patience = new CancellationTokenSource(Patience);
        await host.StartAsync(patience.Token);
        var engine = host.Services.GetServices<IHostedService>().OfType<RouterService>().Single().Engine!;
        var control = host.Services.GetRequiredService<IRouterControl>();
        await File.WriteAllTextAsync(file.Path, Text.Replace("one", "two"));
        var inForce = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.OnReloaded = _ => inForce.TrySetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => control.ReloadAsync(new CancellationToken(canceled: true)));

        await inForce.Task.WaitAsync(patience.Token);
        Assert.Equal("two", await AskAsync(engine.Bound[0].Address.ToIPEndPoint(), patience.Token));
        await host.StopAsync(patience.Token);
    }

    private static async Task<string> AskAsync(IPEndPoint router, CancellationToken patience)
    {
        using var client = new Socket(router.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await client.ConnectAsync(router, patience);
        await client.SendAsync("?"u8.ToArray(), patience);
        var buffer = new byte[100];
        return Encoding.ASCII.GetString(buffer, 0, await client.ReceiveAsync(buffer, patience));
    }
}
