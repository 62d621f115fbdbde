namespace Router.Sessions;

/// <summary>What a session is carried by.</summary>
public enum SessionTransport : byte
{
    /// <summary>Datagrams over IP.</summary>
    Udp,

    /// <summary>A connection over IP.</summary>
    Tcp,

    /// <summary>A stream over a unix socket: <c>unix://</c>.</summary>
    Unix,

    /// <summary>Messages over a connection: <c>unixpacket://</c>.</summary>
    Unixpacket,

    /// <summary>Messages without a connection: <c>unixgram://</c>.</summary>
    Unixgram,
}

internal static class SessionTransports
{
    /// <summary>Whether a payload is a message, as the peer sent it; else the next bytes of a stream.</summary>
    public static bool KeepsMessages(this SessionTransport transport) =>
        transport is not (SessionTransport.Tcp or SessionTransport.Unix);

    /// <summary>Whether peers send without connecting first: their sessions share the listener's socket.</summary>
    public static bool IsConnectionless(this SessionTransport transport) =>
        transport is SessionTransport.Udp or SessionTransport.Unixgram;

    /// <summary>As the configuration spells it: <c>udp</c>, <c>unixpacket</c>.</summary>
    public static string Scheme(this SessionTransport transport) => transport switch
    {
        SessionTransport.Udp => "udp",
        SessionTransport.Tcp => "tcp",
        SessionTransport.Unix => "unix",
        SessionTransport.Unixpacket => "unixpacket",
        _ => "unixgram",
    };
}
