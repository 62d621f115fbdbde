using Router.Sessions;

namespace Router.Configuration.Validators;

/// <summary>The kernel cuts a backlog down to its own maximum and says nothing.</summary>
internal sealed class BacklogGrantedRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Listeners
        .Where(l => l.Backlog > context.System.Backlog && l.Binds.Any(b => !b.Transport.IsConnectionless()))
        .Select(l => l.Section.FaultAt("backlog",
            $"{l.Backlog} is more than the kernel grants, {context.System.Backlog}; "
            + $"sysctl -w net.core.somaxconn={l.Backlog}, or ask for less"));
}
