using Router.Sessions;

namespace Router.Cluster.Identities;

/// <summary>Sessions that waited to be attached and were told that they are over, the latest few: what is under way of
/// them comes too late.</summary>
internal sealed class DisplacedSessions
{
    private const int Max = 8;

    private readonly Queue<SessionId> _sessions = new(1);

    public bool Contains(SessionId session) => _sessions.Contains(session);

    public void Add(SessionId session)
    {
        if (_sessions.Count == Max)
        {
            _sessions.Dequeue();
        }

        _sessions.Enqueue(session);
    }
}
