namespace Router.Configuration.Validators;

/// <summary>Without a listener there is nothing to run.</summary>
internal sealed class ListenersExistRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        if (context.Options.Listeners.Count == 0)
        {
            yield return RuleContext.Fault(context.Options, "listeners", "there is no listener, so nothing to serve");
        }
    }
}
