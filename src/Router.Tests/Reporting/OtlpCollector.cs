using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Router.Tests.Reporting;

/// <summary>Stands in for a collector of OpenTelemetry that is spoken to by HTTP.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly List<byte[]> _requests = [];
    private volatile int _status = StatusCodes.Status200OK;
    private int _refused;
    private int _asked;
    private TaskCompletionSource? _silence;

    private OtlpCollector(WebApplication server) => _server = server;

    public Uri Url => new(_server.Urls.Single());

    /// <summary>What it answers from now on.</summary>
    public int Status
    {
        set => _status = value;
    }

    /// <summary>Requests that have come.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Whether it keeps requests and answers none.</summary>
    public bool IsSilent
    {
        set
        {
            if (value)
            {
                _silence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            else
            {
                _silence?.SetResult();
                _silence = null;
            }
        }
    }

    /// <summary>Requests that it did not take.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>What it took, one character a byte.</summary>
    public string Text
    {
        get
        {
            lock (_requests)
            {
                return string.Concat(_requests.Select(Encoding.Latin1.GetString));
            }
        }
    }

    /// <param name="path">Of the signal.</param>
    public static async Task<OtlpCollector> StartAsync(string path)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        var collector = new OtlpCollector(server);
        server.MapPost(path, collector.TakeAsync);
        await server.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<IResult> TakeAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        Interlocked.Increment(ref _asked);
        if (_silence is { } silence)
        {
            await silence.Task;
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }

        var status = _status;
        lock (_requests)
        {
            if (status == StatusCodes.Status200OK)
            {
                _requests.Add(body.ToArray());
            }
            else
            {
                _refused++;
            }
        }

        return Results.StatusCode(status);
    }
}
