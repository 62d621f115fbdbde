using Router.Sessions;

namespace Router.Routes;

/// <summary>Answers every payload with the same bytes, or by a template.</summary>
/// <remarks>On UDP every answer stays within the amplification budget: three times what it answers, or 64
/// bytes.</remarks>
internal sealed class ReplyRoute : Route
{
    private readonly ReplyTemplate _template;
    private readonly SessionHandler? _shared;   // for an answer that keeps nothing per session

    /// <param name="name">As configured.</param>
    /// <param name="bytes">The answer, at most 65,507 bytes; the route keeps it.</param>
    public ReplyRoute(string name, byte[] bytes)
        : this(name, new ReplyTemplate([ReplyPart.Of(bytes)]))
    {
    }

    /// <param name="name">As configured.</param>
    /// <param name="template">The answer.</param>
    public ReplyRoute(string name, ReplyTemplate template)
        : base(name)
    {
        _template = template;
        _shared = template.Constant is { } bytes ? new ConstantHandler(bytes) : null;
    }

    internal override bool AnswersByItself => true;

    internal override bool LetsGoOf(SessionContext session) => true;

    internal override SessionHandler CreateHandler(SessionContext session) =>
        _shared ?? new TemplateHandler(_template, session);

    private abstract class Handler : SessionHandler
    {
        public override bool IsRestartSafe => true;

        internal override bool MayEndNow(SessionContext session) => session.HasNothingUnderWay();
    }

    private sealed class ConstantHandler(byte[] bytes) : Handler
    {
        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                session.Answer(bytes, payload.Length);
            }
        }
    }

    /// <summary>The peer's text is made once per session; a datagram then costs copying and two numbers.</summary>
    private sealed class TemplateHandler(ReplyTemplate template, SessionContext session) : Handler
    {
        private readonly byte[] _peer = template.UsesPeer ? ReplyTemplate.PeerText(session) : [];
        private long _count;

        public override void OnReceived(SessionContext session, PayloadBatch batch)
        {
            foreach (var payload in batch)
            {
                session.Answer(template.Render(_peer, session.Now, ++_count), payload.Length);
            }
        }
    }
}
