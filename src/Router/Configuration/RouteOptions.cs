using Router.Configuration.Hocon;
using Router.Sessions;

namespace Router.Configuration;

/// <summary>One entry of <c>router.routes</c>; the subclass is its type: it declares and checks its keys,
/// and makes its route.</summary>
internal abstract class RouteOptions(SectionReader section)
{
    public SectionReader Section => section;

    public string Name => section.Name;

    public string Type { get; } = (section.Find("type")?.Value as HoconScalar)?.Text ?? "";

    /// <summary>Whether it answers whatever comes, so that forged datagrams could turn it against others.</summary>
    public virtual bool AnswersAnybody => false;

    public virtual bool MayRunOnPool => false;

    /// <summary>Whether it may be the inner route of a flow route.</summary>
    public virtual bool MayServeFlows => false;

    /// <summary>Descriptors of a session besides its connection.</summary>
    public virtual int DescriptorsPerSession => 0;

    /// <summary>The name of the route that serves its sessions, if that is another one. It is built first.</summary>
    public virtual string? InnerRoute => null;

    /// <summary>Its upstreams as in the file, where sessions go to one of them.</summary>
    public virtual IEnumerable<string> UpstreamNames => [];

    /// <summary>Every member of a cluster sends a peer to the same upstream, if all can reach the same ones.</summary>
    public virtual bool PicksAlike => true;

    /// <summary>What is wrong with the entry, beside values that cannot be read or are beyond their limits.</summary>
    public virtual IEnumerable<ConfigurationFault> Check(RuleContext context) => [];

    /// <summary>Makes the route of options that have no fault.</summary>
    /// <returns>Null if the environment lacks something, which it has been told.</returns>
    public abstract Route? Build(RouteEnvironment environment);
}

/// <summary>A type of routes, and how the keys of one are read.</summary>
/// <param name="Read">Declares and reads the keys.</param>
internal sealed record RouteType(string Name, Func<SectionReader, RouteOptions> Read);
