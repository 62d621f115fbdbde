namespace Router.Configuration.Validators;

/// <summary>An abstract name is open to every user of the network namespace.</summary>
internal sealed class AbstractNameRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) =>
        from listener in context.Options.Listeners
        from bind in listener.Binds
        where bind.IsUnix && bind.Name![0] == '@'
        select new ConfigurationFault(bind.Origin, $"{listener.Section.Path}.bind",
            $"{bind} has no permissions: whoever is in the same network namespace may connect; "
            + "bind to a path, with unix.mode, unless all of them may");
}
