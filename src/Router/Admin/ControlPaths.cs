using Microsoft.AspNetCore.Http;
using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Diagnostics;

namespace Router.Admin;

/// <summary>The configuration, the log's level, the reload and the stop.</summary>
internal sealed class ControlPaths(AdminHost host)
{
    public IReadOnlyList<AdminPath> All =>
    [
        new(HttpMethods.Get, "/config", "config", "the configuration in force, secrets masked", ConfigAsync),
        new(HttpMethods.Get, "/log-level", "log-level", "the least severe level that is logged", LevelAsync)
        {
            Result = typeof(LogLevelReport),
        },
        new(HttpMethods.Put, "/log-level", "log-level-set", "sets it, until the next reload or start", SetLevelAsync)
        {
            Result = typeof(LogLevelReport),
            Body = typeof(LogLevelReport),
        },
        new(HttpMethods.Post, "/reload", "reload", "reads the configuration again, as SIGHUP does", ReloadAsync)
        {
            Result = typeof(ReloadReport),
        },
        new(HttpMethods.Post, "/drain", "drain", "begins the stop, as SIGTERM does", DrainAsync)
        {
            Result = typeof(DrainReport),
            Status = StatusCodes.Status202Accepted,
        },
    ];

    private Task ConfigAsync(AdminRequest request) => request.ReplyJsonAsync(
        HoconJson.Print(Secrets.Without(ConfigViews.InForce(host.Engine.Setup.Root), out _)));

    private Task LevelAsync(AdminRequest request) => host.Level is { } level
        ? request.ReplyAsync(new LogLevelReport(LogFields.LevelOf(level.Level)), AdminJson.Default.LogLevelReport)
        : throw LogOfProgram();

    private async Task SetLevelAsync(AdminRequest request)
    {
        var asked = await request.ReadAsync(AdminJson.Default.LogLevelReport).ConfigureAwait(false);
        var wanted = LevelWords.Parse(asked.Level);
        if (host.Level is not { } level)
        {
            throw LogOfProgram();
        }

        request.LogChange("log-level", null, asked.Level);   // by the level of before, so that both ways are seen
        level.Set(wanted);
        await LevelAsync(request).ConfigureAwait(false);
    }

    private async Task ReloadAsync(AdminRequest request)
    {
        // Not given up with its client: it goes on anyway, and the log says what became of it.
        var result = await host.Engine.ReloadAsync("admin").WaitAsync(request.End).ConfigureAwait(false);
        request.LogChange("reload", null, null, result.IsApplied ? "done" : "refused");
        if (!result.IsApplied)
        {
            throw new AdminFault(
                StatusCodes.Status422UnprocessableEntity, "The configuration is refused",
                $"nothing has changed; {result.Faults[0]}", [.. result.Faults.Select(LineText.Escape)]);
        }

        await request.ReplyAsync(
            new ReloadReport(host.Engine.Revision, result.ChangedKeys, result.NeedRestart),
            AdminJson.Default.ReloadReport).ConfigureAwait(false);
    }

    private async Task DrainAsync(AdminRequest request)
    {
        request.LogChange("drain", null, null);
        host.Drain();
        var timeoutMs = (long)host.Engine.Setup.Options.DrainTimeout.TotalMilliseconds;
        await request.ReplyAsync(
            new DrainReport(host.Engine.Stats.Sessions, timeoutMs), AdminJson.Default.DrainReport,
            StatusCodes.Status202Accepted).ConfigureAwait(false);
    }

    private static AdminFault LogOfProgram() => new(
        StatusCodes.Status409Conflict, "The log is the program's",
        "this router runs within a program, whose logging decides what is logged: set the level there, for the "
            + "category Router");
}

/// <param name="Level"><c>trace</c>, <c>debug</c>, <c>info</c>, <c>warning</c> or <c>error</c>.</param>
internal sealed record LogLevelReport(string Level);

/// <param name="Revision">Of the configuration in force.</param>
/// <param name="Changed">Keys whose value is another than before.</param>
/// <param name="NeedRestart">Those of them that nothing follows before the next start.</param>
internal sealed record ReloadReport(long Revision, IReadOnlyList<string> Changed, IReadOnlyList<string> NeedRestart);

/// <param name="Sessions">Open when it began.</param>
/// <param name="TimeoutMs">How long they may finish.</param>
internal sealed record DrainReport(int Sessions, long TimeoutMs);
