namespace Router.Configuration.Validators;

/// <summary>Sessions are prepared that may never open: their memory is taken for nothing.</summary>
internal sealed class PreparedSessionsUsedRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var prepared = context.Options.Heap.PreparedSessions;
        var open = context.Options.Listeners.Sum(static listener => (long)listener.MaxSessions);
        if (prepared > open)
        {
            yield return context.Options.Section.FaultAt("heap.prepared-sessions",
                $"{prepared} sessions are prepared and the listeners' max-sessions are {open} together; lower it, or "
                + "raise max-sessions");
        }
    }
}
