using Router.Diagnostics;
using Router.Sessions;
using Router.Upstreams;

namespace Router.Routes;

/// <summary>A control session's flows. Any thread.</summary>
public sealed class FlowGroup
{
    private readonly FlowTable _table;
    private readonly Lock _lock = new();   // guards the sums
    private readonly List<string> _members = [];
    private volatile Upstream? _upstream;
    private volatile bool _isReady = true;
    private long _payloadsIn;
    private long _bytesIn;
    private long _payloadsOut;
    private long _bytesOut;
    private int _waitingBytes;
    private int _joined;             // used in the control session's turn only, as the next
    private TimeSpan _idleTimeout;   // the control session's own, while it has flows
    private bool _isRecorded;

    internal FlowGroup(FlowTable table, SessionContext control, long deadlineTicks)
    {
        _table = table;
        Control = control;
        DeadlineTicks = deadlineTicks;
    }

    /// <summary>The control session.</summary>
    public SessionContext Control { get; }

    /// <summary>
    /// A token that lets one flow join: 32 hexadecimal digits, to be told to the peer over the control session, and to
    /// begin the flow's first datagram. It is void after join-timeout, and when it has been used.
    /// </summary>
    public string IssueToken() => _table.IssueToken(this);

    /// <summary>When flows may no longer join by the address; a timestamp of the loop's clock.</summary>
    internal long DeadlineTicks { get; }

    /// <summary>Tokens that have not been used, oldest first. Only the table uses this and the next two, under its
    /// lock.</summary>
    internal List<string> Tokens { get; } = [];

    internal List<Flow> Open { get; } = [];

    internal bool IsClosed { get; set; }

    /// <summary>Of a proxy: the upstream that the control session has reached, which its flows go to.</summary>
    internal Upstream? Upstream
    {
        get => _upstream;
        set => _upstream = value;
    }

    /// <summary>Whether flows can be served; a proxy's once it has its upstream.</summary>
    internal bool IsReady
    {
        get => _isReady;
        set => _isReady = value;
    }

    /// <summary>Whether the control session has been told of flows that have not ended. In its turn.</summary>
    internal bool HasFlows => _joined > 0;

    /// <summary>A flow has joined: while there is one, the control session has no idle timeout. In its turn.</summary>
    internal void OnJoined()
    {
        if (_joined++ == 0)
        {
            _idleTimeout = Control.IdleTimeout;
            Control.IdleTimeout = Timeout.InfiniteTimeSpan;
        }
    }

    /// <summary>A flow has ended. In the control session's turn.</summary>
    internal void OnLeft()
    {
        if (--_joined > 0 || Control.IsClosed)
        {
            return;
        }

        Control.Touch();   // its own silence counts from now
        Control.IdleTimeout = _idleTimeout;
        if (_table.Settings.EndsWithLastFlow)
        {
            Control.Close(CloseReason.Done);
        }
    }

    /// <summary>Counts bytes on their way to the control session. Any thread.</summary>
    /// <returns>False if there is no room for them.</returns>
    internal bool TryEnter(int bytes)
    {
        if (Interlocked.Add(ref _waitingBytes, bytes + FlowPayload.OverheadBytes) <= _table.Settings.MailboxBytes)
        {
            return true;
        }

        Leave(bytes);
        return false;
    }

    internal void Leave(int bytes) => Interlocked.Add(ref _waitingBytes, -bytes - FlowPayload.OverheadBytes);

    /// <summary>Adds what an ended flow has moved. Any thread.</summary>
    internal void AddTotals(Flow flow)
    {
        lock (_lock)
        {
            _members.Add($"{flow.Id}={flow.Session.PeerAddr}");
            _payloadsIn += flow.Session.PayloadsReceived;
            _bytesIn += flow.Session.BytesReceived;
            _payloadsOut += flow.Session.PayloadsSent;
            _bytesOut += flow.Session.BytesSent;
        }
    }

    /// <summary>Writes one record of all flows, once they and the control session have ended. Any thread.</summary>
    internal void RecordIfOver()
    {
        lock (_lock)
        {
            if (!IsClosed || Open.Count > 0 || _isRecorded || _members.Count == 0)
            {
                return;
            }

            _isRecorded = true;
        }

        Control.Shard.Events.FlowsClosed(new FlowRecord(
            Control, _members.Count, string.Join(' ', _members), _payloadsIn, _bytesIn, _payloadsOut, _bytesOut));
    }
}
