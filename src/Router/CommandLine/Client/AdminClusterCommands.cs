using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Router.Diagnostics;
using Router.Hosting;

namespace Router.CommandLine.Client;

/// <summary>The commands below <c>router cluster</c> that ask any of its members.</summary>
internal sealed class AdminClusterCommands(AdminCommand admin)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private static readonly Column[] Members =
    [
        new("member", "address"), new("status", "status"), new("is", "shown"), new("version", "facts.version"),
        new("ready", "shown-ready"), new("configuration", "shown-configuration"),
        new("sessions", "facts.sessions", Unit.Number), new("attached", "facts.attached", Unit.Number),
        new("identities", "facts.identities", Unit.Number), new("up", "facts.uptime-ms", Unit.Time),
        new("roles", "roles"),
    ];

    private static readonly Column[] Counts =
    [
        new("member", "member"), new("identities", "identities", Unit.Number),
        new("attached", "attached", Unit.Number), new("waiting", "waiting", Unit.Number),
        new("queued", "queued", Unit.Number),
    ];

    private static readonly Column[] Sessions =
    [
        new("identity", "identity"), new("member", "member"), new("session", "session"), new("peer", "peer"),
        new("state", "state"), new("epoch", "epoch", Unit.Number), new("revision", "revision", Unit.Number),
        new("checkpoint", "checkpoint-bytes", Unit.Bytes),
    ];

    private static readonly Column[] Entities =
    [
        new("entity at", "member"), new("state", "state"), new("session", "session"), new("at", "session-member"),
        new("peer", "peer"), new("epoch", "epoch", Unit.Number), new("revision", "revision", Unit.Number),
        new("checkpoint", "checkpoint-bytes", Unit.Bytes), new("age", "checkpoint-age-ms", Unit.Time),
        new("queued", "queued", Unit.Number),
    ];

    public IEnumerable<Command> All() => [MakeMembers(), MakeIdentities(), MakeIdentity(), MakeReload()];

    private Command MakeMembers() => admin.Make(
        new Command("members", "Lists the members of the cluster, as a running member knows them."),
        async (_, client, isJson, cancel) =>
        {
            var answer = await client.AskAsync(HttpMethod.Get, "/cluster", cancel: cancel).ConfigureAwait(false);
            return admin.Print(answer, isJson, body =>
            {
                var members = body["members"] as JsonArray ?? [];
                foreach (var member in members.OfType<JsonObject>())
                {
                    Complete(member, $"{body["member"]}");
                }

                TextTable.Write(admin.Output, members, Members);
                WriteUnanswered(body);
            });
        });

    /// <summary>Adds what the table shows in a word or two.</summary>
    private static void Complete(JsonObject member, string asked)
    {
        (bool Is, string Word)[] words =
        [
            (!IsTrue(member["reachable"]), "unreachable"), (IsTrue(member["leader"]), "leader"),
            (IsTrue(member["oldest"]), "oldest"), ($"{member["address"]}" == asked, "asked"),
        ];
        member["shown"] = string.Join(' ', words.Where(static word => word.Is).Select(static word => word.Word));
        if (member["facts"] is JsonObject facts)
        {
            member["shown-ready"] = IsTrue(facts["ready"])
                ? "yes"
                : string.Join(' ', (facts["reasons"] as JsonArray ?? []).Select(static reason => $"{reason}"));
            member["shown-configuration"] = facts["configuration-differs"] is { } where
                ? $"{facts["configuration"]} differs: {where}"
                : $"{facts["configuration"]}";
        }
    }

    private Command MakeIdentities()
    {
        Option<string?>[] options =
        [
            new("--prefix") { Description = "Those whose names begin so.", HelpName = "TEXT" },
            new("--after") { Description = "Those behind this name: the next page.", HelpName = "NAME" },
            new("--limit") { Description = "So many at most, 0 to 1000; else 100.", HelpName = "NUMBER" },
        ];
        var command = new Command(
            "identities", "Counts the identities of each member, and lists those that sessions speak for.");
        foreach (var option in options)
        {
            command.Add(option);
        }

        return admin.Make(command, async (parsed, client, isJson, cancel) =>
        {
            var query = string.Join('&', options
                .Select(option => (Key: option.Name[2..], Value: parsed.GetValue(option)))
                .Where(static pair => pair.Value is not null)
                .Select(static pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value!)}"));
            var answer = await client.AskAsync(HttpMethod.Get, $"/cluster/identities?{query}", cancel: cancel)
                .ConfigureAwait(false);
            return admin.Print(answer, isJson, body =>
            {
                TextTable.Write(admin.Output, body["members"], Counts);
                if (body["identities"] is JsonArray { Count: > 0 } identities)
                {
                    admin.Output.WriteLine();
                    TextTable.Write(admin.Output, identities, Sessions);
                }

                if (body["next"]?.GetValue<string>() is { } next)
                {
                    admin.Output.WriteLine(LineText.Escape($"the next page: --after {next}"));
                }

                WriteUnanswered(body);
            });
        });
    }

    private Command MakeIdentity()
    {
        var name = new Argument<string>("ID") { Description = "Its whole name, as sessions and the log have it." };
        var command = new Command("identity", "Says where one is, which session speaks for it, and what is kept.")
        {
            name,
        };
        return admin.Make(command, async (parsed, client, isJson, cancel) =>
        {
            var answer = await client.AskAsync(
                HttpMethod.Get, $"/cluster/identity?name={Uri.EscapeDataString(parsed.GetValue(name)!)}",
                cancel: cancel).ConfigureAwait(false);
            return admin.Print(answer, isJson, body =>
            {
                TextTable.Write(admin.Output, body["entities"], Entities);
                admin.Output.WriteLine();
                TextTable.Write(admin.Output, body["sessions"], Sessions);
                if (body["stored"] is JsonObject stored)
                {
                    admin.Output.WriteLine(
                        $"no member has it; the store keeps epoch {stored["epoch"]}, revision {stored["revision"]}, "
                        + $"{stored["checkpoint-bytes"]} bytes");
                }

                WriteUnanswered(body);
            });
        });
    }

    /// <summary>A request a member, so that each is told of when it is done, however many there are.</summary>
    private Command MakeReload() => admin.Make(
        new Command(
            "reload", "Has the members read their configurations again, one after the other, until one refuses."),
        async (_, client, isJson, cancel) =>
        {
            var cluster = await client.AskAsync(HttpMethod.Get, "/cluster", cancel: cancel).ConfigureAwait(false);
            if (!cluster.IsOk)
            {
                return admin.Refuse(cluster);
            }

            var silent = (cluster.Body?["unanswered"] as JsonArray ?? []).Select(static one => $"{one}")
                .Concat((cluster.Body?["refused"] as JsonArray ?? []).Select(static one => $"{one?["member"]}"))
                .ToHashSet();
            var members = (cluster.Body?["members"] as JsonArray ?? []).OfType<JsonObject>()
                .Where(member => member["facts"] is not null || silent.Contains($"{member["address"]}"))
                .Select(static member => $"{member["address"]}")
                .ToList();
            return await ReloadAsync(client, members, isJson, cancel).ConfigureAwait(false);
        });

    /// <summary>However it ends, those that have reloaded are told of, and those that have not.</summary>
    private async Task<int> ReloadAsync(
        AdminClient client, List<string> members, bool isJson, CancellationToken cancel)
    {
        var results = new JsonArray();
        AdminAnswer? refusal = null;
        try
        {
            while (results.Count < members.Count && refusal is null && IsDone(results))
            {
                var path = $"/cluster/reload?member={Uri.EscapeDataString(members[results.Count])}";
                var answer = await client.AskAsync(HttpMethod.Post, path, cancel: cancel).ConfigureAwait(false);
                if (answer.IsOk)
                {
                    Add(results, (answer.Body?["members"] as JsonArray)?[0]?.DeepClone(), isJson);
                }
                else
                {
                    refusal = answer;
                }
            }
        }
        catch (Exception e) when (e is AdminUnreachableException or OperationCanceledException)
        {
            var member = members[results.Count];
            var lost = new JsonObject
            {
                ["member"] = member,
                ["result"] = "no-answer",
                ["faults"] = new JsonArray($"the answer is lost: {member} may have reloaded or not"),
            };
            Add(results, lost, isJson);
            WriteReload(isApplied: false, results, members, isJson);
            throw;   // the command says why, and how it ends
        }

        var isApplied = refusal is null && IsDone(results);
        var exit = refusal is not null ? admin.Refuse(refusal)
            : isApplied ? RouterRunner.ExitOk
            : RouterRunner.ExitRefused;
        WriteReload(isApplied, results, members, isJson);
        return exit;
    }

    /// <summary>Nobody is asked behind one that is not, so the last one tells of all.</summary>
    private static bool IsDone(JsonArray results) => results.Count == 0 || $"{results[^1]?["result"]}" == "done";

    private void Add(JsonArray results, JsonNode? result, bool isJson)
    {
        results.Add(result);
        if (!isJson)
        {
            WriteResult(result);
        }
    }

    private void WriteReload(bool isApplied, JsonArray results, List<string> members, bool isJson)
    {
        var left = members.Skip(results.Count).ToList();
        if (isJson)
        {
            var report = new JsonObject
            {
                ["applied"] = isApplied,
                ["members"] = results,
                ["left"] = new JsonArray([.. left.Select(static member => (JsonNode)member)]),
            };
            admin.Output.WriteLine(report.ToJsonString(Indented));
        }
        else if (left.Count > 0)
        {
            admin.Output.WriteLine($"not reloaded: {string.Join(' ', left)}");
        }
    }

    private void WriteResult(JsonNode? result)
    {
        string Words(string key) => string.Join(' ', (result?[key] as JsonArray ?? []).Select(static one => $"{one}"));
        var line = $"{result?["member"]} {result?["result"]}";
        foreach (var (name, words) in new[]
        {
            ("changed", Words("changed")), ("need a restart", Words("need-restart")), ("faults", Words("faults")),
        })
        {
            line += words.Length == 0 ? "" : $"; {name}: {words}";
        }

        admin.Output.WriteLine(LineText.Escape(line));
    }

    private void WriteUnanswered(JsonObject body)
    {
        if (body["unanswered"] is JsonArray { Count: > 0 } silent)
        {
            admin.Output.WriteLine($"no answer of {string.Join(' ', silent.Select(static one => $"{one}"))}");
        }

        foreach (var one in body["refused"] as JsonArray ?? [])
        {
            admin.Output.WriteLine(LineText.Escape($"{one?["member"]} refuses to answer: {one?["fault"]}"));
        }
    }

    private static bool IsTrue(JsonNode? node) => node?.GetValueKind() == JsonValueKind.True;
}
