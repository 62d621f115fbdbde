using System.Globalization;
using System.Text;
using Router.Diagnostics;
using Router.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>Control sessions by address and by token, and their flows. Any thread.</summary>
/// <remarks>Asked when a session begins or ends, never per datagram of a flow that has joined. Its limits are the
/// listeners' max-sessions, and max-flows tokens and flows per control session.</remarks>
/// <param name="settings">How flows join.</param>
/// <param name="random">Makes tokens: must be unpredictable to peers.</param>
internal sealed class FlowTable(FlowRouteSettings settings, RandomSource random)
{
    /// <summary>128 bits as lower-case hexadecimal digits, in ASCII.</summary>
    public const int TokenBytes = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<SocketAddr, List<FlowGroup>> _byAddress = [];
    private readonly Dictionary<string, FlowToken> _byToken = new(StringComparer.Ordinal);
    private readonly Dictionary<SessionId, Flow> _flows = [];

    public FlowRouteSettings Settings => settings;

    /// <summary>A table of the same settings that knows nobody yet.</summary>
    public FlowTable Empty() => new(settings, random);

    public (int Groups, int Flows, int Tokens) Known
    {
        get
        {
            lock (_lock)
            {
                return (_byAddress.Values.Sum(static groups => groups.Count), _flows.Count, _byToken.Count);
            }
        }
    }

    /// <summary>Makes the group of a control session, or finds it where a fresh handler asks for it.</summary>
    /// <param name="control">The control session.</param>
    /// <param name="isReady">Whether a flow may join at once: other loops see the group from here on.</param>
    public FlowGroup Open(SessionContext control, bool isReady)
    {
        var address = control.PeerAddr.AddressOnly;
        lock (_lock)
        {
            if (!_byAddress.TryGetValue(address, out var groups))
            {
                _byAddress[address] = groups = [];
            }

            var group = groups.Find(group => ReferenceEquals(group.Control, control));
            if (group is null)
            {
                group = new FlowGroup(this, control, Deadline(control)) { IsReady = isReady };
                groups.Add(group);
            }

            return group;
        }
    }

    /// <summary>Ends a group with its control session: no flow joins any more, and those that have are told to
    /// end.</summary>
    public void Close(FlowGroup group)
    {
        List<Flow> flows;
        lock (_lock)
        {
            var address = group.Control.PeerAddr.AddressOnly;
            if (!_byAddress.TryGetValue(address, out var groups) || !groups.Remove(group))
            {
                return;
            }

            if (groups.Count == 0)
            {
                _byAddress.Remove(address);
            }

            foreach (var token in group.Tokens)
            {
                _byToken.Remove(token);
            }

            flows = [.. group.Open];
            group.IsClosed = true;
        }

        flows.ForEach(static flow => flow.Close());
        group.RecordIfOver();
    }

    /// <summary>Whether none of the group's flows is in use at the moment.</summary>
    public bool IsQuiet(FlowGroup group)
    {
        lock (_lock)
        {
            return group.Open.TrueForAll(static flow => flow.Session.IsQuiet());
        }
    }

    /// <summary>The group that a new peer's flow may join; null if there is none.</summary>
    /// <param name="peer">Who sends.</param>
    /// <param name="first">Its first datagram.</param>
    /// <param name="refusal">Why there is none.</param>
    public FlowGroup? Find(in SocketAddr peer, ReadOnlySpan<byte> first, out DropReason refusal)
    {
        refusal = DropReason.ForeignSource;
        lock (_lock)
        {
            if (settings.Join == FlowJoin.Token)
            {
                return Check(TokenIn(first)?.Group, ref refusal);
            }

            if (!_byAddress.TryGetValue(peer.AddressOnly, out var groups))
            {
                return null;
            }

            for (var i = groups.Count - 1; i >= 0; i--)   // the youngest first
            {
                if (groups[i].DeadlineTicks >= Now(groups[i].Control) && Check(groups[i], ref refusal) is { } group)
                {
                    return group;
                }
            }

            return null;
        }
    }

