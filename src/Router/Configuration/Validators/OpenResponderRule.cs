namespace Router.Configuration.Validators;

/// <summary>A route that answers by itself, open to a network, can be used against others.</summary>
internal sealed class OpenResponderRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        from listener in context.Options.Listeners
        let route = context.Options.FindRoute(listener.Route)
        where route is { AnswersAnybody: true }
        from bind in listener.Binds
        where bind.IsOpenUdp
        select new ConfigurationFault(bind.Origin, $"{listener.Section.Path}.bind",
            $"{bind} answers whoever a datagram claims to come from; "
            + "bind to 127.0.0.1 or [::1] unless this network is trusted");
}
