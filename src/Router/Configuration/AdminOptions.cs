using System.Net;
using Router.Net;

namespace Router.Configuration;

/// <summary>The section <c>router.admin</c>. Each key is declared here once; what it means: hocon/reference.conf.
/// </summary>
internal sealed class AdminOptions
{
    public AdminOptions(SectionReader admin)
    {
        Section = admin;
        var text = admin.OptionalText("bind", Reload.No);
        if (text is not null)
        {
            if (AdminBind.Parse(text, out var bind) is { } fault)
            {
                admin.Fault("bind", fault);
            }

            Bind = bind;
        }

        Mode = admin.Parsed("mode", Reload.No, UnixFileModes.Parse);
        Token = admin.OptionalText("token", Reload.No);
        Connections = admin.Int("connections", 64, 10_000, Reload.No);
        var tls = admin.Child("tls");
        Tls = tls;
        Certificate = tls.OptionalText("certificate", Reload.No);
        Key = tls.OptionalText("key", Reload.No);
        Streams = StreamOptions.Read(admin.Child("streams"));
        Trace = TraceOptions.Read(admin.Child("trace"));
    }

    public SectionReader Section { get; }

    /// <summary>Null for none.</summary>
    public AdminBind? Bind { get; }

    /// <summary>Of the file of a unix socket; negative where the text was no octal number.</summary>
    public int Mode { get; }

    /// <summary>What requests must have; null for none.</summary>
    public string? Token { get; }

    /// <summary>Clients' connections at once.</summary>
    public int Connections { get; }

    /// <summary>The section of the two files.</summary>
    public SectionReader Tls { get; }

    public string? Certificate { get; }

    public string? Key { get; }

    public StreamOptions Streams { get; }

    public TraceOptions Trace { get; }

    /// <summary>Whether it talks TLS.</summary>
    public bool IsTls => Certificate is not null || Key is not null;
}

/// <summary>Where the admin endpoint is bound.</summary>
/// <param name="EndPoint">A numeric address; null for a unix socket.</param>
/// <param name="Path">Of a unix socket; null for an address.</param>
internal sealed record AdminBind(IPEndPoint? EndPoint, string? Path)
{
    private const string UnixScheme = "unix:";
    private const string Ways = "write an address with a port, as in 127.0.0.1:27124, or a unix socket, as in "
        + "unix:///run/router/admin.sock";

    /// <summary>Whether only this machine reaches it.</summary>
    public bool IsLocal => EndPoint is null || IPAddress.IsLoopback(Endpoints.Plain(EndPoint.Address));

    public SocketAddr Address => Path is null
        ? SocketAddr.From(EndPoint!)
        : UnixAddress.Of(Path, UnixSocketType.Stream);

    /// <param name="text"><c>127.0.0.1:27124</c>, <c>unix:///run/router/admin.sock</c>, or the same with one slash.
    /// </param>
    /// <returns>Why it is refused, or null.</returns>
    public static string? Parse(string text, out AdminBind? bind)
    {
        bind = null;
        string? fault;
        if (text.StartsWith(UnixScheme, StringComparison.Ordinal))
        {
            var name = text[UnixScheme.Length..];
            var spelled = name.StartsWith("//", StringComparison.Ordinal) ? text : $"unix://{name}";
            fault = UnixEndpoints.Parse(spelled, out _, out var path);
            fault ??= path[0] == '@'
                ? "an abstract name has no file that says who may connect; name a path, as in "
                    + "unix:///run/router/admin.sock"
                : null;
            bind = fault is null ? new AdminBind(null, path) : null;
            return fault;
        }

        if (text.Contains("://", StringComparison.Ordinal))
        {
            return $"'{text}' is none of its forms: {Ways}";
        }

        fault = Endpoints.ParseBind($"tcp://{text}", out _, out var endPoint);
        bind = fault is null ? new AdminBind(endPoint, null) : null;
        return fault is null ? null : $"{fault}; {Ways}";
    }

    /// <summary>As the configuration has it.</summary>
    public override string ToString() => Path is null ? EndPoint!.ToString() : $"unix://{Path}";
}
