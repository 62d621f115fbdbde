namespace Router.Sessions;

/// <summary>Makes a session's handler, or what stands in for it until the session is attached to its identity, or
/// until other members have said whether they have a session of its peer.</summary>
internal static class IdentityOpening
{
    /// <summary>A handler is to be made: the session's first, or a fresh one after a failure.</summary>
    public static void OpenIdentified(this SessionContext session)
    {
        if (session.Identified is null && session.Shard is { Settings.Identity: { } settings, Hub: { } hub })
        {
            session.Extras.Identity = new SessionIdentity(session, settings, hub);
            if (IsWaitedFor(session, settings))
            {
                session.Identified!.Expect(settings.AttachTimeoutMs);
            }
        }

        var identity = session.Identified;
        var isStoodFor = identity is { IsAttached: false }
            && (identity.Settings.Source != IdentitySource.Handler || identity.Name is not null);
        session.Handler = isStoodFor
            ? new AttachingHandler(identity!, null)
            : session.Shard.Relay?.TryFind(session) ?? session.Route.CreateHandler(session);
        session.Handler.OnOpened(session);
        if (identity is { IsAttached: true })
        {
            identity.GoOn();
        }
    }

    /// <summary>Whether the peer may keep the session waiting for who it is: a datagram that does not say opens
    /// none.</summary>
    private static bool IsWaitedFor(SessionContext session, IdentitySettings settings) =>
        settings.Source == IdentitySource.Handler
        || (settings.Source != IdentitySource.Endpoint && !session.Transport.IsConnectionless());
}
