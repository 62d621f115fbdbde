using System.Text.Json.Nodes;
using System.Threading.Channels;
using Router.CommandLine.Client;

namespace Router.CommandLine.Top;

/// <summary>Asks a running router for what a screen shows. Whatever it gets it hands to the screen's thread.</summary>
/// <param name="run">Runs what it is given on the thread of the model and the view.</param>
internal sealed class TopFeed(
    AdminClient client, TopModel model, TopView view, Action<Action> run, Func<int> sessionRows, TimeProvider time)
{
    private const int SessionsMax = 200;

    private static readonly TimeSpan Often = TimeSpan.FromSeconds(1), Seldom = TimeSpan.FromSeconds(5);

    private readonly TopLive _live = new(model);
    private readonly Channel<bool> _wanted = NewSignal();

    /// <summary>Follows the router until it is cancelled.</summary>
    public Task RunAsync(CancellationToken end) => Task.WhenAll(
        FollowAsync("/stats/stream", _live.ApplyStats, end),
        FollowAsync("/events?last=100", line => model.Add(TopEvent.Of(line)), end),
        RepeatAsync(
            () => $"/sessions?{TopFilter.QueryOf(view.Filter, view.Sort, Math.Clamp(sessionRows(), 1, SessionsMax))}",
            _live.ApplySessions, Often, _wanted, end),
        RepeatAsync(static () => "/upstreams", _live.ApplyUpstreams, Seldom, NewSignal(), end));

    /// <summary>Sessions are wanted at once.</summary>
    public void Hurry() => _wanted.Writer.TryWrite(true);

    /// <summary>Takes what there is now, twice, so that there are rates.</summary>
    /// <returns>A refusal, or null.</returns>
    public async Task<AdminAnswer?> TakeOnceAsync(CancellationToken end)
    {
        using var second = new PeriodicTimer(Often, time);
        (string Path, Action<JsonObject> Take)[] asks =
        [
            ("/stats", _live.ApplyStats),
            ($"/sessions?{TopFilter.QueryOf(view.Filter, view.Sort, sessionRows())}", _live.ApplySessions),
            ("/upstreams", _live.ApplyUpstreams),
            ("/stats", _live.ApplyStats),
        ];
        foreach (var (at, (path, take)) in asks.Index())
        {
            if (at == asks.Length - 1)
            {
                await second.WaitForNextTickAsync(end).ConfigureAwait(false);
            }

            var answer = await client.AskAsync(HttpMethod.Get, path, cancel: end).ConfigureAwait(false);
            if (!answer.IsOk)
            {
                return answer;
            }

            take(answer.Body ?? []);
        }

        var events = await client.FollowAsync(
            "/events?last=100&follow=false", line => model.Add(TopEvent.Of(line)), end).ConfigureAwait(false);
        return events.IsOk ? null : events;
    }

    /// <summary>Opens a session: its facts become those of the view.</summary>
    public Task OpenAsync(string id, CancellationToken end) => AskAsync(
        HttpMethod.Get, $"/sessions/{id}", answer => view.Facts = [.. Flat(answer, "")], end);

    /// <summary>Ends a session.</summary>
    public Task CloseAsync(string id, CancellationToken end) => AskAsync(
        HttpMethod.Post, $"/sessions/{id}/close",
        _ =>
        {
            view.Note = $"session {id} is closed";
            Hurry();
        },
        end);

    private static Channel<bool> NewSignal() => Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private static IEnumerable<(string Name, string Value)> Flat(JsonObject facts, string prefix)
    {
        foreach (var (name, value) in facts)
        {
            if (value is JsonObject part)
            {
                foreach (var fact in Flat(part, name == "session" ? prefix : $"{prefix}{name} "))
                {
                    yield return fact;
                }
            }
            else
            {
                yield return (prefix + name, facts.TextOrNull(name) ?? "-");
            }
        }
    }

    private async Task AskAsync(HttpMethod method, string path, Action<JsonObject> take, CancellationToken end)
    {
        try
        {
            var answer = await client.AskAsync(method, path, cancel: end).ConfigureAwait(false);
            run(() =>
            {
                if (answer.IsOk)
                {
                    take(answer.Body ?? []);
                }
                else
                {
                    view.Note = Diagnostics.LineText.Escape(answer.Fault);
                }
            });
        }
        catch (AdminUnreachableException e)
        {
            run(() => model.Note = Diagnostics.LineText.Escape(e.Message));   // until figures come again
        }
    }

    private async Task FollowAsync(string path, Action<JsonObject> take, CancellationToken end)
    {
        using var pause = new PeriodicTimer(Often, time);
        do
        {
            var why = "the router has ended, or is about to";
            try
            {
                var answer = await client.FollowAsync(path, one => run(() => TakeUnlessPaused(one, take)), end)
                    .ConfigureAwait(false);
                why = answer.IsOk ? why : answer.Fault;
            }
            catch (AdminUnreachableException e)
            {
                why = e.Message;
            }

            run(() => model.Note = Diagnostics.LineText.Escape(why));
        }
        while (await pause.WaitForNextTickAsync(end).ConfigureAwait(false));
    }

    /// <summary>Asks again some time after the answer: longer where the answer takes long, so that looking costs the
    /// router a part of its time, however many sessions it has.</summary>
    private async Task RepeatAsync(
        Func<string> path, Action<JsonObject> take, TimeSpan every, Channel<bool> hurry, CancellationToken end)
    {
        Task<bool>? hurried = null;
        while (!end.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            await AskAsync(HttpMethod.Get, path(), one => TakeUnlessPaused(one, take), end).ConfigureAwait(false);
            var pause = time.GetElapsedTime(began) * 3;
            try
            {
                hurried ??= hurry.Reader.ReadAsync(end).AsTask();
                await hurried.WaitAsync(pause > every ? pause : every, time, end).ConfigureAwait(false);
                hurried = null;
            }
            catch (TimeoutException)
            {
                // It is time.
            }
        }
    }

    private void TakeUnlessPaused(JsonObject one, Action<JsonObject> take)
    {
        if (!view.IsPaused)
        {
            take(one);
        }
    }
}
