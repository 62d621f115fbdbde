namespace Router.Configuration.Validators;

/// <summary>Without a listener there is nothing to run.</summary>
internal sealed class ListenersExistRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        if (context.Options.Listeners.Count == 0)
        {
            yield return context.Options.Section.FaultAt("listeners",
                "there is no listener, so nothing to serve; write router { listeners { NAME { bind = ..., "
                + "route = ... } } }");
        }
    }
}
