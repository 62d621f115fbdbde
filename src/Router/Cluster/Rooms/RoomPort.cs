using Router.Loop;
using Router.Sessions;

namespace Router.Cluster.Rooms;

/// <summary>A room of this member. Two have one topic where a reload has replaced their route.</summary>
/// <param name="id">Never given again; other members write it on what they say in the room.</param>
internal sealed class RoomPort(RoomSpan span, long id, string topic, IRoomHearer room) : IRoomReach
{
    private volatile RoomTarget[] _targets = [];
    private volatile bool _isClosed;

    public long Id => id;

    public string Topic => topic;

    public IRoomHearer Room => room;

    public bool IsClosed => _isClosed;

    /// <summary>Set by the actor, read by all loops.</summary>
    public RoomTarget[] Targets
    {
        get => _targets;
        set => _targets = value;
    }

    public int Say(IoLoop loop, ReadOnlySpan<byte> payload)
    {
        var targets = _targets;
        return targets.Length == 0 ? 0 : span.Say(loop, targets, payload);
    }

    public void Close()
    {
        _isClosed = true;
        span.OnChanged(this);
    }
}
