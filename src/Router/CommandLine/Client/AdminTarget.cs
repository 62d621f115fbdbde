using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Router.Configuration;
using Router.Routes;

namespace Router.CommandLine.Client;

/// <summary>Where a router's admin endpoint is, and what it wants to be shown.</summary>
/// <param name="Address">Of HTTP; its host is of no meaning over a unix socket.</param>
/// <param name="Socket">The file of a unix socket; null for a port.</param>
/// <param name="Token">Null for none.</param>
/// <param name="Authority">A file of certificates to trust, PEM; null for the system's.</param>
internal sealed record AdminTarget(Uri Address, string? Socket, string? Token, string? Authority)
{
    public const string AddressVariable = "ROUTER_ADMIN", TokenVariable = "ROUTER_TOKEN";

    /// <summary>Where the endpoint of the service of systemd is, and that of the built-in configuration.</summary>
    public const string ServiceSocket = "/run/router/admin.sock", BuiltIn = "127.0.0.1:27124";

    private const string Ways = "write 127.0.0.1:27124, https://host:port, or unix:///run/router/admin.sock";

    /// <summary>For a person: what was tried.</summary>
    public string Name => Socket is null ? Address.GetLeftPart(UriPartial.Authority) : $"unix://{Socket}";

    /// <summary>The first that says where: <paramref name="admin"/>, <paramref name="file"/>, the environment, the
    /// service's socket if there is one, the built-in configuration's port.</summary>
    /// <param name="admin">As on the command line; null where it does not say.</param>
    /// <param name="file">A configuration whose router is meant; null for none.</param>
    /// <param name="authority">As on the command line.</param>
    /// <param name="variable">Reads the environment.</param>
    /// <param name="isThere">Whether there is a file.</param>
    /// <param name="fault">Why there is none.</param>
    public static AdminTarget? Find(
        string? admin, string? file, string? authority, Func<string, string?> variable, Func<string, bool> isThere,
        out string? fault)
    {
        if (admin is null && file is not null)
        {
            return OfFile(file, authority, variable, out fault);
        }

        var text = admin ?? variable(AddressVariable) switch
        {
            { Length: > 0 } said => said,
            _ when isThere(ServiceSocket) => $"unix://{ServiceSocket}",
            _ => BuiltIn,
        };
        return Parse(text, variable(TokenVariable), authority, out fault);
    }

    /// <summary>A handler that connects there.</summary>
    public SocketsHttpHandler MakeHandler()
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        if (Socket is { } path)
        {
            handler.ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
        }

        if (Authority is { } trusted)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,   // a private authority publishes no list
            };
            policy.CustomTrustStore.ImportFromPemFile(trusted);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return handler;
    }

    private static AdminTarget? Parse(string text, string? token, string? authority, out string? fault)
    {
        fault = null;
        token = string.IsNullOrEmpty(token) ? null : token;
        if (text.StartsWith("http://", StringComparison.Ordinal)
            || text.StartsWith("https://", StringComparison.Ordinal))
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var address))
            {
                return new AdminTarget(address, null, token, authority);
            }

            fault = $"'{text}' is no address; {Ways}";
            return null;
        }

        fault = AdminBind.Parse(text, out var bind);
        return bind is null ? null : Of(bind, isTls: false, token, authority);
    }

    private static AdminTarget? OfFile(
        string file, string? authority, Func<string, string?> variable, out string? fault)
    {
        var read = ConfigurationLoader.Load(RouteTypes.All, file, [], variable);
        if (read.Options is not { } options)
        {
            fault = read.Faults[0].ToString();
            return null;
        }

        if (options.Admin.Bind is not { } bind)
        {
            fault = $"{file}: router.admin.bind is not set, so its router has no admin endpoint";
            return null;
        }

        fault = null;
        return Of(bind, options.Admin.IsTls, options.Admin.Token, authority);
    }

    private static AdminTarget Of(AdminBind bind, bool isTls, string? token, string? authority)
    {
        if (bind.EndPoint is not { } endPoint)
        {
            return new AdminTarget(new Uri("http://localhost"), bind.Path, token, authority);
        }

        // Who listens everywhere listens here.
        var host = IPAddress.Any.Equals(endPoint.Address) || IPAddress.IPv6Any.Equals(endPoint.Address)
            ? new IPEndPoint(
                endPoint.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback,
                endPoint.Port)
            : endPoint;
        return new AdminTarget(new Uri($"{(isTls ? "https" : "http")}://{host}"), null, token, authority);
    }
}
