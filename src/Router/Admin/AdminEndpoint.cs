using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Net;

namespace Router.Admin;

/// <summary>The admin endpoint of one router. It is bound before the router starts, so that a port in use refuses the
/// start as a listener's does; it answers when the listeners do, and ends with the router.</summary>
/// <remarks>Nothing of the server is loaded before it answers, and nothing without one.</remarks>
internal sealed class AdminEndpoint : IAsyncDisposable
{
    /// <summary>Connections that may wait: those of a few clients, while the server is not there yet.</summary>
    private const int Backlog = 128;

    private readonly AdminOptions _options;
    private readonly ServerSocket _socket;
    private volatile AdminCertificate? _certificate;
    private Task _running = Task.CompletedTask;

    private AdminEndpoint(AdminOptions options, ServerSocket socket, AdminCertificate? certificate) =>
        (_options, _socket, _certificate) = (options, socket, certificate);

    public AdminOptions Options => _options;

    public ServerSocket Socket => _socket;

    /// <summary>As the log has it, with the port decided.</summary>
    public string Address => _options.Bind is { Path: { } path } ? $"unix://{path}" : _socket.Address.ToString();

    /// <summary>What it shows now; a reload reads it again.</summary>
    public AdminCertificate? Certificate => _certificate;

    /// <summary>Binds it.</summary>
    /// <param name="options">The configuration's section.</param>
    /// <param name="faults">Why it cannot be bound.</param>
    /// <returns>Null where there is none to be, and where there are faults.</returns>
    public static AdminEndpoint? Bind(AdminOptions options, out IReadOnlyList<string> faults)
    {
        faults = [];
        if (options.Bind is not { } bind)
        {
            return null;
        }

        var certificate = options is { Certificate: { } file, Key: { } key }
            ? AdminCertificate.Read(file, key, out _)
            : null;
        if (options.IsTls && certificate is null)
        {
            faults = [$"admin {bind}: its certificate cannot be read any more; 'router check' says why"];
            return null;
        }

        var address = bind.Address;
        var result = ServerSocket.Listen(address, Backlog, new UnixFileOptions(options.Mode), out var socket);
        if (socket is null)
        {
            var operation = address.IsUnix ? SocketOperation.BindUnix : SocketOperation.Bind;
            faults = [$"admin {bind}: {ErrnoText.Describe(result, operation)}"];
            return null;
        }

        return new AdminEndpoint(options, socket, certificate);
    }

    /// <summary>Has it answer for a router, from when that serves until it has ended. Once.</summary>
    public void Start(AdminHost host)
    {
        host.Engine.OnReloaded = _ => ReadCertificate(host.Log);
        _running = Task.Run(() => RunAsync(host));
    }

    /// <summary>Gives the socket back of one that is not started.</summary>
    public void Release() => _socket.Dispose();

    /// <summary>Waits until the router has ended, and gives the socket back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _running.ConfigureAwait(false);
        _socket.Dispose();
    }

    private async Task RunAsync(AdminHost host)
    {
        var engine = host.Engine;
        try
        {
            await Task.WhenAny(engine.Begun, engine.Ended).ConfigureAwait(false);
            var server = await AdminServer.StartAsync(this, host).ConfigureAwait(false);
            await using (server.ConfigureAwait(false))
            {
                if (!engine.IsStopping)   // else it would be said behind the router's last line
                {
                    AdminLog.Listening(host.Log, Address, _options.IsTls, _options.Token is not null);
                }

                await engine.Ended.ConfigureAwait(false);
            }
        }
        catch (Exception failure)
        {
            HostLog.Fault(host.Log, failure, "admin endpoint");
        }
        finally
        {
            _socket.Dispose();
        }
    }

    private void ReadCertificate(ILogger log)
    {
        if (_options is not { Certificate: { } file, Key: { } key })
        {
            return;
        }

        if (AdminCertificate.Read(file, key, out var faults) is { } read)
        {
            _certificate = read;
            return;
        }

        foreach (var fault in faults)
        {
            HostLog.ConfigurationWarning(
                log, $"router.admin.tls.{fault.Key}: {fault.Message}; the certificate of before is shown");
        }
    }
}
