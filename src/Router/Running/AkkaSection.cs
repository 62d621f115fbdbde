using Router.Configuration;
using Router.Configuration.Hocon;
using Router.Loop;
using AkkaConfig = Akka.Configuration.Config;
using AkkaConfigurationFactory = Akka.Configuration.ConfigurationFactory;

namespace Router.Running;

/// <summary>Brings the section <c>akka</c> of a router's file, which holds Akka's own keys, to the actor
/// system.</summary>
/// <remarks>Our HOCON reader reads it, so that includes, substitutions and places work as in all other sections. Akka's
/// reader gets the result as JSON.</remarks>
internal static class AkkaSection
{
    /// <summary>The most keys that are tried one by one when Akka refuses a section. Each costs a few milliseconds.
    /// </summary>
    private const int TriedMax = 64;

    private const string Extensions = "akka.extensions";

    /// <summary>Wins over the section in a trial, which must not open a port, join a cluster, or run code of the
    /// program.</summary>
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

    /// <summary>Finds what Akka refuses of a section, by making an actor system that does nothing.</summary>
    /// <returns>A fault for each key whose value is refused; one for the section where no single key is to blame.
    /// </returns>
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

    /// <summary>Akka leaves out an extension that it cannot load, and says so only in a log that is not there yet.
    /// </summary>
    private static IEnumerable<ConfigurationFault> ExtensionFaults(HoconObject section, HoconOrigin? origin) =>
        ConfigOf(section).GetStringList(Extensions, [])
            .Where(static name => !typeof(IExtensionId).IsAssignableFrom(Type.GetType(name, throwOnError: false)))
            .Select(name => new ConfigurationFault(
                origin ?? section.Origin, Extensions,
                $"'{name}' is no type of an ExtensionId that can be loaded; write it as TYPE, ASSEMBLY"));

    public static ConfigurationFault FaultAt(HoconOrigin origin, string path, Exception refusal) => new(
        origin, path, $"Akka refuses it: {MessageOf(refusal)}");

    /// <summary>What is behind an exception, on one line.</summary>
    public static string MessageOf(Exception refusal) =>
        refusal.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd();

    private static AkkaConfig ConfigOf(HoconObject? section, IReadOnlySet<string> without)
    {
        if (section is null)
        {
            return AkkaConfig.Empty;
        }

        var kept = Kept(section, "akka", without);
        return AkkaConfigurationFactory.ParseString($"akka {HoconJson.Print(kept, indented: false)}");
    }

    /// <summary>Leaves out keys that are null, so that Akka's defaults stay: Akka would read a text, "null".</summary>
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

    /// <summary>Why no actor system can be made of the section; null if one can.</summary>
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
                // Settings that Akka reads only when they are first needed.
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
