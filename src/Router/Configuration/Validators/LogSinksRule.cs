namespace Router.Configuration.Validators;

/// <summary>A sink that lines go to has a place.</summary>
internal sealed class LogSinksRule : IConfigurationRule
{
    public IEnumerable<ConfigurationFault> Check(RuleContext context)
    {
        var log = context.Options.Log;
        if (log.Sinks.Contains(LogSinkKind.File) && log.File.Path is null)
        {
            yield return log.Section.FaultAt("file.path", "must be set, as log.sinks has file");
        }

        if (log.Sinks.Contains(LogSinkKind.Syslog) && log.Syslog.Address is null)
        {
            yield return log.Section.FaultAt(
                "syslog.address", "must be set, as log.sinks has syslog: \"unixgram:///dev/log\" is this machine's");
        }
    }
}
