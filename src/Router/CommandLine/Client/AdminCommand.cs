using System.CommandLine;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Router.Diagnostics;
using Router.Hosting;

namespace Router.CommandLine.Client;

/// <summary>Options that all commands have which ask a running router, and how they end.</summary>
internal sealed class AdminCommand
{
    /// <summary>Nothing answers there: sysexits.h's EX_UNAVAILABLE.</summary>
    public const int ExitUnavailable = 69;

    /// <summary>It does not let this user: sysexits.h's EX_NOPERM.</summary>
    public const int ExitNotAllowed = 77;

    /// <summary>It was interrupted: as a shell says of who dies by SIGINT.</summary>
    public const int ExitInterrupted = 130;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly TextWriter _output;
    private readonly TextWriter _error;
    private readonly Func<AdminTarget, HttpMessageHandler> _connect;
    private readonly Option<string?> _admin = new("--admin")
    {
        Description = "Where its admin endpoint is: 127.0.0.1:27124, https://host:port, unix:///run/router/admin.sock; "
            + $"else {AdminTarget.AddressVariable}, the service's socket or {AdminTarget.BuiltIn}.",
        HelpName = "ADDRESS",
    };

    private readonly Option<string?> _file = new("--config")
    {
        Description = "The file that the router runs, which says where.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _authority = new("--ca")
    {
        Description = $"Certificates to trust, PEM. A token is read from {AdminTarget.TokenVariable}.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Prints JSON." };

    /// <param name="connect">A seam for tests.</param>
    public AdminCommand(TextWriter output, TextWriter error, Func<AdminTarget, HttpMessageHandler>? connect = null) =>
        (_output, _error, _connect) = (output, error, connect ?? (static target => target.MakeHandler()));

    public TextWriter Output => _output;

    /// <summary>Adds the options to a command, and runs it with a client.</summary>
    /// <param name="run">Given what was parsed, the client, and whether JSON is wanted; gives the exit code.</param>
    public Command Make(
        Command command, Func<ParseResult, AdminClient, bool, CancellationToken, Task<int>> run)
    {
        command.Add(_admin);
        command.Add(_file);
        command.Add(_authority);
        command.Add(_json);
        command.SetAction((parsed, cancel) => RunAsync(parsed, run, cancel));
        return command;
    }

    /// <summary>Prints an answer, as JSON or by <paramref name="write"/>; or what is wrong.</summary>
    /// <returns>The exit code.</returns>
    public int Print(AdminAnswer answer, bool isJson, Action<JsonObject> write)
    {
        if (!answer.IsOk)
        {
            return Refuse(answer);
        }

        if (isJson)
        {
            _output.WriteLine(answer.Body?.ToJsonString(Indented));
        }
        else if (answer.Body is { } body)
        {
            write(body);
        }

        return RouterRunner.ExitOk;
    }

    /// <summary>Says what is wrong.</summary>
    /// <returns>The exit code.</returns>
    public int Refuse(AdminAnswer answer)
    {
        var faults = (answer.Body?["faults"] as JsonArray)?.Select(static fault => $"{fault}").ToList() ?? [];
        foreach (var line in faults.Count > 0 ? faults : [answer.Fault])
        {
            _error.WriteLine(LineText.Escape(line));
        }

        return answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            ? ExitNotAllowed
            : RouterRunner.ExitRefused;
    }

    private async Task<int> RunAsync(
        ParseResult parsed, Func<ParseResult, AdminClient, bool, CancellationToken, Task<int>> run,
        CancellationToken cancel)
    {
        var target = AdminTarget.Find(
            parsed.GetValue(_admin), parsed.GetValue(_file), parsed.GetValue(_authority),
            Environment.GetEnvironmentVariable, File.Exists, out var fault);
        if (target is null)
        {
            _error.WriteLine(LineText.Escape(fault!));
            return RouterRunner.ExitUsage;
        }

        HttpMessageHandler handler;
        try
        {
            handler = _connect(target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            _error.WriteLine(LineText.Escape($"--ca: {e.Message}"));
            return RouterRunner.ExitUsage;
        }

        using var client = new AdminClient(target, handler);
        try
        {
            return await run(parsed, client, parsed.GetValue(_json), cancel).ConfigureAwait(false);
        }
        catch (AdminUnreachableException e)
        {
            _error.WriteLine(LineText.Escape(e.Message));
            return ExitUnavailable;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return ExitInterrupted;
        }
    }
}
