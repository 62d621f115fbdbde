using Router.CommandLine.Client;
using Router.CommandLine.Top;
using Router.TestKit.Simulation;

namespace Router.Tests.CommandLine.Top;

/// <summary>A router that goes, and comes back.</summary>
public sealed class TopFeedTests
{
    [Fact]
    public async Task That_nothing_answers_is_shown_until_figures_come_again()
    {
        var target = new AdminTarget(new Uri("http://127.0.0.1:27124"), null, null, null);
        using var client = new AdminClient(target, new NobodyThere());
        var (model, view) = (new TopModel(), new TopView(isReplay: false));
        var feed = new TopFeed(client, model, view, static what => what(), static () => 1, new VirtualTimeProvider());

        await feed.OpenAsync("1", CancellationToken.None);

        Assert.Contains("is a router running", model.Note, StringComparison.Ordinal);
        new TopLive(model).ApplyStats(TopSamples.Stats(1));
        Assert.Equal((null, null), (model.Note, view.Note));
    }

    private sealed class NobodyThere : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException("Connection refused");
    }
}
