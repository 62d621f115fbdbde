using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Router.Configuration;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Reporting;

/// <summary>Spans of OpenTelemetry: one for the life of a session, and one below it for each connection to an upstream.
/// Of one session in so many, the same ones that <c>log.access.sample</c> would take; all others pay a look at their
/// id.</summary>
/// <remarks>A program that hosts the router gets them by its own tracer provider, which adds the source
/// <c>Router</c>. Loop thread, but for <see cref="Dispose"/>.</remarks>
internal sealed class SessionSpans : IDisposable
{
    public const string SourceName = "Router";

    private static readonly ActivitySource Source = new(SourceName, RouterVersion.Text);

    private readonly int _sample;
    private readonly OtlpSpans? _export;

    /// <param name="options">As configured.</param>
    /// <param name="time">The clock of what is logged.</param>
    /// <param name="log">The router's.</param>
    public SessionSpans(SpanOptions options, TimeProvider time, ILogger log)
    {
        _sample = options.Sample;
        _export = options is { Sample: > 0, Otlp: { } collector }
            ? new OtlpSpans(collector, options.Queue, time, log)
            : null;
    }

    /// <summary>The session's span begins, if it is to have one and somebody takes it.</summary>
    public void Open(SessionContext session)
    {
        if (_sample == 0 || !Source.HasListeners() || !AccessLog.IsSampled(session.Id, _sample))
        {
            return;
        }

        var before = Activity.Current;
        Activity.Current = null;   // a session is nobody's part
        var span = Source.StartActivity($"session {session.Listener}", ActivityKind.Server);
        Activity.Current = before;
        if (span is null)
        {
            return;
        }

        var peer = session.PeerAddr;
        span.SetTag("router.session", session.Id.ToString());
        span.SetTag("router.listener", session.Listener);
        span.SetTag("router.route", session.RouteName);
        span.SetTag("network.transport", ClosedSet<SessionTransport>.NameOf(session.Transport));
        span.SetTag("client.address", peer.IsUnix ? peer.ToString() : session.PeerEndPoint.Address.ToString());
        if (!peer.IsUnix)
        {
            span.SetTag("client.port", session.PeerEndPoint.Port);
        }

        session.Extras.Span = span;
    }

    /// <summary>It has a connection, or a socket, to an upstream.</summary>
    public static void Connected(SessionContext session)
    {
        if (session.Span is not { } span)
        {
            return;
        }

        var before = Activity.Current;
        var tookMs = Math.Max(0, session.Handler?.ConnectMs ?? 0);
        using var connect = Source.StartActivity(
            "connect", ActivityKind.Client, span.Context, startTime: session.Now.AddMilliseconds(-tookMs));
        connect?.SetTag("router.upstream", session.Upstream);
        connect?.Stop();
        Activity.Current = before;
    }

    /// <summary>It has ended: the span is given to whoever takes it.</summary>
    public static void Closed(SessionContext session, CloseReason reason)
    {
        if (session.Span is not { } span)
        {
            return;
        }

        span.SetTag("router.reason", ClosedSet<CloseReason>.NameOf(reason));
        span.SetTag("router.upstream", session.Upstream);
        span.SetTag("router.payloads.in", session.PayloadsReceived);
        span.SetTag("router.bytes.in", session.BytesReceived);
        span.SetTag("router.payloads.out", session.PayloadsSent);
        span.SetTag("router.bytes.out", session.BytesSent);
        span.SetTag("router.drops", session.Drops);
        if (reason is CloseReason.Failed or CloseReason.UpstreamFailed)
        {
            span.SetStatus(ActivityStatusCode.Error, ClosedSet<CloseReason>.NameOf(reason));
        }

        var before = Activity.Current;
        span.Stop();
        Activity.Current = before;
    }

    public void Dispose() => _export?.Dispose();
}
