using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Router.Admin;

/// <summary>Kestrel for the admin endpoint, of a builder that reads neither environment nor files: the router's
/// configuration alone says what it does.</summary>
internal static class AdminServer
{
    /// <summary>A request here is a line and a few headers, or a small JSON object.</summary>
    private const int BodyBytesMax = 64 << 10, HeaderBytesMax = 16 << 10, HeadersMax = 64, LineBytesMax = 8 << 10;

    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Short, for a connection that nobody uses takes the place of one: who asks again later connects again.
    /// </summary>
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(15);

    /// <summary>How long requests that are under way have when the router has ended.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    /// <returns>A running server, which disposing stops in order.</returns>
    public static async Task<IAsyncDisposable> StartAsync(AdminEndpoint endpoint, AdminHost host)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Router" });
        builder.WebHost.UseKestrelCore();
        if (endpoint.Options.IsTls)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, endpoint));
        builder.Services.Configure<SocketTransportOptions>(sockets =>
        {
            sockets.IOQueueCount = 1;
            sockets.CreateBoundListenSocket = _ => endpoint.Socket.Socket;
        });
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = StopTimeout);
        builder.Services.AddSingleton<IHostLifetime>(new NoLifetime());   // else it would take the process's signals
        builder.Services.AddRoutingCore();
        AdminDescription.Add(builder.Services);
        var app = builder.Build();
        var guard = new AdminGuard(endpoint.Options, host);
        app.Use(guard.GuardAsync);
        AdminPaths.Map(app, host);
        await app.StartAsync().ConfigureAwait(false);
        return new RunningServer(app);
    }

    private static void Configure(KestrelServerOptions kestrel, AdminEndpoint endpoint)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxConcurrentConnections = endpoint.Options.Connections;
        limits.MaxConcurrentUpgradedConnections = 0;
        limits.MaxRequestBodySize = BodyBytesMax;
        limits.MaxRequestHeadersTotalSize = HeaderBytesMax;
        limits.MaxRequestHeaderCount = HeadersMax;
        limits.MaxRequestLineSize = LineBytesMax;
        limits.RequestHeadersTimeout = HeadersTimeout;
        limits.KeepAliveTimeout = KeepAliveTimeout;
        if (endpoint.Options.Bind!.Path is { } path)
        {
            kestrel.ListenUnixSocket(path, listen => Configure(listen, endpoint));
        }
        else
        {
            kestrel.Listen(endpoint.Socket.Address.ToIPEndPoint(), listen => Configure(listen, endpoint));
        }
    }

    private static void Configure(ListenOptions listen, AdminEndpoint endpoint)
    {
        listen.Protocols = HttpProtocols.Http1;   // what HTTP/2 adds, nobody needs here
        if (endpoint.Options.IsTls)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                HandshakeTimeout = HeadersTimeout,
                OnConnection = _ => ValueTask.FromResult(TlsOf(endpoint)),
            });
        }
    }

    private static SslServerAuthenticationOptions TlsOf(AdminEndpoint endpoint)
    {
        var shown = endpoint.Certificate!;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(shown.Own, shown.Chain, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
    }

    /// <summary>Disposing of the application alone would cut connections off.</summary>
    private sealed class RunningServer(WebApplication app) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await app.StopAsync().ConfigureAwait(false);
            await app.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The server ends when it is told to, and ends nothing itself.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
