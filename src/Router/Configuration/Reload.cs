using Router.Configuration.Hocon;

namespace Router.Configuration;

/// <summary>What becomes of a changed key when the configuration is read again.</summary>
public enum Reload
{
    /// <summary>What runs follows at once, live sessions included.</summary>
    AtOnce,

    /// <summary>Sessions that begin from now on follow; live ones end as they began.</summary>
    NewSessions,

    /// <summary>Addresses that went away drain, new ones are bound; those that stay keep socket and sessions.</summary>
    RestartsListener,

    /// <summary>Nothing follows before the next start; a warning says so.</summary>
    No,
}

/// <summary>A key as it is declared, and what was read for it.</summary>
/// <param name="Path">Relative to the listener, the route or <c>router</c>: <c>session.mailbox-bytes</c>.</param>
/// <param name="Limits">As reference.conf writes them; empty for a key without limits.</param>
/// <param name="Value">What a reload compares, by its own equality.</param>
/// <param name="Origin">Where the key stands, or its entry where nothing was written.</param>
internal sealed record DeclaredKey(string Path, string Limits, Reload Reload, object? Value, HoconOrigin Origin);
