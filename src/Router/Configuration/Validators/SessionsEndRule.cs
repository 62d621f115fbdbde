namespace Router.Configuration.Validators;

/// <summary>Sessions that nothing ends stay until max-sessions of them lock out everybody else.</summary>
internal sealed class SessionsEndRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Listeners
        .Where(static l => l.Sessions is { IdleTimeoutMs: 0, PeerIdleTimeoutMs: 0, MaxLifetimeMs: 0 })
        .Select(l => l.Section.FaultAt("idle-timeout",
            $"nothing limits a session's time: {l.Sessions.MaxSessions} silent peers lock out all others; "
            + "set idle-timeout or max-lifetime"));
}
