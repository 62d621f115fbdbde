namespace Router.Configuration.Validators;

/// <summary>The kernel cuts a socket's buffer down to its own maximum and says nothing.</summary>
internal sealed class BufferGrantedRule : IConfigurationRule
{
    public bool Refuses => false;

    public IEnumerable<ConfigurationFault> Check(RuleContext context) => context.Options.Listeners.SelectMany(l =>
        Cut(l, "receive-buffer", l.ReceiveBuffer, context.System.ReceiveBuffer, "net.core.rmem_max")
            .Concat(Cut(
                l, "session-receive-buffer", l.Sessions.ReceiveBuffer, context.System.ReceiveBuffer,
                "net.core.rmem_max"))
            .Concat(Cut(l, "send-buffer", l.SendBuffer, context.System.SendBuffer, "net.core.wmem_max")));

    private static IEnumerable<ConfigurationFault> Cut(
        ListenerOptions listener, string key, int asked, long? granted, string setting)
    {
        // The default asks for what is right where it can be had: only what somebody wrote is worth a word.
        if (asked > granted && IsWritten(listener, key))
        {
            yield return listener.Section.FaultAt(key,
                $"{asked} bytes are more than the kernel grants, {granted}; sysctl -w {setting}={asked}, "
                + "or ask for less");
        }
    }

    private static bool IsWritten(ListenerOptions listener, string key) =>
        listener.Section.Find(key)?.KeyOrigin.File != ConfigurationLoader.ReferenceName;
}
