namespace Router.Configuration.Validators;

/// <summary>Sessions are prepared that may never open: their memory is taken for nothing.</summary>
internal sealed class PreparedSessionsUsedRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var prepared = context.Options.Heap.PreparedSessions;
        var onLoops = context.Options.Listeners.Where(
            static listener => !listener.Sessions.OnPool).ToList();
        var open = onLoops.Sum(static listener => (long)listener.Sessions.MaxSessions);
        if (prepared > 0 && context.Options.Listeners.Count > 0 && onLoops.Count == 0)
        {
            yield return context.Options.Section.FaultAt("heap.prepared-sessions",
                "no session is prepared where all listeners have session.dispatcher = pool; set it to 0");
        }
        else if (prepared > open)
        {
            yield return context.Options.Section.FaultAt("heap.prepared-sessions",
                $"{prepared} sessions are prepared and the listeners' max-sessions are {open} together; lower it, or "
                + "raise max-sessions");
        }
    }
}
