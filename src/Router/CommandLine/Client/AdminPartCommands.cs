using System.CommandLine;
using System.Text.Json.Nodes;

namespace Router.CommandLine.Client;

/// <summary>The commands about parts of a running router: its listeners and the upstreams of its routes.</summary>
internal sealed class AdminPartCommands(AdminCommand admin)
{
    private static readonly Column[] Listeners =
    [
        new("listener", "name"), new("state", "state"), new("route", "route"),
        new("sessions", "sessions", Unit.Number), new("of at most", "max-sessions", Unit.Number),
        new("addresses", "shown-addresses"),
    ];

    private static readonly Column[] Upstreams =
    [
        new("route", "route"), new("upstream", "upstream"), new("state", "state"),
        new("weight", "weight", Unit.Number), new("sessions", "sessions", Unit.Number),
    ];

    public Command MakeListeners()
    {
        var name = new Argument<string?>("NAME")
        {
            Description = "The listener to drain or resume.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var drain = new Option<bool>("--drain") { Description = "Takes no new sessions; the open ones may finish." };
        var resume = new Option<bool>("--resume") { Description = "Takes new sessions again." };
        var command = new Command("listeners", "Lists the listeners of a running router, or drains one.")
        {
            name, drain, resume,
        };
        command.Validators.Add(result =>
        {
            var actions = (result.GetValue(drain) ? 1 : 0) + (result.GetValue(resume) ? 1 : 0);
            if (actions != (result.GetValue(name) is null ? 0 : 1))
            {
                result.AddError("listeners NAME needs one of --drain, --resume; without NAME all are listed.");
            }
        });
        return admin.Make(command, async (parsed, client, isJson, cancel) =>
        {
            if (parsed.GetValue(name) is { } one)
            {
                var action = parsed.GetValue(drain) ? "drain" : "resume";
                return admin.Print(
                    await client.AskAsync(
                        HttpMethod.Post, $"/listeners/{Uri.EscapeDataString(one)}/{action}", cancel: cancel)
                        .ConfigureAwait(false),
                    isJson,
                    static _ => { });
            }

            var answer = await client.AskAsync(HttpMethod.Get, "/listeners", cancel: cancel).ConfigureAwait(false);
            return admin.Print(answer, isJson, body => WriteListeners(body["listeners"] as JsonArray ?? []));
        });
    }

    public Command MakeUpstreams()
    {
        var route = new Argument<string?>("ROUTE")
        {
            Description = "The route whose upstream is meant.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var upstream = new Argument<string?>("UPSTREAM")
        {
            Description = "Its endpoint, as the list has it.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var drain = new Option<bool>("--drain") { Description = "It gets no new sessions; those it has finish." };
        var disable = new Option<bool>("--disable") { Description = "Likewise, and its sessions are moved or end." };
        var enable = new Option<bool>("--enable") { Description = "It gets sessions again." };
        var weight = new Option<int?>("--weight")
        {
            Description = "Its share of new sessions, 0 to 1000; all begin with 100.",
            HelpName = "NUMBER",
        };
        var command = new Command("upstreams", "Lists the upstreams of a running router, or drains or weighs one.")
        {
            route, upstream, drain, disable, enable, weight,
        };
        command.Validators.Add(result =>
        {
            bool[] actions =
            [
                result.GetValue(drain), result.GetValue(disable), result.GetValue(enable),
                result.GetResult(weight) is not null,
            ];
            var isOne = result.GetValue(upstream) is not null && actions.Count(static given => given) == 1;
            if (!isOne && (result.GetValue(route) is not null || actions.Contains(value: true)))
            {
                result.AddError(
                    "upstreams ROUTE UPSTREAM needs one of --drain, --disable, --enable, --weight; without them all "
                    + "are listed.");
            }
        });
        return admin.Make(command, async (parsed, client, isJson, cancel) =>
        {
            if (parsed.GetValue(route) is not { } one)
            {
                var answer = await client.AskAsync(HttpMethod.Get, "/upstreams", cancel: cancel).ConfigureAwait(false);
                return admin.Print(answer, isJson, body => WriteUpstreams(body["groups"] as JsonArray ?? []));
            }

            var action = parsed.GetValue(drain) ? "drain"
                : parsed.GetValue(disable) ? "disable"
                : parsed.GetValue(enable) ? "enable"
                : "weight";
            var path = $"/upstreams/{Uri.EscapeDataString(one)}/{action}"
                + $"?upstream={Uri.EscapeDataString(parsed.GetValue(upstream)!)}";
            var done = parsed.GetValue(weight) is { } share
                ? await client.AskAsync(HttpMethod.Put, path, new JsonObject { ["weight"] = share }, cancel)
                    .ConfigureAwait(false)
                : await client.AskAsync(HttpMethod.Post, path, cancel: cancel).ConfigureAwait(false);
            return admin.Print(done, isJson, static _ => { });
        });
    }

    private void WriteListeners(JsonArray listeners)
    {
        foreach (var listener in listeners.OfType<JsonObject>())
        {
            var shown = (listener["addresses"] as JsonArray ?? []).Select(
                address => $"{address?["state"]}" == $"{listener["state"]}"
                    ? $"{address?["address"]}"
                    : $"{address?["address"]} ({address?["state"]})");
            listener["shown-addresses"] = string.Join(' ', shown);
        }

        TextTable.Write(admin.Output, listeners, Listeners);
    }

    private void WriteUpstreams(JsonArray groups)
    {
        var rows = new JsonArray();
        foreach (var group in groups)
        {
            foreach (var upstream in (group?["upstreams"] as JsonArray ?? []).OfType<JsonObject>())
            {
                var row = (JsonObject)upstream.DeepClone();
                row["route"] = $"{group!["route"]}";
                rows.Add(row);
            }
        }

        TextTable.Write(admin.Output, rows, Upstreams);
    }
}
