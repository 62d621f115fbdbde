using Router.Cluster.Packs;
using Router.Diagnostics;
using Router.Loop;
using Router.Net;
using Router.Sessions;

namespace Router.Cluster.Relay;

/// <summary>A loop's part of the relay: the sessions here whose datagrams go to other members, and those whose
/// datagrams come from them. Loop thread only, but for the figures.</summary>
internal sealed class RelayLoop : IStrayRelay
{
    private readonly RelaySpan _span;
    private readonly IoLoop _loop;
    private readonly PackOutbox _outbox;
    private readonly Dictionary<long, StrayHandler> _strays = [];
    private readonly Dictionary<(RelayPeer, long), StrayHandler> _straysByOwner = [];
    private readonly Dictionary<long, RelayedWay> _ways = [];
    private readonly Dictionary<(RelayPeer, long), RelayedWay> _waysByIngress = [];
    private readonly Dictionary<SessionContext, RelayedSession> _sessions = [];
    private readonly List<IRelayShard> _shards = [];
    private RelayCounts _counts;
    private long _lastPort;
    private int _asking;

    public RelayLoop(RelaySpan span, IoLoop loop, RandomSource random)
    {
        (_span, _loop) = (span, loop);
        _lastPort = (long)(random.NextUInt64() >> 20);
        _outbox = new PackOutbox(loop, span.Options.Window, () => span.Actor);
        Inbox = new RelayInbox(this, loop, span.Options.Window);
    }

    public RelayInbox Inbox { get; }

    public IoLoop Loop => _loop;

    public TimeSpan StrayTimeout => _span.Options.StrayTimeout;

    /// <summary>Any thread.</summary>
    public RelayFigures Figures => _counts.Read(_outbox.Behind, Inbox.Late);

    public SessionHandler? TryFind(SessionContext session)
    {
        if (session.Shard.Settings.Strays is not { } settings || session.Shard is not IRelayShard shard)
        {
            return null;
        }

        shard.NoteLocal(session.LocalAddr);
        return _span.IsLooking && session.Restarts == 0 ? Ask(session, settings, shard.Listener) : null;
    }

    public void Add(IRelayShard shard)
    {
        if (!_shards.Contains(shard))
        {
            _shards.Add(shard);
        }
    }

    public void Remove(IRelayShard shard) => _shards.Remove(shard);

    /// <summary>A session that ends: members that relay to it are told.</summary>
    public void OnClosing(SessionContext session)
    {
        if (_sessions.Count == 0 || !_sessions.Remove(session, out var relayed))
        {
            return;
        }

        foreach (var way in relayed.Ways)
        {
            Forget(way);
            TellOver(way.Peer, way.Port);
        }

        CountNow();
    }

    /// <summary>Sends a datagram of the stray's peer to the member that has its session.</summary>
    /// <returns>False if there is no room on the way to it.</returns>
    public bool Pass(StrayHandler stray, ReadOnlySpan<byte> payload)
    {
        var isPassed = _outbox.TryAdd(stray.Owner!, stray.Remote, payload);
        RelayCounts.Add(ref _counts.Passed, isPassed ? 1 : 0);
        return isPassed;
    }

    /// <summary>Sends an answer to the member that the peer's datagrams come by.</summary>
    /// <returns>False if there is no room on the way to it.</returns>
    public bool Return(RelayedWay way, ReadOnlySpan<byte> payload)
    {
        var isReturned = _outbox.TryAdd(way.Peer, way.Remote, payload);
        RelayCounts.Add(ref _counts.Returned, isReturned ? 1 : 0);
        return isReturned;
    }

    /// <summary>Nobody has found the stray's session in time.</summary>
    public void OnTimeout(StrayHandler stray)
    {
        if (stray.IsAsking)
        {
            RelayCounts.Add(ref _counts.Unanswered, 1);
            EndAsking(stray);
        }
    }

    /// <summary>The stray has ended, or begins here.</summary>
    public void Remove(StrayHandler stray)
    {
        EndAsking(stray);
        _strays.Remove(stray.Port);
        if (stray.Owner is { } owner && _straysByOwner.Remove((owner, stray.Remote)) && !stray.IsOver)
        {
            TellOver(owner, stray.Port);
        }

        CountNow();
    }

