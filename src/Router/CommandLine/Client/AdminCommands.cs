using System.CommandLine;
using System.Text.Json.Nodes;
using Router.Diagnostics;
using Router.Hosting;

namespace Router.CommandLine.Client;

/// <summary>The commands that ask a running router, or change it: docs/admin.md.</summary>
internal sealed class AdminCommands(AdminCommand admin, TimeProvider time)
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromSeconds(1);

    private static readonly string[] SortKeys = ["id", "age", "idle", "bytes", "payloads", "rate"];

    private static readonly Column[] Traffic =
    [
        new("sessions", "sessions", Unit.Number), new("opened", "opened", Unit.Number),
        new("closed", "closed", Unit.Number), new("restarts", "restarts", Unit.Number),
        new("in", "payloads-in", Unit.Number), new("", "bytes-in", Unit.Bytes),
        new("out", "payloads-out", Unit.Number), new("", "bytes-out", Unit.Bytes),
        new("drops", "drops", Unit.Number), new("reasons", "drop-reasons"),
    ];

    private static readonly Column[] Sessions =
    [
        new("session", "session"), new("listener", "listener"), new("transport", "transport"), new("peer", "peer"),
        new("route", "route"), new("upstream", "upstream"), new("age", "age-ms", Unit.Time),
        new("idle", "idle-ms", Unit.Time), new("in", "bytes-in", Unit.Bytes), new("out", "bytes-out", Unit.Bytes),
        new("drops", "drops", Unit.Number),
    ];

    public IEnumerable<Command> All() =>
    [
        MakeHealth("ready", "Exits with 0 if it takes new peers, else 1 and the reasons."),
        MakeHealth("live", "Exits with 0 if all its loops turn, else 1 and the reasons."),
        MakeStats(),
        MakeSessions(),
        MakeSession(),
        new TraceCommand(admin).Make(),
        new AdminPartCommands(admin).MakeListeners(),
        new AdminPartCommands(admin).MakeUpstreams(),
        new EventCommand(admin).Make(),
        MakeLogLevel(),
        MakeReload(),
        MakeDrain(),
    ];

    private Command MakeHealth(string name, string description) => admin.Make(
        new Command(name, $"Asks a running router. {description}"),
        async (_, client, isJson, cancel) =>
        {
            var answer = await client.AskAsync(HttpMethod.Get, $"/{name}", cancel: cancel).ConfigureAwait(false);
            var text = isJson
                ? answer.Body?.ToJsonString()
                : string.Join(' ', (answer.Body?["reasons"] as JsonArray ?? []).Select(static reason => $"{reason}"));
            admin.Output.WriteLine(text is null or "" ? answer.IsOk ? name : answer.Fault : text);
            return answer.IsOk ? RouterRunner.ExitOk : RouterRunner.ExitRefused;
        });

    private Command MakeStats() => admin.Make(
        new Command("stats", "Prints figures of a running router: listeners, routes, upstreams, loops."),
        async (_, client, isJson, cancel) =>
        {
            var answer = await client.AskAsync(HttpMethod.Get, "/stats", cancel: cancel).ConfigureAwait(false);
            return admin.Print(answer, isJson, WriteStats);
        });

    private void WriteStats(JsonObject stats)
    {
        TextTable.WritePairs(
            admin.Output, stats, new("version", "version"), new("state", "state"), new("up", "uptime-ms", Unit.Time),
            new("revision", "revision", Unit.Number), new("sessions", "total.sessions", Unit.Number),
            new("spare", "spare", Unit.Number), new("processor", "process.cpu-ms", Unit.Time),
            new("memory", "process.memory-bytes", Unit.Bytes), new("descriptors", "process.descriptors", Unit.Number),
            new("of at most", "process.descriptor-limit", Unit.Number));
        Section("listeners", stats["listeners"], [new("listener", "name"), .. Traffic]);
        Section("routes", stats["routes"], [new("route", "name"), .. Traffic]);
        Section("upstreams", stats["upstreams"],
        [
            new("route", "route"), new("upstream", "upstream"), new("sessions", "sessions", Unit.Number),
            new("failed", "failed"),
        ]);
        Section("loops", stats["loops"],
        [
            new("loop", "loop", Unit.Number), new("sessions", "sessions", Unit.Number),
            new("sockets", "sockets", Unit.Number), new("timers", "timers", Unit.Number),
            new("lag us", "lag-us", Unit.Number),
        ]);
        if (stats["cluster"] is JsonObject cluster)
        {
            admin.Output.WriteLine();
            TextTable.WritePairs(
                admin.Output, cluster, new("member", "address"), new("status", "status"),
                new("members", "members", Unit.Number), new("unreachable", "unreachable", Unit.Number),
                new("fenced", "fenced"), new("attached", "attached", Unit.Number),
                new("waiting", "waiting", Unit.Number));
        }
    }

    private void Section(string name, JsonNode? rows, Column[] columns)
    {
        if (rows is JsonArray { Count: > 0 })
        {
            admin.Output.WriteLine();
            admin.Output.WriteLine(name);
            TextTable.Write(admin.Output, rows, columns);
        }
    }

    private Command MakeSessions()
    {
        Option<string?>[] filters =
        [
            FilterOptions.Make("--listener", "NAME", "Of this listener."),
            FilterOptions.Make("--route", "NAME", "Of this route."),
            FilterOptions.Make(
                "--peer", "ADDRESS", "Of this address, endpoint or network: 192.0.2.7, 192.0.2.0/24."),
            FilterOptions.Make("--upstream", "ADDRESS", "With this upstream."),
            FilterOptions.Make("--identity", "NAME", "That speak for this identity."),
            FilterOptions.Make("--min-age", "TIME", "Open for so long: 30s, 5m."),
            FilterOptions.Make("--min-idle", "TIME", "Without a payload for so long."),
            FilterOptions.Make("--min-bytes", "SIZE", "With so many bytes, both ways: 1MiB."),
            FilterOptions.Make(
                "--sort", "KEY", "By id, age, idle, bytes, payloads or rate; the largest first.", SortKeys),
            FilterOptions.Make("--limit", "NUMBER", "So many at most, 1 to 1000; else 100."),
            FilterOptions.Make("--cursor", "NEXT", "The page behind the one that named it."),
        ];
        var isOfCluster = new Option<bool>("--cluster")
        {
            Description = "Of all members of its cluster: the first of all that match.",
        };
        var command = new Command("sessions", "Lists the open sessions of a running router.") { isOfCluster };
        foreach (var filter in filters)
        {
            command.Add(filter);
        }

        return admin.Make(command, async (parsed, client, isJson, cancel) =>
        {
            var query = string.Join('&', FilterOptions.QueryOf(parsed, filters)
                .Concat(parsed.GetValue(isOfCluster) ? ["cluster=true"] : []));
            var answer = await client.AskAsync(HttpMethod.Get, $"/sessions?{query}", cancel: cancel)
                .ConfigureAwait(false);
            return admin.Print(
                answer, isJson, page => WriteSessions(page, isByRate: parsed.GetValue(filters[8]) == "rate"));
        });
    }

    private void WriteSessions(JsonObject page, bool isByRate)
    {
        var members = (page["members"] as JsonArray)?.OfType<JsonObject>().ToList();
        TextTable.Write(
            admin.Output, page["sessions"],
            [
                .. Sessions,
                .. members is null ? Array.Empty<Column>() : [new Column("member", "member")],
                .. isByRate ? [new Column("a second", "bytes-per-second", Unit.Bytes)] : Array.Empty<Column>(),
            ]);
        if (page["next"]?.GetValue<string>() is { } next)
        {
            admin.Output.WriteLine($"of {page["matched"]}; the next page: --cursor {next}");
        }

        foreach (var member in members ?? [])
        {
            admin.Output.WriteLine(LineText.Escape($"{member["member"]}: {member["fault"] ?? member["matched"]}"));
        }
    }

    private Command MakeSession()
    {
        var id = new Argument<string>("ID") { Description = "As sessions and the log have it." };
        var close = new Option<bool>("--close") { Description = "Ends it; what is unsent is sent first." };
        var trace = new Option<bool>("--trace") { Description = "Prints what it does, until the trace is over." };
        var tracing = new TraceCommand(admin);
        var command = new Command("session", "Prints all facts of one session of a running router.")
        {
            id, close, trace,
        };
        foreach (var option in tracing.Options)
        {
            command.Add(option);
        }

        return admin.Make(command, async (parsed, client, isJson, cancel) =>
        {
            var path = $"/sessions/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
            if (parsed.GetValue(trace))
            {
                return await tracing.RunAsync(parsed, client, isJson, $"{path}/trace", [], cancel)
                    .ConfigureAwait(false);
            }

            var answer = parsed.GetValue(close)
                ? await client.AskAsync(HttpMethod.Post, $"{path}/close", cancel: cancel).ConfigureAwait(false)
                : await client.AskAsync(HttpMethod.Get, path, cancel: cancel).ConfigureAwait(false);
            return admin.Print(answer, isJson, WriteFacts);
        });
    }

    /// <summary>Each fact on a line, those of a part behind the part's name.</summary>
    private void WriteFacts(JsonObject session)
    {
        var columns = new List<Column>();
        foreach (var (key, value) in session)
        {
            if (value is JsonObject part)
            {
                var before = key == "session" ? "" : $"{key} ";
                columns.AddRange(part.Select(one => new Column($"{before}{one.Key}", $"{key}.{one.Key}")));
            }
            else
            {
                columns.Add(new Column(key, key));
            }
        }

        TextTable.WritePairs(admin.Output, session, [.. columns]);
    }

    private Command MakeLogLevel()
    {
        var level = new Argument<string?>("LEVEL")
        {
            Description = "trace, debug, info, warning or error; without it the level is printed.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        level.CompletionSources.Add("trace", "debug", "info", "warning", "error");
        var command = new Command("log-level", "Prints or sets the log level of a running router.") { level };
        return admin.Make(command, async (parsed, client, isJson, cancel) =>
        {
            var answer = parsed.GetValue(level) is { } wanted
                ? await client.AskAsync(
                    HttpMethod.Put, "/log-level", new JsonObject { ["level"] = wanted }, cancel).ConfigureAwait(false)
                : await client.AskAsync(HttpMethod.Get, "/log-level", cancel: cancel).ConfigureAwait(false);
            return admin.Print(answer, isJson, body => admin.Output.WriteLine(body["level"]));
        });
    }

    private Command MakeReload() => admin.Make(
        new Command("reload", "Has a running router read its configuration again, and says what has changed."),
        async (_, client, isJson, cancel) =>
        {
            var answer = await client.AskAsync(HttpMethod.Post, "/reload", cancel: cancel).ConfigureAwait(false);
            return admin.Print(answer, isJson, body => TextTable.WritePairs(
                admin.Output, body, new("changed", "changed"), new("need a restart", "need-restart")));
        });

    private Command MakeDrain()
    {
        var isQuiet = new Option<bool>("--no-wait") { Description = "Ends when the drain has begun." };
        var command = new Command("drain", "Has a running router drain and end, and waits until it has.") { isQuiet };
        return admin.Make(command, async (parsed, client, isJson, cancel) =>
        {
            var answer = await client.AskAsync(HttpMethod.Post, "/drain", cancel: cancel).ConfigureAwait(false);
            var status = admin.Print(answer, isJson, static _ => { });
            if (answer.IsOk && !parsed.GetValue(isQuiet))
            {
                await WaitForEndAsync(client, isJson ? TextWriter.Null : admin.Output, cancel).ConfigureAwait(false);
            }

            return status;
        });
    }

    /// <summary>Says how many sessions are left until the endpoint is gone, or another router answers there: a service
    /// that is started again.</summary>
    private async Task WaitForEndAsync(AdminClient client, TextWriter progress, CancellationToken cancel)
    {
        using var poll = new PeriodicTimer(DrainPoll, time);
        var (said, process, uptime) = ("", "", 0L);
        try
        {
            do
            {
                var answer = await client.AskAsync(HttpMethod.Get, "/stats", cancel: cancel).ConfigureAwait(false);
                if (!answer.IsOk)
                {
                    continue;   // it is busy
                }

                var pid = $"{answer.Body?["process"]?["pid"]}";
                process = process.Length == 0 ? pid : process;
                var before = uptime;
                uptime = answer.Body?["uptime-ms"]?.GetValue<long>() ?? 0;
                if (pid != process || uptime < before)
                {
                    break;   // in a container each router has the same pid
                }

                if ($"{answer.Body?["total"]?["sessions"]} sessions are left" is var left && left != said)
                {
                    progress.WriteLine(left);
                    said = left;
                }
            }
            while (await poll.WaitForNextTickAsync(cancel).ConfigureAwait(false));
        }
        catch (AdminUnreachableException)
        {
            // As it should be.
        }

        progress.WriteLine("ended");
    }
}
