namespace Router.Configuration;

/// <summary>How a collector of OpenTelemetry is spoken to.</summary>
internal enum OtlpProtocol
{
    Grpc = 0,

    /// <summary>Protocol buffers by HTTP.</summary>
    Http,
}

/// <summary>A collector of OpenTelemetry, for logs or for metrics.</summary>
/// <param name="Endpoint">http:// or https://.</param>
/// <param name="Headers"><c>name=value</c>, separated by commas; null for none.</param>
internal sealed record OtlpTarget(
    Uri Endpoint, OtlpProtocol Protocol, string? Headers, TimeSpan Timeout, string ServiceName)
{
    private static readonly Uri Example = new("http://127.0.0.1:4317");

    /// <summary>Reads the keys that all such sections have.</summary>
    /// <returns>Null where no endpoint is set.</returns>
    public static OtlpTarget? Read(SectionReader otlp)
    {
        var text = otlp.OptionalText("endpoint", Reload.No);
        var endpoint = Example;
        if (text is not null
            && (!Uri.TryCreate(text, UriKind.Absolute, out endpoint) || endpoint.Scheme is not ("http" or "https")))
        {
            otlp.Fault("endpoint", $"'{text}' is no URL of a collector, as {Example.OriginalString} is");
            endpoint = Example;
        }
        else if (text is not null && endpoint.UserInfo.Length > 0)
        {
            otlp.Fault(
                "endpoint",
                "has a name or a password, which would be shown and not sent; set headers-secret instead, as in "
                + "\"authorization=Basic ...\"");
        }

        var target = new OtlpTarget(
            endpoint, otlp.Choice<OtlpProtocol>("protocol", Reload.No), otlp.OptionalText("headers-secret", Reload.No),
            otlp.Duration("timeout", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1), Reload.No),
            LogOptions.NameOf(otlp, "service-name", LogOptions.AppNameMax)!);
        return text is null ? null : target;
    }
}

/// <summary>The section <c>router.metrics</c>.</summary>
internal sealed class MetricsOptions
{
    public MetricsOptions(SectionReader metrics)
    {
        var otlp = metrics.Child("otlp");
        Otlp = OtlpTarget.Read(otlp);
        Interval = otlp.Duration("interval", TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), Reload.No);
    }

    /// <summary>Who gets metrics; null for nobody.</summary>
    public OtlpTarget? Otlp { get; }

    /// <summary>The time between two exports.</summary>
    public TimeSpan Interval { get; }
}
