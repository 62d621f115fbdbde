namespace Router.Configuration;

/// <summary>The section <c>router.spans</c>.</summary>
internal sealed class SpanOptions
{
    public SpanOptions(SectionReader spans)
    {
        Sample = spans.Int("sample", 0, 1_000_000, Reload.No);
        Queue = spans.Int("queue", 16, 1_000_000, Reload.No);
        Otlp = OtlpTarget.Read(spans.Child("otlp"));
    }

    /// <summary>One session of so many has spans; 0 for none.</summary>
    public int Sample { get; }

    /// <summary>Spans that may wait for the collector.</summary>
    public int Queue { get; }

    /// <summary>Who gets them; null where a program has a tracer provider of its own.</summary>
    public OtlpTarget? Otlp { get; }
}