    /// <summary>Members are gone: nothing comes by their ways any more.</summary>
    public void ForgetGone()
    {
        foreach (var way in _ways.Values.Where(static way => way.Peer.IsGone).ToArray())
        {
            End(way);
        }

        CountNow();
    }

    /// <summary>Another member's pack has come.</summary>
    public void OnArrival(RelayArrival arrival)
    {
        foreach (var (run, note) in arrival.Parts)
        {
            switch (note)
            {
                case null when RelayNotes.LoopOf(run.Port) == _loop.Index:
                    OnRun(arrival, run);
                    break;
                case RelayQuestion question:
                    OnQuestion(question);
                    break;
                case RelayAnswer answer when RelayNotes.LoopOf(answer.Port) == _loop.Index:
                    OnAnswer(arrival.From, answer);
                    break;
                case RelayOver over:
                    OnOver(arrival.From, over.Port);
                    break;
                default:
                    break;   // another loop's
            }
        }

        foreach (var shard in _shards)
        {
            shard.EndRelayed();
        }
    }

    private StrayHandler? Ask(SessionContext session, StraySettings settings, string listener)
    {
        var peers = _span.Peers;
        if (peers.Length == 0)
        {
            return null;
        }

        Span<byte> note = stackalloc byte[RelayNotes.BytesMax];
        var stray = new StrayHandler(this, session, NextPort());
        var length = RelayNotes.WriteQuestion(
            note, stray.Port, settings.IsDirect, session.PeerAddr, session.LocalAddr, listener);
        if (length > 0 && _asking < _span.Options.AskedMax)
        {
            foreach (var peer in peers)
            {
                stray.Unanswered += _outbox.TryAdd(peer, 0, note[..length]) ? 1 : 0;
            }
        }

        if (stray.Unanswered == 0)
        {
            RelayCounts.Add(ref _counts.Unasked, 1);
            return null;
        }

        RelayCounts.Add(ref _counts.Asked, 1);
        _asking++;
        _strays.Add(stray.Port, stray);
        return stray;
    }

    private void OnQuestion(RelayQuestion question)
    {
        if (FindHere(question) is var (session, shard) && question.TryFind())
        {
            var way = WayOf(session, shard, question);
            TellAnswer(question, way.Port);
        }

        if (question.IsNowhere())
        {
            TellAnswer(question, 0);
        }
    }

    /// <summary>A session that is itself relayed elsewhere, or not known not to be, is not found.</summary>
    private (SessionContext, IRelayShard)? FindHere(RelayQuestion question)
    {
        foreach (var shard in _shards)
        {
            if (shard.Listener == question.Listener
                && shard.Find(question.Peer, question.Local)
                    is { IsClosed: false, Handler: not null and not StrayHandler, OwnSocket: null } session
                && session.Shard.Settings.Strays is not null)
            {
                return (session, shard);
            }
        }

        return null;
    }

    private RelayedWay WayOf(SessionContext session, IRelayShard shard, RelayQuestion question)
    {
        if (!_sessions.TryGetValue(session, out var relayed))
        {
            _sessions[session] = relayed = new RelayedSession(this, session, shard);
        }

        // At most one of each member that is there.
        foreach (var old in relayed.Ways.Where(way => way.Peer == question.From || way.Peer.IsGone).ToArray())
        {
            relayed.Leave(old);
            Forget(old);
        }

        var made = new RelayedWay(relayed, question.From, NextPort(), question.IsDirect) { Remote = question.Port };
        relayed.Ways.Add(made);
        _ways[made.Port] = made;
        _waysByIngress[(made.Peer, made.Remote)] = made;
        CountNow();
        return made;
    }

