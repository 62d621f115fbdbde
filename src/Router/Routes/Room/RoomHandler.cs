using System.Text;
using Router.Admission;
using Router.Diagnostics;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A session of a room route: first validated, then a member of a room. A datagram is a payload, and so is a
/// line of a stream, with its end.</summary>
/// <remarks>A fresh handler after a failure would not know the room: the session ends instead, and the peer joins
/// again.</remarks>
internal sealed class RoomHandler(RoomRoute route, RoomLoop loop) : SessionHandler
{
    private const int NameBytesMax = 64;

    private PeerValidator? _validator;   // until the peer is validated
    private Room? _room;
    private LoopMembers? _members;       // those that it is one of
    private byte[]? _line;               // the beginning of a line whose end has not come yet
    private int _lineLength;
    private bool _isTooLong;             // the line is: its rest is dropped too

    public SessionContext Session { get; private set; } = null!;

    /// <summary>Its index in <see cref="LoopMembers.Members"/>, which sets it.</summary>
    public int Index { get; set; }

    public override void OnOpened(SessionContext session)
    {
        Session = session;
        if (session.Restarts > 0)
        {
            session.CloseNow(CloseReason.Failed);
            return;
        }

        var rule = route.Settings.Validation;
        if (session.Transport.KeepsMessages() && !rule.Trusts(session.PeerAddr))
        {
            _validator = new PeerValidator(rule);
            session.SetTimer(rule.Timeout);
        }
        else
        {
            OnValidated(joins: !session.Transport.KeepsMessages());   // a datagram follows, and joins by itself
        }
    }

    public override void OnReceived(SessionContext session, PayloadBatch batch)
    {
        foreach (var payload in batch)
        {
            if (!session.Transport.KeepsMessages())
            {
                OnBytes(payload);
            }
            else if (_validator is { } validator)
            {
                Validate(validator, payload);
            }
            else
            {
                OnPayload(payload);
            }

            if (session.IsClosed)
            {
                return;
            }
        }
    }

    public override void OnPeerFinished(SessionContext session)
    {
        if (_lineLength > 0)
        {
            OnPayload(_line.AsSpan(0, _lineLength));   // the last line needs no end
        }

        base.OnPeerFinished(session);
    }

    public override void OnTimer(SessionContext session)
    {
        if (_validator is not null)
        {
            session.Close(CloseReason.Unvalidated);
        }
    }

    public override void OnClosed(SessionContext session, CloseReason reason)
    {
        if (_room is { } room)
        {
            _room = null;
            route.Directory.Leave(room, _members!, this);
        }

        ReleaseLine();
    }

    internal override void OnReplaced(SessionContext session) => OnClosed(session, CloseReason.Failed);

    internal override bool MayEndNow(SessionContext session) => session.Stream is not { HasUnsent: true };

    /// <summary>Sends the peer what another member of the room has sent.</summary>
    public void Deliver(ReadOnlySpan<byte> payload)
    {
        if (Session.IsClosed || Session.PassOn(payload))
        {
            return;
        }

        if (!Session.IsClosed)
        {
            Session.CountDrop(DropReason.RoomSlow);
            if (route.Settings.WhenSlow == RoomWhenSlow.Close)
            {
                Session.CloseNow(CloseReason.Slow);
            }
        }
    }

    private void OnValidated(bool joins)
    {
        _validator = null;
        Session.MarkPeerValidated();
        Session.CancelTimer();
        if (joins && route.Settings.Entry == RoomEntry.Listener)
        {
            Enter(Session.Listener);
        }
    }

    private void Validate(PeerValidator validator, ReadOnlySpan<byte> payload)
    {
        switch (validator.Judge(payload, out var proofBytes))
        {
            case PeerVerdict.Accepted:
                OnValidated(joins: true);
                var rest = payload[proofBytes..];
                if (!rest.IsEmpty && !Session.IsClosed)
                {
                    OnPayload(rest);
                }

                break;
            case PeerVerdict.Challenged:
                Session.Reply(validator.Challenge);
                break;
            default:
                Session.CountDrop(DropReason.Unvalidated);
                break;
        }
    }

    private void OnPayload(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > route.Settings.PayloadMax)
        {
            Session.CountDrop(DropReason.RoomRefused);
            return;
        }

        if (_room is null)
        {
            Enter(NameIn(payload));
            if (route.Settings.Entry != RoomEntry.Listener)
            {
                return;   // it was for joining
            }
        }

        if (_room is { } room)
        {
            loop.Send(this, room, payload);
        }
    }

    /// <summary>The name of the room that a first payload asks for; null if there is none in it.</summary>
    private string? NameIn(ReadOnlySpan<byte> payload)
    {
        var name = route.Settings.Entry switch
        {
            RoomEntry.Listener => Session.Listener,
            RoomEntry.Handler => route.Join.RoomOf(Session, payload),
            _ => payload.Length <= NameBytesMax + 2 ? Encoding.Latin1.GetString(payload.TrimEnd("\r\n"u8)) : null,
        };
        return name is { Length: > 0 and <= NameBytesMax } && name.All(IsNameChar) ? name : null;
    }

    private static bool IsNameChar(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.';

    private void Enter(string? name)
    {
        if (name is not null)
        {
            _members = route.Directory.Join(name, this, Session.Loop, out var room);
            _room = _members is null ? null : room;
        }

        if (_room is null)
        {
            Session.CountDrop(name is null ? DropReason.RoomRefused : DropReason.RoomFull);
            if (!Session.Transport.IsConnectionless())
            {
                Session.Close(CloseReason.Refused);
            }
        }
    }

    private void OnBytes(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !Session.IsClosed)
        {
            var end = bytes.IndexOf((byte)'\n');
            if (end < 0)
            {
                KeepLine(bytes);
                return;
            }

            OnLine(bytes[..(end + 1)]);
            bytes = bytes[(end + 1)..];
        }
    }

    private void OnLine(ReadOnlySpan<byte> line)
    {
        if (_lineLength > 0)
        {
            KeepLine(line);   // its end
            line = _line.AsSpan(0, _lineLength);
        }

        if (_isTooLong)
        {
            _isTooLong = false;   // counted when it became too long
        }
        else
        {
            OnPayload(line);
        }

        ReleaseLine();
    }

    private void KeepLine(ReadOnlySpan<byte> more)
    {
        var max = route.Settings.PayloadMax;
        if (_isTooLong)
        {
            return;
        }

        if (_lineLength + more.Length > max)
        {
            _isTooLong = true;
            ReleaseLine();
            Session.CountDrop(DropReason.RoomRefused);
            return;
        }

        _line ??= Session.Loop.Buffers.Rent(max);
        more.CopyTo(_line.AsSpan(_lineLength));
        _lineLength += more.Length;
    }

    private void ReleaseLine()
    {
        if (_line is { } line)
        {
            _line = null;
            Session.Loop.Buffers.Return(line);
        }

        _lineLength = 0;
    }
}
