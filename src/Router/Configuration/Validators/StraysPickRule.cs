namespace Router.Configuration.Validators;

/// <summary>When the member that has a session dies, another one picks an upstream for it: the same one only by hash.
/// </summary>
internal sealed class StraysPickRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        from listener in context.Options.Listeners
        where listener.Sessions.Strays is not null
            && context.Options.FindRoute(listener.Route) is { PicksAlike: false }
        select listener.Section.FaultAt("strays",
            $"relay keeps peers at their upstreams, but when a member dies, route {listener.Route} has its peers begin "
            + "anew at any upstream; pick = hash has them begin at the same one");
}
