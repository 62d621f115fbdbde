using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Loop;
using AkkaConfig = Akka.Configuration.Config;
using AkkaConfigurationFactory = Akka.Configuration.ConfigurationFactory;

namespace Router.Running;

/// <summary>The section <c>akka</c> of a router's file: Akka's own keys, on their way to the actor system.</summary>
/// <remarks>Our reader reads it, so that includes, substitutions and places are as everywhere; Akka is given what came
/// of it as JSON, which its own reader takes.</remarks>
internal static class AkkaSection
{
    /// <summary>Keys that are tried one by one when Akka refuses a section: each costs a few milliseconds.</summary>
    private const int TriedMax = 64;

    private const string Extensions = "akka.extensions";

    /// <summary>What a trial never has, whatever the section says: it must not open a port, join a cluster, or run code
    /// of the program's.</summary>
    private const string TrialSettings =
        """
        akka {
          actor.provider = local
          extensions = []
          library-extensions = []
          loggers = []
          stdout-loglevel = OFF
          log-config-on-start = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        """;

    /// <summary>For an actor system, on top of its defaults.</summary>
    /// <param name="section">Null for a file without one.</param>
    public static AkkaConfig ConfigOf(HoconObject? section) => ConfigOf(section, new HashSet<string>());

    /// <summary>What Akka refuses of a section, found by making an actor system of it that does nothing.</summary>
    /// <returns>The keys that Akka takes none of the values of, with their places; the section's place where it is not
    /// due to single keys.</returns>
    public static IReadOnlyList<ConfigurationFault> FaultsOf(HoconObject? section)
    {
        if (section is null)
        {
            return [];
        }

        var leaves = section.Leaves("akka").ToList();
        if (Try(section, new HashSet<string>()) is not { } refusal)
        {
            return [.. ExtensionFaults(section, leaves.Find(static leaf => leaf.Name == Extensions)?.KeyOrigin)];
        }

        var faults = new List<ConfigurationFault>();
        if (leaves.Count <= TriedMax)
        {
            var without = leaves.Select(static leaf => leaf.Name).ToHashSet(StringComparer.Ordinal);
            foreach (var leaf in leaves)
            {
                without.Remove(leaf.Name);
                if (Try(section, without) is { } reason)
                {
                    faults.Add(FaultAt(leaf.KeyOrigin, leaf.Name, reason));
                    without.Add(leaf.Name);
                }
            }
        }

        return faults.Count > 0 ? faults : [FaultAt(section.Origin, "akka", refusal)];
    }

    /// <summary>Akka leaves out an extension that it cannot load, and says so only in a log that is not there
    /// yet.</summary>
    private static IEnumerable<ConfigurationFault> ExtensionFaults(HoconObject section, HoconOrigin? origin) =>
        ConfigOf(section).GetStringList(Extensions, [])
            .Where(static name => !typeof(IExtensionId).IsAssignableFrom(Type.GetType(name, throwOnError: false)))
            .Select(name => new ConfigurationFault(
                origin ?? section.Origin, Extensions,
                $"'{name}' is no type of an ExtensionId that can be loaded; write it as TYPE, ASSEMBLY"));

    /// <summary>What Akka said when it refused a section, as a fault.</summary>
    public static ConfigurationFault FaultAt(HoconOrigin origin, string path, Exception refusal) => new(
        origin, path, $"Akka refuses it: {refusal.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd()}");

    private static AkkaConfig ConfigOf(HoconObject? section, IReadOnlySet<string> without)
    {
        if (section is null)
        {
            return AkkaConfig.Empty;
        }

        var kept = Kept(section, "akka", without);
        return AkkaConfigurationFactory.ParseString($"akka {HoconJson.Print(kept, indented: false)}");
    }

    /// <summary>Null is no value: what Akka's defaults say stays, while Akka would read the word.</summary>
    private static HoconObject Kept(HoconObject section, string path, IReadOnlySet<string> without)
    {
        var fields = new List<HoconField>();
        foreach (var field in section.Fields)
        {
            var at = HoconPath.Below(path, field.Name);
            if (field.Value.Type == HoconType.Null || without.Contains(at))
            {
                continue;
            }

            fields.Add(field.Value is HoconObject inner ? field with { Value = Kept(inner, at, without) } : field);
        }

        return new HoconObject(fields, section.Origin);
    }

    /// <summary>Why no actor system can be made of it; null if one can.</summary>
    private static Exception? Try(HoconObject section, IReadOnlySet<string> without)
    {
        try
        {
            var config = AkkaConfigurationFactory.ParseString(TrialSettings)
                .WithFallback(ConfigOf(section, without))
                .WithFallback(AkkaConfigurationFactory.ParseString(ClockScheduler.Setting));
            var system = ActorSystem.Create("trial", config);
            try
            {
                // What a running system reads only once it is needed.
                CoordinatedShutdown.Get(system);
                system.Dispatchers.Lookup(Dispatchers.DefaultDispatcherId);
            }
            finally
            {
                _ = system.Terminate();
            }

            return null;
        }
        catch (Exception refusal) when (refusal is not OutOfMemoryException)
        {
            return refusal;
        }
    }
}