    private void OnAnswer(RelayPeer from, RelayAnswer answer)
    {
        if (!_strays.TryGetValue(answer.Port, out var stray) || !stray.IsAsking)
        {
            if (answer.Remote != 0)
            {
                TellOver(from, answer.Port);   // it came too late, or another member has the session too
            }

            return;
        }

        if (answer.Remote != 0)
        {
            RelayCounts.Add(ref _counts.Found, 1);
            (stray.Owner, stray.Remote) = (from, answer.Remote);
            _straysByOwner[(from, answer.Remote)] = stray;
        }
        else if (--stray.Unanswered > 0)
        {
            return;
        }
        else
        {
            RelayCounts.Add(ref _counts.Nowhere, 1);
        }

        EndAsking(stray);
        CountNow();
        stray.Session.Ref.Tell(StrayDecided.Instance, ActorRefs.NoSender);
    }

    private void OnOver(RelayPeer from, long port)
    {
        if (_straysByOwner.TryGetValue((from, port), out var stray))
        {
            stray.IsOver = true;
            stray.Session.Close(CloseReason.RelayEnded);
        }
        else if (_waysByIngress.TryGetValue((from, port), out var way))
        {
            End(way);
            CountNow();
        }
    }

    private void End(RelayedWay way)
    {
        way.Session.Leave(way);
        Forget(way);
        if (way.Session.Ways.Count == 0)
        {
            _sessions.Remove(way.Session.Session);
        }
    }

    private void OnRun(RelayArrival arrival, PackRun run)
    {
        ReadOnlySpan<byte> bytes = arrival.Bytes.AsSpan(run.Start, run.Length);
        if (_ways.TryGetValue(run.Port, out var way) && way.Peer == arrival.From)
        {
            RelayCounts.Add(ref _counts.Taken, run.Payloads);
            while (PackRun.TryTake(ref bytes, out var payload))
            {
                way.Session.Take(way, payload);
            }
        }
        else if (_strays.TryGetValue(run.Port, out var stray) && stray.Owner == arrival.From
            && !stray.Session.IsClosed)
        {
            RelayCounts.Add(ref _counts.Answers, run.Payloads);
            var session = stray.Session;
            while (PackRun.TryTake(ref bytes, out var payload))
            {
                session.Datagrams.Send(session, payload);
            }
        }
        else
        {
            RelayCounts.Add(ref _counts.Lost, run.Payloads);
            TellOver(arrival.From, run.Port);
        }
    }

    private void TellAnswer(RelayQuestion question, long own)
    {
        Span<byte> note = stackalloc byte[RelayNotes.BytesMax];
        _outbox.TryAdd(question.From, 0, note[..RelayNotes.WriteAnswer(note, question.Port, own)]);
    }

    private void TellOver(RelayPeer peer, long port)
    {
        Span<byte> note = stackalloc byte[RelayNotes.BytesMax];
        _outbox.TryAdd(peer, 0, note[..RelayNotes.WriteOver(note, port)]);
    }

    private void Forget(RelayedWay way)
    {
        _ways.Remove(way.Port);
        _waysByIngress.Remove((way.Peer, way.Remote));
    }

    private void EndAsking(StrayHandler stray)
    {
        _asking -= stray.IsAsking ? 1 : 0;
        stray.IsAsking = false;
    }

    private long NextPort() => (++_lastPort << RelayNotes.LoopBits) | (uint)_loop.Index;

    private void CountNow()
    {
        Volatile.Write(ref _counts.Relaying, _straysByOwner.Count);
        Volatile.Write(ref _counts.Relayed, _ways.Count);
    }
}

/// <summary>A loop's figures: it writes them, any thread reads.</summary>
internal struct RelayCounts
{
    public long Relaying;
    public long Relayed;
    public long Asked;
    public long Found;
    public long Nowhere;
    public long Unanswered;
    public long Unasked;
    public long Passed;
    public long Taken;
    public long Returned;
    public long Answers;
    public long Lost;

    public static void Add(ref long count, int more) => Volatile.Write(ref count, count + more);

    public RelayFigures Read(long behind, long late) => new(
        Volatile.Read(ref Relaying), Volatile.Read(ref Relayed), Volatile.Read(ref Asked), Volatile.Read(ref Found),
        Volatile.Read(ref Nowhere), Volatile.Read(ref Unanswered), Volatile.Read(ref Unasked),
        Volatile.Read(ref Passed), Volatile.Read(ref Taken), Volatile.Read(ref Returned),
        Volatile.Read(ref Answers), behind, late, Volatile.Read(ref Lost));
}
