using Router.Configuration;
using Router.Diagnostics;
using Router.Loop;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Sessions that hear each other: what one says, the others of its room are sent, over UDP and TCP.</summary>
/// <remarks>
/// Members on the sender's loop are sent to at once; for those on other loops a pass's payloads go over in one piece,
/// in memory that is pooled and bounded, and so for other members of a cluster. No member waits for another.
/// </remarks>
/// <param name="name">As configured.</param>
/// <param name="settings">What it does.</param>
/// <param name="join">Names the rooms where <see cref="RoomEntry.Handler"/> says so.</param>
internal sealed class RoomRoute(string name, RoomSettings settings, Func<RoomJoin>? join = null)
    : Route(name), IAsyncDisposable
{
    private const int LoopsMax = 64;

    private readonly RoomLoop?[] _loops = new RoomLoop?[LoopsMax];   // each made by its own loop
    private readonly Lock _joinLock = new();
    private IAsyncDisposable? _joinOwner;
    private RoomJoin? _join;

    public RoomSettings Settings => settings;

    /// <summary>What is under way between loops.</summary>
    public MemoryBudget Budget { get; } = new(settings.Buffer);

    public RoomDirectory Directory { get; } = new(settings.RoomsMax, settings.MembersMax);

    /// <summary>The program's, made when it is first asked; any loop.</summary>
    /// <exception cref="InvalidOperationException">The route asks no code of a program.</exception>
    public RoomJoin Join => Volatile.Read(ref _join) ?? MakeJoin();

    /// <summary>Has rooms that begin from now on span members. Any thread.</summary>
    public void Spread(IRoomSpan span) =>
        Directory.Open = room => span.Open($"{Name}/{room.Name}", new RoomHearer(this, room));

    /// <summary>When all sessions have ended.</summary>
    public ValueTask DisposeAsync() => _joinOwner?.DisposeAsync() ?? default;

    /// <summary>Answers a peer that it does not know by a challenge: never a responder port.</summary>
    internal override bool AnswersByItself => true;

    internal override SessionHandler CreateHandler(SessionContext session) => new RoomHandler(this, On(session.Loop));

    /// <summary>The route's part on a loop. That loop's thread only.</summary>
    internal RoomLoop On(IoLoop loop) => _loops[loop.Index] ??= new RoomLoop(this, loop);

    private RoomJoin MakeJoin()
    {
        lock (_joinLock)
        {
            if (_join is { } made)
            {
                return made;
            }

            IAsyncDisposable? owner = null;
            try
            {
                made = ServiceFactory.Make(
                    join ?? throw new InvalidOperationException($"route {Name} has no join"), out owner);
            }
            catch
            {
                ServiceFactory.Release(owner);
                throw;
            }

            _joinOwner = owner;
            Volatile.Write(ref _join, made);
            return made;
        }
    }
}

/// <summary>A room route on one loop: passes what its members send to the others. Loop thread only.</summary>
internal sealed class RoomLoop(RoomRoute route, IoLoop loop) : IEndOfPass
{
    private byte[] _line = new byte[route.Settings.PayloadMax + 1];   // a payload and its line feed
    private readonly List<RoomBridge> _bridges = [];
    private bool _isAtEndOfPass;

    /// <summary>Sends a payload to the room's members on all loops, and to the other members of the cluster where
    /// sessions are in it.</summary>
    /// <param name="sender">Who sent it.</param>
    /// <param name="payload">At most <see cref="RoomSettings.PayloadMax"/> bytes.</param>
    public void Send(RoomHandler sender, Room room, ReadOnlySpan<byte> payload)
    {
        foreach (var members in room.MembersByLoop)
        {
            if (ReferenceEquals(members.Loop, loop))
            {
                Deliver(members, payload, route.Settings.ToSender ? null : sender);
            }
            else if (members.Count > 0)
            {
                Bridge(sender, room, members, payload);
            }
        }

        if (room.Reach?.Say(loop, payload) is > 0 and var missed)
        {
            sender.Session.CountDrop(DropReason.RoomBehind, missed);
        }
    }

    /// <summary>Delivers a payload that was sent on another loop, or on another member of the cluster.</summary>
    public void Receive(Room room, ReadOnlySpan<byte> payload)
    {
        if (room.MembersOn(loop) is { } members)
        {
            Deliver(members, payload, except: null);
        }
    }

    public void OnEndOfPass()
    {
        _isAtEndOfPass = false;
        foreach (var bridge in _bridges)
        {
            bridge.Send();
        }
    }

    private void Deliver(LoopMembers here, ReadOnlySpan<byte> payload, RoomHandler? except)
    {
        var members = here.Members;
        var line = ReadOnlySpan<byte>.Empty;
        for (var i = members.Count - 1; i >= 0; i--)   // from the end: one that is closed leaves within the call
        {
            var member = members[i];
            if (ReferenceEquals(member, except))
            {
                continue;
            }

            if (member.Session.Stream is not null && line.IsEmpty)
            {
                line = LineOf(payload);
            }

            member.Deliver(member.Session.Stream is null ? payload : line);
        }
    }

    /// <summary>The payload as a stream is sent it: ended by a line feed.</summary>
    private ReadOnlySpan<byte> LineOf(ReadOnlySpan<byte> payload)
    {
        if (payload is [.., (byte)'\n'])
        {
            return payload;
        }

        if (payload.Length >= _line.Length)
        {
            _line = new byte[payload.Length + 1];   // sessions of another member may have a larger max-payload by now
        }

        payload.CopyTo(_line);
        _line[payload.Length] = (byte)'\n';
        return _line.AsSpan(0, payload.Length + 1);
    }

    private void Bridge(RoomHandler sender, Room room, LoopMembers members, ReadOnlySpan<byte> payload)
    {
        var bridge = BridgeTo(members.Loop);
        if (!bridge.TryAdd(room, payload))
        {
            sender.Session.CountDrop(DropReason.RoomLate, members.Count);
        }
        else if (!_isAtEndOfPass)
        {
            _isAtEndOfPass = true;
            loop.AtEndOfPass(this);
        }
    }

    private RoomBridge BridgeTo(IoLoop target)
    {
        foreach (var bridge in _bridges)
        {
            if (ReferenceEquals(bridge.Target, target))
            {
                return bridge;
            }
        }

        var made = new RoomBridge(route, target);
        _bridges.Add(made);
        return made;
    }
}
