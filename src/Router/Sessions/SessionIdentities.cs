namespace Router.Sessions;

/// <summary>What a handler does with its peer's identity.</summary>
public static class SessionIdentities
{
    /// <summary>Says who the peer is, on a listener with <c>identity = handler</c>: once the handler has seen proof of
    /// it. What comes from the peer then waits until the session is attached; then
    /// <see cref="SessionHandler.OnResumed"/> is called, if there is a checkpoint. Payloads of the batch in hand are
    /// still the handler's. Within the handler's calls only.</summary>
    /// <param name="session">The handler's.</param>
    /// <param name="identity">1 to 256 bytes of UTF-8, without control characters.</param>
    /// <exception cref="InvalidOperationException">The listener's identity is not the handler's to say, or it has been
    /// said.</exception>
    /// <exception cref="ArgumentException">It cannot be an identity.</exception>
    public static void Identify(this SessionContext session, string identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (session.Identified is not { Settings.Source: IdentitySource.Handler, Name: null } own)
        {
            throw new InvalidOperationException(session.Identity is null
                ? $"listener {session.Listener} does not have identity = handler"
                : $"the session's identity is known already: {session.Identity}");
        }

        own.AttachFor(session.Handler!, identity);
    }

    /// <summary>Has this kept as the identity's state, instead of what was kept before: the next session of the
    /// identity, wherever it is, gets the last one by <see cref="SessionHandler.OnResumed"/>. It is sent at most every
    /// <c>checkpoint-interval</c>, and when the session ends: what came after the last one sent is lost where this
    /// member dies. With <c>checkpoint-sync = on</c> it is sent at once, and replies that are made from now on wait
    /// until it is kept. Within the handler's calls only.</summary>
    /// <param name="session">The handler's.</param>
    /// <param name="state">The handler's own bytes, 64 KiB at most; copied.</param>
    /// <exception cref="InvalidOperationException">The session is not attached to an identity.</exception>
    /// <exception cref="ArgumentException">It is too long.</exception>
    public static void Checkpoint(this SessionContext session, ReadOnlySpan<byte> state)
    {
        if (session.Identified is not { IsAttached: true } own)
        {
            throw new InvalidOperationException(
                $"the session is not attached to an identity; see the key identity of listener {session.Listener}");
        }

        own.Checkpoint(state);
    }
}
