namespace Router.Configuration;

/// <summary>The section <c>router.admin.trace</c>: bounds of what is told of single sessions and peers.</summary>
/// <param name="Traces">At once.</param>
/// <param name="Lines">Of each, at most.</param>
/// <param name="Time">Of each, at most.</param>
/// <param name="HeadBytes">Of a payload that are shown, at most.</param>
internal sealed record TraceOptions(int Traces, int Lines, TimeSpan Time, int HeadBytes)
{
    public static TraceOptions Read(SectionReader trace) => new(
        trace.Int("traces", 0, 64, Reload.No),
        trace.Int("lines", 1, 1_000_000, Reload.No),
        trace.Duration("time", Limit.Second, Limit.Day, Reload.No),
        trace.Size("head", 0, 4096, Reload.No));
}
