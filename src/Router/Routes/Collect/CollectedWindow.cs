using System.Net;
using Router.Sessions;

namespace Router.Routes;

/// <summary>A payload of a window. Its bytes are the router's, valid until the sink's call ends.</summary>
public readonly ref struct CollectedPayload
{
    private readonly RecordHeader _header;

    internal CollectedPayload(RecordHeader header, ReadOnlySpan<byte> bytes)
    {
        _header = header;
        Bytes = bytes;
    }

    /// <summary>Of one datagram, or of one read from a stream.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Who sent it; allocates.</summary>
    public IPEndPoint Peer => _header.Peer.ToIPEndPoint();

    /// <summary>The session that it came by.</summary>
    public SessionId Session => _header.Session;

    /// <summary>When it came, by the wall clock, in UTC.</summary>
    public DateTimeOffset Time => new(_header.UtcTicks, TimeSpan.Zero);

    internal string PeerText => _header.Peer.ToString();
}

/// <summary>Payloads gathered by time, count or bytes; at least one.</summary>
public sealed class CollectedWindow
{
    private readonly PayloadRecords _records;

    internal CollectedWindow(string route, string listener, SessionId? session, long number, PayloadRecords records)
    {
        Route = route;
        Listener = listener;
        Session = session;
        Number = number;
        _records = records;
    }

    /// <summary>The name of the route that has gathered it.</summary>
    public string Route { get; }

    /// <summary>The name of the listener that its payloads came to.</summary>
    public string Listener { get; }

    /// <summary>Whose payloads they are; null where windows are per listener.</summary>
    public SessionId? Session { get; }

    /// <summary>Of this window among those of its session, or listener: 1, 2, 3...</summary>
    public long Number { get; }

    /// <summary>Payloads in it, at least 1.</summary>
    public int Count => _records.Count;

    /// <summary>Bytes of the payloads.</summary>
    public long Bytes => _records.PayloadBytes;

    /// <summary>Oldest first.</summary>
    public Enumerator GetEnumerator() => new(_records);

    /// <summary>The sink is done with it: the memory goes back.</summary>
    internal void Release() => _records.Release();

    /// <summary>Goes over the payloads, oldest first.</summary>
    public ref struct Enumerator
    {
        private PayloadRecords.Enumerator _records;

        internal Enumerator(PayloadRecords records) => _records = records.GetEnumerator();

        /// <summary>The payload at hand; valid until the call with the window returns.</summary>
        public readonly CollectedPayload Current => new(_records.Header, _records.Payload);

        /// <summary>Goes to the next payload; false after the last.</summary>
        public bool MoveNext() => _records.MoveNext();
    }
}
