using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Router.Admin;

/// <summary>The page that the endpoint shows to browsers: one document, with its style and its script within.</summary>
/// <remarks>The policy of its contents lets exactly these two in, by their hashes, and lets it ask this endpoint
/// alone. So a text of a peer's that found its way into the page as HTML would do nothing.</remarks>
internal static class AdminPage
{
    private static readonly Lazy<(byte[] Document, string Policy)> Page = new(Make);

    /// <summary>Whether a browser wants to show the root, and no program wants to read it.</summary>
    public static bool IsAsked(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && request.Path == "/"
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    public static async Task ReplyAsync(AdminRequest request)
    {
        var response = request.Http.Response;
        var (document, policy) = Page.Value;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = document.Length;
        response.Headers.ContentSecurityPolicy = policy;
        response.Headers["Referrer-Policy"] = "no-referrer";
        await response.Body.WriteAsync(document, request.End).ConfigureAwait(false);
    }

    private static (byte[] Document, string Policy) Make()
    {
        var (style, script) = (Read("page.css"), Read("page.js"));
        var document = Read("page.html")
            .Replace("/*page.css*/", style, StringComparison.Ordinal)
            .Replace("/*page.js*/", script, StringComparison.Ordinal);
        var policy = "default-src 'none'; connect-src 'self'; img-src data:; "
            + $"style-src {HashOf(style)}; script-src {HashOf(script)}; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        return (Encoding.UTF8.GetBytes(document), policy);
    }

    private static string HashOf(string text) =>
        $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    private static string Read(string name)
    {
        using var reader = new StreamReader(
            typeof(AdminPage).Assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");   // as a browser reads it, which hashes it then
    }
}
