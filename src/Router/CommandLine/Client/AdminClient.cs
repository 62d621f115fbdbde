using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Router.CommandLine.Client;

/// <summary>What the endpoint answered.</summary>
/// <param name="Status">Of HTTP.</param>
/// <param name="Body">JSON; null for none.</param>
internal sealed record AdminAnswer(HttpStatusCode Status, JsonObject? Body)
{
    public bool IsOk => (int)Status is >= 200 and < 300;

    /// <summary>What is wrong, in the endpoint's words.</summary>
    public string Fault => Body?["detail"]?.GetValue<string>() is { Length: > 0 } detail
        ? detail
        : Body?["title"]?.GetValue<string>() ?? $"HTTP {(int)Status}";
}

/// <summary>The endpoint could not be asked.</summary>
internal sealed class AdminUnreachableException(string message, Exception cause) : Exception(message, cause);

/// <summary>Asks a router's admin endpoint.</summary>
internal sealed class AdminClient : IDisposable
{
    /// <summary>A key that comes twice is a fault of the JSON, and none that is found later.</summary>
    public static readonly JsonDocumentOptions Json = new() { AllowDuplicateProperties = false };

    /// <summary>As long as the endpoint takes at most, and some.</summary>
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(35);

    private readonly AdminTarget _target;
    private readonly HttpClient _http;

    /// <param name="target">Where it is.</param>
    /// <param name="handler">Connects there; disposed of with this.</param>
    public AdminClient(AdminTarget target, HttpMessageHandler handler)
    {
        _target = target;
        _http = new HttpClient(handler) { BaseAddress = target.Address, Timeout = AnswerMax };
        if (target.Token is { } token)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    /// <exception cref="AdminUnreachableException">It cannot be asked.</exception>
    public async Task<AdminAnswer> AskAsync(
        HttpMethod method, string path, JsonObject? body = null, CancellationToken cancel = default)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        try
        {
            using var response = await _http.SendAsync(request, cancel).ConfigureAwait(false);
            return await AnswerOfAsync(response, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (Explain(e, cancel) is { } why)
        {
            throw new AdminUnreachableException(why, e);
        }
    }

    /// <summary>Follows a stream of server-sent events until it ends.</summary>
    /// <param name="path">With its query.</param>
    /// <param name="take">Gets the data of each event.</param>
    /// <param name="cancel">Ends it.</param>
    /// <param name="begin">Called when the stream is open, before its first event; says whether to go on.</param>
    /// <returns>The refusal, if there was one; without a body, when the stream has ended in order.</returns>
    /// <exception cref="AdminUnreachableException">It cannot be asked, or broke off.</exception>
    public async Task<AdminAnswer> FollowAsync(
        string path, Action<JsonObject> take, CancellationToken cancel, Func<Task<bool>>? begin = null)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            using var response = await _http
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                return await AnswerOfAsync(response, cancel).ConfigureAwait(false);
            }

            if (begin is not null && !await begin().ConfigureAwait(false))
            {
                return new AdminAnswer(response.StatusCode, null);
            }

            await using var events = SseParser
                .Create(await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false))
                .EnumerateAsync(cancel).GetAsyncEnumerator(cancel);
            while (await ReadAsync(() => events.MoveNextAsync().AsTask()).ConfigureAwait(false))
            {
                take(JsonNode.Parse(events.Current.Data, documentOptions: Json) as JsonObject
                    ?? throw new JsonException("no object"));
            }

            return new AdminAnswer(response.StatusCode, null);
        }
        catch (Exception e) when (Explain(e, cancel) is { } why)
        {
            throw new AdminUnreachableException(why, e);
        }
    }

    /// <summary>As it is told to people.</summary>
    public string Name => _target.Name;

    public void Dispose() => _http.Dispose();

    private static async Task<AdminAnswer> AnswerOfAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var text = await ReadAsync(() => response.Content.ReadAsStringAsync(cancel)).ConfigureAwait(false);
        return new AdminAnswer(
            response.StatusCode,
            text.Length == 0 ? null : JsonNode.Parse(text, documentOptions: Json) as JsonObject);
    }

    /// <summary>A connection that is reset within a body is told from an output that cannot be written to, which is an
    /// <see cref="IOException"/>, too.</summary>
    private static async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (IOException e) when (e is not HttpIOException)
        {
            throw new HttpIOException(HttpRequestError.ResponseEnded, e.Message, e);
        }
    }

    /// <returns>What is wrong and what to do; null for what is no fault of the connection.</returns>
    private string? Explain(Exception failure, CancellationToken cancel) => failure switch
    {
        HttpRequestException { InnerException: AuthenticationException tls } =>
            $"{_target.Name}: {tls.Message}; --ca names the file of the authority that signed its certificate",
        HttpIOException e => $"{_target.Name}: the connection broke off: {e.Message}",
        HttpRequestException e =>
            $"{_target.Name}: {e.Message}; is a router running, with router.admin.bind there? --admin ADDRESS or "
            + $"{AdminTarget.AddressVariable} says where else",
        TaskCanceledException when !cancel.IsCancellationRequested =>
            $"{_target.Name}: no answer in {AnswerMax.TotalSeconds} s",
        JsonException => $"{_target.Name}: what answers is no router",
        _ => null,
    };
}