    /// <summary>Makes a session a flow, unless it is one already: its handler may have been replaced.</summary>
    /// <returns>Null if no group takes it any more.</returns>
    public Flow? Join(SessionContext session, ReadOnlySpan<byte> first, out DropReason refusal)
    {
        Flow flow;
        refusal = DropReason.ForeignSource;
        lock (_lock)
        {
            if (_flows.TryGetValue(session.Id, out var known))
            {
                return known;
            }

            if (Find(session.PeerAddr, first, out refusal) is not { } group)
            {
                return null;
            }

            if (TokenIn(first) is { } token && settings.Join == FlowJoin.Token)
            {
                _byToken.Remove(token.Text);   // good for one flow
                group.Tokens.Remove(token.Text);
            }

            flow = new Flow(group, session);
            _flows[session.Id] = flow;
            group.Open.Add(flow);
        }

        session.MarkPeerValidated();   // it returned a token, or its address has shaken hands over TCP
        flow.Group.Control.Self.Tell(new FlowJoined(flow), ActorRefs.NoSender);
        return flow;
    }

    /// <summary>Takes out a flow that has ended, and adds up what it has moved.</summary>
    public void Leave(Flow flow, CloseReason reason)
    {
        lock (_lock)
        {
            if (!_flows.Remove(flow.Id))
            {
                return;
            }

            flow.Group.Open.Remove(flow);
            flow.Group.AddTotals(flow);
        }

        flow.Group.Control.Self.Tell(new FlowLeft(flow, reason), ActorRefs.NoSender);
        flow.Group.RecordIfOver();
    }

    /// <summary>A session ends whose handler does not know what it was: a control session, a flow, or neither.
    /// </summary>
    public void Abandon(SessionContext session, CloseReason reason)
    {
        FlowGroup? group;
        Flow? flow;
        lock (_lock)
        {
            group = _byAddress.GetValueOrDefault(session.PeerAddr.AddressOnly)?
                .Find(group => ReferenceEquals(group.Control, session));
            flow = _flows.GetValueOrDefault(session.Id);
        }

        if (group is not null)
        {
            Close(group);
        }

        if (flow is not null)
        {
            Leave(flow, reason);
        }
    }

    /// <summary>A token for one flow; beyond the limit the oldest that is not used is void.</summary>
    public string IssueToken(FlowGroup group)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{random.NextUInt64():x16}{random.NextUInt64():x16}");
        lock (_lock)
        {
            if (group.IsClosed)
            {
                return text;   // void from the start: the control session is over
            }

            if (group.Tokens.Count == settings.MaxFlows)
            {
                _byToken.Remove(group.Tokens[0]);
                group.Tokens.RemoveAt(0);
            }

            group.Tokens.Add(text);
            _byToken[text] = new FlowToken(text, group, Deadline(group.Control));
        }

        return text;
    }

    private static long Now(SessionContext session) => session.Loop.Time.GetTimestamp();

    private long Deadline(SessionContext control) =>
        Now(control) + (long)(settings.JoinTimeout.TotalSeconds * control.Loop.Time.TimestampFrequency);

    private FlowGroup? Check(FlowGroup? group, ref DropReason refusal)
    {
        if (group is null)
        {
            return null;
        }

        if (!group.IsReady)
        {
            refusal = DropReason.UpstreamUnavailable;   // its control session has no upstream yet
            return null;
        }

        if (group.Open.Count >= settings.MaxFlows)
        {
            refusal = DropReason.MaxFlows;
            return null;
        }

        return group;
    }

    /// <summary>The token that the datagram begins with, if it is one that may still be used.</summary>
    private FlowToken? TokenIn(ReadOnlySpan<byte> first)
    {
        if (first.Length < TokenBytes)
        {
            return null;
        }

        Span<char> text = stackalloc char[TokenBytes];
        Encoding.Latin1.GetChars(first[..TokenBytes], text);
        return _byToken.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text, out var token)
            && token.DeadlineTicks >= Now(token.Group.Control)
                ? token
                : null;
    }

    private sealed record FlowToken(string Text, FlowGroup Group, long DeadlineTicks);
}
