using Router.Configuration.Hocon;

namespace Router.Actors;

/// <summary>The mailbox without a limit; used where nothing else is configured.</summary>
public static class UnboundedMailbox;

/// <summary>The mailbox with a limit of user messages waiting; one more becomes a dead letter. Configured as
/// <c>mailbox-type = "Akka.Dispatch.BoundedMailbox, Akka"</c>, <c>mailbox-capacity = 1000</c>,
/// <c>mailbox-push-timeout-time = 0s</c> (no other: a sender never waits).</summary>
public static class BoundedMailbox;

internal static class Mailboxes
{
    private const int DefaultCapacity = 1000;

    /// <summary>The limit of the mailbox configured at a path; 0 means none.</summary>
    public static int CapacityOf(Config config, string mailboxId)
    {
        if (!config.HasPath(mailboxId))
        {
            throw new ConfigurationException($"Mailbox [{mailboxId}] is not configured.");
        }

        var section = config.GetConfig(mailboxId)!;
        var type = section.GetString("mailbox-type", null) ?? nameof(UnboundedMailbox);
        var name = type.Split(',')[0].Split('.')[^1].Trim();
        return name switch
        {
            nameof(UnboundedMailbox) or "UnboundedDequeBasedMailbox" => 0,
            nameof(BoundedMailbox) or "BoundedDequeBasedMailbox" => CheckedCapacity(section, mailboxId),
            _ => throw new ConfigurationException($"Mailbox [{mailboxId}] has the unknown type [{type}]."),
        };
    }

    private static int CheckedCapacity(Config section, string mailboxId)
    {
        var capacity = section.GetInt("mailbox-capacity", DefaultCapacity);
        return capacity > 0
            ? capacity
            : throw new ConfigurationException($"Mailbox [{mailboxId}] needs a mailbox-capacity above 0.");
    }
}
