using Router.Cluster.Members;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Cluster.Relay;

/// <summary>Stands for a new peer's handler until other members have said whether they have a session of it. If one
/// has, it goes on standing for it, and sends it what the peer sends; else the session begins here.</summary>
/// <remarks>If that member is gone, the session begins here with the peer's next datagram.</remarks>
/// <param name="loop">The session's.</param>
/// <param name="session">The session.</param>
/// <param name="port">Its number here.</param>
internal sealed class StrayHandler(RelayLoop loop, SessionContext session, long port) : SessionHandler
{
    private readonly WaitingPayloads _waiting = new();
    private bool _isDecided;   // in the session's turn

    public SessionContext Session => session;

    public long Port => port;

    /// <summary>Members that have not answered.</summary>
    public int Unanswered { get; set; }

    /// <summary>No member has it yet, and not all have answered.</summary>
    public bool IsAsking { get; set; } = true;

    /// <summary>Who has the session, and its number there; null while nobody is known to.</summary>
    public RelayPeer? Owner { get; set; }

    public long Remote { get; set; }

    /// <summary>The owner knows that it is over.</summary>
    public bool IsOver { get; set; }

    public override void OnOpened(SessionContext session) => session.SetTimer(loop.StrayTimeout);

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        if (!_isDecided)
        {
            foreach (var payload in batch)
            {
                _waiting.Add(session, payload);
            }
        }
        else if (Owner!.IsGone)
        {
            BeginHere(session);
            session.Handler!.OnReceived(session, batch);
        }
        else
        {
            foreach (var payload in batch)
            {
                if (!loop.Pass(this, payload))
                {
                    session.CountDrop(DropReason.RelayBehind);
                }
            }
        }
    }

    public override void OnMessage(SessionContext session, object message)
    {
        if (message is StrayDecided)
        {
            Decide(session);
        }
    }

    public override void OnTimer(SessionContext session)
    {
        loop.OnTimeout(this);
        Decide(session);
    }

    public override void OnClosed(SessionContext session, CloseReason reason) => loop.Remove(this);

    internal override void OnReplaced(SessionContext session) => loop.Remove(this);

    private void Decide(SessionContext session)
    {
        if (_isDecided || session.IsClosed)
        {
            return;
        }

        _isDecided = true;
        session.CancelTimer();
        if (Owner is null)
        {
            BeginHere(session);
        }
        else
        {
            session.GoTo(new UpstreamTraffic($"member:{MemberTable.TextOf(Owner.Address)}"));
        }

        _waiting.GiveTo(session);
    }

    private void BeginHere(SessionContext session)
    {
        loop.Remove(this);
        session.GoTo(null);
        session.Handler = session.Route.CreateHandler(session);
        session.Handler.OnOpened(session);
    }
}

/// <summary>It is known who has the session, or that nobody has.</summary>
internal sealed class StrayDecided
{
    public static StrayDecided Instance { get; } = new();
}
