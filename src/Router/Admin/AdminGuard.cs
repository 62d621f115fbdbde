using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Router.Configuration;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Admin;

/// <summary>Lets requests through that may be made, bounds their time, and turns what goes wrong into a problem.
/// </summary>
/// <remarks>
/// With a token, that is all a request needs. Without one, whoever reaches the address may do everything; over TCP that
/// is any program of this machine, a browser among them, which does what pages of strangers say. So the host must be
/// one that only this machine has (a name that leads here is the stranger's, "DNS rebinding"), and no page of another
/// origin may ask: it would see no answer, but it could change something, and hold streams and connections.
/// </remarks>
internal sealed class AdminGuard(AdminOptions options, AdminHost host)
{
    /// <summary>What takes longer is of no use to who waits for it.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);

    private static readonly object EndKey = new();

    private readonly byte[]? _token = options.Token is null ? null : HashOf($"Bearer {options.Token}");
    private readonly bool _isUnix = options.Bind!.Path is not null;
    private readonly Lock _lock = new();
    private OncePerSecond _refusalsTold;
    private readonly long _started = host.Time.GetTimestamp();

    public async Task GuardAsync(HttpContext http, RequestDelegate next)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        if (http.GetEndpoint()?.Metadata.GetMetadata<AdminPath>() is not { IsStream: true })
        {
            end.CancelAfter(RequestTimeout);
        }

        http.Items[EndKey] = end.Token;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            Check(http);
            await next(http).ConfigureAwait(false);
            if (!http.Response.HasStarted && http.Response is { StatusCode: >= 400, ContentLength: null })
            {
                throw FaultOf(http);
            }
        }
        catch (AdminFault fault)
        {
            await ReplyAsync(http, fault).ConfigureAwait(false);
        }
        catch (BadHttpRequestException wrong)
        {
            await ReplyAsync(http, new AdminFault(wrong.StatusCode, "The request is not understood", wrong.Message))
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
        catch (OperationCanceledException)
        {
            await ReplyAsync(http, new AdminFault(
                StatusCodes.Status503ServiceUnavailable, "The answer took too long",
                $"there is none within {RequestTimeout.TotalSeconds} s; ask for less, or try again"))
                .ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            HostLog.Fault(host.Log, failure, $"admin {http.Request.Method} {http.Request.Path}");
            await ReplyAsync(http, new AdminFault(
                StatusCodes.Status500InternalServerError, "The router failed to answer",
                "this is a defect of the router; its log has a line 'fault' about it")).ConfigureAwait(false);
        }
    }

    /// <summary>Ends when the request's client is gone, or its time is up; a stream has all the time.</summary>
    public static CancellationToken EndOf(HttpContext http) => (CancellationToken)http.Items[EndKey]!;

    /// <summary>Whether a Host header names this machine alone.</summary>
    internal static bool IsLoopback(HostString name)
    {
        var text = name.Host.Trim('[', ']');
        return text.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(text, out var address) && IPAddress.IsLoopback(Endpoints.Plain(address)));
    }

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private static AdminFault FaultOf(HttpContext http) => http.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => new AdminFault(
            StatusCodes.Status404NotFound, "There is no such path",
            $"{http.Request.Path} is nothing here; / lists all paths"),
        StatusCodes.Status405MethodNotAllowed => new AdminFault(
            StatusCodes.Status405MethodNotAllowed, "The path has no such method",
            $"{http.Request.Path} takes {http.Response.Headers.Allow}, not {http.Request.Method}; / lists all paths"),
        StatusCodes.Status415UnsupportedMediaType => AdminRequest.NotJson(),
        var status => new AdminFault(status, "The request is refused", "see / for what there is"),
    };

    private static async Task ReplyAsync(HttpContext http, AdminFault fault)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();   // the answer is not whole, and must not look so
            return;
        }

        http.Response.StatusCode = fault.Status;
        var problem = new ProblemReport(fault.Title, fault.Status, fault.Message, http.Request.Path, fault.Faults);
        await http.Response.WriteAsJsonAsync(
            problem, AdminJson.Default.ProblemReport, "application/problem+json", http.RequestAborted)
            .ConfigureAwait(false);
    }

    private void Check(HttpContext http)
    {
        if (_token is not null)
        {
            if (http.GetEndpoint()?.Metadata.GetMetadata<WithoutToken>() is null
                && !AdminPage.IsAsked(http.Request)   // it is no secret, and asks for the token
                && !HasToken(http.Request))
            {
                http.Response.Headers.WWWAuthenticate = "Bearer";
                throw Refuse(http, "token", new AdminFault(
                    StatusCodes.Status401Unauthorized, "The token is missing or wrong",
                    "send the header 'Authorization: Bearer TOKEN' with router.admin.token"));
            }

            return;
        }

        if (_isUnix)
        {
            return;   // who may connect says the file's mode, and no browser can
        }

        if (!IsLoopback(http.Request.Host))
        {
            throw Refuse(http, "host", new AdminFault(
                StatusCodes.Status421MisdirectedRequest, "The host is not this machine",
                $"without a token the host is localhost or an address of loopback, not '{http.Request.Host}'"));
        }

        if (IsOfAnotherOrigin(http.Request) && !IsNavigation(http.Request))
        {
            throw Refuse(http, "origin", new AdminFault(
                StatusCodes.Status403Forbidden, "The request comes from a page of another origin",
                "programs ask, and the page of this endpoint; set router.admin.token for others"));
        }
    }

    private bool HasToken(HttpRequest request) =>
        request.Headers.Authorization is [{ } sent] && CryptographicOperations.FixedTimeEquals(HashOf(sent), _token);

    /// <summary>Browsers send these headers, and let no page set them; programs need not send them.</summary>
    private static bool IsOfAnotherOrigin(HttpRequest request)
    {
        var headers = request.Headers;
        if (headers.TryGetValue("Sec-Fetch-Site", out var site))
        {
            return site.ToString() is not ("same-origin" or "none");
        }

        return headers.Origin.Count > 0
            && !headers.Origin.ToString().Equals(
                $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A link of another page that is followed; the page itself sees nothing of the answer. A frame within the
    /// page is navigated, too, but is no document: as many as it likes would hold streams.</summary>
    private static bool IsNavigation(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && request.Headers["Sec-Fetch-Mode"].ToString() == "navigate"
        && request.Headers["Sec-Fetch-Dest"].ToString() == "document";

    private AdminFault Refuse(HttpContext http, string reason, AdminFault fault)
    {
        long suppressed;
        lock (_lock)
        {
            var nowMs = (long)host.Time.GetElapsedTime(_started).TotalMilliseconds;
            if (!_refusalsTold.TryTake(nowMs, out suppressed))
            {
                return fault;
            }
        }

        var peer = AdminPeer.Of(http);
        AdminLog.Refused(
            host.Log, peer.Text, peer.ProcessId, peer.UserId, http.Request.Method, http.Request.Path, reason,
            suppressed + 1);
        return fault;
    }
}

/// <summary>Of a path that needs no token: it tells nothing but whether the router does its work, and what asks for it,
/// an orchestrator, has no place for secrets.</summary>
internal sealed class WithoutToken
{
    public static readonly WithoutToken Instance = new();
}
