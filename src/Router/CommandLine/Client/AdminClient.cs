using System.Net;
using System.Net.Http.Headers;
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
            var text = await response.Content.ReadAsStringAsync(cancel).ConfigureAwait(false);
            return new AdminAnswer(response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException tls)
        {
            throw new AdminUnreachableException(
                $"{_target.Name}: {tls.Message}; --ca names the file of the authority that signed its certificate", e);
        }
        catch (HttpRequestException e)
        {
            throw new AdminUnreachableException(
                $"{_target.Name}: {e.Message}; is a router running, with router.admin.bind there? --admin ADDRESS or "
                + $"{AdminTarget.AddressVariable} says where else",
                e);
        }
        catch (TaskCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new AdminUnreachableException($"{_target.Name}: no answer in {AnswerMax.TotalSeconds} s", e);
        }
        catch (JsonException e)
        {
            throw new AdminUnreachableException($"{_target.Name}: what answers is no router", e);
        }
    }

    public void Dispose() => _http.Dispose();
}
