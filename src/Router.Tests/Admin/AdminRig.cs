using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Router.Admin;
using Router.Configuration;
using Router.Hosting;
using Router.Reporting;
using Router.Running;
using Router.Tests.Hosting;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Router.Tests.Admin;

/// <summary>A router with its admin endpoint in this process, on real sockets, and a client of it.</summary>
internal sealed class AdminRig : IAsyncDisposable
{
    private readonly TextFile _file;
    private readonly AdminEndpoint _endpoint;

    private AdminRig(TextFile file, RouterEngine engine, AdminEndpoint endpoint, EventLog log, EventFeed feed)
    {
        (_file, Engine, _endpoint, Log, Feed) = (file, engine, endpoint, log, feed);
        endpoint.Start(new AdminHost(
            engine, feed.Follow(log, TimeProvider.System), feed, TimeProvider.System, Level,
            () => _ = engine.StopAsync("admin", CancellationToken.None)));
        var handler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => IsShown(shown!.Subject) },
        };
        if (endpoint.Options.Bind is { Path: { } path })
        {
            handler.ConnectCallback = async (_, end) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), end);
                return new NetworkStream(socket, ownsSocket: true);
            };
        }

        var scheme = endpoint.Options.IsTls ? "https" : "http";
        Http = new HttpClient(handler)
        {
            BaseAddress = new Uri(endpoint.Options.Bind is { Path: not null }
                ? "http://localhost"
                : $"{scheme}://{endpoint.Socket.Address}"),
        };
    }

    public RouterEngine Engine { get; }

    public EventLog Log { get; }

    public EventFeed Feed { get; }

    public LogThreshold Level { get; } = new(LogLevel.Information);

    public HttpClient Http { get; }

    public AdminEndpoint Endpoint => _endpoint;

    public string File => _file.Path;

    /// <summary>The subject of the certificate that was shown last.</summary>
    public string? Shown { get; private set; }

    /// <param name="keys">Of <c>router</c>, such as <c>admin { ... }</c>.</param>
    public static AdminRig Start(string keys)
    {
        var (rig, faults) = TryStart(keys);
        Assert.Empty(faults);
        return rig!;
    }

    public static (AdminRig? Rig, IReadOnlyList<string> Faults) TryStart(string keys)
    {
        var file = new TextFile(TextOf(keys));
        var loaded = SetupLoader.Load(file.Path, [], ProgramParts.None, TimeProvider.System);
        Assert.Empty(loaded.Faults);
        var setup = loaded.Setup!;
        var system = ActorSystemHandle.TryMake(setup.Options, TimeProvider.System, out _)!;
        var log = new EventLog();
        var feed = new EventFeed(setup.Options.Admin.Streams);
        var (engine, endpoint) = AdminStart.Start(
            setup, TimeProvider.System, feed.Follow(log, TimeProvider.System), system, out var faults);
        if (engine is not null)
        {
            return (new AdminRig(file, engine, endpoint!, log, feed), faults);
        }

        _ = system.System.Terminate();
        file.Dispose();
        return (null, faults);
    }

    public static string TextOf(string keys) => keys.Contains("listeners", StringComparison.Ordinal)
        ? $"router {{\n loops = 1\n {keys}\n}}"
        : $"router {{\n loops = 1\n {keys}\n listeners.e {{ bind = \"udp://127.0.0.1:0\", route = e }}\n"
            + " routes.e.type = echo\n}";

    /// <summary>What later reloads read.</summary>
    public void Write(string text) => System.IO.File.WriteAllText(File, text);

    public Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(
        string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        foreach (var (name, value) in headers)
        {
            if (name == "Content-Type")
            {
                request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var reply = await Http.SendAsync(request);
        var text = await reply.Content.ReadAsStringAsync();
        Assert.Equal(
            reply.IsSuccessStatusCode || path is "/live" or "/ready" && reply.StatusCode == (HttpStatusCode)503
                ? "application/json"
                : "application/problem+json",
            reply.Content.Headers.ContentType?.MediaType?.Replace(";charset=utf-8", ""));
        using var document = JsonDocument.Parse(text);
        return (reply.StatusCode, document.RootElement.Clone());
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Engine.DisposeAsync();
        await _endpoint.DisposeAsync();
        _file.Dispose();
    }

    private bool IsShown(string subject)
    {
        Shown = subject;
        return true;
    }
}
