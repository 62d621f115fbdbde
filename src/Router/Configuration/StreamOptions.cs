namespace Router.Configuration;

/// <summary>The section <c>router.admin.streams</c>: bounds of what the admin endpoint sends as it happens.</summary>
/// <param name="Readers">Of the events, and of the figures, at once.</param>
/// <param name="Queue">Events that may wait for each reader.</param>
/// <param name="Backlog">The latest events that are kept for readers to come.</param>
internal sealed record StreamOptions(int Readers, int Queue, int Backlog)
{
    public static StreamOptions Read(SectionReader streams) => new(
        streams.Int("readers", 0, 24, Reload.No),
        streams.Int("queue", 16, 100_000, Reload.No),
        streams.Int("backlog", 0, 10_000, Reload.No));
}
